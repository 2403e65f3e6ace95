"""What each bin of a characteristic adds to the log odds given the others: bins merged again, one after another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from workbench.models.binning import WoeBins, counted, in_order, placed, summed
from workbench.models.fine_bins import Fine
from workbench.models.merging import Shape, Terms, merged_effects

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


def given_the_others(
    fines: dict[str, Fine],
    shapes: dict[str, Shape],
    effects: dict[str, Effects],
    y: np.ndarray,
    settings: tuple[float, float],
) -> tuple[float, dict[str, Effects]]:
    """Return intercept and effects after sweeps in which each characteristic is merged again, given all others.

    `settings`: least share of a bin, ridge on an effect. Each keeps its shape, so that a direction in the contract
    holds for the points, too. Source: backfitting, Hastie & Tibshirani (1990), ch. 4; merging as in `merged_effects`.
    """
    every = max(1, len(y) // SAMPLED)
    intercept = 0.0
    for step in [*([every] * (SWEEPS - 1)), 1]:
        codes = {n: f.codes[::step] for n, f in fines.items()}
        z = sum((effects[n].fine[codes[n]] for n in effects), np.zeros(len(y[::step])))
        intercept = level(z, y[::step], intercept)
        z += intercept
        for name, fine in fines.items():
            new = _merged_again(fine, shapes[name], effects[name], (codes[name], y[::step], expit(z)), settings)
            z += (new.fine - effects[name].fine)[codes[name]]
            effects = effects | {name: new}
    return intercept + level(z, y, 0.0), effects


def _merged_again(
    fine: Fine,
    shape: Shape,
    now: Effects,
    rows: tuple[np.ndarray, np.ndarray, np.ndarray],
    settings: tuple[float, float],
) -> Effects:
    share, ridge = settings
    codes, y, p = rows
    k = len(fine.bins.labels)
    good, bad, counts = fine.total()
    stiff = np.bincount(codes, p * (1 - p), k)
    pull = np.bincount(codes, y - p, k) + stiff * now.fine
    terms = Terms.of(good, bad, counts, share)
    order = in_order(fine, pull, stiff, counts, terms)
    rare = bad if bad.sum() <= good.sum() else good
    u, h, r, e = (summed(x, order) for x in (pull, stiff, counts, rare))
    cuts = merged_effects((u, h), r, e, shape, terms, ridge)
    bins = counted(fine, order, cuts, terms)
    place = placed(fine.bins, bins.bins)
    u, h = np.bincount(place, pull, len(bins.n_good)), np.bincount(place, stiff, len(bins.n_good))
    values = u / (h + ridge)
    heard = np.isin(np.arange(len(values)), bins.neutral, invert=True)
    values = np.where(heard, values - (values * h)[heard].sum() / max(h[heard].sum(), 1e-12), 0.0)
    return Effects(bins, values, values[place])


def level(z: np.ndarray, y: np.ndarray, intercept: float) -> float:
    """Return the intercept at which predictions and outcomes have the same mean."""
    for _ in range(20):
        p = expit(intercept + z)
        step = (y - p).sum() / max((p * (1 - p)).sum(), 1e-12)
        intercept += float(np.clip(step, -3, 3))
        if abs(step) < 1e-10:
            break
    return intercept
