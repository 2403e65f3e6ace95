"""Alarms: which period first broke which threshold, and whether planted changes were found in time."""

from __future__ import annotations

import pandas as pd

from workbench.evidence import Evidence, Verdict

IN_TIME_MONTHS = 3


def history(drift: pd.DataFrame, performance: pd.DataFrame) -> pd.DataFrame:
    """Return every light of every period: kind (drift, discrimination, calibration), subject, period, value, light."""
    parts = [drift.rename(columns={"feature": "subject", "psi": "value"}).assign(kind="drift")]
    for kind, value, light in (("discrimination", "auc", "auc_light"), ("calibration", "ratio", "calibration_light")):
        named = performance[["period", value, light]].set_axis(["period", "value", "light"], axis=1)
        parts.append(named.assign(kind=kind, subject={"auc": "AUC", "ratio": "observed / expected"}[value]))
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
    found = raised(lights)
    times = found.groupby(["kind", "subject"]).size().rename("times").reset_index()
    return found.drop_duplicates(["kind", "subject"]).merge(times, on=["kind", "subject"]).reset_index(drop=True)


def to_evidence(lights: pd.DataFrame) -> Evidence:
    """Return when the alarm first rang and for what; the worst light that rang decides."""
    found, tests = first(lights), int((lights["light"] != "not_evaluated").sum())
    periods = lights["period"].nunique()
    if found.empty:
        answer = f"No alarm in {periods} periods and {tests} tests."
        return Evidence(
            key="alarm",
            question="When did the alarm first ring?",
            verdict=Verdict.green,
            answer=answer,
            value="never",
            threshold=_RULE,
            table=lights.head(0),
        )
    top = found.iloc[0]
    by_kind = "; ".join(
        f"{k}: first in {g.iloc[0].period} ({g.iloc[0].subject} {g.iloc[0].value:.3f})"
        for k, g in found.groupby("kind")
    )
    answer = (
        f"The alarm first rang in {top.period}, for {top.subject} ({top.value:.3f}). By kind: {by_kind}. "
        f"{tests} tests in {periods} periods."
    )
    worst = Verdict.red if (found["light"] == "red").any() else Verdict.amber
    return Evidence(
        key="alarm",
        question="When did the alarm first ring, and for what?",
        verdict=worst,
        answer=answer,
        value=str(top.period),
        threshold=_RULE,
        table=found,
    )


_RULE = "red at once, amber when it holds for two periods in a row (convention)"


def held_against(lights: pd.DataFrame, month: str, kind: str, name: str, ahead: int = 0) -> Evidence:
    """Return whether the first alarm of this kind rang within three months of a planted change, and not before.

    `ahead`: months by which a period's outcome lies ahead of its as-of date; a period may be hit by a
    change that comes so much later.
    """
    found = first(lights[lights["kind"] == kind])
    rang = str(found.iloc[0]["period"]) if len(found) else ""
    late = (pd.Period(rang, "M") - pd.Period(month, "M")).n if rang else None
    well = late is not None and -ahead <= late <= IN_TIME_MONTHS
    when = f"first rang for as-of month {rang}, {late:+d} months from it" if rang else "never rang"
    reach = f" (outcomes lie up to {ahead} months ahead of the as-of month)" if ahead else ""
    return Evidence(
        key=f"planted_{name}",
        question=f"Was the planted {name} of {month} found in time, and not before?",
        verdict=Verdict.green if well else Verdict.red,
        answer=f"The planted {name} began in {month}; the {kind} alarm {when}{reach}.",
        value=rang or "never",
        threshold=f"within {IN_TIME_MONTHS} months and not before",
        source="known truth of the simulation",
        table=found,
    )
