"""Which shape a characteristic's risk takes, where the contract leaves it free: what says most out of fold."""

from __future__ import annotations

import numpy as np

from workbench.models.fine_bins import FOLDS, Fine
from workbench.models.merging import Shape, Terms, merged

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
    out_of_fold = {
        s: _out_of_fold(good, bad, rows, s, min_bin_size) for s in ("ascending", "descending", "peak", "valley", "free")
    }
    best = _better(out_of_fold, "ascending", "descending", good, bad, 0.0)
    turn = _better(out_of_fold, "peak", "valley", good, bad, 0.0)
    return _better(out_of_fold, _better(out_of_fold, best, turn, good, bad, SURE_TURN), "free", good, bad, SURE_FREE)


def _coarser(counts: np.ndarray, rows: np.ndarray) -> np.ndarray:
    total = rows.sum(axis=0)
    part = ((np.cumsum(total) - total) * TRIED // max(total.sum(), 1)).astype(int)
    starts = np.flatnonzero(np.diff(part, prepend=-1))
    return np.add.reduceat(counts, starts, axis=1)


def _out_of_fold(good: np.ndarray, bad: np.ndarray, rows: np.ndarray, shape: Shape, min_bin_size: float) -> np.ndarray:
    """Return the rate of each fold and fine bin, by bins merged on the other folds (folds × m)."""
    rates = np.empty(good.shape)
    if not (good + bad).any():
        return np.full(good.shape, 0.5)
    for fold in range(FOLDS):
        g, b, r = (x.sum(axis=0) - x[fold] for x in (good, bad, rows))
        cuts = merged(g, b, r, shape, Terms.of(g, b, r, min_bin_size))
        place = np.searchsorted(cuts, np.arange(len(g)), side="right")
        events, n = np.bincount(place, b), np.bincount(place, g + b)
        rates[fold] = ((events + b.sum() / (g + b).sum()) / (n + 1))[place]
    return rates


def _better(
    out_of_fold: dict[Shape, np.ndarray], simple: Shape, other: Shape, good: np.ndarray, bad: np.ndarray, errors: float
) -> Shape:
    """Return `other` where its gain in log-likelihood out of fold is more than so many standard errors of it."""
    of_bad = np.log(out_of_fold[other] / out_of_fold[simple])
    of_good = np.log1p(-out_of_fold[other]) - np.log1p(-out_of_fold[simple])
    gain, squares = (bad * of_bad + good * of_good).sum(), (bad * of_bad**2 + good * of_good**2).sum()
    error = np.sqrt(max(squares - gain**2 / max((good + bad).sum(), 1), 0.0))
    return other if gain > errors * error and gain > 1e-9 else simple
