"""Bins of one characteristic with the mean of an amount or a rate in each: what WOE bins are to an event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeRegressor

from workbench.panel.bins import Bins, is_category

PRIOR_ROWS = 20  # a bin's mean counts as if so many average rows stood in it, too
RARE = 0.005  # share of rows below which categories share a bin


@dataclass(frozen=True)
class MeanBins:
    """Bins with counts and means of the outcome; `overall` and `variance` are those of all rows."""

    bins: Bins
    n: tuple[float, ...]
    mean: tuple[float, ...]
    overall: float
    variance: float

    @property
    def shrunk(self) -> np.ndarray:
        """Mean per bin drawn towards the overall mean, which a bin without rows has; missing and unseen are included.

        (n·mean + 20·overall) / (n + 20). Source: Micci-Barreca (2001), SIGKDD Explorations 3(1), eq. 4.
        """
        n, mean = np.array(self.n), np.array(self.mean)
        return (n * mean + PRIOR_ROWS * self.overall) / (n + PRIOR_ROWS)

    @property
    def explained(self) -> float:
        """Share of the outcome's variance that lies between the bins (0 to 1). Source: Pearson (1905), η²."""
        n, mean = np.array(self.n), np.array(self.mean)
        between = float((n * (mean - self.overall) ** 2).sum() / n.sum())
        return between / self.variance if self.variance > 0 else 0.0

    def transform(self, values: pd.Series) -> np.ndarray:
        """Return the shrunk mean of each value's bin."""
        return self.shrunk[self.bins.codes(values)]

    def table(self) -> pd.DataFrame:
        """Return one row per bin that has rows: characteristic, bin, n, mean."""
        table = pd.DataFrame(
            {"characteristic": self.bins.name, "bin": self.bins.labels, "n": self.n, "mean": self.mean}
        )
        return table[table["n"] > 0].reset_index(drop=True)

    def to_dict(self) -> dict[str, Any]:
        """Return the bins as JSON can hold them."""
        return {
            "bins": self.bins.to_dict(),
            "n": list(self.n),
            "mean": list(self.mean),
            "overall": self.overall,
            "variance": self.variance,
        }

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> MeanBins:
        """Return the bins that `to_dict` wrote."""
        return cls(Bins.from_dict(d["bins"]), tuple(d["n"]), tuple(d["mean"]), d["overall"], d["variance"])


def mean_bins(
    values: pd.Series, y: np.ndarray, monotone: int = 0, min_bin_share: float = 0.02, most: int = 8
) -> MeanBins:
    """Return bins of one characteristic that part the means of y (n numbers) best, at most `most` of a number.

    Numbers are cut by a regression tree whose leaves hold at least `min_bin_share` of the rows; `monotone`: 1 means
    rise from bin to bin, -1 fall, 0 free. Categories have a bin each, those with less than 0.5 % of the rows one
    together. Missing and unseen have bins of their own. Source: Breiman et al. (1984), ch. 8.
    """
    bins = _grouped(values) if is_category(values) else _cut(values, y, monotone, min_bin_share, most)
    codes = bins.codes(values)
    n = np.bincount(codes, minlength=len(bins.labels)).astype(float)
    total = np.bincount(codes, y, len(bins.labels))
    mean = np.divide(total, n, out=np.full(len(n), y.mean()), where=n > 0)
    return MeanBins(bins, tuple(n.tolist()), tuple(mean.tolist()), float(y.mean()), float(y.var()))


def _grouped(values: pd.Series) -> Bins:
    shares = values.value_counts(normalize=True, dropna=True).sort_index()
    common = [(str(c),) for c, share in shares.items() if share >= RARE]
    rare = tuple(str(c) for c, share in shares.items() if share < RARE)
    return Bins(str(values.name), groups=(*common, rare) if rare else tuple(common))


def _cut(values: pd.Series, y: np.ndarray, monotone: int, min_bin_share: float, most: int) -> Bins:
    numbers = values.to_numpy(float)
    known = np.isfinite(numbers)
    if np.unique(numbers[known]).size < 2:
        return Bins(str(values.name))
    least = max(1, int(np.ceil(min_bin_share * len(numbers))))
    tree = DecisionTreeRegressor(max_leaf_nodes=most, min_samples_leaf=least, monotonic_cst=[monotone], random_state=0)
    tree.fit(numbers[known, None], y[known])
    inner = tree.tree_.children_left >= 0
    return Bins(str(values.name), edges=tuple(float(e) for e in np.unique(tree.tree_.threshold[inner])))
