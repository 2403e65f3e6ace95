"""What an action changed, from a randomised trial: gain of the first so many, Qini's curve and area, sample ratio.

Every sum weighs a row by one over the probability of the arm it drew (Horvitz & Thompson (1952)), so that arms may have
been drawn with probabilities that differ from row to row. No kept library does: scikit-uplift's metrics know one
probability, and its pictures fail on scikit-learn 1.9.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats


def effects(benefit: ArrayLike, treated: ArrayLike, probability: ArrayLike) -> np.ndarray:
    """Return for each of n rows an unbiased guess of its own effect: y·t/p − y·(1 − t)/(1 − p).

    benefit: what came of it (1 stayed, or an amount), treated: 1 where the action was taken, probability: of it.
    The outcome is centred on the mean of the arms first: same expectation, smaller variance.
    Source: Athey & Imbens (2016), PNAS 113(27), the transformed outcome.

    Raises `ValueError` where a probability isn't strictly between 0 and 1.
    """
    y, t, p = (
        np.asarray(benefit, float),
        np.asarray(treated, float),
        np.asarray(probability, float) + np.zeros(np.size(treated)),
    )
    if not ((p > 0) & (p < 1)).all():
        raise ValueError("a row without a chance of each arm says nothing of the action's effect")
    both = [
        np.average(y[t == arm], weights=1 / np.where(t == 1, p, 1 - p)[t == arm]) for arm in (0, 1) if (t == arm).any()
    ]
    y = y - np.mean(both)
    return y * t / p - y * (1 - t) / (1 - p)


def average_effect(benefit: ArrayLike, treated: ArrayLike, probability: ArrayLike) -> tuple[float, float, float]:
    """Return the mean effect of the action and its 95 % interval.

    >>> tuple(round(v, 2) for v in average_effect([1, 1, 1, 0, 1, 0, 0, 0], [1, 1, 1, 1, 0, 0, 0, 0], 0.5))
    (0.5, -0.14, 1.14)
    """
    values = effects(benefit, treated, probability)
    mean, half = float(values.mean()), float(1.959964 * values.std(ddof=1) / np.sqrt(len(values)))
    return mean, mean - half, mean + half


def qini(
    benefit: ArrayLike, treated: ArrayLike, probability: ArrayLike, score: ArrayLike, parts: int = 20
) -> pd.DataFrame:
    """Return share, gain, low, high, random: what acting on the first of `score` gains, a customer of the whole.

    gain of a share is the sum of effects among the first by score over all n; low and high its 95 % interval point by
    point; random what acting on as many drawn at random gains. Source: Radcliffe (2007), Qini's curve.
    """
    values = effects(benefit, treated, probability)
    order = np.argsort(-np.asarray(score, float), kind="stable")
    n, rows = len(values), []
    for k in np.unique(np.round(np.linspace(0, n, parts + 1)).astype(int)):
        part = np.where(np.isin(np.arange(n), np.arange(k)), values[order], 0.0)
        half = 1.959964 * part.std(ddof=1) / np.sqrt(n)
        rows.append((k / n, part.mean(), part.mean() - half, part.mean() + half, values.mean() * k / n))
    return pd.DataFrame(rows, columns=["share", "gain", "low", "high", "random"])


def qini_area(curve: pd.DataFrame) -> float:
    """Return the area between Qini's curve and random: 0 is a score that knows nothing of the effect."""
    return float(np.trapezoid(curve["gain"] - curve["random"], curve["share"]))


def sample_ratio(counts: ArrayLike, probabilities: ArrayLike) -> float:
    """Return the p-value that arms of these sizes were drawn with these probabilities (chi-square).

    A trial of p below 0.001 wasn't drawn as it says. Source: Fabijan et al. (2019), KDD, sample ratio mismatch.

    >>> round(sample_ratio([500, 500], [0.5, 0.5]), 2), sample_ratio([600, 400], [0.5, 0.5]) < 0.001
    (1.0, True)
    """
    counts, expected = np.asarray(counts, float), np.asarray(probabilities, float)
    return float(stats.chisquare(counts, counts.sum() * expected / expected.sum()).pvalue)


def policy_value(
    reward: ArrayLike, drawn: ArrayLike, chosen: ArrayLike, probability: ArrayLike
) -> tuple[float, float, float]:
    """Return the mean reward had every row got its `chosen` action, and its 95 % interval, from logged trials.

    probability: with which the `drawn` action was drawn. Self-normalised inverse propensity: weighted mean reward of
    rows that drew what is chosen for them. Source: Swaminathan & Joachims (2015), NeurIPS.

    Raises `ValueError` where no row drew what is chosen for it.
    """
    reward, p = np.asarray(reward, float), np.asarray(probability, float)
    weight = (np.asarray(drawn) == np.asarray(chosen)) / p
    if not weight.any():
        raise ValueError("no row of the trial drew what the policy chooses for it")
    mean = float(np.average(reward, weights=weight))
    error = float(np.sqrt(np.sum((weight * (reward - mean)) ** 2)) / weight.sum())
    return mean, mean - 1.959964 * error, mean + 1.959964 * error
