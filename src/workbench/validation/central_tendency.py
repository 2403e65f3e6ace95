"""Is the average prediction what was observed in the long run?

**Method** mean prediction of all rows the model didn't learn from (hold-out and later), every as-of month counting alike, against the observed mean with its interval by parent: Jeffreys' on effective counts where an event is predicted, Student's t where an amount or a rate is.
**Reads as bad** a mean outside the interval and off by enough to matter; red only on the side that costs.
**Blind to** errors that cancel between months, and to a sample that is no full cycle.
**Source** Regulation (EU) 575/2013, Article 180(1)(a) (long-run averages of one-year default rates).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from workbench import metrics
from workbench.evidence import Evidence, Verdict, judged
from workbench.panel.rates import observed
from workbench.validation.sight import Seen, level, rate_seen, shift_seen, sight, two
from workbench.validation.significance import mean_error, mean_p, off, shared, shared_text
from workbench.validation.subject import Subject
from workbench.words import say

FAMILY, KINDS, BY_CHANCE = "calibration", {"binary", "rate", "amount"}, True
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
    light, facts = Verdict.green, {"mean": s.shown(mean), "months": int(rows["as_of_date"].dt.to_period("M").nunique())}
    for worse in (Verdict.amber, Verdict.red):
        level = 1 - s.chance(str(worse))
        rate, low, high = observed(rows["outcome"], rows["weight"], s.outcome, rows["parent_id"], level)
        if not low <= mean <= high and judged(off(rate, mean), rule).rank <= worse.rank:
            light = worse
        facts |= {"observed": s.shown(rate)} | ({} if "low" in facts else {"low": s.shown(low), "high": s.shown(high)})
    p = _p(s, rows, rate, mean)
    return Evidence(
        key="central_tendency",
        question=say(
            "Is the average {predicted} the observed {rate}?", predicted=s.outcome.predicted, rate=s.outcome.rate
        ),
        verdict=light if s.is_costly(rate, mean) or light is not Verdict.red else Verdict.amber,
        answer=say(
            "Mean {predicted} of {months} months not learnt from {mean}, observed {observed} ({low} to {high}).",
            predicted=s.outcome.predicted,
            **facts,
        ),
        value=mean,
        threshold=rule.text
        + s.rules["p_value"].text
        + say("Green inside the interval; at most amber on the side that doesn't cost.")
        + shared_text(s.looks),
        source="Regulation (EU) 575/2013, Article 180(1)(a)",
        sight=sight(s, rate, _seen(s, rows, mean), rows=rows, **two(s, p, off(rate, mean))),
    )


def _p(s: Subject, rows: pd.DataFrame, rate: float, mean: float) -> float:
    """Return the two-sided p of which the interval is the inverse, its looks shared."""
    if not s.outcome.is_binary:
        return shared(mean_p(*_arrays(rows, mean)), s.looks)
    events, n = metrics.effective(rows["outcome"], rows["weight"], rows["parent_id"])
    low = float(stats.beta.cdf(mean, events + 0.5, n - events + 0.5))
    return shared(2 * min(low, 1 - low), s.looks)


def _arrays(rows: pd.DataFrame, mean: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return rows["outcome"].to_numpy(float) - mean, rows["weight"].to_numpy(float), rows["parent_id"].to_numpy()


def _seen(s: Subject, rows: pd.DataFrame, mean: float) -> Seen:
    if s.outcome.is_binary:
        _, n = metrics.effective(rows["outcome"], rows["weight"], rows["parent_id"])
        return rate_seen(s, mean, n, level(s), prior=0.5)
    band = (s.rules["rate_off"].amber - 1) * abs(mean)
    return shift_seen(mean_error(*_arrays(rows, mean)), level(s), band, say("distance of the mean"))
