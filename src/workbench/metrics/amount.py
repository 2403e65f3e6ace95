"""How near predicted amounts and rates come: RMSE, MAE, R², rank correlation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from workbench.metrics.arrays import checked


def rmse(y: ArrayLike, predicted: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Return the root of the mean squared error, in the outcome's unit. Source: Hyndman & Koehler (2006), IJF 22(4).

    >>> rmse([0.0, 2.0], [1.0, 1.0])
    1.0
    """
    y, predicted, weight = checked(y, predicted, weight)
    return float(np.sqrt(np.average((y - predicted) ** 2, weights=weight)))


def mae(y: ArrayLike, predicted: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Return the mean absolute error, in the outcome's unit. Source: Hyndman & Koehler (2006), IJF 22(4).

    >>> mae([0.0, 3.0], [1.0, 1.0])
    1.5
    """
    y, predicted, weight = checked(y, predicted, weight)
    return float(np.average(np.abs(y - predicted), weights=weight))


def r_squared(y: ArrayLike, predicted: ArrayLike, weight: ArrayLike | None = None, mean: float | None = None) -> float:
    """Return 1 − Σ(y − predicted)² / Σ(y − mean)²: 1 is perfect, 0 no better than the mean, below 0 worse.

    mean: what is predicted without a model (development's mean on later rows); the rows' own where it isn't given.
    NaN where all outcomes are alike. Source: Kvålseth (1985), The American Statistician 39(4), eq. 1.

    >>> r_squared([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]), r_squared([1.0, 2.0, 3.0], [2.0, 2.0, 2.0])
    (1.0, 0.0)
    """
    y, predicted, weight = checked(y, predicted, weight)
    mean = float(np.average(y, weights=weight)) if mean is None else mean
    total = float((weight * (y - mean) ** 2).sum())
    return 1 - float((weight * (y - predicted) ** 2).sum()) / total if total > 0 else float("nan")


def r_squared_influence(y: ArrayLike, predicted: ArrayLike, weight: ArrayLike | None = None) -> np.ndarray:
    """Return what each of n rows adds to the error of R² about the rows' own mean (see `clustered_error`).

    First-order expansion of the ratio of two sums: w·((1 − R²)(y − mean)² − (y − predicted)²) / Σw(y − mean)².
    """
    y, predicted, weight = checked(y, predicted, weight)
    square = (y - np.average(y, weights=weight)) ** 2
    ratio = 1 - r_squared(y, predicted, weight)
    return weight * (ratio * square - (y - predicted) ** 2) / (weight * square).sum()


def spearman(y: ArrayLike, predicted: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Return the correlation of the ranks of n outcomes and predictions (ties share theirs); NaN where one is constant.

    With weights a rank is the weight below plus half the weight alike. Source: Spearman (1904), AJP 15(1).

    >>> spearman([1.0, 5.0, 2.0], [0.1, 0.9, 0.2])
    1.0
    """
    y, predicted, weight = checked(y, predicted, weight)
    a, b = _ranks(y, weight), _ranks(predicted, weight)
    a, b = a - np.average(a, weights=weight), b - np.average(b, weights=weight)
    spread = float(np.sqrt((weight * a**2).sum() * (weight * b**2).sum()))
    return round(float((weight * a * b).sum()) / spread, 12) if spread > 0 else float("nan")


def spearman_interval(rho: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Return the interval of a rank correlation of n independent rows by Fisher's z, variance (1 + rho²/2) / (n − 3).

    Source: Bonett & Wright (2000), Psychometrika 65(1).

    >>> tuple(round(v, 3) for v in spearman_interval(0.5, 103))
    (0.329, 0.639)
    """
    rho = min(max(rho, -0.9999), 0.9999)
    half = stats.norm.ppf(0.5 + level / 2) * np.sqrt((1 + rho**2 / 2) / max(n - 3, 1))
    return float(np.tanh(np.arctanh(rho) - half)), float(np.tanh(np.arctanh(rho) + half))


def _ranks(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    distinct, inverse = np.unique(values, return_inverse=True)
    total = np.bincount(inverse, weight, len(distinct))
    return (np.cumsum(total) - total / 2)[inverse]
