"""Alarms: which period first broke which threshold, and for what."""

from __future__ import annotations

import pandas as pd

from workbench.evidence import Evidence, Verdict
from workbench.words import Text, say

SEPARATION, CALIBRATION = "separation", "observed / expected"


def kinds() -> dict[str, Text]:
    """Return the kinds of alarms as a page says them."""
    return {"drift": say("drift"), "discrimination": say("discrimination"), "calibration": say("calibration")}


def history(drift: pd.DataFrame, performance: pd.DataFrame) -> pd.DataFrame:
    """Return every light of every period: kind (drift, discrimination, calibration), subject, period, value, light."""
    parts = [drift.rename(columns={"feature": "subject", "psi": "value"}).assign(kind="drift")]
    for kind, subject, value, light in (
        ("discrimination", SEPARATION, "separation", "separation_light"),
        ("calibration", CALIBRATION, "ratio", "calibration_light"),
    ):
        named = performance[["period", value, light]].set_axis(["period", "value", "light"], axis=1)
        parts.append(named.assign(kind=kind, subject=subject))
    return pd.concat(parts, ignore_index=True)[["kind", "subject", "period", "value", "light"]]


def raised(lights: pd.DataFrame) -> pd.DataFrame:
    """Return the alarms: red at once, amber from the second period in a row on.

    Two in a row keep the many tests of a year from ringing by chance alone.
    """
    rows = lights.sort_values(["kind", "subject", "period"])
    amber = rows["light"].isin(["amber", "red"])
    before = amber.groupby([rows["kind"], rows["subject"]]).shift(1, fill_value=False)
    return rows[(rows["light"] == "red") | (amber & before)].sort_values("period", kind="stable").reset_index(drop=True)


def first(lights: pd.DataFrame) -> pd.DataFrame:
    """Return, for every subject that ever rang, its first alarm, the earliest on top, and how often it rang."""
    rang = raised(lights)
    times = rang.groupby(["kind", "subject"]).size().rename("times").reset_index()
    return rang.drop_duplicates(["kind", "subject"]).merge(times, on=["kind", "subject"]).reset_index(drop=True)


def to_evidence(lights: pd.DataFrame) -> Evidence:
    """Return when the alarm first rang and for what; the worst light that rang decides."""
    rang, tests, periods = first(lights), int((lights["light"] != "not_evaluated").sum()), lights["period"].nunique()
    red = (rang["light"] == "red").any()
    return Evidence(
        key="alarm",
        question=say("When did the alarm first ring, and for what?"),
        verdict=Verdict.green if rang.empty else Verdict.red if red else Verdict.amber,
        answer=_rang(rang, tests, periods)
        if len(rang)
        else say("No alarm in {periods:,} periods and {tests:,} tests.", periods=periods, tests=tests),
        value=str(rang["period"].iloc[0]) if len(rang) else "never",
        threshold=say("Red rings at once, amber when it holds for two periods in a row (convention)."),
        blind_to=say("what happens within a period, and to windows that are still open."),
        table=rang if len(rang) else lights.head(0),
    )


def _rang(rang: pd.DataFrame, tests: int, periods: int) -> Text:
    top = rang.iloc[0]
    each = [
        say(
            "{kind} first in {period} ({subject} {value:.3f})",
            kind=kinds()[str(kind)],
            period=g["period"].iloc[0],
            subject=subject(g["subject"].iloc[0]),
            value=g["value"].iloc[0],
        )
        for kind, g in rang.groupby("kind")
    ]
    return say(
        "The alarm first rang in {period}, for {subject} ({value:.3f}). By kind: {each}. "
        "{tests:,} tests in {periods:,} periods.",
        period=top["period"],
        subject=subject(top["subject"]),
        value=top["value"],
        each=each,
        tests=tests,
        periods=periods,
    )


def subject(name: str) -> Text | str:
    """Return what a light is of, as a page says it: a feature by its name, the others in words."""
    words = {SEPARATION: say("separation"), CALIBRATION: say("observed over expected"), "predicted": say("prediction")}
    return words.get(name, name)
