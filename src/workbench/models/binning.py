"""WOE and IV on the best bins under a shape and a floor, kept as a plain table that can be read without running it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import xlogy

from workbench.models.fine_bins import Codes, Fine
from workbench.models.merging import Counts, Shape, Terms, merged, merged_each
from workbench.models.shapes import shape_of
from workbench.panel.bins import Bins

MOST_GRADES, APART = 10, 2.326  # grades at most, and standard errors between adjacent ones (p = 0.01, one-sided)


@dataclass(frozen=True)
class WoeBins:
    """Bins of one characteristic with counts; WOE = ln(share of goods / share of bads), so high WOE is low risk."""

    bins: Bins
    n_good: tuple[float, ...]
    n_bad: tuple[float, ...]
    neutral: tuple[int, ...] = ()  # bins with too few rows for a WOE of their own

    @property
    def woe(self) -> np.ndarray:
        """WOE per bin, special codes, missing and unseen included; a bin without rows, or with too few, is neutral (0).

        Half an observation is added where a bin lacks a class. Source: Siddiqi (2017), ch. 6.
        """
        good, bad = np.array(self.n_good), np.array(self.n_bad)
        empty = good + bad == 0
        short = ~empty & ((good == 0) | (bad == 0))
        g, b = good + 0.5 * short, bad + 0.5 * short
        with np.errstate(divide="ignore", invalid="ignore"):
            woe = np.log((g / good.sum()) / (b / bad.sum()))
        woe[list(self.neutral)] = 0.0
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
        return {
            "bins": self.bins.to_dict(),
            "n_good": list(self.n_good),
            "n_bad": list(self.n_bad),
            "neutral": list(self.neutral),
        }

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> WoeBins:
        """Return the bins that `to_dict` wrote."""
        return cls(Bins.from_dict(d["bins"]), tuple(d["n_good"]), tuple(d["n_bad"]), tuple(d.get("neutral", ())))


def woe_bins(
    values: pd.Series,
    y: np.ndarray,
    monotone: int = 0,
    min_bin_size: float = 0.02,
    weight: np.ndarray | None = None,
    special: Codes | None = None,
) -> WoeBins:
    """Return the best bins of one characteristic against y (n values, 1 is the event).

    `monotone`: 1 risk rises with the value, -1 falls, 0 the shape that says most out of fold (see `shape_of`).
    A bin has at least 20 rows and 5 expected events and non-events; one with less than `min_bin_size` of the rows stays
    only where its rate is surely another. Missing values and `special` codes (code to name) have bins of their own
    under the same terms; one below them is neutral: WOE 0, no points. `weight`: sampling weights (n).
    """
    fine = Fine.of(values, y, weight, special)
    return best_bins(fine, shape_of(fine, monotone, min_bin_size), min_bin_size)


def best_bins(fine: Fine, shape: Shape, min_bin_size: float) -> WoeBins:
    """Return the best bins of a shape over fine bins already counted."""
    return best_bins_each([(fine, shape, ())], min_bin_size)[0]


def best_bins_each(
    asked: Sequence[tuple[Fine, Shape, Collection[int]]], min_bin_size: float, price: float = 1.0
) -> list[WoeBins]:
    """Return the best bins of each of many: fine bins, shape, and the folds that are left out.

    `price`: of a bin, in what noise adds on average (see `Terms.of`).
    """
    orders, questions, totals = [], [], [fine.total(without) for fine, _, without in asked]
    for (fine, shape, _), counts in zip(asked, totals, strict=True):
        terms = Terms.of(*counts, min_bin_size, price)
        orders.append(in_order(fine, counts[1], counts[0] + counts[1], counts[2], terms))
        questions.append((Counts(*(summed(x, orders[-1]) for x in counts), terms), shape))
    return [
        counted(fine, order, cuts, counts.terms, total)
        for (fine, _, _), total, order, (counts, _), cuts in zip(
            asked, totals, orders, questions, merged_each(questions), strict=True
        )
    ]


def in_order(fine: Fine, top: np.ndarray, bottom: np.ndarray, rows: np.ndarray, terms: Terms) -> list[np.ndarray]:
    """Return the fine bins in order, each an array of positions; categories by top / bottom (rate, or effect).

    Categories with fewer rows than a bin must have are rare: they stand together, as one.
    """
    m = fine.m
    if not fine.bins.groups:
        return [np.array([i]) for i in range(m)]
    rare = np.flatnonzero(rows[:m] < terms.rows)
    parts = [np.array([i]) for i in np.flatnonzero(rows[:m] >= terms.rows)] + ([rare] if rare.size else [])
    by = [top[part].sum() / max(bottom[part].sum(), 1e-12) for part in parts]
    return [parts[i] for i in np.argsort(by, kind="stable")]


def summed(counts: np.ndarray, order: list[np.ndarray]) -> np.ndarray:
    """Return the counts of fine bins in order, those that stand together as one."""
    if len(order) and max(map(len, order)) == 1:
        return counts[np.concatenate(order)]
    return np.array([counts[part].sum() for part in order])


def counted(
    fine: Fine, order: list[np.ndarray], cuts: np.ndarray, terms: Terms, total: tuple[np.ndarray, ...]
) -> WoeBins:
    """Return the bins that cuts make of fine bins in order, with their counts, of which `total` says those before."""
    bins = _coarse(fine.bins, order, cuts)
    place = placed(fine.bins, bins)
    good, bad, rows = (np.bincount(place, x, bins.size) for x in total)
    return WoeBins(bins, tuple(good.tolist()), tuple(bad.tolist()), _neutral(good, bad, rows, bins.inner, terms))


def _coarse(fine: Bins, order: list[np.ndarray], cuts: np.ndarray) -> Bins:
    if not fine.groups:
        return Bins(fine.name, edges=tuple(fine.edges[c - 1] for c in cuts), special=fine.special)
    parts = np.split(np.arange(len(order)), cuts)
    groups = [sorted(fine.groups[i][0] for p in part for i in order[p]) for part in parts]
    return Bins(fine.name, groups=tuple(map(tuple, groups)), special=fine.special)


def fine_woe(fine: Bins, bins: WoeBins) -> np.ndarray:
    """Return the WOE of each fine bin: that of the bin it was merged into."""
    return bins.woe[placed(fine, bins.bins)]


def placed(fine: Bins, bins: Bins) -> np.ndarray:
    """Return which merged bin each fine bin is in; special codes, missing and unseen keep their own."""
    if fine.groups:
        group = {category: i for i, names in enumerate(bins.groups) for category in names}
        inner = np.array([group[names[0]] for names in fine.groups])
    else:
        inner = np.searchsorted(bins.edges, np.array((-np.inf, *fine.edges)), side="right")
    return np.concatenate([inner, np.arange(bins.inner, bins.size)])


def _neutral(good: np.ndarray, bad: np.ndarray, rows: np.ndarray, inner: int, terms: Terms) -> tuple[int, ...]:
    """Return special, missing and unseen bins that say nothing sure: below the floor, or sparse and like the rest."""
    g, b = good[inner:], bad[inner:]
    n, everyone = g + b, bad.sum() / max(good.sum() + bad.sum(), 1e-12)
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = xlogy(b, b / n / everyone) + xlogy(g, g / n / (1 - everyone))
    sure = np.where(rows[inner:] < terms.few, gain > terms.sparse_cost, True)
    rare = b if bad.sum() <= good.sum() else g
    return tuple((inner + np.flatnonzero(~terms.enough(rows[inner:], rare) | ~sure)).tolist())


def grade_bins(pd_: np.ndarray, y: np.ndarray, min_share: float, design_effect: float = 1.0) -> Bins:
    """Return at most 10 bands of the prediction (n values) whose rates rise, each adjacent pair apart at p < 0.01.

    `design_effect`: how many times the variance of a rate is that of rows that are independent.
    """
    fine = Fine.of(pd.Series(pd_, name="pd"), y)
    good, bad, rows = (x[: fine.m] for x in fine.total())
    terms = Terms(max(min_share * rows.sum(), 1), most=MOST_GRADES)
    cuts = merged(good, bad, rows, "ascending", terms, APART * float(np.sqrt(design_effect)))
    return Bins("pd", edges=tuple(fine.bins.edges[c - 1] for c in cuts))
