"""Which shape a characteristic's risk takes, where the contract leaves it free: the likeliest, or free where sure."""

from __future__ import annotations

import numpy as np

from workbench.models.fine_bins import FOLDS, Fine
from workbench.models.merging import Counts, Shape, Terms, merged_each, worth

TURN = 1.0  # log-likelihood that a turn must add: the price of one more parameter, Akaike (1974)
SURE_FREE = 1.96  # standard errors that free movement must gain out of fold


def shape_of(fine: Fine, monotone: int, min_bin_size: float, rows_each: float = 1.0) -> Shape:
    """Return the shape by direction (1 ascending, -1 descending), or for 0 the one that says most.

    A turn (peak, valley) must add `TURN` to the log-likelihood of the better direction, free movement must beat the
    best of these out of fold by 1.96 standard errors of the gain, as large as if the `rows_each` of a parent (mean)
    said all the same. Categories have no order but that of their rates: ascending. A shape that chance gave costs
    little: a scorecard's slopes are learnt out of fold.
    """
    if fine.bins.groups or monotone:
        return "descending" if monotone < 0 else "ascending"
    good, bad, rows = (np.add.reduceat(x[:, : fine.m], fine.starts, axis=1) for x in (fine.good, fine.bad, fine.rows))
    if not (good + bad).any():
        return "ascending"
    likeliest = _likeliest(_counts(good, bad, rows, min_bin_size))
    simple, free = _out_of_fold((likeliest, "free"), good, bad, rows, min_bin_size)
    gain, error = _gain(free, simple, good, bad)
    return "free" if gain > max(SURE_FREE * error * np.sqrt(rows_each), 1e-9) else likeliest


def _likeliest(counts: Counts) -> Shape:
    """Return the direction or turn whose best bins are worth most, a turn less its price."""
    price: dict[Shape, float] = {"ascending": 0.0, "descending": 0.0, "peak": TURN, "valley": TURN}
    cuts = merged_each([(counts, shape) for shape in price])
    each = {shape: worth(counts, c) - price[shape] for shape, c in zip(price, cuts, strict=True)}
    return max(each, key=each.__getitem__)


def _counts(
    good: np.ndarray, bad: np.ndarray, rows: np.ndarray, min_bin_size: float, without: int | None = None
) -> Counts:
    """Return the counts of all folds (folds × m each) but one."""
    three = [x.sum(axis=0) - (0 if without is None else x[without]) for x in (good, bad, rows)]
    return Counts(*three, Terms.of(*three, min_bin_size))


def _out_of_fold(
    shapes: tuple[Shape, ...], good: np.ndarray, bad: np.ndarray, rows: np.ndarray, min_bin_size: float
) -> list[np.ndarray]:
    """Return of each shape the rate of each fold and fine bin, by bins merged on the other folds (folds × m)."""
    counts = [_counts(good, bad, rows, min_bin_size, fold) for fold in range(FOLDS)]
    cuts = iter(merged_each([(c, s) for s in shapes for c in counts]))
    return [np.stack([_rates(c, next(cuts)) for c in counts]) for _ in shapes]


def _rates(counts: Counts, cuts: np.ndarray) -> np.ndarray:
    """Return the rate of each fine bin's bin, drawn to the rate of all as by one row (m)."""
    place = np.searchsorted(cuts, np.arange(len(counts.good)), side="right")
    events, n = np.bincount(place, counts.bad), np.bincount(place, counts.good + counts.bad)
    return ((events + counts.bad.sum() / (counts.good + counts.bad).sum()) / (n + 1))[place]


def _gain(other: np.ndarray, simple: np.ndarray, good: np.ndarray, bad: np.ndarray) -> tuple[float, float]:
    """Return what rates (folds × m) gain in log-likelihood on simpler ones, and its standard error by rows."""
    of_bad, of_good = np.log(other / simple), np.log1p(-other) - np.log1p(-simple)
    gain, squares = (bad * of_bad + good * of_good).sum(), (bad * of_bad**2 + good * of_good**2).sum()
    return float(gain), float(np.sqrt(max(squares - gain**2 / max((good + bad).sum(), 1), 0.0)))
