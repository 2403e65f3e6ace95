"""Does the model order customers as they turn out?

**Method** Spearman's rank correlation of prediction and outcome on the hold-out; interval by Fisher's z with the variance of Bonett & Wright, parents counted as rows.
**Reads as bad** a correlation below the threshold.
**Blind to** the size of the errors: only the order counts.
**Source** Spearman (1904), American Journal of Psychology 15(1); Bonett & Wright (2000), Psychometrika 65(1).
"""

from __future__ import annotations

from workbench import metrics
from workbench.evidence import Evidence, judged
from workbench.validation.subject import Subject
from workbench.words import say

FAMILY, KINDS = "discrimination", {"rate", "amount"}


def test(s: Subject) -> Evidence:
    """Return the rank correlation of the hold-out with its interval."""
    h, rule = s.holdout, s.rules["spearman"]
    rho = metrics.spearman(h["outcome"], h["predicted"], h["weight"])
    low, high = metrics.spearman_interval(rho, h["parent_id"].nunique())
    return Evidence(
        key="rank_correlation",
        question=say("Does the model order customers as they turn out?"),
        verdict=judged(rho, rule),
        answer=say("Rank correlation {rho:.4f} ({low:.4f} to {high:.4f}).", rho=rho, low=low, high=high),
        value=rho,
        threshold=rule.text,
        source="Spearman (1904)",
    )
