"""How well a score separates rows with the event from rows without: AUC, Gini, KS, and the interval of an AUC."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from workbench.metrics.arrays import checked


def dense_ranks(score: ArrayLike) -> np.ndarray:
    """Return which of the distinct scores each is, in ascending order from 0: what AUC, Gini and KS read of them.

    Of the ranks of scores, and of any rows of them, these measures are the same, and take no sorting.

    >>> dense_ranks([0.3, 0.1, 0.3]).tolist()
    [1, 0, 1]
    """
    return np.unique(np.asarray(score, float), return_inverse=True)[1]


def _ranked(score: ArrayLike) -> tuple[np.ndarray, int]:
    """Return which of the distinct scores each is, and how many there are; of few whole numbers without sorting."""
    whole = np.asarray(score)
    if whole.dtype.kind != "i" or not len(whole) or whole.min() < 0 or whole.max() > 4 * len(whole):
        rank = dense_ranks(score)
        return rank, int(rank.max(initial=-1)) + 1
    there = np.bincount(whole) > 0
    return (np.cumsum(there) - 1)[whole], int(there.sum())


def auc(y: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Return P(score of an event > score of another) + ½ P(equal); NaN where one class is missing.

    y: n values 1 (event) or 0; score: n values that rise with it. Source: Mann & Whitney (1947);
    ECB, Instructions for reporting the validation results of internal models (2019), Annex 1.

    >>> auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    rank, n = _ranked(score)
    y, _, weight = checked(y, score, weight)
    bad, good = np.bincount(rank, weight * y, n), np.bincount(rank, weight * (1 - y), n)
    if bad.sum() == 0 or good.sum() == 0:
        return float("nan")
    below = np.cumsum(good) - good
    return float((bad * (below + good / 2)).sum() / (bad.sum() * good.sum()))


def rarer(outcome: ArrayLike) -> int:
    """Return how many rows have the rarer of the outcomes 0 and 1: with few of them nothing separates surely.

    >>> rarer([1, 1, 1, 0]), rarer([])
    (1, 0)
    """
    y = np.asarray(outcome, float)
    return int(min((y == 1).sum(), (y == 0).sum()))


def gini(y: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Return 2·AUC − 1, also called the accuracy ratio. Source: Engelmann, Hayden & Tasche (2003), Risk 16."""
    return 2 * auc(y, score, weight) - 1


def ks(y: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Return max |F_bad − F_good|, the Kolmogorov-Smirnov distance (0 to 1); NaN where one class is missing.

    Source: Siddiqi (2017), Intelligent Credit Scoring, ch. 8.
    """
    rank, n = _ranked(score)
    y, _, weight = checked(y, score, weight)
    bad, good = np.bincount(rank, weight * y, n), np.bincount(rank, weight * (1 - y), n)
    if bad.sum() == 0 or good.sum() == 0:
        return float("nan")
    return float(np.abs(np.cumsum(bad) / bad.sum() - np.cumsum(good) / good.sum()).max())


def ks_influence(y: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None) -> np.ndarray:
    """Return what each of n rows adds to the error of KS (see `clustered_error`), its cut held where it is.

    KS is then a difference of two shares below the cut: w·(1[below] − F)/W of either class, of the other with a minus.

    >>> ks_influence([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).tolist()
    [0.25, -0.25, 0.0, 0.0]
    """
    y, score, weight = checked(y, score, weight)
    values = np.unique(score)
    bad, good = (np.bincount(np.searchsorted(values, score), weight * c, len(values)) for c in (y, 1 - y))
    if bad.sum() == 0 or good.sum() == 0:
        return np.full(len(y), np.nan)
    below_bad, below_good = np.cumsum(bad) / bad.sum(), np.cumsum(good) / good.sum()
    cut = int(np.abs(below_bad - below_good).argmax())
    side, below = np.sign(below_good[cut] - below_bad[cut]), (score <= values[cut]).astype(float)
    of_bad, of_good = weight * (below - below_bad[cut]) / bad.sum(), weight * (below - below_good[cut]) / good.sum()
    return side * np.where(y == 1, -of_bad, of_good) + 0.0


def auc_interval(y: ArrayLike, score: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Return DeLong's interval for the unweighted AUC of independent rows.

    Source: DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44(3): s² = var(V10)/m + var(V01)/n.
    """
    y, score, _ = checked(y, score, None)
    bad, good = score[y == 1], score[y == 0]
    if len(bad) < 2 or len(good) < 2:
        return float("nan"), float("nan")
    v10, v01 = _placements(bad, good), 1 - _placements(good, bad)
    s = np.sqrt(v10.var(ddof=1) / len(bad) + v01.var(ddof=1) / len(good))
    half = stats.norm.ppf(0.5 + level / 2) * s
    return float(max(v10.mean() - half, 0)), float(min(v10.mean() + half, 1))


def _placements(of: np.ndarray, among: np.ndarray) -> np.ndarray:
    """For each value of `of`, the share of `among` below it, ties counting half."""
    among = np.sort(among)
    return (np.searchsorted(among, of, "left") + np.searchsorted(among, of, "right")) / (2 * len(among))


def auc_influence(y: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None) -> np.ndarray:
    """Return what each of n rows adds to the error of the weighted AUC; NaN where one class is missing.

    The squares of their sums by cluster add up to the variance (`clustered_error`); the influence of a difference
    of two AUCs on the same rows is the difference of the two. Of an event: w·(V10 − AUC)/W₁, of another row
    w·(V01 − AUC)/W₀. Source: DeLong, DeLong & Clarke-Pearson (1988); Obuchowski (1997), Biometrics 53(2), for clusters.

    >>> auc_influence([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).tolist()
    [0.125, -0.125, -0.125, 0.125]
    """
    y, score, weight = checked(y, score, weight)
    values, inverse = np.unique(score, return_inverse=True)
    events, others = np.bincount(inverse, weight * y, len(values)), np.bincount(inverse, weight * (1 - y), len(values))
    if events.sum() == 0 or others.sum() == 0:
        return np.full(len(y), np.nan)
    below = (np.cumsum(others) - others / 2)[inverse] / others.sum()
    above = (events.sum() - np.cumsum(events) + events / 2)[inverse] / events.sum()
    area = float((events * (np.cumsum(others) - others / 2)).sum() / (events.sum() * others.sum()))
    return np.where(y == 1, weight * (below - area) / events.sum(), weight * (above - area) / others.sum())
