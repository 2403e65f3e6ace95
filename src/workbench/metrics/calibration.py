"""How right predicted rates are: Brier score, log loss, calibration line, expected calibration error."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.optimize import brentq
from scipy.special import expit, logit

from workbench.metrics.arrays import checked


def brier(y: ArrayLike, predicted: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Return the mean squared difference between predicted and outcome. Source: Brier (1950), MWR 78(1)."""
    y, predicted, weight = checked(y, predicted, weight)
    return float(np.average((predicted - y) ** 2, weights=weight))


def log_loss(y: ArrayLike, predicted: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Return the mean negative log likelihood (nats per row). Source: Good (1952), JRSS B 14(1)."""
    y, predicted, weight = checked(y, predicted, weight)
    predicted = np.clip(predicted, 1e-12, 1 - 1e-12)
    return float(np.average(-(y * np.log(predicted) + (1 - y) * np.log(1 - predicted)), weights=weight))


def calibration_line(
    y: ArrayLike, predicted: ArrayLike, weight: ArrayLike | None = None, clusters: ArrayLike | None = None
) -> dict[str, tuple[float, float, float]]:
    """Return slope and intercept of logit(outcome) on logit(predicted), each (estimate, low, high) at 95 %.

    A perfect model has slope 1 and intercept 0. The intercept is calibration-in-the-large: fitted with
    the slope held at 1. Predictions that are
    all alike have no slope (NaN). Intervals are robust (sandwich), by cluster where clusters are given.
    Source: Cox (1958), Biometrika 45; Van Calster et al. (2019), BMC Medicine 17.
    """
    import statsmodels.api as sm
    from statsmodels.tools.sm_exceptions import SpecificationWarning

    y, predicted, weight = checked(y, predicted, weight)
    z = logit(np.clip(predicted, 1e-6, 1 - 1e-6))
    cov = (
        {"cov_type": "HC0"}
        if clusters is None
        else {"cov_type": "cluster", "cov_kwds": {"groups": np.unique(clusters, return_inverse=True)[1]}}
    )
    family = sm.families.Binomial()
    with warnings.catch_warnings():
        # statsmodels warns of every sandwich with weights; tests hold this one against the bootstrap
        warnings.simplefilter("ignore", SpecificationWarning)
        large = sm.GLM(y, np.ones((len(y), 1)), family=family, offset=z, var_weights=weight)
        large = large.fit(start_params=[_in_the_large(y, z, weight)], **cov)
        slope = (np.nan, np.nan, np.nan)
        if np.ptp(z) > 0:
            line = sm.GLM(y, np.column_stack([np.ones(len(y)), z]), family=family, var_weights=weight).fit(**cov)
            slope = (float(line.params[1]), *map(float, line.conf_int()[1]))
    return {"slope": slope, "intercept": (float(large.params[0]), *map(float, large.conf_int()[0]))}


def _in_the_large(y: np.ndarray, z: np.ndarray, weight: np.ndarray) -> float:
    """Return the shift of log odds z that gives the mean of y; from its own start scoring may run away without end."""
    if not 0 < np.average(y, weights=weight) < 1:
        return 0.0
    return float(brentq(lambda shift: np.sum(weight * (y - expit(shift + z))), -50.0, 50.0))


def equal_parts(values: ArrayLike, bins: int) -> np.ndarray:
    """Return the part (0 to bins − 1) each of n values falls into; parts of equal size, equal values kept together.

    >>> equal_parts([0.1, 0.1, 0.2, 0.9], 2).tolist()
    [0, 0, 1, 1]
    """
    values = np.asarray(values, float)
    return np.minimum((stats.rankdata(values) - 0.5) / len(values) * bins, bins - 1).astype(int)


def expected_calibration_error(
    y: ArrayLike, predicted: ArrayLike, bins: int = 10, weight: ArrayLike | None = None
) -> float:
    """Return the mean |observed − expected| over bins of equal size. Source: Naeini et al. (2015), AAAI."""
    y, predicted, weight = checked(y, predicted, weight)
    codes = equal_parts(predicted, bins)
    parts = [np.flatnonzero(codes == code) for code in np.unique(codes)]
    gaps = [abs(np.average(y[p], weights=weight[p]) - np.average(predicted[p], weights=weight[p])) for p in parts]
    return float(np.average(gaps, weights=[weight[p].sum() for p in parts]))


def calibration_error_limit(
    y: ArrayLike, predicted: ArrayLike, bins: int, weight: ArrayLike, clusters: ArrayLike, level: float
) -> float:
    """Return what the expected calibration error of true predictions exceeds with probability 1 − level; no draws.

    Bins' gaps are then normal, with the errors s and correlations r of their mean residuals (by cluster), so the sum of
    |gap| times the bin's share has mean Σ s√(2/π), variance Σ ss'·2/π·(√(1 − r²) + r·arcsin r − 1) over all pairs, and
    third moment Σ s³√(2/π)(4/π − 1) where no bins are correlated; where they are it is taken to grow as the variance's
    square, right where they are wholly so. The quantile is Cornish & Fisher's. Source: Leone, Nelson & Nottingham
    (1961), Technometrics 3(4), for the folded normal; Nabeya (1951), Ann. Inst. Stat. Math. 3, for a pair of them.
    """
    y, predicted, weight = checked(y, predicted, weight)
    covariance = _gap_covariance(y - predicted, weight, equal_parts(predicted, bins), clusters)
    s = np.sqrt(np.diag(covariance))
    if not s.any():
        return 0.0
    each = np.outer(s, s)
    r = np.clip(np.divide(covariance, each, out=np.zeros_like(each), where=each > 0), -1, 1)
    alone = (s**2).sum() * (1 - 2 / np.pi)
    variance = float((each * (np.sqrt(1 - r**2) + r * np.arcsin(r) - 1)).sum() * 2 / np.pi)
    third = (s**3).sum() * np.sqrt(2 / np.pi) * (4 / np.pi - 1) * (variance / alone) ** 2
    mean, skew, z = s.sum() * np.sqrt(2 / np.pi), third / variance**1.5, stats.norm.ppf(level)
    return float(mean + np.sqrt(variance) * (z + (z**2 - 1) * skew / 6))


def _gap_covariance(residual: np.ndarray, weight: np.ndarray, codes: np.ndarray, clusters: ArrayLike) -> np.ndarray:
    """Return the covariance (bins × bins) of the bins' shares of the mean residual, each bin's own mean set apart."""
    code = np.unique(codes, return_inverse=True)[1]
    apart = weight * (residual - (np.bincount(code, weight * residual) / np.bincount(code, weight))[code])
    cluster = np.unique(np.asarray(clusters), return_inverse=True)[1]
    k, m = int(code.max()) + 1, int(cluster.max()) + 1
    cell = cluster * k + code
    sums = np.bincount(cell, apart, m * k).reshape(m, k) / weight.sum()
    g = np.bincount(np.unique(cell) % k, minlength=k)  # clusters in each bin
    return (sums.T @ sums) * np.sqrt(np.outer(g, g) / np.outer(np.maximum(g - 1, 1), np.maximum(g - 1, 1)))
