"""How a group of rows turned out: the rate of an event, or the mean of an amount or a rate, with its interval."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from workbench import metrics
from workbench.contracts import Outcome
from workbench.panel.describe import effective
from workbench.words import Text, say


def observed(y: pd.Series, weight: pd.Series, outcome: Outcome) -> tuple[float, float, float]:
    """Return the weighted mean of an outcome (n values) and its 95 % interval; NaN where there is no row.

    Of an event by Jeffreys on the effective sample size; of an amount or a rate by the normal approximation of a
    weighted mean, error² = Σw²(y − ȳ)² / (Σw)², NaN below two rows. Source: Brown, Cai & DasGupta (2001); Cochran
    (1977), Sampling Techniques, ch. 6.
    """
    if not len(y):
        return (float("nan"),) * 3
    if outcome.is_binary:
        events, n = effective(y, weight)
        return events / n, *metrics.rate_interval(events, n)
    values, w = np.asarray(y, float), np.asarray(weight, float)
    mean = float(np.average(values, weights=w))
    if len(values) < 2:
        return mean, float("nan"), float("nan")
    half = float(stats.norm.ppf(0.975) * np.sqrt((w**2 * (values - mean) ** 2).sum()) / w.sum())
    return mean, mean - half, mean + half


def level(value: float, outcome: Outcome) -> Text:
    """Return a value of the outcome as a page says it: a percentage, or an amount in its unit."""
    return say("{value}", value=value) if outcome.kind in ("amount", "time") else say("{value:.2%}", value=value)
