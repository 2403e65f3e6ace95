"""What trees of any outcome share: tables as numbers, categories as a number of their bin; boosting by XGBoost."""

from __future__ import annotations

import json
from typing import Any, Protocol, Self

import numpy as np
import pandas as pd
import xgboost as xgb

from workbench.models.nodes import Bounds, Nodes, shortest, shortest_between
from workbench.panel.bins import is_category

SHOWN_DIGITS = 4  # that count, of a cut beside the rows it parts: as many as `words.number` writes


class Encoding(Protocol):
    """Bins of a category, each with a number: its WOE, or its mean of the outcome."""

    def transform(self, values: pd.Series) -> np.ndarray:
        """Return the number of each value's bin."""

    def to_dict(self) -> dict[str, Any]:
        """Return the bins as JSON can hold them."""


class OnNumbers:
    """Categories become numbers, learnt on the rows the model is fitted to; settings and bins go through JSON whole.

    A subclass says how a category is encoded (`_encoded`) and which class reads it back (`ENCODING`).
    """

    ENCODING: type

    def _encoded(self, values: pd.Series, y: np.ndarray) -> Encoding:
        raise NotImplementedError

    def _learn_categories(self, X: pd.DataFrame, y: np.ndarray) -> None:
        self.names_ = list(X.columns)
        self.categories_ = {n: self._encoded(X[n], y) for n in X.columns if is_category(X[n])}

    def numbers(self, X: pd.DataFrame) -> np.ndarray:
        """Return X as numbers (n × k), categories as the number of their bin, missing numbers as NaN."""
        X, known = self._asked(X), self.categories_
        return np.column_stack([known[n].transform(X[n]) if n in known else X[n].to_numpy(float) for n in self.names_])

    def to_dict(self) -> dict[str, Any]:
        """Return everything a prediction needs, and the settings, as JSON can hold it."""
        categories = {n: b.to_dict() for n, b in self.categories_.items()}
        return {"settings": self.get_params(), "names": self.names_, "categories": categories}

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> Self:
        """Return the model that `to_dict` wrote."""
        model = cls(**d["settings"])
        model.names_ = list(d["names"])
        model.categories_ = {n: cls.ENCODING.from_dict(b) for n, b in d["categories"].items()}
        return model._restored(model.names_)


class ReadTree(OnNumbers):
    """CART (Breiman et al. 1984) kept as arrays that can be read as rules; a subclass says that of a category."""

    nodes_: Nodes

    def _of_category(self, name: str, bounds: Bounds) -> str:
        """Say the bounds of a category's number: it is never missing, missing values have a number of their own."""
        raise NotImplementedError

    def leaves(self, X: pd.DataFrame) -> np.ndarray:
        """Return the leaf each row falls into (n)."""
        numbers = self.numbers(X)  # first: it says where the model isn't fitted
        return self.nodes_.leaves(numbers)

    def _means(self, X: pd.DataFrame) -> np.ndarray:
        leaves = self.leaves(X)
        return self.nodes_.value[leaves]

    def rules(self, X: pd.DataFrame | None = None) -> list[tuple[str, int, float]]:
        """Return every leaf as (rule in words, rows of development, share of events or mean).

        Each column stands in a rule once, by its narrowest bounds. X (n × k): rows that the printed cuts part as the
        tree does, in four digits or as many as that takes; without them, all that single precision tells apart.
        """
        numbers = None if X is None else self.numbers(X)

        def words(at: int, bounds: Bounds) -> str:
            if (name := self.names_[at]) in self.categories_:
                return self._of_category(name, bounds)
            if numbers is None:
                return bounds.said(name, lambda cut: shortest(cut, np.empty(0)))
            return bounds.said(name, lambda cut: shortest_between(cut, numbers[:, at], SHOWN_DIGITS))

        return self.nodes_.rules(words)

    def contributions(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return by how much each feature's splits moved share or mean on the row's path (n × k). Saabas (2014)."""
        parts = self.nodes_.contributions(self.leaves(X), len(self.names_))
        return pd.DataFrame(parts, columns=self.names_, index=X.index)

    def to_dict(self) -> dict[str, Any]:
        """Return the tree as JSON can hold it."""
        return {**super().to_dict(), "nodes": self.nodes_.to_dict()}

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> Self:
        """Return the tree that `to_dict` wrote."""
        tree = super().from_dict(d)
        tree.nodes_ = Nodes.from_dict(d["nodes"])
        return tree


class Boosted(OnNumbers):
    """XGBoost (Chen & Guestrin 2016) held to directions; one thread, so that the trees are the same everywhere."""

    def _grow(self, X: pd.DataFrame, y: np.ndarray, of_categories: int, settings: dict[str, Any]) -> None:
        """Grow the trees; `of_categories` is the direction in which the outcome goes with a category's number."""
        signs = [of_categories if n in self.categories_ else (self.monotone or {}).get(n, 0) for n in self.names_]
        shared = {
            "tree_method": "hist",
            "max_depth": self.max_depth,
            "eta": self.learning_rate,
            "seed": self.seed,
            "nthread": 1,
            "monotone_constraints": "(" + ",".join(map(str, signs)) + ")",
        }
        self.booster_ = xgb.train({**shared, **settings}, self._matrix(X, y), self.n_trees)

    def _matrix(self, X: pd.DataFrame, y: np.ndarray | None = None) -> xgb.DMatrix:
        return xgb.DMatrix(self.numbers(X), y, nthread=1)

    def _raw(self, X: pd.DataFrame) -> np.ndarray:
        matrix = self._matrix(X)  # first: it says where the model isn't fitted
        return self.booster_.predict(matrix).astype(float)

    def contributions(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return TreeSHAP contributions (n × k): log odds of an event or a share, else in the unit of y.

        Source: Lundberg et al. (2020).
        """
        matrix = self._matrix(X)
        parts = self.booster_.predict(matrix, pred_contribs=True)[:, :-1]
        return pd.DataFrame(parts.astype(float), columns=self.names_, index=X.index)

    def to_dict(self) -> dict[str, Any]:
        """Return the trees in XGBoost's own JSON format, with what the categories became."""
        return {**super().to_dict(), "booster": json.loads(self.booster_.save_raw("json").decode())}

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> Self:
        """Return the trees that `to_dict` wrote."""
        model = super().from_dict(d)
        model.booster_ = xgb.Booster({"nthread": 1}, model_file=bytearray(json.dumps(d["booster"]).encode()))
        return model
