"""Are the PDs too extreme or too timid, too low or too high as a whole?

**Method** logistic recalibration of the outcome on logit(PD): slope and calibration-in-the-large, errors robust by account.
**Reads as bad** a slope far from 1 whose interval excludes 1 (below 1: too extreme), an intercept far from 0 likewise.
**Blind to** errors that a straight line on the logit can't show.
**Source** Cox (1958), Biometrika 45; Van Calster et al. (2019), BMC Medicine 17.
"""

from __future__ import annotations

from workbench import metrics
from workbench.evidence import Evidence, Verdict
from workbench.validation.subject import Subject

FAMILY = "calibration"


def test(s: Subject) -> Evidence:
    """Return slope and intercept on the hold-out with intervals."""
    h, t, u = s.holdout, s.thresholds["slope"], s.thresholds["intercept"]
    line = metrics.calibration_line(h["outcome"], h["pd"], h["weight"], h["entity_id"])
    (slope, low, high), (intercept, i_low, i_high) = line["slope"], line["intercept"]
    tilt = Verdict.green if low <= 1 <= high else t.light(abs(slope - 1))
    shift = Verdict.green if i_low <= 0 <= i_high else u.light(abs(intercept))
    verdict = min(tilt, shift, key=lambda v: v.rank)
    said = f" PDs are too {'low' if intercept > 0 else 'high'} as a whole." if shift != Verdict.green else ""
    return Evidence(
        key="calibration_line",
        question="Are the PDs too extreme or too timid, too low or too high?",
        verdict=verdict,
        answer=f"Slope {slope:.3f} ({low:.3f} to {high:.3f}), intercept {intercept:.3f} ({i_low:.3f} to {i_high:.3f}).{said}",
        value=slope,
        threshold=f"{t}; {u}; green where the interval holds 1 and 0",
        source="Cox (1958)",
    )
