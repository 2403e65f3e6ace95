"""Is the average prediction what was observed in the long run?

**Method** mean prediction of all rows the model didn't learn from (hold-out and later), every as-of month counting alike, against the observed mean with its interval by parent: Jeffreys' on effective counts where an event is predicted, Student's t where an amount or a rate is.
**Reads as bad** a mean outside the interval and off by enough to matter; red only on the side that costs, and where development's own error doesn't explain it.
**Blind to** errors that cancel between months, and to a sample that is no full cycle.
**Source** Regulation (EU) 575/2013, Article 180(1)(a) (long-run averages of one-year default rates).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from workbench import metrics
from workbench.evidence import Evidence, Verdict
from workbench.panel.rates import observed
from workbench.validation.estimated import both, inflation, learnt, of_both
from workbench.validation.sight import Seen, level, rate_seen, shift_seen, sight, two
from workbench.validation.significance import mean_error, mean_p, off, red_text, shared, shared_text
from workbench.validation.subject import COUNTED, Subject
from workbench.words import say

FAMILY, KINDS, BY_CHANCE = "calibration", {"binary", "rate", "amount", "named"}, True
EVERY_PERIOD = False  # it is about all of them together


def long_run(s: Subject) -> pd.DataFrame:
    """Return the rows not learnt from, their weights such that every as-of month counts alike and rows still add up."""
    rows = pd.concat([s.holdout, s.later], ignore_index=True)
    month = rows["as_of_date"].dt.to_period("M")
    share = rows["weight"] / rows["weight"].groupby(month).transform("sum")
    return rows.assign(weight=share / share.sum() * rows["weight"].sum())


def test(s: Subject) -> Evidence:
    """Return mean prediction against observed mean over all months not learnt from."""
    rows, rule = long_run(s), s.rules["rate_off"]
    mean = float(np.average(rows["predicted"], weights=rows["weight"]))
    rate, low, high = observed(
        rows["outcome"], rows["weight"], s.outcome, rows["parent_id"], 1 - s.chance(str(Verdict.amber))
    )
    p, p_both = (shared(v, s.looks) for v in p_values(s, rows, rate, mean))
    light = both(p, p_both, off(rate, mean), s.rules)
    facts = {"mean": s.shown(mean), "months": int(rows["as_of_date"].dt.to_period("M").nunique())}
    facts |= {"observed": s.shown(rate), "low": s.shown(low), "high": s.shown(high)}
    return Evidence(
        key="central_tendency",
        question=say(
            "Is the average {predicted} the observed {rate}?", predicted=s.outcome.predicted, rate=s.outcome.rate
        ),
        verdict=light if s.is_costly(rate, mean) or light is not Verdict.red else Verdict.amber,
        answer=say(
            "Mean {predicted} of {months: months} not learnt from {mean}, observed {observed} ({low} to {high}).",
            predicted=s.outcome.predicted,
            **facts,
        ),
        value=mean,
        threshold=rule.text
        + s.rules["p_value"].text
        + say("Green inside the interval; at most amber on the side that doesn't cost.")
        + red_text()
        + shared_text(s.looks),
        source="Regulation (EU) 575/2013, Article 180(1)(a)",
        sight=sight(s, rate, _seen(s, rows, mean), rows=rows, **two(s, p, off(rate, mean), p_both)),
    )


def p_values(s: Subject, rows: pd.DataFrame, rate: float, mean: float) -> tuple[float, float]:
    """Return the two-sided p that the mean prediction is right, and with development's error in it (`estimated`)."""
    d = learnt(s.development)
    if not s.outcome.is_binary:
        return mean_p(*_arrays(rows, mean)), mean_p(*_arrays(rows, mean), inflation(rows, d))
    n, before = (metrics.effective(*(r[c] for c in COUNTED))[1] for r in (rows, d))
    tails = [float(stats.beta.cdf(mean, rate * m + 0.5, (1 - rate) * m + 0.5)) for m in (n, of_both(n, before))]
    low, both_low = (2 * min(tail, 1 - tail) for tail in tails)
    return low, both_low


def _arrays(rows: pd.DataFrame, mean: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return rows["outcome"].to_numpy(float) - mean, rows["weight"].to_numpy(float), rows["parent_id"].to_numpy()


def _seen(s: Subject, rows: pd.DataFrame, mean: float) -> Seen:
    if s.outcome.is_binary:
        _, n = metrics.effective(rows["outcome"], rows["weight"], rows["parent_id"])
        return rate_seen(s, mean, n, level(s), prior=0.5)
    band = (s.rules["rate_off"].amber - 1) * abs(mean)
    return shift_seen(mean_error(*_arrays(rows, mean)), level(s), band, say("distance of the mean"))
