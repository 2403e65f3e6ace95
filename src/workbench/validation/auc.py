"""Does the model separate rows with the event from rows without it, on rows it never saw?

**Method** Gini = 2·AUC − 1 of the predictions, weighted, with DeLong's interval by parent.
**Reads as bad** a Gini below the threshold; on a later period, whose events may be few, one whose whole interval is below it.
**Blind to** calibration: a model can order customers well and say the wrong rate of all of them.
**Source** DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44(3); Obuchowski (1997), Biometrics 53(2), for clusters.
"""

from __future__ import annotations

from scipy import stats

from workbench import metrics
from workbench.evidence import Evidence, judged
from workbench.validation.sight import Gauge, below_seen, sight
from workbench.validation.significance import interval_text, milder
from workbench.validation.subject import Subject
from workbench.words import say

FAMILY, KINDS = "discrimination", {"binary", "named"}


def test(s: Subject) -> Evidence:
    """Return the Gini of the rows tested with its interval."""
    h, rule = s.holdout, s.rules["gini"]
    arrays = (h["outcome"], h["predicted"], h["weight"])
    gini = metrics.gini(*arrays)
    error = 2 * metrics.clustered_error(metrics.auc_influence(*arrays), h["parent_id"])
    half = stats.norm.ppf(0.975) * error
    sure = gini + stats.norm.ppf(1 - s.chance("amber")) * error
    most = gini if s.is_holdout else sure
    facts = {"gini": gini, "low": max(gini - half, -1.0), "high": min(gini + half, 1.0), "auc": (gini + 1) / 2}
    return Evidence(
        key="auc",
        question=say("Does the model separate {positive} from {negative}?", **_words(s)),
        verdict=milder(judged(gini, rule), judged(most, rule)),
        answer=say("On {sample}: Gini {gini:.4f} ({low:.4f} to {high:.4f}), AUC {auc:.4f}.", sample=s.tested, **facts),
        value=gini,
        threshold=rule.text + interval_text(s.is_holdout),
        source="DeLong et al. (1988)",
        sight=sight(
            s,
            gini,
            below_seen(rule.amber, error, 0.5 if s.is_holdout else s.chance("amber"), say("Gini")),
            convention=Gauge(gini, rule),
            significance=Gauge(sure, rule, decides=not s.is_holdout),
        ),
    )


def _words(s: Subject) -> dict:
    return {"positive": s.outcome.positive, "negative": s.outcome.negative}
