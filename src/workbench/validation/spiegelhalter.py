"""Is the Brier score what it should be if the predictions were true?

**Method** z = Σ (y − p)(1 − 2p) / sqrt(Σ (1 − 2p)² p(1 − p)), two-sided; where rows are weighted or share a parent each term times its weight, with the squared sums by parent as variance.
**Reads as bad** a small p where the grades' rates are off by enough to matter.
**Blind to** errors that cancel between low and high predictions; in a weighted random split it rejects less often than its level.
**Source** Spiegelhalter (1986), Statistics in Medicine 5(5).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from workbench import metrics
from workbench.evidence import Evidence
from workbench.validation.estimated import both, inflation, learnt
from workbench.validation.sight import factor_seen, level, sight, two
from workbench.validation.significance import both_text, distance, p_text, shared
from workbench.validation.subject import Subject
from workbench.words import say

FAMILY, KINDS, BY_CHANCE = "calibration", {"binary", "named"}, True


def statistic(y: np.ndarray, p: np.ndarray, w: np.ndarray, parents: np.ndarray | None = None) -> float:
    """Return z of n outcomes, predictions and weights; standard normal where the predictions are true.

    Weights that differ mean that rows with the event and others were drawn apart: p(1 − p) is then not the variance
    of a row, and the squares of the terms (of their sums by parent) stand for it. Where the number of events was
    fixed beforehand z is too small.
    """
    terms = w * (y - p) * (1 - 2 * p)
    codes = np.arange(len(y)) if parents is None else np.unique(parents, return_inverse=True)[1]
    alone = codes.max() == len(y) - 1
    plain = alone and np.ptp(w) == 0
    spread = (w**2 * (1 - 2 * p) ** 2 * p * (1 - p)).sum() if plain else (np.bincount(codes, terms) ** 2).sum()
    return float(terms.sum() / np.sqrt(spread))


def _least_factor(h: pd.DataFrame, level: float) -> float:
    """Return by which factor all true rates would lie above the predictions for z to see it with 80 %.

    The sum of z then moves by (factor − 1)·Σ w·p·(1 − 2p); its error is that of the terms, by parent.
    """
    y, p, w = (h[c].to_numpy(float) for c in ("outcome", "predicted", "weight"))
    error = metrics.clustered_error(w * (y - p) * (1 - 2 * p), h["parent_id"])
    return 1 + metrics.least_shift(error, level / 2) / float((w * p * (1 - 2 * p)).sum())


def test(s: Subject) -> Evidence:
    """Return Spiegelhalter's z on the rows tested."""
    h, far = s.holdout, distance(s.grades(s.holdout))
    arrays = (h[c].to_numpy(float) for c in ("outcome", "predicted", "weight"))
    z = statistic(*arrays, h["parent_id"].to_numpy())
    z_both = z / inflation(h, learnt(s.development)) ** 0.5
    p, p_both = (shared(2 * stats.norm.sf(abs(v)), s.looks) for v in (z, z_both))
    return Evidence(
        key="spiegelhalter",
        question=say("Is the Brier score what a true {predicted} would give?", predicted=s.outcome.predicted),
        verdict=both(p, p_both, far, s.rules),
        answer=say(
            "On {sample}: z {z:.2f}, adjusted {p}; the grades' {rate} is off by {off:.1%} on average.",
            sample=s.tested,
            z=z,
            p=p_text(p),
            rate=s.outcome.rate,
            off=far - 1,
        ),
        value=p,
        threshold=both_text(s.rules, s.looks),
        source="Spiegelhalter (1986)",
        sight=sight(s, z, factor_seen(_least_factor(h, level(s)), s), **two(s, p, far, p_both)),
    )
