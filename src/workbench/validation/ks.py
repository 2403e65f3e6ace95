"""How far apart are the predictions of rows with the event and of rows without it?

**Method** max |F of rows with the event − F of rows without it| on the hold-out.
**Reads as bad** a KS below the threshold.
**Blind to** everything but the one prediction where the distance is largest.
**Source** Siddiqi (2017), Intelligent Credit Scoring, ch. 8.
"""

from __future__ import annotations

from workbench import metrics
from workbench.evidence import Evidence, judged
from workbench.validation.subject import Subject
from workbench.words import say

FAMILY, KINDS = "discrimination", {"binary"}


def test(s: Subject) -> Evidence:
    """Return the KS of the hold-out."""
    h, rule, words = s.holdout, s.rules["ks"], s.outcome
    value = metrics.ks(h["outcome"], h["predicted"], h["weight"])
    return Evidence(
        key="ks",
        question=say(
            "How far apart are {positive} and {negative} at most?", positive=words.positive, negative=words.negative
        ),
        verdict=judged(value, rule),
        answer=say("KS {ks:.4f}.", ks=value),
        value=value,
        threshold=rule.text,
        source="Siddiqi (2017), ch. 8",
    )
