"""Pure numbers: discrimination, accuracy, calibration and stability, each with its source."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.special import logit

FLOOR_OBSERVATIONS = 0.5  # an empty bin counts as half an observation in a PSI


def _arrays(y: ArrayLike, score: ArrayLike, weight: ArrayLike | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    y, score = np.asarray(y, float), np.asarray(score, float)
    weight = np.ones(len(y)) if weight is None else np.asarray(weight, float)
    if not len(y) == len(score) == len(weight):
        raise ValueError(f"lengths differ: {len(y)} outcomes, {len(score)} scores, {len(weight)} weights")
    return y, score, weight


def auc(y: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Return P(score of a bad > score of a good) + ½ P(equal); NaN where one class is missing.

    y: n values 1 (bad) or 0; score: n values that rise with risk. Source: Mann & Whitney (1947);
    ECB, Instructions for reporting the validation results of internal models (2019), Annex 1.

    >>> auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    y, score, weight = _arrays(y, score, weight)
    values, inverse = np.unique(score, return_inverse=True)
    bad = np.bincount(inverse, weight * y, len(values))
    good = np.bincount(inverse, weight * (1 - y), len(values))
    if bad.sum() == 0 or good.sum() == 0:
        return float("nan")
    below = np.cumsum(good) - good
    return float((bad * (below + good / 2)).sum() / (bad.sum() * good.sum()))


def gini(y: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Return 2·AUC − 1, also called the accuracy ratio. Source: Engelmann, Hayden & Tasche (2003), Risk 16."""
    return 2 * auc(y, score, weight) - 1


def ks(y: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Return max |F_bad − F_good|, the Kolmogorov-Smirnov distance (0 to 1); NaN where one class is missing.

    Source: Siddiqi (2017), Intelligent Credit Scoring, ch. 8.
    """
    y, score, weight = _arrays(y, score, weight)
    values, inverse = np.unique(score, return_inverse=True)
    bad, good = (
        np.bincount(inverse, weight * y, len(values)),
        np.bincount(inverse, weight * (1 - y), len(values)),
    )
    if bad.sum() == 0 or good.sum() == 0:
        return float("nan")
    return float(np.abs(np.cumsum(bad) / bad.sum() - np.cumsum(good) / good.sum()).max())


def brier(y: ArrayLike, pd: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Return the mean squared difference between PD and outcome. Source: Brier (1950), MWR 78(1)."""
    y, pd, weight = _arrays(y, pd, weight)
    return float(np.average((pd - y) ** 2, weights=weight))


def log_loss(y: ArrayLike, pd: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Return the mean negative log likelihood (nats per row). Source: Good (1952), JRSS B 14(1)."""
    y, pd, weight = _arrays(y, pd, weight)
    pd = np.clip(pd, 1e-12, 1 - 1e-12)
    return float(np.average(-(y * np.log(pd) + (1 - y) * np.log(1 - pd)), weights=weight))


def auc_interval(y: ArrayLike, score: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Return DeLong's interval for the unweighted AUC of independent rows.

    Source: DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44(3): s² = var(V10)/m + var(V01)/n.
    """
    y, score, _ = _arrays(y, score, None)
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


def rate_interval(bad: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Return Jeffreys' interval for a rate, Beta(bad + ½, n − bad + ½). Source: Brown, Cai & DasGupta (2001)."""
    if n <= 0:
        return float("nan"), float("nan")
    tail = (1 - level) / 2
    low, high = stats.beta.ppf([tail, 1 - tail], bad + 0.5, n - bad + 0.5)
    return float(low if bad > 0 else 0.0), float(high if bad < n else 1.0)


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


def calibration_line(
    y: ArrayLike, pd: ArrayLike, weight: ArrayLike | None = None, clusters: ArrayLike | None = None
) -> dict[str, tuple[float, float, float]]:
    """Return slope and intercept of logit(outcome) on logit(PD), each (estimate, low, high) at 95 %.

    A perfect model has slope 1 and intercept 0. The intercept is calibration-in-the-large: fitted with
    the slope held at 1. Intervals are robust (sandwich), by cluster where clusters are given.
    Source: Cox (1958), Biometrika 45; Van Calster et al. (2019), BMC Medicine 17.
    """
    import statsmodels.api as sm
    from statsmodels.tools.sm_exceptions import SpecificationWarning

    y, pd, weight = _arrays(y, pd, weight)
    z = logit(np.clip(pd, 1e-6, 1 - 1e-6))
    cov = (
        {"cov_type": "HC0"}
        if clusters is None
        else {"cov_type": "cluster", "cov_kwds": {"groups": np.unique(clusters, return_inverse=True)[1]}}
    )
    family = sm.families.Binomial()
    with warnings.catch_warnings():
        # statsmodels warns of every sandwich with weights; tests hold this one against the bootstrap
        warnings.simplefilter("ignore", SpecificationWarning)
        line = sm.GLM(y, sm.add_constant(z), family=family, var_weights=weight).fit(**cov)
        large = sm.GLM(y, np.ones((len(y), 1)), family=family, offset=z, var_weights=weight).fit(**cov)
    return {
        "slope": (float(line.params[1]), *map(float, line.conf_int()[1])),
        "intercept": (float(large.params[0]), *map(float, large.conf_int()[0])),
    }


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


def psi_critical(n: int, m: int, bins: int, level: float = 0.99) -> float:
    """Return the value a PSI of two samples of one population exceeds with probability 1 − level.

    χ²_{B−1} · (1/n + 1/m). Source: Yurdakul & Naranjo (2020), Statistical properties of the population
    stability index, Journal of Risk Model Validation 14(4).
    """
    return float(stats.chi2.ppf(level, max(bins - 1, 1)) * (1 / n + 1 / m))


def equal_parts(values: ArrayLike, bins: int) -> np.ndarray:
    """Return the part (0 to bins − 1) each of n values falls into; parts of equal size, equal values kept together.

    >>> equal_parts([0.1, 0.1, 0.2, 0.9], 2).tolist()
    [0, 0, 1, 1]
    """
    values = np.asarray(values, float)
    return np.minimum((stats.rankdata(values) - 0.5) / len(values) * bins, bins - 1).astype(int)


def expected_calibration_error(y: ArrayLike, pd: ArrayLike, bins: int = 10, weight: ArrayLike | None = None) -> float:
    """Return the mean |observed − expected| over bins of equal size. Source: Naeini et al. (2015), AAAI."""
    y, pd, weight = _arrays(y, pd, weight)
    codes = equal_parts(pd, bins)
    parts = [np.flatnonzero(codes == code) for code in np.unique(codes)]
    gaps = [abs(np.average(y[p], weights=weight[p]) - np.average(pd[p], weights=weight[p])) for p in parts]
    return float(np.average(gaps, weights=[weight[p].sum() for p in parts]))
