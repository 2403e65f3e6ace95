"""Population drift: PSI of every input and of the prediction by period, on bins frozen on the development sample."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench import metrics
from workbench.evidence import Verdict, judged
from workbench.models.scorer import Scorer
from workbench.rules import Rules


def psi_by_period(model: Scorer, rows: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """Return one row per feature (and `predicted`) and period with its PSI and light.

    `rows`: the panel's rows with `period`, `predicted` and `weight`. A light needs the PSI over the threshold *and*
    over the critical value of two samples of this size, so that small periods don't cry wolf.
    Columns: feature, period, psi, n (development), m (period), bins, critical, light. Missing and
    unseen values are bins of their own; an empty bin counts as half an observation.
    Source: Siddiqi (2017), ch. 14; Yurdakul & Naranjo (2020) for the critical value.
    """
    at, periods = pd.factorize(rows["period"], sort=True)
    sizes, weight = np.bincount(at, minlength=len(periods)), rows["weight"].to_numpy(float)
    out = []
    for feature, (bins, reference) in model.reference.items():
        expected = np.array(reference)
        counted = counts(at, len(periods), bins.codes(rows[feature]), len(expected), weight)
        for period, m, actual in zip(periods, sizes, counted, strict=True):
            out.append((feature, period, *_compared(expected, actual, int(m), rules)))
    return pd.DataFrame(out, columns=["feature", "period", "psi", "n", "m", "bins", "critical", "light"])


def counts(at: np.ndarray, periods: int, codes: np.ndarray, bins: int, weight: np.ndarray) -> np.ndarray:
    """Return the weight in each bin of each period (periods × bins), all rows counted in one pass.

    >>> counts(np.array([0, 0, 1]), 2, np.array([0, 2, 2]), 3, np.ones(3)).tolist()
    [[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]]
    """
    return np.bincount(at * bins + codes, weight, periods * bins).reshape(periods, bins)


def _compared(expected: np.ndarray, actual: np.ndarray, m: int, rules: Rules) -> tuple:
    """Return psi, n, m, bins, critical value and light of one feature in one period."""
    used, n = int(((expected + actual) > 0).sum()), int(expected.sum())
    value = metrics.psi(expected, actual)
    critical = metrics.psi_critical(n, m, used, rules.number("psi_level"))
    light = Verdict.green if value <= critical else judged(value, rules["psi"])
    return value, n, m, used, critical, str(light)
