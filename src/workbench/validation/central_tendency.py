"""Is the average prediction what was observed in the long run?

**Method** mean prediction of development and hold-out together against the observed mean with its 95 % interval by parent: Jeffreys' on effective counts where an event is predicted, Student's t where an amount or a rate is.
**Reads as bad** a mean outside the interval and off by enough to matter; red only on the side that costs.
**Blind to** a sample that is no full cycle.
**Source** Regulation (EU) 575/2013, Article 180(1)(a) (long-run averages of one-year default rates).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.evidence import Evidence, Verdict, judged
from workbench.panel.rates import observed
from workbench.validation.significance import off
from workbench.validation.subject import Subject
from workbench.words import say

FAMILY, KINDS = "calibration", {"binary", "rate", "amount"}


def test(s: Subject) -> Evidence:
    """Return mean prediction against observed mean over development and hold-out."""
    rows, rule = pd.concat([s.development, s.holdout]), s.rules["rate_off"]
    rate, low, high = observed(rows["outcome"], rows["weight"], s.outcome, rows["parent_id"])
    mean = float(np.average(rows["predicted"], weights=rows["weight"]))
    light = Verdict.green if low <= mean <= high else judged(off(rate, mean), rule)
    facts = {"mean": s.shown(mean), "observed": s.shown(rate), "low": s.shown(low), "high": s.shown(high)}
    return Evidence(
        key="central_tendency",
        question=say(
            "Is the average {predicted} the observed {rate}?", predicted=s.outcome.predicted, rate=s.outcome.rate
        ),
        verdict=light if s.is_costly(rate, mean) or light is not Verdict.red else Verdict.amber,
        answer=say(
            "Mean {predicted} of development and hold-out together {mean}, observed {observed} ({low} to {high}).",
            predicted=s.outcome.predicted,
            **facts,
        ),
        value=mean,
        threshold=rule.text + say("Green inside the 95 % interval; at most amber on the side that doesn't cost."),
        source="Regulation (EU) 575/2013, Article 180(1)(a)",
    )
