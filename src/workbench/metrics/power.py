"""What a test could see: the smallest departure that lights up with a given power, by exact or normal formula."""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy import special, stats

POWER = 0.8  # chance with which a departure is to be seen. Source: Cohen (1988), Statistical Power Analysis, ch. 1


def least_rate(
    predicted: float,
    n: float,
    level: float,
    *,
    above: bool = True,
    off: float = 1.0,
    prior: float = 0.0,
) -> float:
    """Return the true rate nearest to the predicted one that a one-sided test of n rows sees with 80 %.

    The test needs a tail of `level` and an observed rate `off` times the predicted (or its inverse, below it). prior: 0
    for the exact binomial tail, ½ for Jeffreys' (n·rate events and as many halves). The number of events from which the
    light comes, k, is exact, and P(X ≥ k | rate) = 0.8 is solved by the beta distribution. NaN where n rows can't
    show it at all. Source: Clopper & Pearson (1934), Biometrika 26, for the tails.

    >>> round(least_rate(0.02, 1000, 0.05), 4), round(least_rate(0.02, 1000, 0.05, above=False), 4)
    (0.0333, 0.0099)
    """
    rows, expected = max(round(n), 1), n * predicted
    if above:
        k = max(_first(lambda k: _upper(k, rows, predicted, prior) <= level, rows), math.ceil(off * expected - 1e-9))
        return float(stats.beta.ppf(POWER, k, rows - k + 1)) if 0 < k <= rows else float("nan")
    k = min(
        rows - _first(lambda j: _lower(rows - j, rows, predicted, prior) <= level, rows),
        math.floor(expected / off + 1e-9),
    )
    return float(stats.beta.ppf(1 - POWER, k + 1, rows - k)) if 0 <= k < rows else float("nan")


def _upper(k: int, n: int, rate: float, prior: float) -> float:
    """Return the p of k events or more: exact, or Jeffreys'."""
    return float(stats.beta.cdf(rate, k + prior, n - k + prior) if prior else stats.binom.sf(k - 1, n, rate))


def _lower(k: int, n: int, rate: float, prior: float) -> float:
    return float(stats.beta.sf(rate, k + prior, n - k + prior) if prior else stats.binom.cdf(k, n, rate))


def _first(holds: Callable[[int], bool], most: int) -> int:
    """Return the first of 0 … most from which on `holds`, one more than `most` where it never does."""
    low, high = 0, most + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def least_shift(error: float, level: float, band: float = 0.0, power: float = POWER) -> float:
    """Return the shift of an estimate that is seen: max(band, z₁₋level·error) + z_power·error.

    The light needs an estimate that is `band` off and beyond z₁₋level standard errors, both on one side; level ½ asks
    for the band alone. Source: Cohen (1988), ch. 2, normal approximation.

    >>> round(least_shift(0.01, 0.025), 4)
    0.028
    """
    return float(max(band, stats.norm.isf(level) * error) + stats.norm.ppf(power) * error)


def least_noncentrality(degrees: float, critical: float, power: float = POWER) -> float:
    """Return the noncentrality with which a χ² of so many degrees exceeds its critical value, at the power given.

    Source: Patnaik (1949), Biometrika 36.

    >>> round(least_noncentrality(1, stats.chi2.isf(0.05, 1)), 2)
    7.85
    """
    return float(special.chndtrinc(critical, degrees, 1 - power))


def least_psi(n: float, m: float, bins: int, limit: float, power: float = POWER) -> float:
    """Return the true PSI of two samples (n and m rows) whose own PSI is above `limit` with the power given.

    PSI/(1/n + 1/m) is a χ² of bins − 1 degrees, noncentral by the true PSI over the same. Source: Yurdakul & Naranjo
    (2020), Journal of Risk Model Validation 14(4).
    """
    scale = 1 / n + 1 / m
    return least_noncentrality(max(bins - 1, 1), limit / scale, power) * scale
