"""How far a distribution has moved: the population stability index and its critical value."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

FLOOR_OBSERVATIONS = 0.5  # an empty bin counts as half an observation in a PSI


def psi(expected: ArrayLike, actual: ArrayLike) -> float:
    """Return the population stability index Σ(a−e)·ln(a/e) of two vectors of bin counts.

    An empty bin counts as half an observation, so that a bin that empties is seen and nothing is infinite.
    Source: Siddiqi (2017), ch. 14.

    >>> psi([10, 20, 30], [100, 200, 300])
    0.0
    """
    e, a = np.asarray(expected, float), np.asarray(actual, float)
    used = (e + a) > 0
    e, a = np.maximum(e[used], FLOOR_OBSERVATIONS), np.maximum(a[used], FLOOR_OBSERVATIONS)
    e, a = e / e.sum(), a / a.sum()
    return float(((a - e) * np.log(a / e)).sum()) + 0.0


def psi_critical(n: float, m: float, bins: int, level: float = 0.99) -> float:
    """Return the value a PSI of two samples of one population exceeds with probability 1 − level.

    χ²_{B−1} · (1/n + 1/m). Source: Yurdakul & Naranjo (2020), Statistical properties of the population
    stability index, Journal of Risk Model Validation 14(4).
    """
    return float(_quantile(level, max(bins - 1, 1)) * (1 / n + 1 / m))


@cache  # the same few for every column and period, and far dearer than the rest of a PSI
def _quantile(level: float, freedom: int) -> float:
    return float(stats.chi2.ppf(level, freedom))
