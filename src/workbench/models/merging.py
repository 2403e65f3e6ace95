"""Merge neighbouring fine bins into the best bins: an exact dynamic programme over their counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import xlogy

LEAST_ROWS, LEAST_EXPECTED = 20, 5  # rows, and events and non-events expected in a bin, below which it says nothing
COST, SPARSE_COST = 2.0, 5.4  # log-likelihood a bin must add: 2·2.0 is χ² of 1 df at p = 0.05, 2·5.4 at p = 0.001
MOST_BINS = 12  # that a person can still sign for

Shape = Literal["ascending", "descending", "peak", "valley", "free"]


@dataclass(frozen=True)
class Terms:
    """What a bin must be, and what it costs in log-likelihood.

    `rows`: fewer never make a bin. `few`: a bin with fewer rows than this is sparse. `cost`, `sparse_cost`: what a bin,
    and a sparse one, must add to the log-likelihood; half the χ² of one more parameter. `most`: bins at most.
    """

    rows: float = 1
    few: float = 0
    cost: float = 0.0
    sparse_cost: float = 0.0
    most: int = 1000

    @classmethod
    def of(cls, good: np.ndarray, bad: np.ndarray, rows: np.ndarray, min_share: float) -> Terms:
        """Return the terms for counts of one column; the floor in rows follows from how rare the event is."""
        rarer = min(good.sum(), bad.sum()) / max(good.sum() + bad.sum(), 1e-12)
        floor = max(LEAST_ROWS, np.ceil(LEAST_EXPECTED / rarer)) if rarer > 0 else np.inf
        return cls(floor, min_share * rows.sum(), COST, SPARSE_COST, MOST_BINS)


def merged(
    good: np.ndarray, bad: np.ndarray, rows: np.ndarray, shape: Shape, terms: Terms, apart: float = 0.0
) -> np.ndarray:
    """Return where to cut m fine bins in a row (positions 1 … m−1), so that the log-likelihood less costs is highest.

    good, bad, rows: counts per fine bin (m each; rows unweighted). Rates of the bins rise (ascending), fall (descending),
    rise and then fall (peak), fall and then rise (valley) or move freely; adjacent rates differ, where it rises by at
    least `apart` standard errors of their difference. Where more than `terms.most` bins pay, the cost is raised until
    they don't: the cuts are then the best of their number. No cut where the terms allow none. Source: exact segmentation by dynamic programming, Bellman (1961); unimodal: Haiminen,
    Gionis & Laasonen (2008), Algorithms for unimodal segmentation; two proportions: Fleiss, Levin & Paik (2003), ch. 3.
    """
    if shape in ("descending", "valley"):
        good, bad = bad, good
    table, more = _Table.of(good, bad, rows, terms), 0.0
    while True:
        cuts = _cuts(table, table.value - more, shape, apart)
        if len(cuts) < terms.most:
            return cuts
        more = 1.5 * more + 1.0


@dataclass(frozen=True)
class _Table:
    """Every possible bin [i, j) of the fine bins: value and rate and rows, each (m + 1) × (m + 1)."""

    value: np.ndarray
    rate: np.ndarray
    n: np.ndarray

    @classmethod
    def of(cls, good: np.ndarray, bad: np.ndarray, rows: np.ndarray, terms: Terms) -> _Table:
        g, b, r = (_between(x) for x in (good, bad, rows))
        n = g + b
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.where(n > 0, b / n, np.nan)
            value = xlogy(b, rate) + xlogy(g, 1 - rate)
        value = value - np.where(r < terms.few, terms.sparse_cost, terms.cost)
        return cls(np.where((r >= terms.rows) & (n > 0), value, -np.inf), rate, n)


def _between(counts: np.ndarray) -> np.ndarray:
    total = np.concatenate([[0.0], np.cumsum(counts)])
    return np.maximum(total[None, :] - total[:, None], 0.0)


def _cuts(t: _Table, value: np.ndarray, shape: Shape, apart: float = 0.0) -> np.ndarray:
    """Best chain of bins from 0 to m. Phase 0 rises, phase 1 falls after the peak; a free chain knows one phase."""
    m = len(value) - 1
    phases = 2 if shape in ("peak", "valley") else 1
    best = np.full((phases, m + 1, m + 1), -np.inf)  # best[phase, i, j]: chain that ends with bin [i, j)
    source = np.zeros((phases, m + 1, m + 1), dtype=np.int64)  # phase and start of the bin before
    best[0, 0] = value[0]
    for i in range(1, m):
        before, after = best[:, :i, i], value[i, i + 1 :]
        for phase in range(phases):
            chain = before[0] if phase == 0 else before.max(axis=0)
            if not np.isfinite(chain).any():
                continue
            came = np.where(_allowed(t, i, shape, phase, apart), chain[:, None], -np.inf)
            h = came.argmax(axis=0)
            best[phase, i, i + 1 :] = came[h, np.arange(m - i)] + after
            source[phase, i, i + 1 :] = h if phase == 0 else before.argmax(axis=0)[h] * (m + 1) + h
    return _traced(best, source, m)


def _allowed(t: _Table, i: int, shape: Shape, phase: int, apart: float) -> np.ndarray:
    """Say which bins [h, i) may stand before which bins [i, j): (i × m − i)."""
    before, after = t.rate[:i, i][:, None], t.rate[i, i + 1 :][None, :]
    if apart:
        n, k = t.n[:i, i][:, None], t.n[i, i + 1 :][None, :]
        pooled = (before * n + after * k) / (n + k)
        return after - before > apart * np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / k))
    if shape == "free":
        return before != after
    return before < after if phase == 0 else before > after


def _traced(best: np.ndarray, source: np.ndarray, m: int) -> np.ndarray:
    phase, start = np.unravel_index(best[:, :, m].argmax(), best[:, :, m].shape)
    if not np.isfinite(best[phase, start, m]):
        return np.zeros(0, dtype=int)
    cuts, end = [], m
    while start > 0:
        cuts.append(int(start))
        before, first = divmod(int(source[phase, start, end]), m + 1)
        phase, start, end = before, first, start
    return np.array(cuts[::-1], dtype=int)
