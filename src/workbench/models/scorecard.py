"""A scorecard: monotone bins, points per bin given the other characteristics, points that add up to a score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.special import expit

from workbench.models.binning import WoeBins, best_bins_each, fine_woe
from workbench.models.effects import Effects, Rows, given_the_others, level, start
from workbench.models.fine_bins import FOLDS, Codes, Fine, fold_of
from workbench.models.kinds import Kind
from workbench.models.selection import RIDGE, SAMPLED, chosen, logistic, slopes
from workbench.models.shapes import shape_of
from workbench.models.tabular import TabularClassifier
from workbench.words import say

BASE_SCORE, BASE_ODDS, POINTS_TO_DOUBLE = 600, 20, 40
FACTOR = POINTS_TO_DOUBLE / np.log(2)
SURE = 2.0  # standard errors
EVENTS_EACH = 20  # of the rarer outcome, for each bin whose points are learnt given the others


class Scorecard(TabularClassifier):
    """Additive points per bin.

    Each characteristic is binned alone (WOE); those that say something out of fold with the right sign (higher WOE
    must mean lower risk) are chosen step by step; then the chosen ones' bins are merged again, each given the others,
    so that points say what a bin adds. Every step keeps the direction in `monotone`. Score = 600 at odds of 20 good to
    1 bad, 40 points double the odds. Source: Siddiqi (2017), Intelligent Credit Scoring, ch. 6 and 10; backfitting:
    Hastie & Tibshirani (1990), ch. 4.

    Parameters
    ----------
    monotone : direction of risk by column (1 rises with the value, -1 falls, 0 or absent is free)
    C : inverse of the ridge on a bin's log odds
    min_bin_size : share of the rows below which a bin must be surely apart
    special : by column, codes that are no values of it, each with its name (a bin of its own)

    Attributes
    ----------
    bins_ : chosen characteristics' bins; effects_ : log odds of bad each bin adds; intercept_ : log odds at no effect

    Example
    -------
    >>> X = pd.DataFrame({"delay": [0.0] * 60 + [1.0] * 40})
    >>> card = Scorecard({"delay": 1}).fit(X, np.array([0] * 54 + [1] * 6 + [0] * 20 + [1] * 20))
    >>> card.predict_proba(pd.DataFrame({"delay": [0.0, 1.0]}))[:, 1].round(2).tolist()
    [0.12, 0.47]
    """

    KIND = Kind(
        "scorecard",
        1,
        ("binary",),
        tuple({"C": c} for c in (1.0, 0.1, 0.01)),  # shrunk only where it helps
        {"min_bin_size": say("a bin of fewer rows must be surely apart: its points would be chance")},
    )

    def __init__(
        self,
        monotone: dict[str, int] | None = None,
        C: float = 1.0,
        min_bin_size: float = 0.02,
        special: dict[str, Codes] | None = None,
    ):
        self.monotone = monotone
        self.C = C
        self.min_bin_size = min_bin_size
        self.special = special

    def fit(
        self,
        X: pd.DataFrame,
        y: np.ndarray,
        bins: Characteristics | None = None,
        parents: np.ndarray | None = None,
    ) -> Self:
        """Fit to X (n × k, numbers and categories, missing allowed) and y (n values, 1 is bad).

        `bins` may hand in what `fitted_bins` returned for the same rows, so that several C share it. `parents` (n) says
        whose each row is: what is chosen out of fold is chosen on the rows of other parents.
        """
        X, y = self._learnt(X, y)
        if bins is None:
            bins = fitted_bins(X, y, self.monotone or {}, self.min_bin_size, self.special, parents)
        if not bins.pay_again:
            return self._on_woe(bins, y)
        effects = {name: start(bins.fine[name], bins[name], b) for name, b in bins.chosen.items()}
        while True:
            fine = {name: bins.fine[name] for name in effects}
            settings = (self.min_bin_size, 1 / self.C)
            ((self.intercept_, effects),) = given_the_others([Rows(fine, y, effects)], bins.shapes, settings)
            slopes = {name: _slope(e) for name, e in effects.items()}
            wrong = [name for name, slope in slopes.items() if slope >= 0]
            if not wrong or len(effects) == 1:
                break
            right = [name for name in effects if name not in wrong] or [min(effects, key=slopes.__getitem__)]
            effects = {name: effects[name] for name in right}
        self.bins_ = {name: e.bins for name, e in effects.items()}
        self.effects_ = {name: tuple(e.values.tolist()) for name, e in effects.items()}
        return self

    def _on_woe(self, bins: Characteristics, y: np.ndarray) -> Self:
        """Points are slope · WOE: where the rows are too few to say more of a bin.

        Slopes are learnt from WOE of bins merged without the row's fold: what bins only seem to know has no points.
        Source: stacked regressions, Breiman (1996), Machine Learning 24.
        """
        names = list(bins.chosen)
        columns, (_, *by_column) = slopes(bins.out_of_fold(names), y[:: bins.every], 1 / self.C)
        self.bins_ = {names[c]: bins[names[c]] for c in columns}
        self.effects_ = {n: tuple((b * bins[n].woe).tolist()) for n, b in zip(self.bins_, by_column, strict=True)}
        z = np.zeros(len(y))
        for n, b in zip(self.bins_, by_column, strict=True):
            z += (b * fine_woe(bins.fine[n].bins, bins[n]))[bins.fine[n].codes]
        self.intercept_ = level(z, y, 0.0)
        return self

    @property
    def coefficients_(self) -> dict[str, float]:
        """Slope of each characteristic's effects (log odds of bad) on its WOE; negative in a sound card."""
        return {n: _slope(Effects(b, np.array(self.effects_[n]), np.zeros(0))) for n, b in self.bins_.items()}

    def _needed(self) -> list[str]:
        return list(self.bins_)

    def log_odds(self, X: pd.DataFrame) -> np.ndarray:
        """Return the log odds of bad (n)."""
        effects = self.contributions(X)
        return sum((effects[n].to_numpy() for n in sorted(effects)), np.zeros(len(effects))) + self.intercept_

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Return probabilities of good and bad (n × 2)."""
        bad = expit(self.log_odds(X))
        return np.column_stack([1 - bad, bad])

    def contributions(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return what each characteristic adds to the log odds of bad, against a neutral bin (n × k)."""
        X = self._asked(X)
        parts = {n: np.array(self.effects_[n])[b.bins.codes(X[n])] for n, b in self.bins_.items()}
        return pd.DataFrame(parts, index=X.index)

    def points_table(self) -> pd.DataFrame:
        """Return the scorecard as it is printed: characteristic, bin, n, bad rate, WOE, IV, points.

        WOE says what a bin says alone, points what it adds given the other characteristics.
        """
        share = (BASE_SCORE - FACTOR * (np.log(BASE_ODDS) + self.intercept_)) / len(self.bins_)
        tables = [
            b.table().assign(points=np.round(share - FACTOR * np.array(self.effects_[name]), 1))
            for name, b in self.bins_.items()
        ]
        return pd.concat(tables, ignore_index=True)

    def to_dict(self) -> dict[str, Any]:
        """Return everything the score needs, and the settings, as JSON can hold it."""
        return {
            "settings": self.get_params(),
            "intercept": self.intercept_,
            "effects": {n: list(values) for n, values in self.effects_.items()},
            "bins": {n: b.to_dict() for n, b in self.bins_.items()},
        }

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> Scorecard:
        """Return the scorecard that `to_dict` wrote."""
        card = cls(**d["settings"])._restored(list(d["effects"]))
        card.intercept_ = d["intercept"]
        card.effects_ = {n: tuple(values) for n, values in d["effects"].items()}
        card.bins_ = {n: WoeBins.from_dict(d["bins"][n]) for n in card.effects_}
        return card


class Characteristics(Mapping[str, WoeBins]):
    """The best bins of every column of one sample, by name; with the fine bins, shapes and choice behind them."""

    def __init__(self, fine: dict[str, Fine], shapes: dict[str, Any], y: np.ndarray, min_bin_size: float):
        self.fine, self.shapes, self._y, self._share = fine, shapes, y, min_bin_size
        self._bins = self._best(None)

    def __getitem__(self, name: str) -> WoeBins:
        return self._bins[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._bins)

    def __len__(self) -> int:
        return len(self._bins)

    def _best(self, without: int | None) -> dict[str, WoeBins]:
        each = best_bins_each([(f, self.shapes[name], without) for name, f in self.fine.items()], self._share)
        return dict(zip(self.fine, each, strict=True))

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
    def pay_again(self) -> bool:
        """Whether bins merged again given the others surely predict better out of fold than slopes · WOE do.

        Sure is a gain of log-likelihood beyond two of its standard errors, from at least `EVENTS_EACH` rows of the
        rarer outcome for each bin but the first of a characteristic: the simpler form is given up only then. Source of
        20: Austin & Steyerberg (2017), Statistical Methods in Medical Research 26(2).
        """
        rarer = min(self._y.sum(), len(self._y) - self._y.sum())
        if rarer < EVENTS_EACH * sum(self[n].bins.inner - 1 for n in self.chosen):
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
        return bool(gains.mean() > SURE * gains.std() / np.sqrt(len(gains)))

    def _learnt(self, fold: int, woe: np.ndarray) -> tuple[Rows, np.ndarray]:
        """Return what effects are learnt from without a fold, and the log odds of its rows by slopes on WOE (n × k)."""
        folds, y = self._read
        held = folds == fold
        intercept, *by_column = logistic(woe[~held], y[~held])
        fines = {n: self.fine[n].learnt(fold, self.every) for n in self.chosen}
        bins = self._without[fold]
        effects = {n: start(fines[n], bins[n], b) for n, b in zip(fines, by_column, strict=True)}
        return Rows(fines, y[~held], effects), intercept + woe[held] @ np.array(by_column)

    @cached_property
    def _without(self) -> list[dict[str, WoeBins]]:
        """The best bins by name, of all folds but one: of each that is left out."""
        return [self._best(fold) for fold in range(FOLDS)]

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
        (folds, _), woe = self._read, {}
        for name, fine in self.fine.items():
            by_fold = np.stack([fine_woe(fine.bins, bins[name]) for bins in self._without])
            woe[name] = by_fold[folds, fine.codes[:: self.every]]
        return woe


def _slope(effects: Effects) -> float:
    """Return the slope of effects on WOE over the rows; 0 where either is the same everywhere."""
    woe, n = effects.bins.woe, np.array(effects.bins.n_good) + np.array(effects.bins.n_bad)
    centred = woe - np.average(woe, weights=n)
    spread = (n * centred**2).sum()
    return float((n * centred * effects.values).sum() / spread) if spread > 1e-12 else 0.0


def fitted_bins(
    X: pd.DataFrame,
    y: np.ndarray,
    monotone: dict[str, int],
    min_bin_size: float,
    special: dict[str, Codes] | None = None,
    parents: np.ndarray | None = None,
) -> Characteristics:
    """Return the best bins of every column of X against y (1 is the event); folds keep the rows of `parents` (n)."""
    folds = None if parents is None else fold_of(parents)
    fine = {n: Fine.of(X[n], y, special=(special or {}).get(n), folds=folds) for n in X.columns}
    shapes = {name: shape_of(f, monotone.get(name, 0), min_bin_size) for name, f in fine.items()}
    return Characteristics(fine, shapes, y, min_bin_size)
