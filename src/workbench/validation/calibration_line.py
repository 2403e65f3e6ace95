"""Are predictions too extreme or too timid, too low or too high as a whole?

**Method** logistic recalibration of the outcome on logit(predicted): slope and calibration-in-the-large, errors robust by parent.
**Reads as bad** a slope far from 1 whose interval excludes 1 (below 1: too extreme), an intercept far from 0 likewise.
**Blind to** errors that a straight line on the logit can't show.
**Source** Cox (1958), Biometrika 45; Van Calster et al. (2019), BMC Medicine 17.
"""

from __future__ import annotations

from workbench import metrics
from workbench.evidence import Evidence, Verdict, judged
from workbench.validation.significance import side
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS = "calibration", {"binary"}


def test(s: Subject) -> Evidence:
    """Return slope and intercept on the hold-out with intervals."""
    h, tilt_rule, shift_rule = s.holdout, s.rules["slope"], s.rules["intercept"]
    line = metrics.calibration_line(h["outcome"], h["predicted"], h["weight"], h["parent_id"])
    (slope, low, high), (intercept, i_low, i_high) = line["slope"], line["intercept"]
    tilt = Verdict.green if low <= 1 <= high else judged(abs(slope - 1), tilt_rule)
    shift = Verdict.green if i_low <= 0 <= i_high else judged(abs(intercept), shift_rule)
    facts = {"slope": slope, "low": low, "high": high, "intercept": intercept, "i_low": i_low, "i_high": i_high}
    answer = say(
        "Slope {slope:.3f} ({low:.3f} to {high:.3f}), intercept {intercept:.3f} ({i_low:.3f} to {i_high:.3f}).", **facts
    )
    return Evidence(
        key="calibration_line",
        question=say(
            "Is the {predicted} too extreme or too timid, too low or too high?", predicted=s.outcome.predicted
        ),
        verdict=min(tilt, shift, key=lambda v: v.rank),
        answer=answer + (_shifted(s, intercept) if shift is not Verdict.green else Text()),
        value=slope,
        threshold=tilt_rule.text + shift_rule.text + say("Green where the interval holds 1 and 0."),
        source="Cox (1958)",
    )


def _shifted(s: Subject, intercept: float) -> Text:
    return say("The {predicted} is {side} as a whole.", predicted=s.outcome.predicted, side=side(intercept, 0))
