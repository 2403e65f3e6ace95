"""Does the model order customers as they turn out?

**Method** Spearman's rank correlation of prediction and outcome on the hold-out; interval by Fisher's z with the variance of Bonett & Wright, parents counted as rows.
**Reads as bad** a correlation below the threshold; on a later period, whose rows may be few, one whose whole interval is below it.
**Blind to** the size of the errors: only the order counts.
**Source** Spearman (1904), American Journal of Psychology 15(1); Bonett & Wright (2000), Psychometrika 65(1).
"""

from __future__ import annotations

from workbench import metrics
from workbench.evidence import Evidence, judged
from workbench.validation.sight import Gauge, below_seen, sight
from workbench.validation.significance import interval_text, milder
from workbench.validation.subject import Subject
from workbench.words import say

FAMILY, KINDS = "discrimination", {"rate", "amount"}
WIDTH = 2 * 1.959964  # of a 95 % interval, in standard errors


def test(s: Subject) -> Evidence:
    """Return the rank correlation of the rows tested with its interval."""
    h, rule = s.holdout, s.rules["spearman"]
    rho = metrics.spearman(h["outcome"], h["predicted"], h["weight"])
    n = metrics.independent(h["weight"], h["parent_id"])
    low, high = metrics.spearman_interval(rho, n)
    sure = metrics.spearman_interval(rho, n, 1 - 2 * s.chance("amber"))[1]
    most = rho if s.is_holdout else sure
    return Evidence(
        key="rank_correlation",
        question=say("Does the model order customers as they turn out?"),
        verdict=milder(judged(rho, rule), judged(most, rule)),
        answer=say(
            "On {sample}: rank correlation {rho:.4f} ({low:.4f} to {high:.4f}).",
            sample=s.tested,
            rho=rho,
            low=low,
            high=high,
        ),
        value=rho,
        threshold=rule.text + interval_text(s.is_holdout),
        source="Spearman (1904)",
        sight=sight(
            s,
            rho,
            below_seen(
                rule.amber, (high - low) / WIDTH, 0.5 if s.is_holdout else s.chance("amber"), say("rank correlation")
            ),
            convention=Gauge(rho, rule),
            significance=Gauge(sure, rule, decides=not s.is_holdout),
        ),
    )
