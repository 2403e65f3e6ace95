"""Grades: bands of the prediction, each adjacent pair really apart in what was observed."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from workbench.contracts import Outcome
from workbench.models.binning import grade_bins
from workbench.panel.bins import Bins, quantile_bins

MOST, FINE, APART = 10, 30, 0.01


def bands(predicted: np.ndarray, y: np.ndarray, min_share: float, outcome: Outcome) -> Bins:
    """Return at most 10 bands of the prediction (n) in which the outcome (n) rises, adjacent ones apart at p < 0.01.

    Bands of an event are those of `binning.grade_bins`; of an amount or a rate, fine bands of equal size are merged,
    the pair least apart first. Source of the test: Welch (1947).
    """
    if outcome.is_binary:
        bins = grade_bins(predicted, y, min_share)
        return Bins("predicted", edges=bins.edges)
    edges = quantile_bins(pd.Series(predicted, name="predicted"), FINE).edges
    codes = np.searchsorted(edges, predicted, side="right")
    sums = np.array([np.bincount(codes, w, len(edges) + 1) for w in (np.ones(len(y)), y, y**2)])
    return Bins("predicted", edges=_merged(sums, list(edges), min_share))


def _merged(sums: np.ndarray, edges: list[float], min_share: float) -> tuple[float, ...]:
    """Merge neighbours until every pair is apart, every band large enough, and there are few enough."""
    while edges:
        doubt = _doubt(sums, min_share)
        at = int(np.argmax(doubt))
        if doubt[at] < APART and len(edges) < MOST:
            break
        sums = np.column_stack([sums[:, :at], sums[:, at] + sums[:, at + 1], sums[:, at + 2 :]])
        del edges[at]
    return tuple(edges)


def _doubt(sums: np.ndarray, min_share: float) -> np.ndarray:
    """Return, for each adjacent pair, the one-sided p that the higher band is no higher; above 1 where one is small."""
    n, total, squares = sums
    mean = total / np.maximum(n, 1)
    error = np.maximum(squares / np.maximum(n, 1) - mean**2, 0) / np.maximum(n - 1, 1)
    gap, scale = np.diff(mean), np.sqrt(error[1:] + error[:-1])
    z = np.where(scale > 0, gap / np.where(scale > 0, scale, 1), np.where(gap > 0, np.inf, -np.inf))
    small = np.minimum(n[1:], n[:-1]) < min_share * n.sum()
    return np.where(small, 2 - np.minimum(n[1:], n[:-1]) / n.sum(), stats.norm.sf(z))
