"""Is the Brier score what it should be if the PDs were true?

**Method** z = Σ (y − p)(1 − 2p) / sqrt(Σ (1 − 2p)² p(1 − p)), two-sided; of weighted rows each term times its weight, with the sum of squared terms as variance.
**Reads as bad** a small p.
**Blind to** errors that cancel between low and high PDs; in a weighted random split it rejects less often than its level.
**Source** Spiegelhalter (1986), Statistics in Medicine 5(5).
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from workbench.evidence import Evidence
from workbench.validation.subject import Subject, p_text

FAMILY = "calibration"


def statistic(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> float:
    """Return z of n outcomes, PDs and weights; standard normal where the PDs are true.

    Weights that differ mean that bads and goods were drawn apart: p(1 − p) is then not the variance of a row,
    and the squares of the terms stand for it. Where the number of bads was fixed beforehand z is too small.
    """
    terms = w * (y - p) * (1 - 2 * p)
    spread = (terms**2).sum() if np.ptp(w) > 0 else (w**2 * (1 - 2 * p) ** 2 * p * (1 - p)).sum()
    return float(terms.sum() / np.sqrt(spread))


def test(s: Subject) -> Evidence:
    """Return Spiegelhalter's z on the hold-out."""
    h, t = s.holdout, s.thresholds["p_value"]
    z = statistic(*(h[c].to_numpy(float) for c in ("outcome", "pd", "weight")))
    value = float(2 * stats.norm.sf(abs(z)))
    return Evidence(
        key="spiegelhalter",
        question="Is the Brier score what true PDs would give?",
        verdict=t.light(value, high_is_bad=False),
        answer=f"z {z:.2f}, {p_text(value)}.",
        value=value,
        threshold=str(t),
        source="Spiegelhalter (1986)",
    )
