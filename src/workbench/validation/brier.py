"""How much of the Brier score is due to wrong PDs?

**Method** Murphy: Brier = reliability − resolution + uncertainty, over the grades.
**Reads as bad** a reliability that is a large part of the resolution: calibration eats what separation brings.
**Blind to** errors within a grade.
**Source** Brier (1950), Monthly Weather Review 78(1); Murphy (1973), Journal of Applied Meteorology 12(4).
"""

from __future__ import annotations

import pandas as pd

from workbench import metrics
from workbench.evidence import Evidence, light
from workbench.validation.subject import Subject

FAMILY = "calibration"
AMBER, RED = 0.10, 0.50  # reliability over resolution


def test(s: Subject) -> Evidence:
    """Return the Brier score of the hold-out in its three parts."""
    h, g = s.holdout, s.grades(s.holdout)
    weight = h.groupby("grade_code")["weight"].sum().reindex(g["grade"]).to_numpy()
    share, observed = weight / weight.sum(), g["bad"] / g["n"]
    base = float((share * observed).sum())
    parts = {
        "Brier score": metrics.brier(h["outcome"], h["pd"], h["weight"]),
        "reliability (small is good)": float((share * (g["pd"] - observed) ** 2).sum()),
        "resolution (large is good)": float((share * (observed - base) ** 2).sum()),
        "uncertainty": base * (1 - base),
    }
    brier, reliability, resolution, _ = parts.values()
    ratio = reliability / resolution if resolution > 0 else float("inf")
    return Evidence(
        key="brier",
        question="How much of the Brier score is due to wrong PDs?",
        verdict=light(ratio, AMBER, RED),
        answer=f"Brier {brier:.4f}; reliability is {ratio:.1%} of the resolution.",
        value=brier,
        threshold=f"reliability over resolution: amber {AMBER:g}, red {RED:g} (convention)",
        source="Murphy (1973)",
        table=pd.DataFrame({"part": list(parts), "value": list(parts.values())}),
    )
