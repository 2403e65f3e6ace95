"""A linear model of an amount or a rate on bin means: ridge, or for a rate a fractional logit."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression, Ridge

from workbench.models.kinds import Kind
from workbench.models.mean_bins import MeanBins, mean_bins
from workbench.models.tabular import TabularRegressor
from workbench.words import say

EDGE = 0.005  # a mean of 0 or 1 has no logit


class LinearOnMeans(TabularRegressor):
    """Ridge regression on the bin means of each characteristic; where `bounded`, a logit of a share between 0 and 1.

    A characteristic whose coefficient is negative says the opposite of its own bins: such are left out one at a time,
    the worst first. Source: Hoerl & Kennard (1970) for ridge; Papke & Wooldridge (1996), J. Applied Econometrics 11,
    for the fractional logit.

    Parameters: monotone, name → direction (1, -1, 0) of the outcome; bounded; penalty on squared coefficients;
    min_bin_share, least share of rows in a bin. Attributes: bins_, coefficients_, intercept_, scale_.

    >>> X, y = pd.DataFrame({"x": [0.0, 1.0] * 500}), np.array([1.0, 3.0] * 500)
    >>> LinearOnMeans().fit(X, y).predict(X[:2]).round(1).tolist()
    [1.0, 3.0]
    """

    KIND = Kind(
        "linear",
        1,
        ("amount", "rate"),
        tuple({"penalty": p} for p in (1.0, 10.0, 100.0)),
        {"min_bin_share": say("the mean of a bin of fewer rows is a matter of chance")},
    )

    def __init__(
        self,
        monotone: dict[str, int] | None = None,
        bounded: bool = False,
        penalty: float = 1.0,
        min_bin_share: float = 0.02,
    ):
        self.monotone = monotone
        self.bounded = bounded
        self.penalty = penalty
        self.min_bin_share = min_bin_share

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> Self:
        """Fit to X (n × k, numbers and categories, missing allowed) and y (n numbers)."""
        X, y = self._learnt(X, y)
        signs = self.monotone or {}
        bins = {n: mean_bins(X[n], y, signs.get(n, 0), self.min_bin_share) for n in X.columns}
        self.scale_ = 1.0 if self.bounded else float(y.std()) or 1.0
        encoded = pd.DataFrame({n: self._encoded(b, X[n]) for n, b in bins.items()})
        names = list(X.columns)
        while True:
            coefficients, self.intercept_ = self._solved(encoded[names].to_numpy(), y)
            worst = int(np.argmin(coefficients))
            if coefficients[worst] >= 0 or len(names) == 1:
                break
            del names[worst]
        self.bins_ = {n: bins[n] for n in names}
        self.coefficients_ = dict(zip(names, map(float, coefficients), strict=True))
        return self

    def _encoded(self, b: MeanBins, values: pd.Series) -> np.ndarray:
        return self._distances(b)[b.bins.codes(values)]

    def _distances(self, b: MeanBins) -> np.ndarray:
        """Return each bin's mean less the overall mean, on the scale the coefficients work on."""
        if not self.bounded:
            return (b.shrunk - b.overall) / self.scale_
        return logit(np.clip(b.shrunk, EDGE, 1 - EDGE)) - logit(np.clip(b.overall, EDGE, 1 - EDGE))

    def _solved(self, Z: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
        if not self.bounded:
            fit = Ridge(alpha=self.penalty).fit(Z, y / self.scale_)
            return fit.coef_, float(fit.intercept_)
        # a share y is y rows with the event and 1 − y without: the quasi-likelihood of the fractional logit
        events = np.repeat([1, 0], len(y))
        fit = LogisticRegression(C=1 / self.penalty, solver="newton-cholesky", max_iter=200)
        fit.fit(np.vstack([Z, Z]), events, sample_weight=np.concatenate([y, 1 - y]))
        return fit.coef_[0], float(fit.intercept_[0])

    def _needed(self) -> list[str]:
        return list(self.bins_)

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Return what is expected of each row (n), in the unit of y."""
        z = self._parts(self._asked(X)).sum(axis=1).to_numpy() + self.intercept_
        return expit(z) if self.bounded else z * self.scale_

    def contributions(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return what each characteristic adds (n × k): in the unit of y, log odds where bounded."""
        parts = self._parts(self._asked(X))
        return parts if self.bounded else parts * self.scale_

    def _parts(self, X: pd.DataFrame) -> pd.DataFrame:
        coefficients = self.coefficients_
        return pd.DataFrame({n: coefficients[n] * self._encoded(b, X[n]) for n, b in self.bins_.items()}, index=X.index)

    def effects_table(self) -> pd.DataFrame:
        """Return the model as it can be read: characteristic, bin, n, mean, effect (unit as of `contributions`)."""
        unit, tables = 1.0 if self.bounded else self.scale_, []
        for name, b in self.bins_.items():
            effects = unit * self.coefficients_[name] * self._distances(b)
            tables.append(b.table().assign(effect=effects[np.array(b.n) > 0]))
        return pd.concat(tables, ignore_index=True)

    def to_dict(self) -> dict[str, Any]:
        """Return everything the prediction needs, as JSON can hold it."""
        return {
            "settings": self.get_params(),
            "intercept": self.intercept_,
            "scale": self.scale_,
            "coefficients": self.coefficients_,
            "bins": {n: b.to_dict() for n, b in self.bins_.items()},
        }

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> LinearOnMeans:
        """Return the model that `to_dict` wrote."""
        model = cls(**d["settings"])._restored(list(d["coefficients"]))
        model.intercept_, model.scale_, model.coefficients_ = d["intercept"], d["scale"], dict(d["coefficients"])
        model.bins_ = {n: MeanBins.from_dict(d["bins"][n]) for n in model.coefficients_}
        return model
