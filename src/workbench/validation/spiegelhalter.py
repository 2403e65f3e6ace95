"""Is the Brier score what it should be if the PDs were true?

**Method** z = Σ (y − p)(1 − 2p) / sqrt(Σ (1 − 2p)² p(1 − p)), two-sided, on effective rows.
**Reads as bad** a small p.
**Blind to** errors that cancel between low and high PDs.
**Source** Spiegelhalter (1986), Statistics in Medicine 5(5).
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from workbench.evidence import Evidence
from workbench.validation.subject import Subject

FAMILY = "calibration"


def test(s: Subject) -> Evidence:
    """Return Spiegelhalter's z on the hold-out."""
    h, t = s.holdout, s.thresholds["p_value"]
    y, p, w = (h[c].to_numpy(float) for c in ("is_default", "pd", "weight"))
    above = (w * (y - p) * (1 - 2 * p)).sum()
    z = float(above / np.sqrt((w**2 * (1 - 2 * p) ** 2 * p * (1 - p)).sum()))
    value = float(2 * stats.norm.sf(abs(z)))
    return Evidence(
        "spiegelhalter", "Is the Brier score what true PDs would give?", t.light(value, high_is_bad=False),
        f"z {z:.2f}, p {value:.4f}.", value, str(t), "Spiegelhalter (1986)",
    )  # fmt: skip
