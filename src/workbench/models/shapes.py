"""Which shape a characteristic's risk takes, where the contract leaves it free: what says most out of fold."""

from __future__ import annotations

import numpy as np

from workbench.models.fine_bins import FOLDS, Fine
from workbench.models.merging import Counts, Shape, Terms, merged_each

SHAPES: tuple[Shape, ...] = ("ascending", "descending", "peak", "valley", "free")
TRIED = 40  # fine bins on which shapes are compared
SURE_TURN, SURE_FREE = 1.0, 1.96  # standard errors that a turn, and free movement, must gain out of fold


def shape_of(fine: Fine, monotone: int, min_bin_size: float) -> Shape:
    """Return the shape by direction (1 ascending, -1 descending), or for 0 the one that says most out of fold.

    A turn (peak, valley) must beat the better direction by one standard error of the gain in log-likelihood, free
    movement must beat the best of these by 1.96. Categories have no order but that of their rates: ascending.
    """
    if fine.bins.groups or monotone:
        return "descending" if monotone < 0 else "ascending"
    good, bad, rows = (_coarser(x[:, : fine.m], fine.rows[:, : fine.m]) for x in (fine.good, fine.bad, fine.rows))
    out_of_fold = _out_of_fold(good, bad, rows, min_bin_size)
    best = _better(out_of_fold, "ascending", "descending", good, bad, 0.0)
    turn = _better(out_of_fold, "peak", "valley", good, bad, 0.0)
    return _better(out_of_fold, _better(out_of_fold, best, turn, good, bad, SURE_TURN), "free", good, bad, SURE_FREE)


def _coarser(counts: np.ndarray, rows: np.ndarray) -> np.ndarray:
    total = rows.sum(axis=0)
    part = ((np.cumsum(total) - total) * TRIED // max(total.sum(), 1)).astype(int)
    starts = np.flatnonzero(np.diff(part, prepend=-1))
    return np.add.reduceat(counts, starts, axis=1)


def _out_of_fold(good: np.ndarray, bad: np.ndarray, rows: np.ndarray, min_bin_size: float) -> dict[Shape, np.ndarray]:
    """Return by shape the rate of each fold and fine bin, by bins merged on the other folds (folds × m)."""
    if not (good + bad).any():
        return dict.fromkeys(SHAPES, np.full(good.shape, 0.5))
    others = [tuple(x.sum(axis=0) - x[fold] for x in (good, bad, rows)) for fold in range(FOLDS)]
    counts = [Counts(*three, Terms.of(*three, min_bin_size)) for three in others]
    cuts = iter(merged_each([(c, s) for s in SHAPES for c in counts]))
    return {s: np.stack([_rates(c, next(cuts)) for c in counts]) for s in SHAPES}


def _rates(counts: Counts, cuts: np.ndarray) -> np.ndarray:
    """Return the rate of each fine bin's bin, drawn to the rate of all as by one row (m)."""
    place = np.searchsorted(cuts, np.arange(len(counts.good)), side="right")
    events, n = np.bincount(place, counts.bad), np.bincount(place, counts.good + counts.bad)
    return ((events + counts.bad.sum() / (counts.good + counts.bad).sum()) / (n + 1))[place]


def _better(
    out_of_fold: dict[Shape, np.ndarray], simple: Shape, other: Shape, good: np.ndarray, bad: np.ndarray, errors: float
) -> Shape:
    """Return `other` where its gain in log-likelihood out of fold is more than so many standard errors of it."""
    of_bad = np.log(out_of_fold[other] / out_of_fold[simple])
    of_good = np.log1p(-out_of_fold[other]) - np.log1p(-out_of_fold[simple])
    gain, squares = (bad * of_bad + good * of_good).sum(), (bad * of_bad**2 + good * of_good**2).sum()
    error = np.sqrt(max(squares - gain**2 / max((good + bad).sum(), 1), 0.0))
    return other if gain > errors * error and gain > 1e-9 else simple
