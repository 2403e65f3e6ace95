"""How many questions may be answered by the confidence that development set, and are those answers right?

**Method** share of the hold-out's questions whose confidence, recomputed, reaches the registered version's least one; of these the share named rightly, with Jeffreys' interval.
**Reads as bad** too few answered; red where the whole interval of the right ones is below what the version promises.
**Blind to** whether the text given is the one the customer wanted: only that its intent is right.
**Source** El-Yaniv & Wiener (2010), On the foundations of noise-free selective classification, JMLR 11.
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
    """Return how many of the hold-out's questions are answered, and how rightly."""
    facts, rule = s.model.facts, s.rules["desk_answered"]
    answer = naming_answers.answered(s.holdout, float(facts["answers_from"]), float(facts["accuracy"]), rule)
    seen = not_stated(say("a share is held against a level"))
    return replace(answer, sight=sight(s, answer.value, seen, convention=Gauge(answer.value, rule)))
