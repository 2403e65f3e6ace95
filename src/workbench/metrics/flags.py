"""How good a list of flags is: how early, how complete, how steady; and whether a count is more than chance."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats


def median_interval(values: ArrayLike, level: float = 0.95) -> tuple[float, float, float]:
    """Return the median of n values and its interval from order statistics, whatever their distribution.

    Ranks are quantiles of Binomial(n, ½); NaN ends where not even lowest and highest value enclose the median so often
    (at 95 %, of five values or fewer). Source: Conover (1999), Practical Nonparametric Statistics, ch. 3.2.

    >>> median_interval([1, 2, 3, 4, 5, 6, 7, 8, 9]), median_interval([1, 2, 3, 4, 5])
    ((5.0, 2.0, 8.0), (3.0, nan, nan))
    """
    ordered = np.sort(np.asarray(values, float))
    n = len(ordered)
    if not n:
        return float("nan"), float("nan"), float("nan")
    low = int(stats.binom.ppf((1 - level) / 2, n, 0.5))
    if not low:
        return float(np.median(ordered)), float("nan"), float("nan")
    return float(np.median(ordered)), float(ordered[low - 1]), float(ordered[n - low])


def precision(flagged: np.ndarray, event: np.ndarray) -> float:
    """Return the share of flagged rows (n, 0 or 1) that the event follows (n, 0 or 1); NaN where none is flagged."""
    return float(event[flagged > 0].mean()) if (flagged > 0).any() else float("nan")


def recall(flagged: np.ndarray, event: np.ndarray) -> float:
    """Return the share of rows with the event that are flagged; NaN where there is no event."""
    return float(flagged[event > 0].mean()) if (event > 0).any() else float("nan")


def gains(order: ArrayLike, event: ArrayLike, shares: ArrayLike) -> np.ndarray:
    """Return, for each share of n rows with the highest order, the share of events in it; of a tie its mean.

    >>> gains([4, 3, 2, 1], [1, 0, 1, 0], [0.25, 0.5, 1.0]).tolist()
    [0.5, 0.5, 1.0]
    >>> gains([1, 1, 1, 1], [1, 1, 0, 0], [0.5]).tolist()
    [0.5]
    """
    event, shares = np.asarray(event, float), np.atleast_1d(np.asarray(shares, float))
    if not event.sum():
        return np.full(len(shares), np.nan)
    tie = np.unique(-np.asarray(order, float), return_inverse=True)[1]
    rows, events = (np.concatenate([[0.0], np.cumsum(np.bincount(tie, w))]) for w in (None, event))
    return np.interp(np.round(shares * len(event)), rows, events / event.sum())


def jaccard(before: Collection[str], after: Collection[str]) -> float:
    """Return what two lists have in common over all that stand in either; NaN where both are empty.

    Source: Jaccard (1901).

    >>> jaccard(["a", "b"], ["b", "c"])
    0.3333333333333333
    """
    before, after = set(before), set(after)
    return len(before & after) / len(before | after) if before | after else float("nan")


def excess(
    observed: ArrayLike, expected: ArrayLike, seen: ArrayLike, expected_seen: ArrayLike, unsure: ArrayLike = 0.0
) -> np.ndarray:
    """Return the chance of as many events as observed or more, where nothing but chance changed since a baseline.

    The ratio of events to what was expected is itself only estimated, from `seen` events where `expected_seen` stood in
    the baseline: Gamma(seen + ½, expected_seen), so that counts are negative binomial. `unsure`: relative variance of
    what was expected, now and in the baseline, where that is an estimate itself; the Gamma's is larger by it.
    Conservative: counts are whole.
    Source: Gelman et al. (2013), Bayesian Data Analysis, ch. 2.6, with Jeffreys' prior.

    >>> excess([30, 10], [10.0, 10.0], [100, 100], [100.0, 100.0]).round(4).tolist()
    [0.0, 0.5421]
    """
    observed, expected = np.asarray(observed, float), np.asarray(expected, float)
    events = np.asarray(seen, float) + 0.5
    mean = np.maximum(expected, 1e-9) * events / np.maximum(np.asarray(expected_seen, float), 1e-9)
    shape = 1 / (1 / events + np.asarray(unsure, float))
    return stats.nbinom.sf(observed - 1, shape, shape / (shape + mean))
