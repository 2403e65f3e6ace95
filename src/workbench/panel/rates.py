"""How a group of rows turned out: the rate of an event, or the mean of an amount or a rate, with its interval."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from workbench import metrics
from workbench.contracts import Outcome
from workbench.words import Text, say


def observed(
    y: ArrayLike, weight: ArrayLike, outcome: Outcome, parent: ArrayLike | None = None, level: float = 0.95
) -> tuple[float, float, float]:
    """Return the weighted mean of an outcome (n values) and its interval (95 %); NaN where there is no row.

    Of an event by Jeffreys on the effective sample size, of an amount or a rate by Student's t, both with the rows of a
    parent counted together where parents are given. Source: Brown, Cai & DasGupta (2001); Liang & Zeger (1986).
    """
    y, weight = np.asarray(y, float), np.asarray(weight, float)
    if not len(y):
        return (float("nan"),) * 3
    if outcome.is_binary:
        events, n = metrics.effective(y, weight, parent)
        return events / n, *metrics.rate_interval(events, n, level)
    return metrics.mean_interval(y, weight, np.arange(len(y)) if parent is None else parent, level)


def level(value: float, outcome: Outcome) -> Text:
    """Return a value of the outcome as a page says it: a percentage, or an amount in its unit."""
    return say("{value}", value=value) if outcome.scale == "amount" else say("{value:.2%}", value=value)


def changed(value: float, outcome: Outcome) -> Text:
    """Return a change of the outcome as a page says it: percentage points, or an amount in its unit; with its sign."""
    return say("{sign}{gap}", sign="+" if value >= 0 else "−", gap=gap(abs(value), outcome))


def gap(value: float, outcome: Outcome) -> Text:
    """Return how far two values of the outcome lie apart: percentage points, or an amount in its unit."""
    return level(value, outcome) if outcome.scale == "amount" else say("{gap:.2pp}", gap=value)


def in_words(table: pd.DataFrame, outcome: Outcome) -> pd.DataFrame:
    """Return a table whose columns `rate` and `predicted` are called by the outcome's words."""
    return table.rename(
        columns={"rate": str(outcome.rate), "predicted": str(say("mean {predicted}", predicted=outcome.predicted))}
    )
