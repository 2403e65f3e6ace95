"""Does one grade hold too large a part of the book?

**Method** Herfindahl index Σ share² of the grades by weight.
**Reads as bad** an index above the threshold: grades don't differentiate.
**Blind to** exposure: it counts customers.
**Source** ECB (2019), Instructions, section 2.5.5.3.
"""

from __future__ import annotations

from workbench.evidence import Evidence
from workbench.validation.subject import Subject

FAMILY = "stability"


def test(s: Subject) -> Evidence:
    """Return the Herfindahl index of the grades on the hold-out."""
    t = s.thresholds["concentration"]
    share = s.holdout.groupby("grade_code")["weight"].sum()
    share = share / share.sum()
    value = float((share**2).sum())
    return Evidence(
        key="concentration",
        question="Does one grade hold too much of the book?",
        verdict=t.light(value),
        answer=f"Herfindahl index {value:.3f}; largest is grade {share.idxmax()} with {share.max():.1%}.",
        value=value,
        threshold=str(t),
        source="ECB (2019), section 2.5.5.3",
        table=share.rename("share").rename_axis("grade").reset_index(),
    )
