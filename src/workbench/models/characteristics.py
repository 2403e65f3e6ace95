"""The best bins of every column of one sample, and in which form they make a card that predicts other rows best."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from workbench import metrics
from workbench.models.binning import WoeBins, best_bins_each, fine_woe
from workbench.models.effects import Rows, given_the_others, start
from workbench.models.fine_bins import FOLDS, Codes, Fine, fold_of, with_codes
from workbench.models.selection import RIDGE, SAMPLED, chosen, logistic, slopes
from workbench.models.shapes import shape_of

SURE = 2.0  # standard errors
EVENTS_EACH = 20  # of the rarer outcome, for each bin whose points are learnt given the others
EVENTS_A_SLOPE = 10  # of the rarer outcome, for each column, below which a card of all isn't asked for
LEAST_DRAWS, DRAWS = 5, 20  # of the folds, over which a card of all is judged: on few rows a single one is chance
INFLATED = 4.0  # variance inflation from which a characteristic says what others do; below the battery's amber of 5
LIKELIER = 0.5  # standard errors by which it must be likelier, too
UNLIKELIER = 0.5  # standard errors by which it is behind, at which no more draws are taken
WORTH = 0.005  # AUC, a point of Gini, that a card of all characteristics must gain out of fold on one of few


class Characteristics(Mapping[str, WoeBins]):
    """The best bins of every column of one sample, by name; with the fine bins, shapes and choice behind them.

    `parents` (n) says whose each row is: all folds keep the rows of one together.
    """

    def __init__(
        self,
        fine: dict[str, Fine],
        shapes: dict[str, Any],
        y: np.ndarray,
        min_bin_size: float,
        parents: np.ndarray,
        price: float = 1.0,
    ):
        self.fine, self.shapes, self._y, self._share = fine, shapes, y, min_bin_size
        self._parents, self._price = parents, price
        self._known: dict[frozenset[int], dict[str, WoeBins]] = {}

    def __getitem__(self, name: str) -> WoeBins:
        return self._without()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.fine)

    def __len__(self) -> int:
        return len(self.fine)

    def _without(self, *folds: int) -> dict[str, WoeBins]:
        """Return the best bins by name, of all folds but these."""
        self._merge([folds])
        return self._known[frozenset(folds)]

    def _merge(self, without: Iterable[tuple[int, ...]]) -> None:
        """Merge without each of these sets of folds, where not yet done; all at once takes a fraction of the time."""
        new = [key for key in dict.fromkeys(map(frozenset, without)) if key not in self._known]
        asked = [(fine, self.shapes[name], key) for key in new for name, fine in self.fine.items()]
        bins = iter(best_bins_each(asked, self._share, self._price))
        for key in new:
            self._known[key] = {name: next(bins) for name in self.fine}

    @property
    def every(self) -> int:
        """Every so manieth row is read where an even sample says enough: of at most some 50,000."""
        return max(1, len(self._y) // SAMPLED)

    @cached_property
    def chosen(self) -> dict[str, float]:
        """Characteristics chosen out of fold, in order, with their coefficients on WOE; never none."""
        names, (folds, y) = list(self), self._read
        columns, coefficients = chosen(self.out_of_fold(names), y, folds)
        if not columns:
            return {max(names, key=lambda n: self[n].iv): -1.0}
        return {names[c]: float(b) for c, b in zip(columns, coefficients[1:], strict=True)}

    @cached_property
    def _few_events(self) -> bool:
        """Whether the rarer outcome has fewer than 20 parents for each bin but the first of a chosen characteristic.

        Source of 20: Austin & Steyerberg (2017), Statistical Methods in Medical Research 26(2).
        """
        return self._rarer < EVENTS_EACH * sum(self[n].bins.inner - 1 for n in self.chosen)

    @cached_property
    def _rarer(self) -> int:
        """The parents with the rarer outcome: six rows of one that defaults are one event."""
        return len(np.unique(self._parents[self._y == (self._y.mean() < 1 / 2)]))

    @cached_property
    def pay_again(self) -> bool:
        """Whether bins merged again given the others surely predict better out of fold than slopes · WOE do.

        Sure is a gain of log-likelihood beyond two of its standard errors (by parents), where events are many: the
        simpler form is given up only then.
        """
        if self._few_events:
            return False
        (folds, y), woe = self._read, self.out_of_fold(list(self.chosen))
        codes = {n: self.fine[n].codes[:: self.every] for n in self.chosen}
        learnt = [self._learnt(fold, woe) for fold in range(FOLDS)]
        given = given_the_others([rows for rows, _ in learnt], self.shapes, (self._share, RIDGE))
        gains = np.empty(len(y))
        for fold, ((_, woe_z), (base, effects)) in enumerate(zip(learnt, given, strict=True)):
            held = folds == fold
            z = sum((e.fine[codes[n][held]] for n, e in effects.items()), np.full(held.sum(), base))
            gains[held] = np.logaddexp(0, woe_z) - np.logaddexp(0, z) - y[held] * (woe_z - z)
        return bool(gains.mean() > SURE * self._error(gains))

    def _learnt(self, fold: int, woe: np.ndarray) -> tuple[Rows, np.ndarray]:
        """Return what effects are learnt from without a fold, and the log odds of its rows by slopes on WOE (n × k)."""
        folds, y = self._read
        held = folds == fold
        intercept, *by_column = logistic(woe[~held], y[~held])
        fines = {n: self.fine[n].learnt(fold, self.every) for n in self.chosen}
        bins = self._without(fold)
        effects = {n: start(fines[n], bins[n], b) for n, b in zip(fines, by_column, strict=True)}
        return Rows(fines, y[~held], effects), intercept + woe[held] @ np.array(by_column)

    @cached_property
    def on_woe(self) -> tuple[Characteristics, list[str], np.ndarray]:
        """Bins, characteristics and WOE (n × k, every so manieth row) from which slopes are learnt.

        The chosen characteristics by WOE of bins merged without the row's fold: what bins only seem to know has no
        points (stacked regressions, Breiman 1996, Machine Learning 24). Where events are few, all that don't repeat
        others by the WOE of the rows' own bins, each bin at no price, as scorecards are learnt conventionally, if that
        predicts better out of fold: columns that are all worth asking for say more together than a choice of few.
        """
        if self._few_events and (conventional := self._conventional) is not None:
            woe, names = conventional._woe(conventional), list(conventional)
            columns = conventional._apart(woe)
            return conventional, [names[c] for c in columns], woe[:, columns]
        return self, list(self.chosen), self.out_of_fold(list(self.chosen))

    @cached_property
    def _conventional(self) -> Characteristics | None:
        """The bins at no price, where slopes on the WOE of all predict better than those of a choice.

        Better is an AUC higher by `WORTH`, and a log-likelihood of the calibrated predictions higher by `LIKELIER`
        standard errors, both in the mean over draws of the folds; all is learnt without the rows it is asked of, by
        bins of coarser ones. Fewer than 10 events a column don't bear so many slopes.
        Source: repeated cross-validation, Kim (2009), Computational Statistics & Data Analysis 53(11); of 10: Peduzzi
        et al. (1996), Journal of Clinical Epidemiology 49(12).
        """
        if self._rarer < EVENTS_A_SLOPE * len(self):
            return None
        priced = self._over({name: fine.coarser() for name, fine in self.fine.items()})
        gains = [priced._gains(priced._at_no_price)]
        while len(gains) < DRAWS and not _settled(np.array(gains)):
            folds = fold_of(self._parents, draw=len(gains))
            gains.append(priced._redrawn(folds)._gains(priced._at_no_price._redrawn(folds)))
        return self._at_no_price if (np.mean(gains, axis=0) > (WORTH, LIKELIER)).all() else None

    def _over(self, fine: dict[str, Fine], price: float | None = None) -> Characteristics:
        """Return what the same sample says over other fine bins, or with bins at another price."""
        price = self._price if price is None else price
        return Characteristics(fine, self.shapes, self._y, self._share, self._parents, price)

    def _redrawn(self, folds: np.ndarray) -> Characteristics:
        """Return the same bins by other folds (n); merged anew is only what leaves one of them out."""
        redrawn = self._over({name: f.redrawn(folds, self._y) for name, f in self.fine.items()})
        redrawn._known[frozenset()] = self._without()
        return redrawn

    @cached_property
    def _at_no_price(self) -> Characteristics:
        return self._over(self.fine, price=0.0)

    def _gains(self, bins: Characteristics) -> tuple[float, float]:
        """Return what a card of all, by other bins, gains on a choice of few: AUC, likelihood in standard errors."""
        folds, y = self._read
        self._merge((one, other) for one in range(FOLDS) for other in range(FOLDS))
        bins._merge((fold,) for fold in range(FOLDS))
        of_all, of_few = np.empty((2, len(y)))
        for fold in range(FOLDS):
            held = folds == fold
            woe = self._woe(bins._without(fold))
            woe = woe[:, bins._apart(woe[~held])]
            of_all[held] = _log_odds(woe[held], *slopes(woe[~held], y[~held], RIDGE))
            woe = np.column_stack(list(self._out_of_fold(fold).values()))
            of_few[held] = _log_odds(woe[held], *chosen(woe[~held], y[~held], folds[~held]))
        gains = _likelihood(of_all, y) - _likelihood(of_few, y)
        return metrics.auc(y, of_all) - metrics.auc(y, of_few), float(gains.mean() / self._error(gains))

    def _error(self, gains: np.ndarray) -> float:
        """Return the standard error of the mean of what every so manieth row gains (n); rows of a parent are one."""
        error = metrics.clustered_error((gains - gains.mean()) / len(gains), self._parents[:: self.every])
        return max(error, 1e-12)

    def _apart(self, woe: np.ndarray) -> list[int]:
        """Return which columns of WOE (n × k) don't repeat those with a higher information value."""
        columns: list[int] = []
        for c in np.argsort([-self[n].iv for n in self], kind="stable"):
            if metrics.inflation(woe[:, [*columns, c]], np.ones(len(woe))).max() < INFLATED:
                columns.append(int(c))
        return columns

    def _woe(self, bins: Mapping[str, WoeBins]) -> np.ndarray:
        """Return the WOE of every so manieth row by bins of all columns (n × k)."""
        each = [fine_woe(fine.bins, bins[name])[fine.codes[:: self.every]] for name, fine in self.fine.items()]
        return np.column_stack(each)

    def out_of_fold(self, names: list[str]) -> np.ndarray:
        """Return the WOE of every so manieth row by bins merged without the row's fold (n × k)."""
        return np.column_stack([self._woe_out_of_fold[n] for n in names])

    @cached_property
    def _read(self) -> tuple[np.ndarray, np.ndarray]:
        """Fold and outcome of every so manieth row."""
        folds = next(iter(self.fine.values())).folds
        return folds[:: self.every], self._y[:: self.every]

    @cached_property
    def _woe_out_of_fold(self) -> dict[str, np.ndarray]:
        return self._out_of_fold()

    def _out_of_fold(self, *besides: int) -> dict[str, np.ndarray]:
        """Return the WOE of every so manieth row by bins merged without the row's fold and others besides (n each)."""
        self._merge((fold, *besides) for fold in range(FOLDS))
        (folds, _), without = self._read, [self._without(fold, *besides) for fold in range(FOLDS)]
        return {
            name: np.stack([fine_woe(fine.bins, bins[name]) for bins in without])[folds, fine.codes[:: self.every]]
            for name, fine in self.fine.items()
        }


def _settled(gains: np.ndarray) -> bool:
    """Whether more draws would hardly turn the means of these (n × 2): one is surely short, or both surely suffice."""
    mean = gains.mean(axis=0)
    if mean[1] < -UNLIKELIER:
        return True
    lead, error = mean - (WORTH, LIKELIER), gains.std(axis=0) / np.sqrt(max(len(gains) - 1, 1))
    return len(gains) >= LEAST_DRAWS and bool((lead < -SURE * error).any() or (lead > SURE * error).all())


def _log_odds(woe: np.ndarray, columns: list[int], coefficients: np.ndarray) -> np.ndarray:
    return coefficients[0] + woe[:, columns] @ coefficients[1:]


def _likelihood(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the log-likelihood of each row by log odds that are calibrated first (n)."""
    base, slope = logistic(z[:, None], y, price=0.0)
    return y * (base + slope * z) - np.logaddexp(0, base + slope * z)


def fitted_bins(
    X: pd.DataFrame,
    y: np.ndarray,
    monotone: dict[str, int],
    min_bin_size: float,
    special: dict[str, Codes] | None = None,
    parents: np.ndarray | None = None,
) -> Characteristics:
    """Return the best bins of every column of X against y (1 is the event); folds keep the rows of `parents` (n).

    `special`: by column, codes with a bin of their own, which stand in it or in a column beside it (`with_codes`).
    """
    X = with_codes(X, special or {})
    parents, unique = pd.factorize(np.arange(len(y)) if parents is None else parents)
    folds, rows_each = fold_of(parents), len(y) / len(unique)
    fine = {n: Fine.of(X[n], y, special=(special or {}).get(n), folds=folds) for n in X.columns}
    shapes = {name: shape_of(f, monotone.get(name, 0), min_bin_size, rows_each) for name, f in fine.items()}
    return Characteristics(fine, shapes, y, min_bin_size, parents)
