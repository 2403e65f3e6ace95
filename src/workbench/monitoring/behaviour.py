"""How customers behave through time, without any model: every column by period, whole and within segments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
from pydantic import Field

from workbench import params
from workbench.evidence import Evidence, Verdict
from workbench.evidence.disclosure import People
from workbench.monitoring import alarms, drift, through_time
from workbench.monitoring.attribution import MOST_GROUPS
from workbench.monitoring.through_time import newest
from workbench.panel.bins import Bins, quantile_bins
from workbench.panel.samples import parent_column
from workbench.params import DAY_OR_NONE, Columns, UserError
from workbench.rules import Ruled, Rules
from workbench.words import say
from workbench.words.names import WITHIN

EARLY = 0.25  # share of the periods that the others are compared with, where the panel has no development sample
NAMED = 3  # columns that a sentence names


class Params(Ruled, params.Params):
    """Which panel is watched, in which periods and segments, by which rules."""

    panel: str = Field("mart__behaviour", pattern=r"^mart__[a-z0-9_]+$", description="panel whose columns are watched")
    every: Literal["month", "quarter", "year"] = Field("month", description="month, quarter or year")
    until: str = Field("", pattern=through_time.PERIOD, description="last period watched; empty is all")
    segment: str = Field("", pattern=r"^[a-z][a-z0-9_]*$|^$", description="column by whose values segments are watched")
    thresholds: dict[str, Any] = Field({}, description="own values of rules by name, each [amber, red] or one number")
    rules_as_of: str = Field("", pattern=DAY_OR_NONE, description="day as of which rules are looked up; empty is today")


def reads(p: Params) -> list[str]:
    """Tables this step reads."""
    return [p.panel]


def writes(p: Params) -> list[str]:
    """Tables this step writes: every light of every column and period."""
    return [f"mart__behaviour_lights_{p.panel.removeprefix('mart__')}"]


@dataclass(frozen=True)
class Reference:
    """Frozen bins of every column with their counts in the rows that others are compared with."""

    reference: dict[str, tuple[Bins, tuple[float, ...]]]

    @classmethod
    def of(cls, rows: pd.DataFrame, columns: list[str]) -> Reference:
        """Return deciles (or categories) of the columns in these rows."""
        weight = rows["weight"].to_numpy(float)
        bins = {c: quantile_bins(rows[c]) for c in columns}
        return cls({c: (b, tuple(b.counts(rows[c], weight))) for c, b in bins.items()})

    def within(self, rows: pd.DataFrame) -> Reference:
        """Return the same bins with the counts of other rows."""
        weight = rows["weight"].to_numpy(float)
        return Reference({c: (b, tuple(b.counts(rows[c], weight))) for c, (b, _) in self.reference.items()})


def cut(panel: pd.DataFrame, p: Params) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows that others are compared with (development, else the earliest periods) and those watched."""
    if p.until:
        panel = panel[panel["as_of_date"] <= through_time.end(p.until)]
    parent = pd.factorize(panel[parent_column(panel)])[0]
    rows = panel.assign(period=through_time.periods(panel["as_of_date"], p.every), parent_id=parent)
    early, later = rows[rows["sample"] == "development"], rows[rows["sample"] == "monitoring"]
    if later.empty:
        names = sorted(rows["period"].unique())
        first = set(names[: max(1, int(EARLY * len(names)))])
        early, later = rows[rows["period"].isin(first)], rows[~rows["period"].isin(first)]
    if early.empty or later.empty:
        raise UserError(f"monitoring/behaviour: panel '{p.panel}' has one period only; give it more as-of dates")
    if p.segment:
        Columns("segment", (p.segment,), (p.panel,)).within(rows.columns, "monitoring/behaviour")
    if p.segment and (n := rows[p.segment].nunique()) > MOST_GROUPS:
        raise UserError(
            f"monitoring/behaviour: segment: '{p.segment}' has {n:,} values; name one of {MOST_GROUPS} at most"
        )
    return early, later


def watch(early: pd.DataFrame, later: pd.DataFrame, columns: list[str], p: Params) -> dict[str, pd.DataFrame]:
    """Return tables by kind of light: drift and data of every column, and of segments their shares and drift within."""
    book = p.rules()
    whole = Reference.of(early, columns)
    shifts, gaps = drift.by_period(whole, later, book, drift.draws_per_weight(early))
    out = {"drift": shifts, "data": gaps}
    if p.segment:
        out["segments"] = _shares(early, later, p.segment, book)
        out["behaviour"] = _within(whole, early, later, p.segment, book)
    return out


def _shares(early: pd.DataFrame, later: pd.DataFrame, segment: str, rules: Rules) -> pd.DataFrame:
    """Return the PSI of the segments' shares by period: how far the book has migrated between them."""
    named = [rows.assign(segment=rows[segment].astype(str).fillna("")) for rows in (early, later)]
    table, _ = drift.by_period(Reference.of(named[0], ["segment"]), named[1], rules, drift.draws_per_weight(early))
    return table


def _within(whole: Reference, early: pd.DataFrame, later: pd.DataFrame, segment: str, rules: Rules) -> pd.DataFrame:
    """Return the PSI of every column by period within every segment, against the same segment."""
    parts = []
    for value, part in later.groupby(segment, observed=True):
        before = early[early[segment] == value]
        if len(before) >= rules.number("least_period_rows"):
            table, _ = drift.by_period(whole.within(before), part, rules, drift.draws_per_weight(before))
            parts.append(table[table["feature"] != segment].assign(segment=str(value)))
    names = ["feature", "period", "psi", "n", "m", "bins", "critical", "p", "light", "known_in", "segment"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=names)


def lights(watched: dict[str, pd.DataFrame], rules: Rules) -> pd.DataFrame:
    """Return all lights in the one form they are kept in."""
    parts = [
        alarms.lights("drift", watched["drift"], watched["drift"]["feature"], "psi"),
        alarms.lights("data", watched["data"], watched["data"]["feature"], "share"),
    ]
    if "segments" in watched:
        within = watched["behaviour"]
        parts.append(alarms.lights("segments", watched["segments"], alarms.SEGMENTS, "psi"))
        parts.append(alarms.lights("behaviour", within, within["feature"] + WITHIN + within["segment"], "psi"))
    return alarms.history(parts, rules)


def shifted(table: pd.DataFrame, lights: pd.DataFrame, p: Params) -> Evidence:
    """Return which columns moved most, whole."""
    top = table.sort_values("psi", ascending=False).drop_duplicates("feature").head(NAMED)
    each = [
        say("{feature} ({psi:.3f} in {period})", feature=r.feature, psi=r.psi, period=r.period)
        for r in top.itertuples()
    ]
    return Evidence(
        key="drift",
        question=say("Which columns moved most?"),
        verdict=alarms.verdict(lights, newest(p.until, p.every), "drift"),
        answer=say("Largest PSI against the rows compared with: {each}.", each=each),
        value=float(top["psi"].iloc[0]),
        threshold=p.rules()["psi"].text,
        blind_to=say("shifts inside a bin, and to columns that moved together and say the same."),
        source="Siddiqi (2017), ch. 14; Yurdakul & Naranjo (2020), J. Risk Model Validation 14(4)",
        table=table.sort_values("psi", ascending=False, ignore_index=True),
        since=alarms.since(lights, newest(p.until, p.every), "drift"),
    )


def segmented(watched: dict[str, pd.DataFrame], lights: pd.DataFrame, p: Params) -> list[Evidence]:
    """Return whether the book moves between segments, and where behaviour within one changes."""
    if not p.segment:
        none = say("No column is named whose values are segments (`segment`).")
        return [
            Evidence(
                key="segments", question=say("Does the book move between segments?"), verdict=Verdict.info, answer=none
            )
        ]
    shares, within = watched["segments"], watched["behaviour"]
    far = shares.loc[shares["psi"].idxmax()]
    moved = Evidence(
        key="segments",
        question=say("Does the book move between segments?"),
        verdict=alarms.verdict(lights, newest(p.until, p.every), "segments"),
        answer=say(
            "The shares of {column} moved most in {period}: PSI {psi:.3f}.",
            column=p.segment,
            period=far["period"],
            psi=far["psi"],
        ),
        value=float(far["psi"]),
        threshold=p.rules()["psi"].text,
        table=shares,
        since=alarms.since(lights, newest(p.until, p.every), "segments"),
    )
    return [moved, _changed(within, lights, p)]


def _changed(within: pd.DataFrame, lights: pd.DataFrame, p: Params) -> Evidence:
    question = say("In which segment does behaviour change?")
    if within.empty:
        few = say("No segment has enough rows to compare with.")
        return Evidence(key="behaviour", question=question, verdict=Verdict.info, answer=few)
    subject, these = within["feature"] + WITHIN + within["segment"], lights[lights["kind"] == "behaviour"]
    far = alarms.foremost(within, subject, within["psi"], these, newest(p.until, p.every))
    facts = {"column": p.segment, "segment": far["segment"], "feature": far["feature"]}
    return Evidence(
        key="behaviour",
        question=question,
        verdict=alarms.verdict(lights, newest(p.until, p.every), "behaviour"),
        answer=say(
            "Most in {column} '{segment}': {feature} in {period}, PSI {psi:.3f}.",
            period=far["period"],
            psi=far["psi"],
            **facts,
        ),
        value=float(far["psi"]),
        threshold=p.rules()["psi"].text,
        table=within.sort_values("psi", ascending=False, ignore_index=True),
        people=People(("n",)),
        since=alarms.since(lights, newest(p.until, p.every), "behaviour"),
    )
