"""How far apart are the predictions of rows with the event and of rows without it?

**Method** max |F of rows with the event − F of rows without it| on the rows tested.
**Reads as bad** a KS below the threshold; on a later period, whose events may be few, one whose whole interval is below it.
**Blind to** everything but the one prediction where the distance is largest.
**Source** Siddiqi (2017), Intelligent Credit Scoring, ch. 8.
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
    """Return the KS of the rows tested."""
    h, rule, words = s.holdout, s.rules["ks"], s.outcome
    arrays = (h["outcome"], h["predicted"], h["weight"])
    value, error = metrics.ks(*arrays), metrics.clustered_error(metrics.ks_influence(*arrays), h["parent_id"])
    sure = value + float(stats.norm.ppf(1 - s.chance("amber"))) * error
    most = value if s.is_holdout else sure
    return Evidence(
        key="ks",
        question=say(
            "How far apart are {positive} and {negative} at most?", positive=words.positive, negative=words.negative
        ),
        verdict=milder(judged(value, rule), judged(most, rule)),
        answer=say("On {sample}: KS {ks:.4f}.", sample=s.tested, ks=value),
        value=value,
        threshold=rule.text + interval_text(s.is_holdout),
        source="Siddiqi (2017), ch. 8",
        sight=sight(
            s,
            value,
            below_seen(rule.amber, error, 0.5 if s.is_holdout else s.chance("amber"), say("KS")),
            convention=Gauge(value, rule),
            significance=Gauge(sure, rule, decides=not s.is_holdout),
        ),
    )
