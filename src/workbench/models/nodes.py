"""A tree as arrays that can be read: walking to leaves, rules in words, contributions along the path."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

FIELDS = ("feature", "threshold", "left", "right", "missing_left", "n", "value")


@dataclass(frozen=True)
class Bounds:
    """What splits on one way to a leaf ask of a feature: above `low`, at most `high`, or missing where it may be."""

    low: float = -math.inf
    high: float = math.inf
    missing: bool = True

    def below(self, cut: float, missing: bool) -> Bounds:
        """Return the bounds where a split asks for at most `cut`, too."""
        return Bounds(self.low, min(self.high, cut), self.missing and missing)

    def beyond(self, cut: float, missing: bool) -> Bounds:
        """Return the bounds where a split asks for more than `cut`, too."""
        return Bounds(max(self.low, cut), self.high, self.missing and missing)

    def said(self, name: str, cut: Callable[[float], str]) -> str:
        """Return them as conditions on a column, each bound once; whether it is known alone, where no cut is asked."""
        if self.low == math.inf or self.high == -math.inf:  # a split of missing values from all others
            return f"{name} is missing"
        if self == Bounds(missing=False):
            return f"{name} is known"
        # in brackets: `a <= 1 or missing and b > 2` could be read either way
        tail = " (or missing)" if self.missing else ""
        bounds = [(sign, b) for sign, b in ((">", self.low), ("<=", self.high)) if math.isfinite(b)]
        return " and ".join(f"{name} {sign} {cut(b)}{tail}" for sign, b in bounds)


@dataclass(frozen=True)
class Nodes:
    """One entry per node, the root first: feature, threshold (<= goes left), children (-1 of a leaf), rows, mean."""

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    missing_left: np.ndarray
    n: np.ndarray
    value: np.ndarray

    @classmethod
    def of(cls, tree: Any) -> Nodes:
        """Return the nodes of a fitted scikit-learn tree (its `tree_`); the mean of 0 and 1 is the share of 1."""
        t = tree
        value = t.value[:, 0, -1]
        missing_left = t.missing_go_to_left.astype(bool)
        return cls(t.feature, t.threshold, t.children_left, t.children_right, missing_left, t.n_node_samples, value)

    def leaves(self, numbers: np.ndarray) -> np.ndarray:
        """Return the leaf each row of numbers (n × k, NaN is missing) falls into (n)."""
        values = numbers.astype(np.float32)  # CART compares in single precision
        at, rows = np.zeros(len(values), dtype=int), np.arange(len(values))
        while (inner := self.left[at] >= 0).any():
            v = values[rows, np.maximum(self.feature[at], 0)]
            goes_left = np.where(np.isnan(v), self.missing_left[at], v <= self.threshold[at])
            at = np.where(inner, np.where(goes_left, self.left[at], self.right[at]), at)
        return at

    def rules(self, words: Callable[[int, Bounds], str]) -> list[tuple[str, int, float]]:
        """Return every leaf as (rule, rows learnt from, mean).

        `words` says what all splits of one feature on the way to the leaf ask of it: feature, bounds.
        """
        out: list[tuple[str, int, float]] = []
        open_: list[tuple[int, dict[int, Bounds]]] = [(0, {})]
        while open_:
            at, path = open_.pop()
            if self.left[at] < 0:
                rule = " and ".join(words(feature, bounds) for feature, bounds in path.items()) or "everyone"
                out.append((rule, int(self.n[at]), float(self.value[at])))
                continue
            feature, cut, missing_left = int(self.feature[at]), float(self.threshold[at]), bool(self.missing_left[at])
            bounds = path.get(feature, Bounds())
            open_.append((int(self.left[at]), {**path, feature: bounds.below(cut, missing_left)}))
            open_.append((int(self.right[at]), {**path, feature: bounds.beyond(cut, not missing_left)}))
        return out

    def contributions(self, leaves: np.ndarray, k: int) -> np.ndarray:
        """Return by how much each of k features' splits moved the mean on each row's path (n × k). Saabas (2014)."""
        parent = {int(c): i for side in (self.left, self.right) for i, c in enumerate(side) if c >= 0}
        out = np.zeros((len(leaves), k))
        for leaf in np.unique(leaves):
            at = int(leaf)
            while at in parent:
                up = parent[at]
                out[leaves == leaf, self.feature[up]] += self.value[at] - self.value[up]
                at = up
        return out

    def to_dict(self) -> dict[str, Any]:
        """Return the tree as JSON can hold it."""
        return {f: getattr(self, f).tolist() for f in FIELDS}

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> Nodes:
        """Return the tree that `to_dict` wrote."""
        return cls(**{f: np.array(d[f]) for f in FIELDS})


def shortest(threshold: float, values: np.ndarray) -> str:
    """Return a cut with as few digits as part values (n) as the threshold does, and all that CART tells apart.

    CART compares in single precision. Of large numbers it holds but every second or fourth: rounding may take a value
    to the other side of the cut, and what is printed goes with it.

    >>> shortest(12345.60009765625, np.array([])), shortest(20180301.0, np.array([20180301.0, 20180302.0]))
    ('12,345.6', '20,180,301')
    """
    below = np.float32(threshold)
    if float(below) > threshold:
        below = np.nextafter(below, np.float32(-np.inf))
    above = np.nextafter(below, np.float32(np.inf))
    return _digits(threshold, np.array([below, above, *values[~np.isnan(values)]], dtype=float))


def shortest_between(threshold: float, values: np.ndarray, least: int = 1) -> str:
    """Return a cut with as few digits (`least` or more) as part values (n) as the threshold does.

    Of a column that has no other values, or of rows that are only shown: what a tree does stands in its nodes.

    >>> shortest_between(0.123456789, np.array([-0.3, 0.1, 0.7]))
    '0.1'
    >>> shortest_between(0.123456789, np.array([0.1, 0.7]), 4), shortest_between(12_345.678, np.array([0.1]), 4)
    ('0.1235', '12,346')
    >>> shortest_between(0.0000123456, np.array([0.0, 0.7]), 4)
    '0.00001235'
    """
    whole = len(str(int(abs(threshold)))) if least > 1 else 1
    return _digits(threshold, values[~np.isnan(values)], max(least, whole))


def _digits(threshold: float, values: np.ndarray, least: int = 1) -> str:
    inside = values.astype(np.float32) <= np.float64(threshold)
    last = values[inside].max(initial=-np.inf)  # itself a cut, though a long one
    tried = (float(f"{cut:.{digits}g}") for digits in range(least, 18) for cut in (threshold, last))
    cut = next((c for c in tried if np.array_equal(values <= c, inside)), threshold)
    text = f"{cut:,}".removesuffix(".0")
    return f"{Decimal(cut if cut.is_integer() else str(cut)):,f}" if "e" in text else text
