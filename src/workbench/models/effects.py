"""What each bin of a characteristic adds to the log odds given the others: bins merged again, one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from workbench.models.binning import WoeBins, counted, in_order, placed, summed
from workbench.models.fine_bins import Fine
from workbench.models.merging import Pulls, Shape, Terms, merged_effects

SWEEPS = 3
SAMPLED = 100_000  # rows, evenly spread, for all sweeps but the last, which reads every row


@dataclass(frozen=True)
class Effects:
    """Bins of one characteristic and what each adds to the log odds; `fine` says the same per fine bin."""

    bins: WoeBins
    values: np.ndarray
    fine: np.ndarray


def start(fine: Fine, bins: WoeBins, coefficient: float) -> Effects:
    """Return effects that are coefficient · WOE."""
    place = placed(fine.bins, bins.bins)
    values = coefficient * bins.woe
    return Effects(bins, values, values[place])


@dataclass(frozen=True)
class Rows:
    """What effects are learnt from: fine bins by characteristic, y (n values, 1 is bad), the effects to begin with."""

    fines: dict[str, Fine]
    y: np.ndarray
    effects: dict[str, Effects]


def given_the_others(
    samples: Sequence[Rows], shapes: dict[str, Shape], settings: tuple[float, float]
) -> list[tuple[float, dict[str, Effects]]]:
    """Return intercept and effects of each sample after sweeps that merge each characteristic again, given all others.

    The samples have the same characteristics and are merged side by side, sooner than one after another.
    `settings`: least share of a bin, ridge on an effect. Each keeps its shape, so that a direction in the contract
    holds for the points, too. Source: backfitting, Hastie & Tibshirani (1990), ch. 4; merging as in `merged_effects`.
    """
    each = [_Sweeps(s) for s in samples]
    for last in (*[False] * (SWEEPS - 1), True):
        for one in each:
            one.begin(last)
        for name in samples[0].fines:
            pulls = [one.pulls(name, settings[0]) for one in each]
            cuts = merged_effects([p for _, p in pulls], shapes[name], settings[1])
            for one, (order, pull), where in zip(each, pulls, cuts, strict=True):
                one.take(name, counted(one.fines[name], order, where, pull.terms, one.fines[name].total()), settings[1])
    return [(one.intercept + level(one.z, one.y, 0.0), one.effects) for one in each]


class _Sweeps:
    """One sample under way: its effects by now, and the log odds of the rows that this sweep reads."""

    def __init__(self, sample: Rows):
        self.fines, self.all, self.effects, self.intercept = sample.fines, sample.y, sample.effects, 0.0

    def begin(self, last: bool) -> None:
        """Begin a sweep on every row, where it is the last one, else on an even sample."""
        step = 1 if last else max(1, len(self.all) // SAMPLED)
        self.y, self.codes = self.all[::step], {n: f.codes[::step] for n, f in self.fines.items()}
        z = sum((e.fine[self.codes[n]] for n, e in self.effects.items()), np.zeros(len(self.y)))
        self.intercept = level(z, self.y, self.intercept)
        self.z = z + self.intercept

    def pulls(self, name: str, share: float) -> tuple[list[np.ndarray], Pulls]:
        """Return the fine bins in order, and what pulls at each given the other characteristics."""
        fine, p, codes = self.fines[name], expit(self.z), self.codes[name]
        k = len(fine.bins.labels)
        good, bad, counts = fine.total()
        self.stiff = np.bincount(codes, p * (1 - p), k)
        self.pull = np.bincount(codes, self.y - p, k) + self.stiff * self.effects[name].fine
        terms = Terms.of(good, bad, counts, share)
        order = in_order(fine, self.pull, self.stiff, counts, terms)
        rare = bad if bad.sum() <= good.sum() else good
        return order, Pulls(*(summed(x, order) for x in (self.pull, self.stiff, counts, rare)), terms)

    def take(self, name: str, bins: WoeBins, ridge: float) -> None:
        """Let these bins be the characteristic's; each says what it adds given the other characteristics."""
        place = placed(self.fines[name].bins, bins.bins)
        u, h = (np.bincount(place, x, len(bins.n_good)) for x in (self.pull, self.stiff))
        values = u / (h + ridge)
        heard = np.isin(np.arange(len(values)), bins.neutral, invert=True)
        values = np.where(heard, values - (values * h)[heard].sum() / max(h[heard].sum(), 1e-12), 0.0)
        new = Effects(bins, values, values[place])
        self.z += (new.fine - self.effects[name].fine)[self.codes[name]]
        self.effects = self.effects | {name: new}


def level(z: np.ndarray, y: np.ndarray, intercept: float) -> float:
    """Return the intercept at which predictions and outcomes have the same mean."""
    for _ in range(20):
        p = expit(intercept + z)
        step = (y - p).sum() / max((p * (1 - p)).sum(), 1e-12)
        intercept += float(np.clip(step, -3, 3))
        if abs(step) < 1e-10:
            break
    return intercept
