"""Is the intent named rightly, if every question is answered?

**Method** share of the hold-out's questions whose intent is named rightly, with Jeffreys' interval; macro-F1 over the intents with a bootstrap of questions within each.
**Reads as bad** a share below the threshold.
**Blind to** questions of other customers than those in the hold-out, and to names that people themselves would not agree on.
**Source** Casanueva et al. (2020), Efficient intent detection with dual sentence encoders; Yang & Liu (1999) for macro-F1.
"""

from __future__ import annotations

from dataclasses import replace

from workbench import metrics
from workbench.evidence import Evidence
from workbench.models import naming_answers
from workbench.validation.sight import Gauge, below_seen, sight
from workbench.validation.subject import Subject
from workbench.words import say

FAMILY, KINDS = "naming", {"named"}
RESAMPLES = 500


def test(s: Subject) -> Evidence:
    """Return accuracy and macro-F1 of the hold-out."""
    h, rule = s.holdout, s.rules["intent_accuracy"]
    answer = naming_answers.named_rightly(h, rule, RESAMPLES, s.seed)
    error = metrics.clustered_error(h["outcome"].to_numpy() - h["outcome"].mean(), h["parent_id"]) / len(h)
    seen = below_seen(rule.amber, error, 0.5, say("share named rightly"))
    return replace(answer, sight=sight(s, answer.value, seen, convention=Gauge(answer.value, rule)))
