"""Beyond chance, and far enough to matter: a light needs both, so that many rows alone refuse no sound model."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from workbench import metrics
from workbench.evidence import Verdict, judged
from workbench.rules import Rules, Threshold
from workbench.words import Text, say

FARTHEST = 1e6  # a ratio to nothing
SMALLEST = float(np.finfo(float).tiny)  # of a p-value: none is 0, some are smaller than a number can be
NEEDS_BOTH = say("Amber and red need both: beyond chance, and far enough to matter.")


def off(observed: float, predicted: float) -> float:
    """Return how far two rates are apart: the larger over the smaller, 1 where they are equal.

    >>> off(0.02, 0.01), off(0.01, 0.02), off(0.0, 0.0)
    (2.0, 2.0, 1.0)
    """
    if observed == predicted:
        return 1.0
    low, high = sorted((abs(observed), abs(predicted)))
    return high / low if observed * predicted > 0 and high < FARTHEST * low else FARTHEST


def milder(*lights: Verdict) -> Verdict:
    """Return the least bad of the lights; `not_evaluated` where one of them is."""
    return Verdict.not_evaluated if Verdict.not_evaluated in lights else max(lights, key=lambda v: v.rank)


def both(p: float, distance: float, rules: Rules) -> Verdict:
    """Return the light of a p-value and of a distance (as `off` returns it): the milder of the two."""
    return milder(judged(p, rules["p_value"]), judged(distance, rules["rate_off"]))


def both_text(rules: Rules, looks: int = 1, of_predictions: bool = True) -> Text:
    """Say the two levels, that a light needs both, and among how many looks the chance of a false alarm is shared.

    of_predictions: whether predictions are tested, whose own error red must be beyond.
    """
    own_error = red_text() if of_predictions else Text()
    return rules["p_value"].text + rules["rate_off"].text + NEEDS_BOTH + own_error + shared_text(looks)


def and_chance_text(rule: Threshold, rules: Rules, looks: int) -> Text:
    """Say a rule's level and that of a p-value, that a light needs both, and among how many looks chance is shared."""
    return rule.text + rules["p_value"].text + NEEDS_BOTH + shared_text(looks)


def red_text() -> Text:
    """Say that red needs more than amber: to be beyond the error that predictions have from development's sample."""
    return say("Red needs to be beyond the error of development's own sample, too.")


def shared(p: float, looks: int) -> float:
    """Return a p-value made up for being one of several looks at the same question: p × looks, at most 1 (Bonferroni).

    It is the first step of Holm's method, and the worst of the looks is what decides.
    """
    return min(1.0, max(float(p), SMALLEST) * looks) if np.isfinite(p) else float("nan")


def shared_text(looks: int) -> Text:
    """Say that p-values are multiplied where several tests, or several samples, ask the same question."""
    if looks == 1:
        return Text()
    return say("p is multiplied by {looks}: so many tests of this family and samples ask the same.", looks=looks)


def p_text(p: float) -> Text:
    """Return a p-value as it is printed in a paper.

    >>> str(p_text(0.009951)), str(p_text(3e-9)), str(p_text(0.0))
    ('p 0.009951', 'p < 0.0001', 'p < 0.0001')
    """
    return say("p {p}", p=max(float(p), SMALLEST) if np.isfinite(p) else float("nan"))


def interval_text(is_holdout: bool) -> Text:
    """Say that a later period, whose rows may be few, needs more than an estimate below the level."""
    return Text() if is_holdout else say("On a later period the whole interval must be below.")


def distance(parts: pd.DataFrame) -> float:
    """Return 1 + the mean |observed − predicted| of parts over the smaller of their means (share, observed, predicted)."""
    gap = float((parts["share"] * (parts["observed"] - parts["predicted"]).abs()).sum())
    mean = min(float((parts["share"] * parts[c]).sum()) for c in ("observed", "predicted"))
    return min(1 + gap / mean, FARTHEST) if mean > 0 else FARTHEST


def mean_p(residual: np.ndarray, weight: np.ndarray, clusters: np.ndarray, inflated: float = 1.0) -> float:
    """Return the two-sided p-value that a weighted mean of residuals is 0: Student's t over clusters, G − 1 degrees.

    inflated: by which factor the variance of the mean is larger than the residuals say.
    """
    mean = float(np.average(residual, weights=weight))
    error = mean_error(residual, weight, clusters) * inflated**0.5
    return float(2 * stats.t.sf(abs(mean) / error, len(np.unique(clusters)) - 1)) if error > 0 else float("nan")


def mean_error(residual: np.ndarray, weight: np.ndarray, clusters: np.ndarray) -> float:
    """Return the standard error of a weighted mean of residuals, by cluster."""
    mean = float(np.average(residual, weights=weight))
    return metrics.clustered_error(weight * (residual - mean) / weight.sum(), clusters)


def worst(table: pd.DataFrame) -> pd.Series:
    """Return the row with the worst light, of these the one with the smallest p (columns light, p)."""
    rank = table["light"].map(lambda v: Verdict(v).rank)
    return table.loc[table.assign(rank=rank).sort_values(["rank", "p"], kind="stable").index[0]]


def side(observed: float, predicted: float) -> Text:
    """Say on which side a prediction errs."""
    return say("too low") if observed > predicted else say("too high")
