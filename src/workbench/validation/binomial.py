"""Is the prediction of a grade wrong in either direction?

**Method** exact two-sided binomial test per grade on rounded effective counts (by parent); Holm over grades.
**Reads as bad** a small p of a grade whose rate is off by enough to matter; on the side that doesn't cost, at most amber. The worst grade of either side is named, so that neither hides the other.
**Blind to** a shock that all rows share: events are taken as independent between parents.
**Source** Basel Committee (2005), Working Paper 14, section on tests of calibration.
"""

from __future__ import annotations

import pandas as pd
from scipy import stats

from workbench import metrics
from workbench.evidence import Evidence, Verdict
from workbench.validation.estimated import both
from workbench.validation.sight import level, rate_seen, sight, two
from workbench.validation.significance import both_text, off, p_text, worst
from workbench.validation.subject import Subject, as_counted
from workbench.words import Text, say

FAMILY, KINDS, BY_CHANCE = "calibration", {"binary", "named"}, True


def _light(s: Subject, g: pd.Series) -> Verdict:
    light = both(g.p, g.p_both, off(g.observed, g.predicted), s.rules)
    return light if s.is_costly(g.observed, g.predicted) or light is not Verdict.red else Verdict.amber


def _p_values(events: pd.Series, n: pd.Series, predicted: pd.Series) -> list[float]:
    """Return the two-sided p per row of rounded effective counts."""
    counts = zip(events.round().astype(int), n.round().clip(lower=1).astype(int), predicted, strict=True)
    return [stats.binomtest(min(k, size), size, p).pvalue for k, size, p in counts]


def test(s: Subject) -> Evidence:
    """Return the exact binomial test per grade on the rows tested."""
    table = s.grades(s.holdout)
    for name, n in (("p", table["n"]), ("p_both", table["n_both"])):
        table[name] = metrics.holm(_p_values(table["observed"] * n, n, table["predicted"]), s.looks)
    table["light"] = [str(_light(s, g)) for g in table.itertuples()]
    low = worst(table)
    return Evidence(
        key="binomial",
        question=say("Is the {predicted} of a grade wrong in either direction?", predicted=s.outcome.predicted),
        verdict=Verdict(low.light),
        answer=_sides(s, table),
        value=float(low.p),
        threshold=both_text(s.rules, s.looks) + say("At most amber on the side that doesn't cost."),
        source="Basel Committee (2005), Working Paper 14",
        table=as_counted(table),
        sight=sight(
            s,
            low.events,
            rate_seen(s, low.predicted, low.n, level(s, len(table))),
            **two(s, low.p, off(low.observed, low.predicted), low.p_both),
        ),
    )


def _sides(s: Subject, table: pd.DataFrame) -> Text:
    low, high = table[table["observed"] > table["predicted"]], table[table["observed"] <= table["predicted"]]
    named = {"too_low": _furthest(low), "too_high": _furthest(high)}
    return say(
        "On {sample} the {predicted} is too low furthest in {too_low}; too high furthest in {too_high}.",
        sample=s.tested,
        predicted=s.outcome.predicted,
        **named,
    )


def _furthest(table: pd.DataFrame) -> Text:
    if table.empty:
        return say("no grade")
    row = worst(table)
    facts = {"grade": row.grade, "prediction": row.predicted, "observed": row.observed, "p": p_text(row.p)}
    return say("grade {grade} ({prediction:.2%} against {observed:.2%}, adjusted {p})", **facts)
