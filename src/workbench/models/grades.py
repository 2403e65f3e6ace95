"""Grades: bands of the prediction, each adjacent pair really apart in what was observed."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from workbench import metrics
from workbench.contracts import Outcome
from workbench.models.binning import grade_bins
from workbench.panel.bins import Bins, quantile_bins

MOST, FINE, APART = 10, 30, 0.01


def bands(predicted: np.ndarray, y: np.ndarray, parents: np.ndarray, min_share: float, outcome: Outcome) -> Bins:
    """Return at most 10 bands of the prediction (n) in which the outcome (n) rises, adjacent ones apart at p < 0.01.

    Bands of an event are those of `binning.grade_bins`; of an amount or a rate, fine bands of equal size are merged,
    the pair least apart first. `parents` (n): rows of one are as alike as they are within fine bands, and count as if
    all stood in one band. Source: Welch (1947) for the test; Kish (1965), ch. 5, for the design effect.
    """
    edges = quantile_bins(pd.Series(predicted, name="predicted"), FINE).edges
    codes, ones = np.searchsorted(edges, predicted, side="right"), np.ones(len(y))
    effect = metrics.design_effect(ones, parents, metrics.likeness(y, ones, parents, codes))
    if outcome.is_binary:
        return Bins("predicted", edges=grade_bins(predicted, y, min_share, effect).edges)
    sums = np.array([np.bincount(codes, w, len(edges) + 1) for w in (ones, y, y**2)])
    return Bins("predicted", edges=_merged(sums, list(edges), min_share, effect))


def _merged(sums: np.ndarray, edges: list[float], min_share: float, effect: float) -> tuple[float, ...]:
    """Merge neighbours until every band is large enough, every pair apart, and there are few enough.

    The smallest band goes first, as long as it is too small, to the neighbour it is less apart from.
    """
    while edges:
        doubt, smallest = _doubt(sums, effect), int(np.argmin(sums[0]))
        at = int(np.argmax(doubt))
        if sums[0, smallest] < min_share * sums[0].sum():
            sides = [pair for pair in (smallest - 1, smallest) if 0 <= pair < len(edges)]
            at = max(sides, key=lambda pair: doubt[pair])
        elif doubt[at] < APART and len(edges) < MOST:
            break
        sums = np.column_stack([sums[:, :at], sums[:, at] + sums[:, at + 1], sums[:, at + 2 :]])
        del edges[at]
    return tuple(edges)


def _doubt(sums: np.ndarray, effect: float) -> np.ndarray:
    """Return, for each adjacent pair, the one-sided p that the higher band is no higher."""
    n, total, squares = sums
    mean = total / np.maximum(n, 1)
    error = np.maximum(squares / np.maximum(n, 1) - mean**2, 0) / np.maximum(n - 1, 1) * effect
    gap, scale = np.diff(mean), np.sqrt(error[1:] + error[:-1])
    return stats.norm.sf(np.where(scale > 0, gap / np.where(scale > 0, scale, 1), np.copysign(np.inf, gap)))
