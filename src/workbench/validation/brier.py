"""How much of the Brier score is due to wrong predictions rather than to chance?

**Method** Murphy: Brier = reliability − resolution + uncertainty, over the grades, and what lies within them, so that the parts add up; chance by the χ² of all grades.
**Reads as bad** a reliability that is a large part of the resolution, where the grades' rates are off beyond chance.
**Blind to** errors within a grade.
**Source** Brier (1950), Monthly Weather Review 78(1); Murphy (1973), Journal of Applied Meteorology 12(4); within grades: Stephenson, Coelho & Jolliffe (2008), Weather and Forecasting 23(4).
"""

from __future__ import annotations

import pandas as pd

from workbench import metrics
from workbench.evidence import Evidence, judged
from workbench.validation.estimated import sure
from workbench.validation.hosmer_lemeshow import both_p, chi_squared, enough, least_factor
from workbench.validation.sight import Gauge, factor_seen, level, sight
from workbench.validation.significance import milder, p_text, red_text, shared, shared_text
from workbench.validation.subject import Subject
from workbench.words import say

FAMILY, KINDS, BY_CHANCE = "calibration", {"binary", "named"}, True


def parts(g: pd.DataFrame, brier: float) -> dict[str, float]:
    """Return Murphy's three parts over the grades (share, predicted, observed), and what the grades don't show of `brier`.

    They add up: brier = reliability − resolution + uncertainty + within grades. The last is the spread of predictions
    within grades less twice what it explains: below 0 where predictions order rows within a grade, too.
    """
    base = float((g["share"] * g["observed"]).sum())
    split = {
        "reliability (small is good)": float((g["share"] * (g["predicted"] - g["observed"]) ** 2).sum()),
        "resolution (large is good)": float((g["share"] * (g["observed"] - base) ** 2).sum()),
        "uncertainty": base * (1 - base),
    }
    reliability, resolution, uncertainty = split.values()
    return {**split, "within grades": brier - reliability + resolution - uncertainty}


def test(s: Subject) -> Evidence:
    """Return the Brier score of the rows tested in parts that add up."""
    h, g, rule = s.holdout, s.grades(s.holdout), s.rules["brier_reliability"]
    brier = metrics.brier(h["outcome"], h["predicted"], h["weight"])
    split = parts(g, brier)
    reliability, resolution, *_ = split.values()
    ratio = reliability / resolution if resolution > 0 else 1e6
    least = s.rules.number("least_expected")
    _, degrees, p = chi_squared(h, g, least)
    p, p_both = shared(p, s.looks), shared(both_p(h, g, least), s.looks)
    rows = {"Brier score": brier, **split}
    return Evidence(
        key="brier",
        question=say("How much of the Brier score is due to a wrong {predicted}?", predicted=s.outcome.predicted),
        verdict=milder(judged(ratio, rule), sure(p, p_both, s.rules["p_value"])),
        answer=say(
            "On {sample}: Brier {brier:.4f}; reliability is {ratio:.1%} of the resolution ({p} that chance alone gives the grades' rates).",
            sample=s.tested,
            brier=brier,
            ratio=ratio,
            p=p_text(p),
        ),
        value=brier,
        threshold=rule.text
        + s.rules["p_value"].text
        + say("Amber and red need both.")
        + red_text()
        + shared_text(s.looks),
        source="Murphy (1973)",
        table=pd.DataFrame({"part": list(rows), "value": list(rows.values())}),
        sight=sight(
            s,
            brier,
            factor_seen(least_factor(enough(g, least), degrees, level(s)), s),
            convention=Gauge(ratio, rule),
            significance=Gauge(p, s.rules["p_value"], p_both=p_both),
        ),
    )
