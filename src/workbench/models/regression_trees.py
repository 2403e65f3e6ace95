"""A regression tree with its rules, and boosted trees, of an amount or a rate; categories as their bin means."""

from __future__ import annotations

from typing import Self

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeRegressor

from workbench.models.kinds import Kind
from workbench.models.mean_bins import MeanBins, mean_bins
from workbench.models.nodes import Bounds, Nodes
from workbench.models.on_numbers import Boosted, OnNumbers, ReadTree
from workbench.models.tabular import TabularRegressor
from workbench.words import say

SHOWN = 6  # categories named in a rule


class _OfAmounts(OnNumbers, TabularRegressor):
    ENCODING = MeanBins

    def _encoded(self, values: pd.Series, y: np.ndarray) -> MeanBins:
        return mean_bins(values, y)


class RegressionTree(_OfAmounts, ReadTree):
    """CART (Breiman et al. 1984) of small depth, kept as arrays that can be read as rules.

    Parameters: max_depth; min_leaf_share, least share of rows in a leaf; bounded (y between 0 and 1); seed.
    Attributes: nodes_, names_, categories_.

    >>> X, y = pd.DataFrame({"x": [0.0, 1.0] * 50}), np.array([1.0, 3.0] * 50)
    >>> RegressionTree().fit(X, y).rules()
    [('x > 0.5 (or missing)', 50, 3.0), ('x <= 0.5', 50, 1.0)]
    """

    KIND = Kind(
        "regression_tree",
        2,
        ("amount", "rate"),
        tuple({"max_depth": d} for d in (3, 4, 5)),
        {"min_leaf_share": say("a rule of fewer rows can't be held against anything later")},
    )

    def __init__(self, max_depth: int = 4, min_leaf_share: float = 0.01, bounded: bool = False, seed: int = 42):
        self.max_depth = max_depth
        self.min_leaf_share = min_leaf_share
        self.bounded = bounded
        self.seed = seed

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> Self:
        """Fit to X (n × k) and y (n numbers)."""
        X, y = self._learnt(X, y)
        self._learn_categories(X, y)
        least = max(1, int(np.ceil(self.min_leaf_share * len(y))))
        tree = DecisionTreeRegressor(max_depth=self.max_depth, min_samples_leaf=least, random_state=self.seed)
        self.nodes_ = Nodes.of(tree.fit(self.numbers(X), y).tree_)
        return self

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Return the mean of each row's leaf (n)."""
        return self._means(X)

    def _of_category(self, name: str, bounds: Bounds) -> str:
        b = self.categories_[name]
        goes = (b.shrunk > bounds.low) & (b.shrunk <= bounds.high)
        shown = [label for label, inside, n in zip(b.bins.labels, goes, b.n, strict=True) if inside and n > 0]
        more = f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else ""
        return f"{name} in {{{', '.join(shown[:SHOWN])}{more}}}"


class BoostedRegression(_OfAmounts, Boosted):
    """XGBoost (Chen & Guestrin 2016) of squared error, or where bounded of a logistic share, with expected directions.

    Parameters: monotone, name → direction (1, -1, 0) of the outcome; max_depth, n_trees, learning_rate; min_leaf_rows;
    rows and columns, shares drawn for each tree; penalty on squared leaf values; bounded (y between 0 and 1); seed.
    Attributes: booster_, names_, categories_.

    >>> X, y = pd.DataFrame({"x": [0.0, 1.0] * 500}), np.array([1.0, 3.0] * 500)
    >>> BoostedRegression(columns=1.0).fit(X, y).predict(X[:2]).round(1).tolist()
    [1.0, 3.0]
    """

    KIND = Kind(
        "boosted_regression",
        3,
        ("amount", "rate"),
        tuple({"max_depth": d, "n_trees": n} for d in (2, 3, 4) for n in (150, 300)),
        {
            "learning_rate": say("small steps, made up for by the number of trees, which is tuned"),
            "min_leaf_rows": say("the mean of fewer rows is a matter of chance"),
            "rows": say("trees on different rows differ, and their mean is steadier"),
            "columns": say("columns of a panel say much the same: few drawn for each tree make trees that differ"),
            "penalty": say("small leaves are drawn to the mean; depth and number of trees are tuned around it"),
        },
    )

    def __init__(  # noqa: PLR0913 - every setting is a parameter, as scikit-learn wants it
        self,
        monotone: dict[str, int] | None = None,
        max_depth: int = 3,
        n_trees: int = 300,
        learning_rate: float = 0.04,
        min_leaf_rows: int = 20,
        rows: float = 0.8,
        columns: float = 0.4,
        penalty: float = 10.0,
        bounded: bool = False,
        seed: int = 42,
    ):
        self.monotone = monotone
        self.max_depth = max_depth
        self.n_trees = n_trees
        self.learning_rate = learning_rate
        self.min_leaf_rows = min_leaf_rows
        self.rows = rows
        self.columns = columns
        self.penalty = penalty
        self.bounded = bounded
        self.seed = seed

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> Self:
        """Fit to X (n × k) and y (n numbers)."""
        X, y = self._learnt(X, y)
        self._learn_categories(X, y)
        settings = {
            "objective": "reg:logistic" if self.bounded else "reg:squarederror",
            "min_child_weight": self.min_leaf_rows / 4 if self.bounded else self.min_leaf_rows,  # p(1 − p) ≤ ¼ a row
            "subsample": self.rows,
            "colsample_bytree": self.columns,
            "lambda": self.penalty,
        }
        self._grow(X, y, 1, settings)
        return self

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Return what is expected of each row (n), in the unit of y."""
        return self._raw(X)
