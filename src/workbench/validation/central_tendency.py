"""Is the average PD the long-run default rate?

**Method** mean PD of development and hold-out together against the observed rate, Jeffreys' interval on effective counts.
**Reads as bad** a mean PD outside the 95 % interval by more than a tenth of the rate.
**Blind to** a sample that is no full cycle.
**Source** EBA/GL/2017/16, section 5.3.4 (long-run average default rate).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench import metrics
from workbench.evidence import Evidence, Verdict
from workbench.panel.describe import effective
from workbench.validation.subject import Subject

FAMILY = "calibration"
MATERIAL = 0.10


def test(s: Subject) -> Evidence:
    """Return mean PD against observed rate over development and hold-out."""
    rows = pd.concat([s.development, s.holdout])
    bad, n = effective(rows["outcome"], rows["weight"])
    low, high = metrics.rate_interval(bad, n)
    mean, rate = float(np.average(rows["pd"], weights=rows["weight"])), bad / n
    off = mean / rate - 1
    verdict = (
        Verdict.green if low <= mean <= high or abs(off) <= MATERIAL else Verdict.red if off < 0 else Verdict.amber
    )
    return Evidence(
        key="central_tendency",
        question="Is the average PD the observed default rate?",
        verdict=verdict,
        answer=f"Mean PD of development and hold-out together {mean:.2%}, observed {rate:.2%} ({low:.2%} to {high:.2%}).",
        value=mean,
        threshold="outside the 95 % interval by more than a tenth: red if too low, amber if too high (convention)",
        source="EBA/GL/2017/16, section 5.3.4",
    )
