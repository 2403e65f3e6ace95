"""A WOE logistic scorecard: monotone bins, one coefficient per characteristic, points that add up to a score."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from workbench.models.binning import WoeBins, woe_bins
from workbench.models.kinds import Kind
from workbench.models.tabular import TabularClassifier

BASE_SCORE, BASE_ODDS, POINTS_TO_DOUBLE = 600, 20, 40
FACTOR = POINTS_TO_DOUBLE / np.log(2)


class Scorecard(TabularClassifier):
    """Logistic regression on WOE.

    Characteristics whose IV is below `min_iv` are left out, and so is any whose coefficient has the
    wrong sign (higher WOE must mean lower risk), one at a time, the worst first. Score = 600 at odds
    of 20 good to 1 bad, 40 points double the odds. Source: Siddiqi (2017), Intelligent Credit
    Scoring, ch. 6 and 10.
    """

    KIND = Kind("scorecard", 1, ("binary",), tuple({"C": c} for c in (1.0, 0.1, 0.01)))  # shrunk only where it helps

    def __init__(
        self,
        monotone: dict[str, int] | None = None,
        C: float = 1.0,
        min_iv: float = 0.02,
        min_bin_size: float = 0.02,
    ):
        self.monotone = monotone
        self.C = C
        self.min_iv = min_iv
        self.min_bin_size = min_bin_size

    def fit(self, X: pd.DataFrame, y: np.ndarray, bins: dict[str, WoeBins] | None = None) -> Self:
        """Fit to X (n × k, numbers and categories, missing allowed) and y (n values, 1 is bad).

        `bins` may hand in bins already fitted to the same rows, so that several C share them.
        """
        X, y = self._learnt(X, y)
        bins = bins or fitted_bins(X, y, self.monotone or {}, self.min_bin_size)
        kept = [name for name in X.columns if bins[name].iv >= self.min_iv] or [max(bins, key=lambda n: bins[n].iv)]
        woe = pd.DataFrame({name: bins[name].transform(X[name]) for name in kept})
        while True:
            model = LogisticRegression(C=self.C, solver="newton-cholesky").fit(woe[kept], y)
            coefficients = dict(zip(kept, model.coef_[0], strict=True))
            wrong = max(kept, key=coefficients.__getitem__)
            if coefficients[wrong] < 0 or len(kept) == 1:
                break
            kept = [name for name in kept if name != wrong]
        self.bins_ = {name: bins[name] for name in kept}
        self.coefficients_ = {name: float(c) for name, c in coefficients.items()}
        self.intercept_ = float(model.intercept_[0])
        return self

    def _needed(self) -> list[str]:
        return list(self.bins_)

    def log_odds(self, X: pd.DataFrame) -> np.ndarray:
        """Return the log odds of bad (n)."""
        X = self._asked(X)
        parts = [self.coefficients_[name] * b.transform(X[name]) for name, b in self.bins_.items()]
        return self.intercept_ + np.sum(parts, axis=0)

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Return probabilities of good and bad (n × 2)."""
        bad = expit(self.log_odds(X))
        return np.column_stack([1 - bad, bad])

    def contributions(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return what each characteristic adds to the log odds of bad, against a neutral WOE of 0 (n × k)."""
        X = self._asked(X)
        return pd.DataFrame(
            {n: self.coefficients_[n] * b.transform(X[n]) for n, b in self.bins_.items()}, index=X.index
        )

    def points_table(self) -> pd.DataFrame:
        """Return the scorecard as it is printed: characteristic, bin, n, bad rate, WOE, points."""
        share = (BASE_SCORE - FACTOR * (np.log(BASE_ODDS) + self.intercept_)) / len(self.bins_)
        tables = []
        for name, b in self.bins_.items():
            table = b.table()
            tables.append(table.assign(points=np.round(share - FACTOR * self.coefficients_[name] * table["woe"], 1)))
        return pd.concat(tables, ignore_index=True)

    def to_dict(self) -> dict[str, Any]:
        """Return everything the score needs, as JSON can hold it."""
        return {
            "intercept": self.intercept_,
            "coefficients": self.coefficients_,
            "bins": {n: b.to_dict() for n, b in self.bins_.items()},
        }

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> Scorecard:
        """Return the scorecard that `to_dict` wrote."""
        card = cls()._restored(list(d["coefficients"]))
        card.intercept_, card.coefficients_ = d["intercept"], dict(d["coefficients"])
        card.bins_ = {n: WoeBins.from_dict(d["bins"][n]) for n in card.coefficients_}
        return card


def fitted_bins(X: pd.DataFrame, y: np.ndarray, monotone: dict[str, int], min_bin_size: float) -> dict[str, WoeBins]:
    """Return the optimal bins of every column of X against y."""
    return {name: woe_bins(X[name], y, monotone.get(name, 0), min_bin_size) for name in X.columns}
