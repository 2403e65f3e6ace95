"""Merge neighbouring fine bins into the best bins: an exact dynamic programme over their counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np
from scipy.special import xlogy

LEAST_ROWS, LEAST_EVENTS = 20, 5  # rows in a bin, and events and non-events seen or expected; below it says nothing
COST = 0.5  # log-likelihood a bin must add: what noise adds on average (half of χ² of 1 df, whose mean is 1)
COST_A_ROW = 1e-5  # and at least so much a row, whatever their number: less isn't worth a bin, however sure
SPARSE_COST = 3.32  # the same for a sparse one: χ² of 1 df at p = 0.01
MOST_BINS = 12  # that a person can still sign for
CELLS = 330_000  # of tables side by side: of more the processor's cache holds too little

Shape = Literal["ascending", "descending", "peak", "valley", "free"]
_FALLING: dict[Shape, Shape] = {"descending": "ascending", "valley": "peak"}  # events and non-events exchanged


@dataclass(frozen=True)
class Terms:
    """What a bin must be, and what it costs in log-likelihood.

    `rows`: fewer never make a bin. `many`: so many make one even without `events` of the rarer class. `few`: a bin with
    fewer rows than this is sparse. `cost`, `sparse_cost`: what a bin, and a sparse one, must add to the
    log-likelihood; half the χ² of one more parameter. `most`: bins at most.
    """

    rows: float = 1
    many: float = 0
    events: float = 0
    few: float = 0
    cost: float = 0.0
    sparse_cost: float = 0.0
    most: int = 1000

    @classmethod
    def of(cls, good: np.ndarray, bad: np.ndarray, rows: np.ndarray, min_share: float, price: float = 1.0) -> Terms:
        """Return the terms for counts of one column; `many` follows from how rare the rarer class is.

        `price`: what a bin costs, in multiples of `COST`.
        """
        rarer = min(good.sum(), bad.sum()) / max(good.sum() + bad.sum(), 1e-12)
        many = np.ceil(LEAST_EVENTS / rarer) if rarer > 0 else np.inf
        cost = max(price * COST, COST_A_ROW * rows.sum())
        few, sparse_cost = min_share * rows.sum(), max(SPARSE_COST, cost)
        return cls(LEAST_ROWS, many, LEAST_EVENTS, few, cost, sparse_cost, MOST_BINS)

    def enough(self, rows: np.ndarray, rare: np.ndarray) -> np.ndarray:
        """Say which bins, by rows and how many of these are of the rarer class, may stand alone."""
        return (rows >= self.rows) & ((rows >= self.many) | (rare >= self.events))


@dataclass(frozen=True)
class Counts:
    """Counts per fine bin (m each; rows unweighted), and what their bins must be."""

    good: np.ndarray
    bad: np.ndarray
    rows: np.ndarray
    terms: Terms


def merged(
    good: np.ndarray, bad: np.ndarray, rows: np.ndarray, shape: Shape, terms: Terms, apart: float = 0.0
) -> np.ndarray:
    """Return where to cut m fine bins in a row (positions 1 … m−1), so that the log-likelihood less costs is highest.

    good, bad, rows: counts per fine bin (m each; rows unweighted). Rates of the bins rise (ascending), fall
    (descending), rise and then fall (peak), fall and then rise (valley) or move freely; adjacent rates differ, where
    `apart` is given (ascending only) by so many standard errors of their difference. Where more than `terms.most` bins
    pay, the cost is raised until they don't: the cuts are then the best of their number. No cut where the terms allow
    none. Source: exact segmentation by dynamic programming, Bellman (1961); unimodal: Haiminen, Gionis & Laasonen
    (2008), Algorithms for unimodal segmentation; two proportions: Fleiss, Levin & Paik (2003), ch. 3.
    """
    return merged_each([(Counts(good, bad, rows, terms), shape)], apart)[0]


def worth(counts: Counts, cuts: np.ndarray) -> float:
    """Return what `merged` makes as high as it can: the log-likelihood of the bins that cuts make, less their costs."""
    starts, ends = [0, *cuts], [*cuts, len(counts.good)]
    (table,) = _tables([counts], falling=False)
    return float(table.value[starts, ends].sum())


def merged_each(questions: Sequence[tuple[Counts, Shape]], apart: float = 0.0) -> list[np.ndarray]:
    """Return the cuts that `merged` returns, of each question; many side by side, which is far sooner."""
    alike: dict[tuple[int, bool], dict[int, Counts]] = {}  # as many fine bins, read one way; each once
    for counts, shape in questions:
        alike.setdefault((len(counts.good), shape in _FALLING), {})[id(counts)] = counts
    tables: dict[tuple[int, bool], _Table] = {}
    for (_, falling), by_id in alike.items():
        made = _tables(list(by_id.values()), falling)
        tables |= {(key, falling): table for key, table in zip(by_id, made, strict=True)}
    each = [(tables[id(c), s in _FALLING], _FALLING.get(s, s), c.terms) for c, s in questions]
    return _side_by_side(each, apart)


@dataclass(frozen=True)
class Pulls:
    """Sums per fine bin (m each) of w·z (pull) and of w (stiff), rows, events of the rarer class; and their terms.

    z is the working response of a row, w = p(1 − p) its weight.
    """

    pull: np.ndarray
    stiff: np.ndarray
    rows: np.ndarray
    rare: np.ndarray
    terms: Terms


def merged_effects(questions: Sequence[Pulls], shape: Shape, ridge: float) -> list[np.ndarray]:
    """Return cuts as `merged` does, of each question; a bin's value is its effect on the log odds given the others.

    A bin's effect is Σpull / (Σstiff + ridge), what it adds ½(Σpull)² / (Σstiff + ridge).
    Source: iteratively reweighted least squares, McCullagh & Nelder (1989), ch. 2.5.
    """
    sign = -1.0 if shape in _FALLING else 1.0
    each = [(_Table.of_effects(sign * q.pull, q, ridge), _FALLING.get(shape, shape), q.terms) for q in questions]
    return _side_by_side(each, 0.0)


def _side_by_side(each: list[tuple[_Table, Shape, Terms]], apart: float) -> list[np.ndarray]:
    """Return the cuts of each table under its shape, which doesn't fall."""
    cuts: dict[int, np.ndarray] = {}
    for shape in dict.fromkeys(shape for _, shape, _ in each):
        by_size = sorted((len(table.value), k) for k, (table, of, _) in enumerate(each) if of == shape)
        while by_size:
            most = by_size[-1][0]
            some = [k for size, k in by_size[-max(CELLS // most**2, 1) :] if 2 * size > most]
            by_size = by_size[: -len(some)]
            tables, terms = [each[k][0] for k in some], [each[k][2] for k in some]
            cuts |= zip(some, _within_most(tables, shape, terms, apart), strict=True)
    return [cuts[k] for k in range(len(each))]


def _within_most(tables: list[_Table], shape: Shape, terms: list[Terms], apart: float) -> list[np.ndarray]:
    more, cuts = np.zeros(len(tables)), _cuts(tables, shape, apart)
    while again := [k for k, c in enumerate(cuts) if len(c) >= terms[k].most]:
        for k in again:
            more[k] = 2 * more[k] + max(terms[k].cost, 1.0)
        dearer = [replace(tables[k], value=tables[k].value - more[k]) for k in again]
        for k, fewer in zip(again, _cuts(dearer, shape, apart), strict=True):
            cuts[k] = fewer
    return cuts


@dataclass(frozen=True)
class _Table:
    """Every possible bin [i, j) of the fine bins: value and rate and rows, each (m + 1) × (m + 1)."""

    value: np.ndarray
    rate: np.ndarray
    n: np.ndarray

    @classmethod
    def of_effects(cls, pull: np.ndarray, q: Pulls, ridge: float) -> _Table:
        sums = np.concatenate([[0.0], np.cumsum(pull)])
        u, h, r = sums[None, :] - sums[:, None], _between(q.stiff), _between(q.rows)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.where(h > 0, u / (h + ridge), np.nan)
        return cls(_charged(0.5 * np.nan_to_num(value) * u, r, _between(q.rare), q.terms), value, h)


def _tables(each: list[Counts], falling: bool) -> list[_Table]:
    """Return the table of each, all of as many fine bins; for falling rates events and non-events are exchanged."""
    good, bad, rows = (np.stack([getattr(c, name) for c in each]) for name in ("good", "bad", "rows"))
    good, bad = (bad, good) if falling else (good, bad)
    terms = Terms(*(np.array([getattr(c.terms, f.name) for c in each])[:, None, None] for f in fields(Terms)))
    g, b, r = (_between(x) for x in (good, bad, rows))
    n = g + b
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(n > 0, b / n, np.nan)
        value = xlogy(b, rate) + xlogy(g, 1 - rate)
    rare = np.where((bad.sum(axis=1) <= good.sum(axis=1))[:, None, None], b, g)
    return [_Table(*table) for table in zip(_charged(value, r, rare, terms), rate, n, strict=True)]


def _charged(value: np.ndarray, rows: np.ndarray, rare: np.ndarray, terms: Terms) -> np.ndarray:
    value = value - np.where(rows < terms.few, terms.sparse_cost, terms.cost)
    return np.where(terms.enough(rows, rare) & (rows > 0), value, -np.inf)


def _between(counts: np.ndarray) -> np.ndarray:
    total = np.zeros((*counts.shape[:-1], counts.shape[-1] + 1))
    np.cumsum(counts, axis=-1, out=total[..., 1:])
    return np.maximum(total[..., None, :] - total[..., :, None], 0.0)


def _cuts(tables: list[_Table], shape: Shape, apart: float = 0.0) -> list[np.ndarray]:
    """Best chain of bins from 0 to m, of each table (side by side: a smaller one in the corner of a larger).

    Phase 0 rises, phase 1 falls after the peak; a free chain knows one phase.
    """
    t = _stacked(tables)
    m, phases = t.value.shape[1] - 1, 2 if shape == "peak" else 1
    best = np.full((phases, *t.value.shape), -np.inf)  # best[phase, table, i, j]: chain that ends with bin [i, j)
    best[0, :, 0] = t.value[:, 0]
    for i in range(1, m):
        before, after = best[:, :, :i, i], t.value[:, i, i + 1 :]
        for phase in range(phases):
            chain = before[0] if phase == 0 else before.max(axis=0)
            came = np.where(_allowed(t, i, shape, phase, apart), chain[:, :, None], -np.inf)
            best[phase, :, i, i + 1 :] = came.max(axis=1) + after
    return [
        _traced(table, best[:, k, : len(table.value), : len(table.value)], shape, apart)
        for k, table in enumerate(tables)
    ]


def _stacked(tables: list[_Table]) -> _Table:
    """Return the tables as one; what a smaller one lacks are bins that can't be."""
    size = max(len(table.value) for table in tables)
    whole = _Table(*(np.full((len(tables), size, size), nothing) for nothing in (-np.inf, np.nan, 0.0)))
    for k, table in enumerate(tables):
        for name in ("value", "rate", "n"):
            getattr(whole, name)[k, : len(table.value), : len(table.value)] = getattr(table, name)
    return whole


def _allowed(t: _Table, i: int, shape: Shape, phase: int, apart: float) -> np.ndarray:
    """Say which bins [h, i) may stand before which bins [i, j): i × (m − i), of each table."""
    before, after = t.rate[..., :i, i, None], t.rate[..., i, None, i + 1 :]
    if apart:
        n, k = t.n[..., :i, i, None], t.n[..., i, None, i + 1 :]
        pooled = (before * n + after * k) / (n + k)
        return after - before > apart * np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / k))
    if shape == "free":
        return before != after
    return before < after if phase == 0 else before > after


def _traced(t: _Table, best: np.ndarray, shape: Shape, apart: float) -> np.ndarray:
    """Return the cuts of the best chain: at each, what came before is looked up again, for this one bin."""
    m = len(t.value) - 1
    phase, start = np.unravel_index(best[:, :, m].argmax(), best[:, :, m].shape)
    if not np.isfinite(best[phase, start, m]):
        return np.zeros(0, dtype=int)
    cuts, end = [], m
    while start > 0:
        cuts.append(int(start))
        before = best[: phase + 1, :start, start]
        may = _allowed(t, start, shape, phase, apart)[:, end - start - 1]
        first = np.where(may, before.max(axis=0), -np.inf).argmax()
        phase, start, end = before[:, first].argmax(), first, start
    return np.array(cuts[::-1], dtype=int)
