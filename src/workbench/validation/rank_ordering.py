"""Do default rates rise from grade to grade?

**Method** one-sided two-proportion test that a grade is *better* than the better grade before it; Holm over the pairs.
**Reads as bad** a significant inversion.
**Blind to** pairs with few defaults, where nothing is significant.
**Source** Basel Committee (2005), Working Paper 14; Holm (1979).
"""

from __future__ import annotations

import numpy as np

from workbench.evidence import Evidence
from workbench.validation.grade_heterogeneity import pairs
from workbench.validation.subject import Subject, holm, p_text

FAMILY = "discrimination"


def test(s: Subject) -> Evidence:
    """Return the inversions between adjacent grades on the hold-out."""
    table, t = pairs(s.grades(s.holdout)), s.thresholds["p_value"]
    table["p_inverted"] = holm(np.where(table["difference"] < 0, table["p"] / 2, 1.0))
    worst = float(table["p_inverted"].min()) if len(table) else float("nan")
    turned = int((table["difference"] < 0).sum())
    return Evidence(
        key="rank_ordering",
        question="Do default rates rise from grade to grade?",
        verdict=t.light(worst, high_is_bad=False),
        answer=f"{turned} of {len(table)} pairs turn back; smallest adjusted {p_text(worst)}.",
        value=worst,
        threshold=str(t),
        source="Basel Committee (2005), WP 14",
        table=table,
    )
