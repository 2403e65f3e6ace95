"""By how much is a prediction wrong on average?

**Method** expected calibration error: mean |observed − predicted| over ten parts of equal size, against what true predictions would stay below by chance (in 95 and in 99 of 100 samples where no other test asks the same), in closed form by parent.
**Reads as bad** an error that is a large enough part of the rate to matter and above what chance alone gives.
**Blind to** the direction of the error.
**Source** Naeini, Cooper & Hauskrecht (2015), AAAI; chance: Bröcker & Smith (2007), Weather and Forecasting 22, with the folded normal in place of draws.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from workbench import metrics
from workbench.evidence import Evidence, Verdict, judged
from workbench.validation.estimated import inflation, learnt
from workbench.validation.sight import Gauge, not_stated, sight
from workbench.validation.significance import milder, red_text, shared_text
from workbench.validation.subject import Subject
from workbench.words import say

FAMILY, KINDS, BY_CHANCE = "calibration", {"binary", "named"}, True
BINS = 10


def test(s: Subject) -> Evidence:
    """Return the expected calibration error of the rows tested; not evaluated where none has the event."""
    h, rule = s.holdout, s.rules["rate_off"]
    y, p, w = (h[c].to_numpy(float) for c in ("outcome", "predicted", "weight"))
    value = metrics.expected_calibration_error(y, p, BINS, w)
    levels = [1 - s.chance(light) for light in ("amber", "red")]
    amber, red = (metrics.calibration_error_limit(y, p, BINS, w, h["parent_id"], level) for level in levels)
    red *= inflation(h, learnt(s.development)) ** 0.5
    rate = float(np.average(y, weights=w))
    off = value / rate if rate > 0 else float("nan")
    chance = Verdict.green if value <= amber else Verdict.amber if value <= red else Verdict.red
    return Evidence(
        key="reliability",
        question=say("By how much is the {predicted} wrong on average?", predicted=s.outcome.predicted),
        verdict=milder(chance, judged(1 + off, rule)),
        answer=say(
            "On {sample}: expected calibration error {error:.4f}; if the {predicted} were true it would stay below "
            "{amber:.4f} in {often:.2%} of samples, and with development's own error in it below {red:.4f} in {mostly:.2%}.",
            sample=s.tested,
            often=levels[0],
            mostly=levels[1],
            error=value,
            predicted=s.outcome.predicted,
            amber=amber,
            red=red,
        )
        + say("It is {off:.1%} of the {rate}.", off=off, rate=s.outcome.rate),
        value=value,
        threshold=rule.text + say("Amber and red need to be beyond chance, too.") + red_text() + shared_text(s.looks),
        source="Naeini et al. (2015)",
        sight=sight(
            s,
            value,
            not_stated(say("what errs in one part and not in another has no single size")),
            convention=Gauge(1 + off, rule),
            significance=Gauge(value, replace(rule, amber=amber, red=red)),
        ),
    )
