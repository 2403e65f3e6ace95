"""By how much is a PD wrong on average?

**Method** expected calibration error: mean |observed − expected| over ten parts of equal size, against what chance alone gives.
**Reads as bad** an error above the threshold and above the 95th percentile under true PDs.
**Blind to** the direction of the error.
**Source** Naeini, Cooper & Hauskrecht (2015), AAAI; consistency resampling: Bröcker & Smith (2007), Weather and Forecasting 22.
"""

from __future__ import annotations

import numpy as np

from workbench import metrics
from workbench.evidence import Evidence, Verdict
from workbench.validation.subject import Subject

FAMILY = "calibration"
BINS, DRAWS = 10, 100


def _drawn(y: np.ndarray, p: np.ndarray, w: np.ndarray, rng: np.random.Generator) -> tuple:
    """Outcomes, PD, bins and weights under true PDs, drawn as the file was: bads and goods by their mean weights."""
    bad, good = w[y == 1].mean(), w[y == 0].mean()
    odds = p / (1 - p) * good / bad
    drawn = (rng.random(len(p)) < odds / (1 + odds)).astype(float)
    return drawn, p, BINS, np.where(drawn == 1, bad, good)


def test(s: Subject) -> Evidence:
    """Return the expected calibration error of the hold-out."""
    h, t = s.holdout, s.thresholds["ece"]
    y, p, w = (h[c].to_numpy(float) for c in ("outcome", "pd", "weight"))
    value = metrics.expected_calibration_error(y, p, BINS, w)
    rng = np.random.default_rng(s.seed)
    chance = [metrics.expected_calibration_error(*_drawn(y, p, w, rng)) for _ in range(DRAWS)]
    limit = float(np.percentile(chance, 95))
    verdict = Verdict.green if value <= limit else t.light(value)
    return Evidence(
        key="reliability",
        question="By how much is a PD wrong on average?",
        verdict=verdict,
        answer=f"Expected calibration error {value:.4f}; true PDs would stay below {limit:.4f} in 95 of 100 samples.",
        value=value,
        threshold=f"{t}; green below the 95th percentile under true PDs",
        source="Naeini et al. (2015)",
    )
