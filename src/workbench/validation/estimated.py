"""Predictions are estimates: development's own sample error is in them, and red must be beyond that, too.

A calibrated model's mean prediction of a group is what development observed there (the score equations of a logistic or
linear model with an intercept), and shares its error. Against rows of another sample, observed less predicted has both
variances. Amber takes the prediction as known, as the ECB's formulas do: it is off, whatever the reason. Red needs both:
no chance of development's draw explains it. Source: McCullagh & Nelder (1989), Generalized Linear Models, ch. 4.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.evidence import Verdict, judged
from workbench.rules import Rules, Threshold
from workbench.validation.significance import mean_error, milder


def learnt(development: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of development that the model learnt from."""
    return development[development["learnt"]]


def of_both(n: float, learnt_n: float) -> float:
    """Return the effective size of n rows against predictions that are estimates of `learnt_n`: 1/(1/n + 1/learnt_n).

    >>> of_both(1000.0, 1000.0)
    500.0
    """
    return n * max(learnt_n, 1.0) / (n + max(learnt_n, 1.0))


def inflation(rows: pd.DataFrame, development: pd.DataFrame) -> float:
    """Return how much larger the variance of the mean residual is with development's error in it: 1 + ratio of the two.

    rows, development: outcome, predicted, weight, parent_id. 1 where development has too few rows to say.
    """
    if len(development) < 2:
        return 1.0
    here, there = (
        mean_error(
            (r["outcome"] - r["predicted"]).to_numpy(float), r["weight"].to_numpy(float), r["parent_id"].to_numpy()
        )
        for r in (rows, development)
    )
    return 1 + (there / here) ** 2 if here > 0 and np.isfinite(there) else 1.0


def sure(p: float, p_both: float, rule: Threshold) -> Verdict:
    """Return the light of two p-values: red by that of both variances, amber by that which takes predictions as known."""
    light = judged(p, rule)
    return Verdict.amber if light is Verdict.red and judged(p_both, rule) is not Verdict.red else light


def both(p: float, p_both: float, distance: float, rules: Rules) -> Verdict:
    """Return the light of two p-values (see `sure`) and of a distance (as `significance.off` returns it): the milder."""
    return milder(sure(p, p_both, rules["p_value"]), judged(distance, rules["rate_off"]))
