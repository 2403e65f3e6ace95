"""How much of the Brier score is due to wrong predictions rather than to chance?

**Method** Murphy: Brier = reliability − resolution + uncertainty, over the grades; chance by the χ² of all grades.
**Reads as bad** a reliability that is a large part of the resolution, where the grades' rates are off beyond chance.
**Blind to** errors within a grade.
**Source** Brier (1950), Monthly Weather Review 78(1); Murphy (1973), Journal of Applied Meteorology 12(4).
"""

from __future__ import annotations

import pandas as pd

from workbench import metrics
from workbench.evidence import Evidence, judged
from workbench.validation.hosmer_lemeshow import chi_squared
from workbench.validation.significance import milder, p_text
from workbench.validation.subject import Subject
from workbench.words import say

FAMILY, KINDS = "calibration", {"binary"}


def parts(g: pd.DataFrame) -> dict[str, float]:
    """Return Murphy's three parts over the grades (share, predicted, observed)."""
    base = float((g["share"] * g["observed"]).sum())
    return {
        "reliability (small is good)": float((g["share"] * (g["predicted"] - g["observed"]) ** 2).sum()),
        "resolution (large is good)": float((g["share"] * (g["observed"] - base) ** 2).sum()),
        "uncertainty": base * (1 - base),
    }


def test(s: Subject) -> Evidence:
    """Return the Brier score of the hold-out in its three parts."""
    h, g, rule = s.holdout, s.grades(s.holdout), s.rules["brier_reliability"]
    brier, split = metrics.brier(h["outcome"], h["predicted"], h["weight"]), parts(g)
    reliability, resolution, _ = split.values()
    ratio = reliability / resolution if resolution > 0 else 1e6
    *_, p = chi_squared(g, s.rules.number("least_expected"))
    rows = {"Brier score": brier, **split}
    return Evidence(
        key="brier",
        question=say("How much of the Brier score is due to a wrong {predicted}?", predicted=s.outcome.predicted),
        verdict=milder(judged(ratio, rule), judged(p, s.rules["p_value"])),
        answer=say(
            "Brier {brier:.4f}; reliability is {ratio:.1%} of the resolution ({p} that chance alone gives the grades' rates).",
            brier=brier,
            ratio=ratio,
            p=p_text(p),
        ),
        value=brier,
        threshold=rule.text + s.rules["p_value"].text + say("Amber and red need both."),
        source="Murphy (1973)",
        table=pd.DataFrame({"part": list(rows), "value": list(rows.values())}),
    )
