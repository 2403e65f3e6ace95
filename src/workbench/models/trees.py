"""A decision tree with its rules, and boosted trees with monotone constraints, on numbers and WOE of categories."""

from __future__ import annotations

import json
from typing import Any, Self

import numpy as np
import pandas as pd
import xgboost as xgb
from sklearn.tree import DecisionTreeClassifier

from workbench.models.binning import WoeBins, woe_bins
from workbench.models.kinds import Kind
from workbench.models.tabular import TabularClassifier
from workbench.panel.bins import is_category


class _OnNumbers(TabularClassifier):
    """What both trees share: categories become their WOE, learnt on the rows the tree is fitted to."""

    def _learn_categories(self, X: pd.DataFrame, y: np.ndarray) -> None:
        self.names_ = list(X.columns)
        self.categories_: dict[str, WoeBins] = {n: woe_bins(X[n], y) for n in X.columns if is_category(X[n])}

    def numbers(self, X: pd.DataFrame) -> np.ndarray:
        """Return X as numbers (n × k), categories as WOE, missing numbers as NaN."""
        X = self._asked(X)
        return np.column_stack(
            [
                self.categories_[n].transform(X[n]) if n in self.categories_ else X[n].to_numpy(float)
                for n in self.names_
            ]
        )

    def _frame(self) -> dict[str, Any]:
        return {
            "settings": self.get_params(),
            "names": self.names_,
            "categories": {n: b.to_dict() for n, b in self.categories_.items()},
        }

    def _take(self, d: dict[str, Any]) -> None:
        self.names_ = list(d["names"])
        self._restored(self.names_)
        self.categories_ = {n: WoeBins.from_dict(b) for n, b in d["categories"].items()}


class RuleTree(_OnNumbers):
    """CART (Breiman et al. 1984) of small depth, kept as arrays that can be read as rules."""

    KIND = Kind("tree", 2, ("binary",), tuple({"max_depth": d} for d in (4, 5, 6)))

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
        model.fit(self.numbers(X), y)
        t = model.tree_
        self.nodes_ = pd.DataFrame(
            {
                "feature": t.feature,
                "threshold": t.threshold,
                "left": t.children_left,
                "right": t.children_right,
                "missing_left": t.missing_go_to_left.astype(bool),
                "n": t.n_node_samples,
                "bad_rate": t.value[:, 0, 1],
            }
        )
        return self

    def leaves(self, X: pd.DataFrame) -> np.ndarray:
        """Return the leaf each row falls into (n)."""
        values = self.numbers(X).astype(np.float32)  # CART compares in single precision
        nodes = self.nodes_
        at, rows = np.zeros(len(values), dtype=int), np.arange(len(values))
        left, right, feature = (nodes[c].to_numpy() for c in ("left", "right", "feature"))
        threshold, missing_left = nodes["threshold"].to_numpy(), nodes["missing_left"].to_numpy(bool)
        while (inner := left[at] >= 0).any():
            v = values[rows, np.maximum(feature[at], 0)]
            goes_left = np.where(np.isnan(v), missing_left[at], v <= threshold[at])
            at = np.where(inner, np.where(goes_left, left[at], right[at]), at)
        return at

    def rules(self) -> list[tuple[str, int, float]]:
        """Return every leaf as (rule in words, rows of development, bad rate)."""
        found, open_ = [], [(0, ())]
        while open_:
            at, path = open_.pop()
            node = self.nodes_.iloc[at]
            if node["left"] < 0:
                found.append((" and ".join(path) or "everyone", int(node["n"]), float(node["bad_rate"])))
                continue
            name = self.names_[int(node["feature"])] + (
                " (WOE)" if self.names_[int(node["feature"])] in self.categories_ else ""
            )
            for side, sign in (("left", "<="), ("right", ">")):
                open_.append((int(node[side]), (*path, f"{name} {sign} {node['threshold']:,.4g}")))
        return found

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Return probabilities of good and bad (n × 2)."""
        leaves = self.leaves(X)
        bad = self.nodes_["bad_rate"].to_numpy()[leaves]
        return np.column_stack([1 - bad, bad])

    def contributions(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return by how much each feature's splits moved the bad rate on the row's path (n × k). Saabas (2014)."""
        nodes, out = self.nodes_, np.zeros((len(X), len(self.names_)))
        parent = {int(child): i for i, r in nodes.iterrows() for child in (r["left"], r["right"]) if child >= 0}
        leaves = self.leaves(X)
        for leaf in np.unique(leaves):
            at = int(leaf)
            while at in parent:
                up = parent[at]
                out[leaves == leaf, nodes["feature"][up]] += nodes["bad_rate"][at] - nodes["bad_rate"][up]
                at = up
        return pd.DataFrame(out, columns=self.names_, index=X.index)

    def to_dict(self) -> dict[str, Any]:
        """Return the tree as JSON can hold it."""
        return {**self._frame(), "nodes": self.nodes_.to_dict("list")}

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> RuleTree:
        """Return the tree that `to_dict` wrote."""
        tree = cls(**d["settings"])
        tree._take(d)
        tree.nodes_ = pd.DataFrame(d["nodes"])
        return tree


class BoostedTrees(_OnNumbers):
    """XGBoost (Chen & Guestrin 2016) with the directions of risk the business expects as constraints."""

    KIND = Kind("boosted", 3, ("binary",), tuple({"max_depth": d, "n_trees": n} for d in (2, 3, 4) for n in (150, 300)))

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
        """Fit to X (n × k) and y (n values, 1 is bad); one thread, so that the trees are the same everywhere."""
        X, y = self._learnt(X, y)
        self._learn_categories(X, y)
        signs = [-1 if n in self.categories_ else (self.monotone or {}).get(n, 0) for n in self.names_]
        settings = {
            "objective": "binary:logistic",
            "tree_method": "hist",
            "max_depth": self.max_depth,
            "eta": self.learning_rate,
            "min_child_weight": self.min_child_weight,
            "subsample": self.subsample,
            "colsample_bytree": self.colsample_bytree,
            "lambda": self.reg_lambda,
            "seed": self.seed,
            "nthread": 1,
            "monotone_constraints": "(" + ",".join(map(str, signs)) + ")",
        }
        self.booster_ = xgb.train(settings, xgb.DMatrix(self.numbers(X), y, nthread=1), self.n_trees)
        return self

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Return probabilities of good and bad (n × 2)."""
        values = xgb.DMatrix(self.numbers(X), nthread=1)
        bad = self.booster_.predict(values).astype(float)
        return np.column_stack([1 - bad, bad])

    def contributions(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return TreeSHAP contributions to the log odds of bad (n × k). Lundberg et al. (2020)."""
        parts = self.booster_.predict(xgb.DMatrix(self.numbers(X), nthread=1), pred_contribs=True)[:, :-1]
        return pd.DataFrame(parts.astype(float), columns=self.names_, index=X.index)

    def to_dict(self) -> dict[str, Any]:
        """Return the trees in XGBoost's own JSON format, with the WOE of the categories."""
        return {**self._frame(), "booster": json.loads(self.booster_.save_raw("json").decode())}

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> BoostedTrees:
        """Return the trees that `to_dict` wrote."""
        model = cls(**d["settings"])
        model._take(d)
        model.booster_ = xgb.Booster({"nthread": 1}, model_file=bytearray(json.dumps(d["booster"]).encode()))
        return model
