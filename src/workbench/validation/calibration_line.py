"""Are predictions too extreme or too timid, too low or too high as a whole?

**Method** logistic recalibration of the outcome on logit(predicted): slope and calibration-in-the-large, errors robust by parent; p of slope 1 and of intercept 0 by Wald's test, times 2.
**Reads as bad** a slope or an intercept far enough off to matter, beyond chance (slope below 1: too extreme).
**Blind to** errors that a straight line on the logit can't show.
**Source** Cox (1958), Biometrika 45; Van Calster et al. (2019), BMC Medicine 17.
"""

from __future__ import annotations

from scipy import stats

from workbench import metrics
from workbench.evidence import Evidence, Sight, Verdict, judged
from workbench.validation.estimated import inflation, learnt, sure
from workbench.validation.sight import Gauge, level, shift_seen, sight
from workbench.validation.significance import milder, p_text, red_text, shared, shared_text, side
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS, BY_CHANCE = "calibration", {"binary", "named"}, True


def wald(estimate: tuple[float, float, float], null: float, inflated: float = 1.0) -> float:
    """Return the two-sided p that an estimate (value, low, high at 95 %) is `null`; NaN where it has no interval.

    inflated: by which factor its variance is larger than the interval says.
    """
    value, low, high = estimate
    error = (high - low) / (2 * stats.norm.ppf(0.975)) * inflated**0.5
    return float(2 * stats.norm.sf(abs(value - null) / error)) if error > 0 else float("nan")


def test(s: Subject) -> Evidence:
    """Return slope and intercept on the rows tested with intervals; not evaluated where there is one outcome only."""
    h, tilt_rule, shift_rule, p_rule = s.holdout, s.rules["slope"], s.rules["intercept"], s.rules["p_value"]
    if not s.has_variety:
        return _evidence(s, Verdict.not_evaluated, say("The rows tested have one outcome only."))
    line = metrics.calibration_line(h["outcome"], h["predicted"], h["weight"], h["parent_id"])
    (slope, low, high), (intercept, i_low, i_high) = line["slope"], line["intercept"]
    factors = (1.0, inflation(h, learnt(s.development)))
    p_tilt, tilt_both = (shared(wald(line["slope"], 1, f), 2 * s.looks) for f in factors)
    p_shift, shift_both = (shared(wald(line["intercept"], 0, f), 2 * s.looks) for f in factors)
    tilt = milder(judged(abs(slope - 1), tilt_rule), sure(p_tilt, tilt_both, p_rule))
    shift = milder(judged(abs(intercept), shift_rule), sure(p_shift, shift_both, p_rule))
    facts = {"slope": slope, "low": low, "high": high, "intercept": intercept, "i_low": i_low, "i_high": i_high}
    answer = say(
        "On {sample}: slope {slope:.3f} ({low:.3f} to {high:.3f}), adjusted {p_tilt}; intercept {intercept:.3f} "
        "({i_low:.3f} to {i_high:.3f}), adjusted {p_shift}.",
        sample=s.tested,
        p_tilt=p_text(p_tilt),
        p_shift=p_text(p_shift),
        **facts,
    )
    answer += _shifted(s, intercept) if shift in (Verdict.red, Verdict.amber) else Text()
    gauges = [
        (
            Gauge(abs(slope - 1), tilt_rule),
            Gauge(p_tilt, p_rule, p_both=tilt_both),
            say("distance of the slope from 1"),
        ),
        (
            Gauge(abs(intercept), shift_rule),
            Gauge(p_shift, p_rule, p_both=shift_both),
            say("distance of the intercept from 0"),
        ),
    ]
    far, chance, what = gauges[int(shift.rank < tilt.rank)]
    error = ((high - low) if far.rule is tilt_rule else (i_high - i_low)) / (2 * stats.norm.ppf(0.975))
    seen = shift_seen(error, level(s, 2), far.rule.amber, what)
    stands = sight(s, slope, seen, convention=far, significance=chance)
    return _evidence(s, min(tilt, shift, key=lambda v: v.rank), answer, slope, stands)


def _evidence(
    s: Subject, verdict: Verdict, answer: Text, slope: float | None = None, stands: Sight | None = None
) -> Evidence:
    rules = s.rules["slope"].text + s.rules["intercept"].text + s.rules["p_value"].text
    return Evidence(
        key="calibration_line",
        question=say(
            "Is the {predicted} too extreme or too timid, too low or too high?", predicted=s.outcome.predicted
        ),
        verdict=verdict,
        answer=answer,
        value=slope,
        threshold=rules + say("Amber and red need both.") + red_text() + shared_text(s.looks),
        source="Cox (1958)",
        sight=stands,
    )


def _shifted(s: Subject, intercept: float) -> Text:
    return say("The {predicted} is {side} as a whole.", predicted=s.outcome.predicted, side=side(intercept, 0))
