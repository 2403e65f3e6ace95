"""How much a column separates those with the event from those without: its information value, and the error of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from workbench.metrics.intervals import effective_counts
from workbench.metrics.stability import FLOOR_OBSERVATIONS


def information(
    codes: ArrayLike, outcome: ArrayLike, weight: ArrayLike, k: int, clusters: ArrayLike
) -> tuple[float, np.ndarray, float]:
    """Return the information value Σ(g−b)·ln(g/b) of bins (n codes of k), influence of each row (n), error of chance.

    g, b: a bin's part of the rows without the event and with it; an empty one counts as half an observation. What
    chance alone adds, (bins − 1)·(1/n without + 1/n with), is taken off, so that samples of different size compare: the
    value can lie below 0. n is the size of the plain sample whose counts by bin are as certain as these, weighted and
    of several rows a cluster (`effective_counts`). Where bins say nothing the value is χ² of bins − 1 degrees times the
    sizes' inverses; the error of chance, √(2·(bins − 1))·(1/n without + 1/n with), belongs beside that from the
    influence, which is 0 there.
    Source: Siddiqi (2017), ch. 6; Yurdakul & Naranjo (2020) for the distribution; Hampel (1974) for the influence; Rao
    & Scott (1981) for the sizes.

    >>> value, influence, chance = information([0, 0, 1, 1] * 50, [1, 0, 1, 0] * 50, np.ones(200), 2, range(200))
    >>> round(value, 4), round(float(influence.sum()), 9), round(chance, 4)
    (-0.02, 0.0, 0.0283)
    """
    codes, y, w = np.asarray(codes, int), np.asarray(outcome, float), np.asarray(weight, float)
    sums = [np.bincount(codes, w * part, k) for part in (1 - y, y)]
    used = (sums[0] + sums[1]) > 0
    g, b = (np.where(used, np.maximum(s, FLOOR_OBSERVATIONS), 1.0) for s in sums)
    g, b = g / g[used].sum(), b / b[used].sum()
    log = np.where(used, np.log(g / b), 0.0)
    of_good, of_bad = log + (g - b) / g, -log - (g - b) / b  # slopes of the value on g and on b
    good = (1 - y) * w * (of_good[codes] - (g * of_good)[used].sum()) / max(sums[0].sum(), 1e-12)
    bad = y * w * (of_bad[codes] - (b * of_bad)[used].sum()) / max(sums[1].sum(), 1e-12)
    parent = np.asarray(clusters)
    sizes = [effective_counts(codes[part], w[part], parent[part]) if part.any() else 1.0 for part in (y == 0, y == 1)]
    freedom, each = max(int(used.sum()) - 1, 0), sum(1 / n for n in sizes)
    value = float(((g - b) * log)[used].sum() - freedom * each)
    return value, good + bad, float(np.sqrt(2 * freedom) * each)
