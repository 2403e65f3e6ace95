"""How sure a number is: intervals, the bootstrap, effective sizes; rows of one parent go together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats


def rate_interval(events: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Return Jeffreys' interval for a rate, Beta(events + ½, n − events + ½). Source: Brown, Cai & DasGupta (2001)."""
    if n <= 0:
        return float("nan"), float("nan")
    tail = (1 - level) / 2
    low, high = stats.beta.ppf([tail, 1 - tail], events + 0.5, n - events + 0.5)
    return float(low if events > 0 else 0.0), float(high if events < n else 1.0)


def wilson(events: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of Wilson's score interval of each rate; NaN where n is 0. Source: Wilson (1927), JASA 22.

    >>> [round(float(end), 3) for end in wilson(8, 10)]
    [0.49, 0.943]
    """
    k, n = np.asarray(events, float), np.asarray(n, float)
    z = stats.norm.ppf(0.5 + level / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        p = k / n
        centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    low, high = np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)
    return np.fmin(low, p), np.fmax(high, p)  # at 0 and 1 the end is the rate itself, but for rounding


def bootstrap_interval(
    metric: Callable[..., float],
    arrays: tuple[np.ndarray, ...],
    clusters: ArrayLike,
    seed: int,
    draws: int = 200,
) -> tuple[float, float]:
    """Return the 95 % percentile interval of `metric(*arrays)` by resampling clusters (accounts) as a whole.

    Source: Efron & Tibshirani (1993), ch. 13; Cameron, Gelbach & Miller (2008) for clusters.
    """
    rng = np.random.default_rng(seed)
    _, code = np.unique(np.asarray(clusters), return_inverse=True)
    order, counts = np.argsort(code, kind="stable"), np.bincount(code)
    starts = np.cumsum(counts) - counts
    values = []
    for _ in range(draws):
        drawn = rng.integers(0, len(counts), len(counts))
        n = counts[drawn]
        rows = order[np.repeat(starts[drawn] - np.cumsum(n) + n, n) + np.arange(n.sum())]
        values.append(metric(*(a[rows] for a in arrays)))
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)


def clustered_error(influence: ArrayLike, clusters: ArrayLike) -> float:
    """Return the standard error of an estimate from the influence of its n rows, summed within clusters first.

    G/(G − 1)·Σ(sum of a cluster)², the square root of it. Source: Liang & Zeger (1986), Biometrika 73(1).

    >>> round(clustered_error([0.5, -0.5, 0.5, -0.5], [1, 2, 3, 4]), 4)
    1.1547
    """
    _, code = np.unique(np.asarray(clusters), return_inverse=True)
    sums = np.bincount(code, np.asarray(influence, float))
    return float(np.sqrt(len(sums) / (len(sums) - 1) * (sums**2).sum())) if len(sums) > 1 else float("nan")


def mean_interval(
    values: ArrayLike, weight: ArrayLike, clusters: ArrayLike, level: float = 0.95
) -> tuple[float, float, float]:
    """Return the weighted mean of n values and its interval by Student's t with G − 1 degrees of freedom, G clusters.

    >>> tuple(round(v, 3) for v in mean_interval([1.0, 2.0, 3.0, 4.0], [1, 1, 1, 1], [1, 2, 3, 4]))
    (2.5, 0.446, 4.554)
    """
    values, weight = np.asarray(values, float), np.asarray(weight, float)
    mean = float(np.average(values, weights=weight))
    error = clustered_error(weight * (values - mean) / weight.sum(), clusters)
    half = stats.t.ppf(0.5 + level / 2, max(len(np.unique(clusters)) - 1, 1)) * error
    return mean, float(mean - half), float(mean + half)


def effective(outcome: ArrayLike, weight: ArrayLike, clusters: ArrayLike | None = None) -> tuple[float, float]:
    """Return events and size of the plain sample whose rate would be as certain as this weighted, clustered one.

    n = p(1 − p)(Σw)² / Σ(Σw(y − p) within a cluster)², never more than without clusters; all rows where weights are
    equal and every row is its own cluster. Where all outcomes are alike, Kish's (Σw)²/Σw² over clusters: it holds for
    weights that don't depend on the outcome, and case-control weights do. Source: Kish (1965), Survey Sampling,
    ch. 8 (design effect); variance of a ratio of clusters as in Cochran (1977), ch. 6 and 11.

    >>> effective([1, 0, 0, 0], [1, 1, 1, 1]), effective([1, 1, 0, 0], [1, 1, 1, 1], [1, 1, 2, 2])
    ((1.0, 4.0), (1.0, 2.0))
    """
    y, w = np.asarray(outcome, float), np.asarray(weight, float)
    p = float(np.average(y, weights=w))
    n = _size(y, w, p)
    if clusters is not None:
        _, code = np.unique(np.asarray(clusters), return_inverse=True)
        n = min(n, _size_of_clusters(y, w, p, code))
    return p * n, n


def likeness(outcome: ArrayLike, weight: ArrayLike, clusters: ArrayLike, groups: ArrayLike) -> float:
    """Return how alike the outcomes of two rows of a cluster are within a group: their correlation, 0 where none.

    Over all groups: Σ over clusters of (Σ w·e)² − Σ w²·e², over the same of rows that are wholly alike,
    v·((Σ w)² − Σ w²); e is the outcome less its group's mean, v its variance in the group (p(1 − p) of an event). One
    figure for all groups: a design effect taken of few clusters is itself a matter of chance, and where it comes out
    low a test sees what isn't there.
    Source: Kish & Frankel (1974), JRSS B 36(1), on pooling design effects; Donner & Klar (2000), ch. 6.

    >>> likeness([1, 1, 0, 0], [1, 1, 1, 1], [1, 1, 2, 2], [1, 1, 1, 1])
    1.0
    """
    y, w = np.asarray(outcome, float), np.asarray(weight, float)
    group = np.unique(np.asarray(groups), return_inverse=True)[1]
    total = np.bincount(group, w)
    residual = y - (np.bincount(group, w * y) / total)[group]
    cluster = np.unique(np.asarray(clusters), return_inverse=True)[1]
    cell = np.unique(group * (cluster.max() + 1) + cluster, return_inverse=True)[1]
    error, spread = w * residual, (np.bincount(group, w * residual**2) / total)[group]
    together = (np.bincount(cell, error) ** 2).sum() - (error**2).sum()
    alike = (np.bincount(cell, w * np.sqrt(spread)) ** 2).sum() - (w**2 * spread).sum()
    return float(np.clip(together / alike, 0, 1)) if alike > 1e-12 * (w**2).sum() else 0.0


def effective_alike(outcome: ArrayLike, weight: ArrayLike, clusters: ArrayLike, alike: float) -> tuple[float, float]:
    """Return events and effective size as `effective`, with the likeness of a cluster's rows given from elsewhere.

    n = n₀ / `design_effect`, n₀ without clusters. Source: Kish (1965), ch. 5.

    >>> effective_alike([1, 1, 0, 0], [1, 1, 1, 1], [1, 1, 2, 2], 0.5)
    (1.3333333333333333, 2.6666666666666665)
    """
    y, w = np.asarray(outcome, float), np.asarray(weight, float)
    p = float(np.average(y, weights=w))
    n = _size(y, w, p) / design_effect(w, clusters, alike)
    return p * n, n


def design_effect(weight: ArrayLike, clusters: ArrayLike, alike: float) -> float:
    """Return how many times the variance is that of independent rows, where those of a cluster are so alike.

    1 + alike·(Σ over clusters of (Σ w)² / Σ w² − 1). Source: Kish (1965), ch. 5.

    >>> design_effect([1, 1, 1, 1], [1, 1, 2, 2], 0.5)
    1.5
    """
    w, code = np.asarray(weight, float), np.unique(np.asarray(clusters), return_inverse=True)[1]
    return 1 + alike * (float((np.bincount(code, w) ** 2).sum() / (w**2).sum()) - 1)


def independent(weight: ArrayLike, clusters: ArrayLike) -> float:
    """Return the size of the plain sample that rows wholly alike within a cluster are worth: (Σw)² / Σ (Σ w of one)².

    As many as there are clusters where these weigh alike, fewer where some weigh more. Source: Kish (1965), ch. 8.

    >>> independent([1, 1, 1, 1], [1, 1, 2, 2]), independent([1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 2, 3])
    (2.0, 2.0)
    """
    total = np.bincount(np.unique(np.asarray(clusters), return_inverse=True)[1], np.asarray(weight, float))
    return float(total.sum() ** 2 / (total**2).sum())


def weighted_median(values: ArrayLike, weight: ArrayLike) -> float:
    """Return the median of values (n) by weight; halfway between two where the weight splits there, as numpy's.

    By hand: numpy's own has no weights for it, statsmodels' takes three times as long and misses a split by rounding.

    >>> weighted_median([1, 2, 3, 4], [1, 1, 1, 1]), weighted_median([1, 2, 3], [1, 1, 4])
    (2.5, 3.0)
    """
    x, w = np.asarray(values, float), np.asarray(weight, float)
    order = np.argsort(x, kind="stable")
    reached, half = np.cumsum(w[order]), w.sum() / 2
    low, high = (int(np.searchsorted(reached, half * (1 + sign * 1e-12))) for sign in (-1, 1))
    return float((x[order][low] + x[order][min(high, len(x) - 1)]) / 2)


def effective_counts(codes: ArrayLike, weight: ArrayLike, clusters: ArrayLike) -> float:
    """Return the size of the plain sample whose counts of n rows by bin would be as certain as these weighted ones.

    Σ p(1 − p)·(Σw)² over the bins, over Σ (Σ w([in the bin] − p) within a cluster)²; not more than there are rows.
    Source: Rao & Scott (1981), JASA 76 (mean design effect of a table of counts).

    >>> [effective_counts([0, 1, 0, 1], [1, 1, 1, 1], c) for c in ([1, 2, 3, 4], [1, 2, 1, 2])]
    [4.0, 2.0]
    """
    codes, w = np.unique(codes, return_inverse=True)[1], np.asarray(weight, float)
    parent, k = np.unique(np.asarray(clusters), return_inverse=True)[1], int(codes.max()) + 1
    share = np.bincount(codes, w, k) / w.sum()
    inside = np.bincount(parent * k + codes, w, (parent.max() + 1) * k).reshape(-1, k)
    spread = float(((inside - np.outer(np.bincount(parent, w), share)) ** 2).sum())
    total = float((share * (1 - share)).sum()) * w.sum() ** 2
    return float(min(len(w), total / spread)) if spread > 0 else float(len(np.unique(parent)))


def _size(y: np.ndarray, w: np.ndarray, p: float) -> float:
    spread = float((w**2 * (y - p) ** 2).sum())
    return float(p * (1 - p) * w.sum() ** 2 / spread if spread > 0 else w.sum() ** 2 / (w**2).sum())


def _size_of_clusters(y: np.ndarray, w: np.ndarray, p: float, code: np.ndarray) -> float:
    spread = float((np.bincount(code, w * (y - p)) ** 2).sum())
    return float(p * (1 - p) * w.sum() ** 2 / spread) if spread > 0 else independent(w, code)
