"""A decision tree with its rules, and boosted trees with monotone constraints, on numbers and WOE of categories."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

from workbench.models.binning import WoeBins, woe_bins
from workbench.models.kinds import Kind
from workbench.models.nodes import Bounds, Nodes, shortest_between
from workbench.models.on_numbers import Boosted, OnNumbers, ReadTree
from workbench.models.tabular import TabularClassifier
from workbench.words import say


class _OfEvents(OnNumbers, TabularClassifier):
    ENCODING = WoeBins

    def _encoded(self, values: pd.Series, y: np.ndarray) -> WoeBins:
        return woe_bins(values, y)


class RuleTree(_OfEvents, ReadTree):
    """CART (Breiman et al. 1984) of small depth, kept as arrays that can be read as rules."""

    KIND = Kind(
        "tree",
        2,
        ("binary",),
        tuple({"max_depth": d} for d in (4, 5, 6)),
        {"min_leaf_share": say("a rule of fewer rows can't be held against anything later")},
    )

    def __init__(self, max_depth: int = 5, min_leaf_share: float = 0.01, seed: int = 42):
        self.max_depth = max_depth
        self.min_leaf_share = min_leaf_share
        self.seed = seed

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> Self:
        """Fit to X (n × k) and y (n values, 1 is bad)."""
        X, y = self._learnt(X, y)
        self._learn_categories(X, y)
        model = DecisionTreeClassifier(
            max_depth=self.max_depth, min_samples_leaf=self.min_leaf_share, random_state=self.seed
        )
        self.nodes_ = Nodes.of(model.fit(self.numbers(X), y).tree_)
        return self

    def _of_category(self, name: str, bounds: Bounds) -> str:
        woe = self.categories_[name].woe
        return replace(bounds, missing=False).said(f"{name} (WOE)", lambda cut: shortest_between(cut, woe))

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Return probabilities of good and bad (n × 2)."""
        bad = self._means(X)
        return np.column_stack([1 - bad, bad])


class BoostedTrees(_OfEvents, Boosted):
    """XGBoost (Chen & Guestrin 2016) with the directions of risk the business expects as constraints."""

    KIND = Kind(
        "boosted",
        3,
        ("binary",),
        tuple({"max_depth": d, "n_trees": n} for d in (2, 3, 4) for n in (150, 300)),
        {
            "learning_rate": say("small steps, made up for by the number of trees, which is tuned"),
            "min_child_weight": say("a leaf must carry the weight of some twenty events: a single one says nothing"),
            "subsample": say("trees on different rows differ, and their mean is steadier"),
            "colsample_bytree": say(
                "columns of a panel say much the same: few drawn for each tree make trees that differ"
            ),
            "reg_lambda": say("small leaves are drawn to the mean; depth and number of trees are tuned around it"),
        },
    )

    def __init__(  # noqa: PLR0913
        self,
        monotone: dict[str, int] | None = None,
        max_depth: int = 4,
        n_trees: int = 300,
        learning_rate: float = 0.04,
        min_child_weight: float = 20,
        subsample: float = 0.8,
        colsample_bytree: float = 0.4,
        reg_lambda: float = 10,
        seed: int = 42,
    ):
        self.monotone = monotone
        self.max_depth = max_depth
        self.n_trees = n_trees
        self.learning_rate = learning_rate
        self.min_child_weight = min_child_weight
        self.subsample = subsample
        self.colsample_bytree = colsample_bytree
        self.reg_lambda = reg_lambda
        self.seed = seed

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> Self:
        """Fit to X (n × k) and y (n values, 1 is bad)."""
        X, y = self._learnt(X, y)
        self._learn_categories(X, y)
        settings = {
            "objective": "binary:logistic",
            "min_child_weight": self.min_child_weight,
            "subsample": self.subsample,
            "colsample_bytree": self.colsample_bytree,
            "lambda": self.reg_lambda,
        }
        self._grow(X, y, -1, settings)
        return self

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Return probabilities of good and bad (n × 2)."""
        bad = self._raw(X)
        return np.column_stack([1 - bad, bad])
