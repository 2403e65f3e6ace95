"""Is the prediction of a grade wrong in either direction?

**Method** exact two-sided binomial test per grade on rounded effective counts (by parent); Holm over grades.
**Reads as bad** a small p of a grade whose rate is off by enough to matter; on the side that doesn't cost, at most amber.
**Blind to** a shock that all rows share: events are taken as independent between parents.
**Source** Basel Committee (2005), Working Paper 14, section on tests of calibration.
"""

from __future__ import annotations

import pandas as pd
from scipy import stats

from workbench.evidence import Evidence, Verdict
from workbench.validation.significance import both, both_text, holm, off, p_text, side, worst
from workbench.validation.subject import Subject, as_counted
from workbench.words import say

FAMILY, KINDS = "calibration", {"binary"}


def _light(s: Subject, g: pd.Series) -> Verdict:
    light = both(g.p, off(g.observed, g.predicted), s.rules)
    return light if s.is_costly(g.observed, g.predicted) or light is not Verdict.red else Verdict.amber


def test(s: Subject) -> Evidence:
    """Return the exact binomial test per grade on the hold-out."""
    table = s.grades(s.holdout)
    counts = zip(table["events"].round().astype(int), table["n"].round().astype(int), table["predicted"], strict=True)
    table["p"] = holm([stats.binomtest(events, n, p).pvalue for events, n, p in counts])
    table["light"] = [str(_light(s, g)) for g in table.itertuples()]
    low = worst(table)
    facts = {"grade": low.grade, "prediction": low.predicted, "observed": low.observed, "p": p_text(low.p)}
    facts |= {"predicted": s.outcome.predicted, "side": side(low.observed, low.predicted)}
    return Evidence(
        key="binomial",
        question=say("Is the {predicted} of a grade wrong in either direction?", predicted=s.outcome.predicted),
        verdict=Verdict(low.light),
        answer=say(
            "Furthest is grade {grade}, where the {predicted} is {side}: {prediction:.2%} against {observed:.2%} "
            "on the hold-out, adjusted {p}.",
            **facts,
        ),
        value=float(low.p),
        threshold=both_text(s.rules) + say("At most amber on the side that doesn't cost."),
        source="Basel Committee (2005), WP 14",
        table=as_counted(table),
    )
