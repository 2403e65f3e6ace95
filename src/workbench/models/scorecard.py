"""A scorecard: monotone bins, points per bin given the other characteristics, points that add up to a score."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.special import expit

from workbench.models.binning import WoeBins, fine_woe
from workbench.models.characteristics import Characteristics, fitted_bins
from workbench.models.effects import Effects, Rows, given_the_others, level, start
from workbench.models.fine_bins import Codes, beside, with_codes
from workbench.models.kinds import Kind
from workbench.models.selection import slopes
from workbench.models.tabular import TabularClassifier
from workbench.words import say

BASE_SCORE, BASE_ODDS, POINTS_TO_DOUBLE = 600, 20, 40
FEWEST = 3  # rows of either class
FACTOR = POINTS_TO_DOUBLE / np.log(2)


class Scorecard(TabularClassifier):
    """Additive points per bin.

    Each characteristic is binned alone (WOE); those that say something out of fold with the right sign (higher WOE
    must mean lower risk) are chosen step by step; then the chosen ones' bins are merged again, each given the others,
    so that points say what a bin adds. Where that doesn't surely pay, points are slope · WOE, of the chosen
    characteristics or of all, whichever predicts better out of fold (`Characteristics.on_woe`). Every step keeps the
    direction in `monotone`. Score = 600 at odds of 20 good to 1 bad, 40 points double the odds. Source: Siddiqi (2017),
    Intelligent Credit Scoring, ch. 6 and 10; backfitting: Hastie & Tibshirani (1990), ch. 4.

    Parameters
    ----------
    monotone : direction of risk by column (1 rises with the value, -1 falls, 0 or absent is free)
    C : inverse of the ridge on a bin's log odds
    min_bin_size : share of the rows below which a bin must be surely apart
    special : by column, codes that are no values of it, each with its name: a bin of its own. They stand in the column,
        or in one beside it that tells them (NAME_special, as a contract's `special` makes it): it is an input, too

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
        whose each row is: what is chosen out of fold is chosen on the rows of other parents. `ValueError` for fewer
        than 3 rows of either class.
        """
        X, y = self._learnt(X, y)
        self.beside_ = beside(X, self.special or {})
        if min(y.sum(), len(y) - y.sum()) < FEWEST:
            raise ValueError(f"a scorecard is learnt from {FEWEST} rows of either class or more")
        if bins is None:
            bins = fitted_bins(X, y, self.monotone or {}, self.min_bin_size, self.special, parents)
        if not bins.pay_again:
            return self._on_woe(*bins.on_woe, y)
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

    def _on_woe(self, bins: Characteristics, names: list[str], woe: np.ndarray, y: np.ndarray) -> Self:
        """Points are slope · WOE: where the rows are too few to say more of a bin.

        Slopes are learnt from the named characteristics' `woe` of every so manieth row (n × k); one with a wrong sign
        beside the others leaves.
        """
        columns, (_, *by_column) = slopes(woe, y[:: bins.every], 1 / self.C)
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

    @property
    def inputs_(self) -> list[str]:
        """Columns that the score needs: the characteristics, and what tells their special codes."""
        return [*self.bins_, *(column for name, column in self.beside_.items() if name in self.bins_)]

    def _needed(self) -> list[str]:
        return self.inputs_

    def log_odds(self, X: pd.DataFrame) -> np.ndarray:
        """Return the log odds of bad (n)."""
        effects = self.contributions(X)
        return sum((effects[n].to_numpy() for n in sorted(effects)), np.zeros(len(effects))) + self.intercept_

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Return probabilities of good and bad (n × 2)."""
        bad = expit(self.log_odds(X))
        return np.column_stack([1 - bad, bad])

    def contributions(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return what each input adds to the log odds of bad, against a neutral bin (n × k).

        What a special code adds is its own column's, where one tells it.
        """
        X = self._asked(X)
        whole = with_codes(X, self.special or {})
        parts = {n: np.array(self.effects_[n])[b.bins.codes(whole[n])] for n, b in self.bins_.items()}
        for name in self.bins_.keys() & self.beside_.keys():
            is_code = X[name].isna() & whole[name].notna()
            parts[self.beside_[name]] = np.where(is_code, parts[name], 0.0)
            parts[name] = np.where(is_code, 0.0, parts[name])
        return pd.DataFrame(parts, index=X.index)[self.inputs_]

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
        } | ({"beside": self.beside_} if self.beside_ else {})

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> Scorecard:
        """Return the scorecard that `to_dict` wrote."""
        card = cls(**d["settings"])._restored(list(d["effects"]))
        card.intercept_ = d["intercept"]
        card.effects_ = {n: tuple(values) for n, values in d["effects"].items()}
        card.bins_ = {n: WoeBins.from_dict(d["bins"][n]) for n in card.effects_}
        card.beside_ = d.get("beside", {})
        return card


def _slope(effects: Effects) -> float:
    """Return the slope of effects on WOE over the rows; 0 where either is the same everywhere."""
    woe, n = effects.bins.woe, np.array(effects.bins.n_good) + np.array(effects.bins.n_bad)
    centred = woe - np.average(woe, weights=n)
    spread = (n * centred**2).sum()
    return float((n * centred * effects.values).sum() / spread) if spread > 1e-12 else 0.0
