"""Does one grade hold too large a part of the book?

**Method** Herfindahl index Σ share² of the grades by weight.
**Reads as bad** an index above the threshold: grades don't differentiate.
**Blind to** exposure: it counts rows by their weight.
**Source** ECB (2019), Instructions for reporting the validation results of internal models, section 2.5.5.3.
"""

from __future__ import annotations

from workbench.evidence import Evidence, judged
from workbench.validation.subject import Subject
from workbench.words import say

FAMILY, KINDS = "stability", {"binary", "rate", "amount"}
READS_OUTCOME = False


def test(s: Subject) -> Evidence:
    """Return the Herfindahl index of the grades on the hold-out."""
    rule = s.rules["concentration"]
    share = s.holdout.groupby("grade_code")["weight"].sum()
    share = share / share.sum()
    value = float((share**2).sum())
    return Evidence(
        key="concentration",
        question=say("Does one grade hold too much of the book?"),
        verdict=judged(value, rule),
        answer=say(
            "Herfindahl index {value:.3f}; largest is grade {grade} with {share:.1%}.",
            value=value,
            grade=str(share.idxmax()),
            share=share.max(),
        ),
        value=value,
        threshold=rule.text,
        source="ECB (2019), section 2.5.5.3",
        table=share.rename("share").rename_axis("grade").reset_index(),
    )
