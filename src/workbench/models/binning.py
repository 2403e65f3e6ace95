"""WOE and IV on optimal, monotone bins (optbinning), kept as a plain table that can be read without running it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from optbinning import OptimalBinning

from workbench.panel.bins import Bins, is_category


@dataclass(frozen=True)
class WoeBins:
    """Bins of one characteristic with counts; WOE = ln(share of goods / share of bads), so high WOE is low risk."""

    bins: Bins
    n_good: tuple[float, ...]
    n_bad: tuple[float, ...]

    @property
    def woe(self) -> np.ndarray:
        """WOE per bin, missing and unseen included; a bin without rows is neutral (0).

        Half an observation is added where a bin lacks a class. Source: Siddiqi (2017), ch. 6.
        """
        good, bad = np.array(self.n_good), np.array(self.n_bad)
        empty = good + bad == 0
        short = ~empty & ((good == 0) | (bad == 0))
        g, b = good + 0.5 * short, bad + 0.5 * short
        with np.errstate(divide="ignore", invalid="ignore"):
            woe = np.log((g / good.sum()) / (b / bad.sum()))
        return np.where(empty, 0.0, woe)

    @property
    def iv(self) -> float:
        """Information value Σ(share of goods − share of bads)·WOE. Source: Kullback (1959); Siddiqi (2017), ch. 6."""
        good, bad = np.array(self.n_good), np.array(self.n_bad)
        return float(((good / good.sum() - bad / bad.sum()) * self.woe).sum())

    def transform(self, values: pd.Series) -> np.ndarray:
        """Return the WOE of each value."""
        return self.woe[self.bins.codes(values)]

    def table(self) -> pd.DataFrame:
        """Return one row per bin: bin, n, bad rate, WOE, IV."""
        good, bad = np.array(self.n_good), np.array(self.n_bad)
        n = good + bad
        share = good / good.sum() - bad / bad.sum()
        rate = np.divide(bad, n, out=np.full(len(n), np.nan), where=n > 0)
        return pd.DataFrame(
            {
                "characteristic": self.bins.name,
                "bin": self.bins.labels,
                "n": n,
                "bad_rate": rate,
                "woe": self.woe,
                "iv": share * self.woe,
            }
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the bins as JSON can hold them."""
        return {"bins": self.bins.to_dict(), "n_good": list(self.n_good), "n_bad": list(self.n_bad)}

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> WoeBins:
        """Return the bins that `to_dict` wrote."""
        return cls(Bins.from_dict(d["bins"]), tuple(d["n_good"]), tuple(d["n_bad"]))


def woe_bins(values: pd.Series, y: np.ndarray, monotone: int = 0, min_bin_size: float = 0.02) -> WoeBins:
    """Return optimal bins of one characteristic against y (n values, 1 is bad).

    `monotone`: 1 risk rises with the value, -1 falls, 0 whichever of the two fits better. At most 20
    pre-bins, each of at least `min_bin_size` of the rows. An all-missing column gets no edge.
    Source: Navas-Palencia (2020), Optimal binning: mathematical programming formulation, arXiv 2001.08025.
    """
    bins = _fitted(values, y, monotone, min_bin_size)
    codes = bins.codes(values)
    n_bad = np.bincount(codes, y, len(bins.labels))
    return WoeBins(bins, tuple(np.bincount(codes, 1 - y, len(bins.labels))), tuple(n_bad))


def _fitted(values: pd.Series, y: np.ndarray, monotone: int, min_bin_size: float) -> Bins:
    name = str(values.name)
    if is_category(values):
        known = values.notna().to_numpy()
        ob = OptimalBinning(name=name, dtype="categorical", min_bin_size=min_bin_size, cat_cutoff=0.005)
        ob.fit(values[known].astype(object).to_numpy(), y[known])
        return Bins(name, groups=tuple(tuple(map(str, group)) for group in ob.splits))
    numbers = values.to_numpy(float)
    if np.unique(numbers[~np.isnan(numbers)]).size < 2:
        return Bins(name)
    trend = {1: "ascending", -1: "descending"}.get(monotone, "auto_asc_desc")
    ob = OptimalBinning(
        name=name, dtype="numerical", monotonic_trend=trend, max_n_prebins=20, min_bin_size=min_bin_size
    )
    ob.fit(numbers, y)
    return Bins(name, edges=tuple(float(s) for s in ob.splits))


def grade_bins(pd_: np.ndarray, y: np.ndarray, min_share: float) -> Bins:
    """Return at most 10 bands of PD (n values) whose bad rates rise, each adjacent pair apart at p < 0.01.

    Source of the test: Z-test of two proportions, as in optbinning's `max_pvalue`.
    """
    ob = OptimalBinning(
        name="pd",
        monotonic_trend="ascending",
        max_n_prebins=30,
        max_n_bins=10,
        min_bin_size=min_share,
        max_pvalue=0.01,
    )
    ob.fit(pd_, y)
    return Bins("pd", edges=tuple(float(s) for s in ob.splits))
