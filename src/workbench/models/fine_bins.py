"""Fine bins of one characteristic: its values cut finely and counted once, before they are merged."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from workbench.contracts import SPECIAL
from workbench.panel.bins import Bins, is_category

FINE = 100  # quantile bins at most; spikes and tails come on top
COARSE = 40  # on which shapes and forms of a card are compared: in a tenth of the time, and all lose as much by it
TAILS = (0.001, 0.003, 0.997, 0.999)
SAMPLED = 100_000  # values from which the edges of a longer column are taken; all rows are counted
FOLDS = 5
_SEED = 20240229  # of the folds and of the sample of values: the same bins for the same rows

Codes = Mapping[str, str]


def beside(X: pd.DataFrame, special: Mapping[str, Codes]) -> dict[str, str]:
    """Return the numbers whose special codes a column of X tells, each with that column (contracts' `special`)."""
    return {n: f"{n}{SPECIAL}" for n in special if n in X and f"{n}{SPECIAL}" in X}


def with_codes(X: pd.DataFrame, special: Mapping[str, Codes]) -> pd.DataFrame:
    """Return X (n × k) with special codes in their numbers again, where a column beside them tells them.

    That column leaves: each code has a bin of its own among those of its number.
    """
    back = {}
    for name, column in beside(X, special).items():
        codes = {words: float(code) for code, words in special[name].items()}
        back[name] = X[name].where(X[name].notna(), pd.to_numeric(X[column].astype(object).map(codes)))
    return X.drop(columns=[f"{n}{SPECIAL}" for n in back]).assign(**back) if back else X


@dataclass(frozen=True)
class Fine:
    """A column in fine bins: which bin each row is in, and rows, goods and bads per fold and bin.

    `codes`: n, as `Bins.codes`; `folds`: n, 0 to 4. `rows`, `good`, `bad`: folds × bins, special codes, missing and
    unseen last; `rows` are unweighted.
    """

    bins: Bins
    codes: np.ndarray
    folds: np.ndarray
    rows: np.ndarray
    good: np.ndarray
    bad: np.ndarray

    @property
    def m(self) -> int:
        """How many fine bins there are without special codes, missing and unseen."""
        return self.bins.inner

    @classmethod
    def of(
        cls,
        values: pd.Series,
        y: np.ndarray,
        weight: np.ndarray | None = None,
        special: Codes | None = None,
        folds: np.ndarray | None = None,
    ) -> Fine:
        """Return the fine bins of n values against y (1 is bad), n folds (`fold_of`; each row is a parent's only one).

        `special`: codes with a bin of their own, named.
        """
        folds = fold_of(np.arange(len(values))) if folds is None else folds
        bins = _categories(values, special or {}) if is_category(values) else _numbers(values, special or {})
        codes = bins.codes(values).astype(np.uint8 if len(bins.labels) <= 256 else np.uint16)
        return cls(bins, codes, folds, *_counted(codes, folds, y, len(bins.labels), weight))

    def redrawn(self, folds: np.ndarray, y: np.ndarray) -> Fine:
        """Return the same bins of rows without weights, counted against y by other folds (n each)."""
        return Fine(self.bins, self.codes, folds, *_counted(self.codes, folds, y, self.bins.size))

    @property
    def starts(self) -> np.ndarray:
        """Where coarser bins begin: neighbours that begin in the same 40th of the rows stand together."""
        rows = self.rows[:, : self.m].sum(axis=0)
        part = ((np.cumsum(rows) - rows) * COARSE // max(rows.sum(), 1)).astype(int)
        return np.flatnonzero(np.diff(part, prepend=-1))

    def coarser(self) -> Fine:
        """Return the same rows in coarser bins; categories, special codes, missing and unseen stay as they are."""
        if self.bins.groups:
            return self
        bins = replace(self.bins, edges=tuple(self.bins.edges[i - 1] for i in self.starts[1:]))
        starts = np.concatenate([self.starts, np.arange(self.m, self.rows.shape[1])])
        place = np.searchsorted(starts, np.arange(self.rows.shape[1]), side="right") - 1
        counts = {n: np.add.reduceat(getattr(self, n), starts, axis=1) for n in ("rows", "good", "bad")}
        return Fine(bins, place.astype(self.codes.dtype)[self.codes], self.folds, **counts)

    def learnt(self, without: int, every: int = 1) -> Fine:
        """Return the same bins for every so manieth row, but for those of one fold."""
        stay = (folds := self.folds[::every]) != without
        others = (np.arange(FOLDS) != without)[:, None]
        counts = {n: getattr(self, n) * others for n in ("rows", "good", "bad")}
        return replace(self, codes=self.codes[::every][stay], folds=folds[stay], **counts)

    def total(self, without: Collection[int] = ()) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return goods, bads and rows per bin, of all folds but those left out."""
        folds = [f for f in range(FOLDS) if f not in without]
        return self.good[folds].sum(axis=0), self.bad[folds].sum(axis=0), self.rows[folds].sum(axis=0)


def _counted(
    codes: np.ndarray, folds: np.ndarray, y: np.ndarray, k: int, weight: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows, goods and bads per fold and bin (folds × k each)."""
    cell = (folds.astype(np.intp) * k + codes) * 2 + (y == 1)
    rows = counts = np.bincount(cell, minlength=2 * FOLDS * k).reshape(FOLDS, k, 2).astype(float)
    if weight is not None:
        scaled = weight * (len(weight) / weight.sum())
        counts = np.bincount(cell, scaled, 2 * FOLDS * k).reshape(FOLDS, k, 2)
    return rows.sum(axis=2), counts[:, :, 0], counts[:, :, 1]


def fold_of(parents: np.ndarray, draw: int = 0) -> np.ndarray:
    """Return the fold of each of n rows, the same for all of a parent, at random and the same in each draw."""
    codes, unique = pd.factorize(parents)
    return np.random.default_rng(_SEED + draw).integers(0, FOLDS, len(unique), dtype=np.uint8)[codes]


def _categories(values: pd.Series, special: Codes) -> Bins:
    seen = sorted(map(str, values.dropna().unique()))
    return Bins(str(values.name), groups=tuple((c,) for c in seen if c not in special), special=tuple(special.items()))


def _numbers(values: pd.Series, special: Codes) -> Bins:
    numbers = values.to_numpy(float)
    if len(numbers) > SAMPLED:
        numbers = numbers[np.random.default_rng(_SEED).integers(0, len(numbers), SAMPLED)]
    known = numbers[~np.isnan(numbers)]
    if special:
        known = known[~np.isin(known, [float(code) for code in special])]
    return Bins(str(values.name), edges=_edges(known), special=tuple(special.items()))


def _edges(known: np.ndarray) -> tuple[float, ...]:
    """Edges that cut at every value where there are few, else at quantiles, in the tails and around spikes."""
    seen, counts = np.unique(known, return_counts=True)
    if len(seen) < 2:
        return ()
    if len(seen) <= FINE:
        return tuple(map(float, roundest(seen[:-1], seen[1:])))
    at = np.concatenate([np.arange(1, FINE) / FINE, TAILS])
    ends = np.searchsorted(np.cumsum(counts), at * len(known), side="right")
    spikes = np.flatnonzero(counts > len(known) / FINE)
    held = np.unique(np.concatenate([spikes, spikes + 1]))
    place = np.unique(np.concatenate([ends, held]))
    place = place[(place > 0) & (place < len(seen))]
    low = np.concatenate([[seen[0]], (seen[place[1:]] + seen[place[:-1]]) / 2])
    low = np.where(np.isin(place, held), seen[place - 1], np.minimum(low, seen[place - 1]))
    return tuple(map(float, np.unique(roundest(low, seen[place]))))


def roundest(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the roundest number above low and not above high, for each pair.

    >>> roundest(np.array([996.0, 0.31, 3.0]), np.array([1003.4, 0.338, 4.0])).tolist()
    [1000.0, 0.32, 4.0]
    """
    out, open_ = high.copy(), np.isfinite(low) & np.isfinite(high) & (high > low)
    if not open_.any():
        return out
    top = int(np.ceil(np.log10(max(np.abs(high[open_]).max(), 1e-12))))
    last = max(int(np.floor(np.log10((high - low)[open_].min()))), top - 15)
    for power in range(top, last - 1, -1):
        for step in (10.0, 5.0, 2.0):
            unit = step * 10.0 ** (power - 1)
            with np.errstate(invalid="ignore"):
                value = np.round(np.floor(high / unit + 1e-9) * unit, 1 - power)
            fits = open_ & (value > low) & (value <= high)
            out[fits], open_ = value[fits], open_ & ~fits
    return out
