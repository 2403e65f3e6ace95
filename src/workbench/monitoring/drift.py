"""Population drift: PSI of every input and of the prediction by period, on bins frozen on the development sample."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special
from statsmodels.stats.proportion import proportions_ztest

from workbench import metrics
from workbench.evidence import Verdict, judged
from workbench.models.scorer import Scorer
from workbench.rules import Rules, Threshold

NO_VALUE = 2  # the last two bins: missing, and values never seen


def by_period(
    model: Scorer, rows: pd.DataFrame, rules: Rules, independent: float = 1.0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the PSI of every feature (and `predicted`) by period, and the share of rows without a value known before.

    `rows`: the panel's rows with `period`, `predicted`, `weight` and `parent_id`; `independent`: of the rows that the
    model's bins were counted on, independent draws per unit of weight (`draws_per_weight`). A light needs the threshold
    *and* significance among all features of the period (Holm), so that small periods don't cry wolf: a PSI against χ²
    with B − 1 degrees of freedom over 1/n + 1/m, a share against that of development (z-test of two proportions).
    Columns: feature, period, psi, n (development's parents, fewer where weights differ), m (the period's), bins,
    critical, p, light; and feature, period, share, share_before, p, light. Missing and unseen values are bins of their
    own; an empty bin counts as half an observation. Source: Siddiqi (2017), ch. 14; Yurdakul & Naranjo (2020) for the
    critical value; Holm (1979).
    """
    at, periods = pd.factorize(rows["period"], sort=True)
    weight = rows["weight"].to_numpy(float)
    sizes = parents(at, rows["parent_id"].to_numpy(), len(periods)) * _evenness(at, weight, len(periods))
    sizes = np.maximum(sizes.astype(int), 1)
    shifts, gaps = [], []
    for feature, (bins, reference) in model.reference.items():
        expected = np.array(reference)
        counted = counts(at, len(periods), bins.codes(rows[feature]), len(expected), weight)
        for period, m, actual in zip(periods, sizes, counted, strict=True):
            n = max(int(expected.sum() * independent), 1)
            shifts.append((feature, period, *compared(expected, actual, (n, int(m)), rules)))
            gaps.append((feature, period, *_no_value(expected, actual, (n, int(m)))))
    psi = pd.DataFrame(shifts, columns=["feature", "period", "psi", "n", "m", "bins", "critical", "p"])
    gap = pd.DataFrame(gaps, columns=["feature", "period", "share", "share_before", "p"])
    level = 1 - rules.number("psi_level")
    psi["light"] = _lights(psi, psi["psi"], rules["psi"], level)
    gap["light"] = _lights(gap, gap["share"] - gap["share_before"], rules["newly_missing"], level)
    return psi.assign(known_in=psi["period"]), gap[gap["feature"] != "predicted"].assign(known_in=gap["period"])


def parents_per_row(rows: pd.DataFrame) -> float:
    """Return how many parents there are per row (`parent_id`): those of one are no independent draws."""
    return rows["parent_id"].nunique() / len(rows) if len(rows) else 1.0


def draws_per_weight(rows: pd.DataFrame) -> float:
    """Return how many independent draws a unit of weight stands for: `parents_per_row`, less where weights differ."""
    weight = rows["weight"].to_numpy(float)
    return float(parents_per_row(rows) * weight.sum() / (weight**2).sum()) if len(rows) else 1.0


def _evenness(at: np.ndarray, weight: np.ndarray, periods: int) -> np.ndarray:
    """Return per period the part of its rows that as many with equal weights would tell as much as.

    (Σw)² / (n·Σw²), 1 where all weights are equal. Source: Kish (1965), Survey Sampling, ch. 11.

    >>> _evenness(np.array([0, 0, 1, 1]), np.array([2.0, 2.0, 1.0, 3.0]), 2).tolist()
    [1.0, 0.8]
    """
    n, total, squares = (np.bincount(at, w, periods) for w in (np.ones(len(weight)), weight, weight**2))
    return total**2 / (n * squares)


def parents(at: np.ndarray, parent: np.ndarray, periods: int) -> np.ndarray:
    """Return how many different parents each period has; rows of one are no independent draws."""
    pairs = np.unique(at.astype(np.int64) * (int(parent.max(initial=0)) + 1) + parent)
    return np.bincount(pairs // (int(parent.max(initial=0)) + 1), minlength=periods)


def sampled(rows: pd.DataFrame, most: int, seed: int) -> pd.DataFrame:
    """Return so many rows at most, drawn by a seed."""
    return rows if len(rows) <= most else rows.sample(most, random_state=seed)


def counts(at: np.ndarray, periods: int, codes: np.ndarray, bins: int, weight: np.ndarray) -> np.ndarray:
    """Return the weight in each bin of each period (periods × bins), all rows counted in one pass.

    >>> counts(np.array([0, 0, 1]), 2, np.array([0, 2, 2]), 3, np.ones(3)).tolist()
    [[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]]
    """
    return np.bincount(at * bins + codes, weight, periods * bins).reshape(periods, bins)


def compared(expected: np.ndarray, actual: np.ndarray, sizes: tuple[int, int], rules: Rules) -> tuple:
    """Return psi, n, m, bins, critical value and p of one feature in one period; `sizes`: parents, n and m."""
    used, (n, m) = int(((expected + actual) > 0).sum()), sizes
    value = metrics.psi(expected, actual)
    critical = metrics.psi_critical(n, m, used, rules.number("psi_level"))
    # `stats.chi2.sf` calls the same function, after checks that take twenty times as long
    return value, n, m, used, critical, float(special.chdtrc(max(used - 1, 1), value / (1 / n + 1 / m)))


def _no_value(expected: np.ndarray, actual: np.ndarray, sizes: tuple[int, int]) -> tuple[float, float, float]:
    """Return the share without a known value in the period and in development, and the p of a rise."""
    before, now = (float(c[-NO_VALUE:].sum() / c.sum()) for c in (expected, actual))
    if now <= before:
        return now, before, 1.0
    n, m = sizes
    _, p = proportions_ztest([now * m, before * n], [m, n], alternative="larger")
    return now, before, float(p)


def _lights(rows: pd.DataFrame, value: pd.Series, rule: Threshold, level: float) -> np.ndarray:
    """Return the light of each row by its value, green where it isn't significant among all of its period."""
    adjusted = rows.groupby("period")["p"].transform(metrics.holm)
    return np.where(adjusted < level, [str(judged(v, rule)) for v in value], str(Verdict.green))
