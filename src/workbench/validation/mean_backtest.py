"""Is the prediction right on average, on rows the model never saw?

**Method** Student's t of observed minus predicted on the hold-out, two-sided, by parent.
**Reads as bad** a small p where the mean is off by enough to matter; on the side that doesn't cost, at most amber.
**Blind to** errors that cancel over the book (see calibration_parts), and to a shock that all rows share.
**Source** ECB (2019), Instructions for reporting the validation results of internal models (LGD back-testing by t-test).
"""

from __future__ import annotations

import numpy as np

from workbench.evidence import Evidence, Verdict
from workbench.validation.estimated import both, inflation, learnt
from workbench.validation.sight import level, shift_seen, sight, two
from workbench.validation.significance import both_text, mean_error, mean_p, off, p_text, shared, side
from workbench.validation.subject import Subject
from workbench.words import say

FAMILY, KINDS, BY_CHANCE = "calibration", {"rate", "amount"}, True


def test(s: Subject) -> Evidence:
    """Return mean observed against mean predicted on the rows tested with its p-value."""
    h = s.holdout
    y, predicted, w = (h[c].to_numpy(float) for c in ("outcome", "predicted", "weight"))
    observed, mean = float(np.average(y, weights=w)), float(np.average(predicted, weights=w))
    error = mean_error(y - predicted, w, h["parent_id"].to_numpy())
    p = shared(mean_p(y - predicted, w, h["parent_id"].to_numpy()), s.looks)
    inflated = inflation(h, learnt(s.development))
    p_both = shared(mean_p(y - predicted, w, h["parent_id"].to_numpy(), inflated), s.looks)
    light = both(p, p_both, off(observed, mean), s.rules)
    return Evidence(
        key="mean_backtest",
        question=say("Is the {predicted} right on average?", predicted=s.outcome.predicted),
        verdict=light if s.is_costly(observed, mean) or light is not Verdict.red else Verdict.amber,
        answer=say(
            "On {sample} the mean {predicted} is {mean}, observed {observed}: {side}, adjusted {p}.",
            sample=s.tested,
            predicted=s.outcome.predicted,
            mean=s.shown(mean),
            observed=s.shown(observed),
            side=side(observed, mean),
            p=p_text(p),
        ),
        value=p,
        threshold=both_text(s.rules, s.looks) + say("At most amber on the side that doesn't cost."),
        source="ECB (2019), LGD back-testing",
        sight=sight(
            s,
            observed - mean,
            shift_seen(error, level(s), (s.rules["rate_off"].amber - 1) * abs(mean), say("distance of the mean")),
            **two(s, p, off(observed, mean), p_both),
        ),
    )
