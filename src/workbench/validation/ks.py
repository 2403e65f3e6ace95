"""How far apart are the score distributions of goods and bads?

**Method** max |F_bad − F_good| on the hold-out.
**Reads as bad** a KS below the threshold.
**Blind to** everything but the one score where the distance is largest.
**Source** Siddiqi (2017), Intelligent Credit Scoring, ch. 8.
"""

from __future__ import annotations

from workbench import metrics
from workbench.evidence import Evidence
from workbench.validation.subject import Subject

FAMILY = "discrimination"


def test(s: Subject) -> Evidence:
    """Return the KS of the hold-out."""
    h, t = s.holdout, s.thresholds["ks"]
    value = metrics.ks(h["outcome"], h["pd"], h["weight"])
    return Evidence(
        key="ks",
        question="How far apart are the scores of goods and bads?",
        verdict=t.light(value, high_is_bad=False),
        answer=f"KS {value:.4f}.",
        value=value,
        threshold=str(t),
        source="Siddiqi (2017), ch. 8",
    )
