"""Is there an intent whose questions are clearly missed?

**Method** recall of each intent on the hold-out with Jeffreys' interval, its level shared by the intents (Bonferroni); precision and the share answered beside it.
**Reads as bad** an intent whose whole interval is below the threshold.
**Blind to** intents with few questions, whose interval is wide.
**Source** Brown, Cai & DasGupta (2001), Statistical Science 16(2), for the interval.
"""

from __future__ import annotations

from dataclasses import replace

from workbench.evidence import Evidence
from workbench.models import naming_answers
from workbench.validation.sight import Gauge, not_stated, sight
from workbench.validation.subject import Subject
from workbench.words import say

FAMILY, KINDS = "naming", {"named"}


def test(s: Subject) -> Evidence:
    """Return the recall of every intent, the worst first."""
    rule = s.rules["intent_recall"]
    answer = naming_answers.worst_intents(s.holdout, float(s.model.facts["answers_from"]), rule)
    lowest = float(answer.table["high"].min())
    seen = not_stated(say("an interval of each intent is held against a level"))
    return replace(answer, sight=sight(s, lowest, seen, convention=Gauge(lowest, rule)))
