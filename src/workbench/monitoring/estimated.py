"""What a model will turn out to have done in periods whose outcomes aren't known yet, estimated from its predictions.

Written here because the library that has it (NannyML) calls home and caps pandas. A probability that is right says how
often each row has the event; so it says what AUC, KS, Brier score and rate to expect. It is made right on the newest
outcomes there are, not on development's alone: what the model has since lost in level is in the estimate.
Source: Bialek et al. (2024), Estimating model performance under covariate shift without labels, arXiv:2401.08348;
Hanley & McNeil (1982), Radiology 143(1), for the error of an AUC.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from workbench import metrics
from workbench.evidence import Verdict, judged
from workbench.models.scorer import Calibration
from workbench.models.tuning import calibrated
from workbench.monitoring import drift
from workbench.rules import Rules

NAMES = ["estimated_auc", "estimated_low", "estimated_high", "estimated_ks", "estimated_brier", "estimated_rate"]
NEWEST = 12  # matured periods on which predictions are made right


def by_period(rows: pd.DataFrame, reference: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """Return the estimates of every period, matured or not, each made with outcomes known before that period alone.

    `rows`, `reference` (development's hold-out, outcomes known): period, known_in, predicted, outcome (0, 1; NaN while
    the window is open), weight, parent_id. Columns: period, estimated_auc, its 95 % interval, estimated_ks,
    estimated_brier, estimated_rate, calibrated_on (known events), light: how far the estimated AUC lies below the one
    estimated for `reference` in the same way, as the rules have it, where its interval lies below, too.
    """
    expected = _of(reference, _right(reference, rules)[0])[0]
    out = []
    for period, part in rows.groupby("period"):
        before = rows[(rows["known_in"] < period) & rows["outcome"].notna()]
        newest = before[before["period"].isin(sorted(before["period"].unique())[-NEWEST:])]
        calibration, events = _right(newest, rules)
        values = _of(part, calibration)
        light = Verdict.green if values[2] >= expected else judged(expected - values[0], rules["auc_drop"])
        out.append((period, *values, events, str(light)))
    return pd.DataFrame(out, columns=["period", *NAMES, "calibrated_on", "light"])


def _right(known: pd.DataFrame, rules: Rules) -> tuple[Calibration, int]:
    """Return what makes predictions right on known outcomes (too few: as they are), and how many events it rests on."""
    events, as_they_are = int(known["outcome"].sum()) if len(known) else 0, Calibration(1.0, 0.0)
    if metrics.rarer(known["outcome"]) < rules.number("least_events") or not np.ptp(known["predicted"]):
        return as_they_are, events
    return calibrated(*(known[c].to_numpy(float) for c in ("predicted", "outcome", "weight")), falls=True), events


def expected_auc(p: np.ndarray, weight: np.ndarray) -> float:
    """Return the AUC to expect of probabilities p (n)."""
    return metrics.auc(*_both(p, p, weight))


def _both(score: np.ndarray, p: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return outcome, score and weight of 2n rows: each of n is an event with weight p and none with 1 − p."""
    return np.repeat([1.0, 0.0], len(p)), np.tile(score, 2), np.concatenate([p * weight, (1 - p) * weight])


def _of(rows: pd.DataFrame, calibration: Calibration) -> tuple[float, ...]:
    """Return AUC with interval, KS, Brier score and rate to expect of rows whose predictions are made right.

    AUC and KS are the predictions' own: one that ranks the wrong way has an AUC below 0.5.
    """
    score, weight = rows["predicted"].to_numpy(float), rows["weight"].to_numpy(float)
    p, independent = calibration.apply(score), drift.parents_per_row(rows)
    both = _both(score, p, weight)
    auc, ks = metrics.auc(*both), metrics.ks(*both)
    error = _auc_error(auc, float(p.sum()) * independent, float((1 - p).sum()) * independent)
    half = float(stats.norm.ppf(0.975)) * error
    brier, rate = float(np.average(p * (1 - p), weights=weight)), float(np.average(p, weights=weight))
    return auc, max(auc - half, 0.0), min(auc + half, 1.0), ks, brier, rate


def _auc_error(auc: float, events: float, others: float) -> float:
    """Return the standard error of an AUC by Hanley & McNeil.

    >>> round(_auc_error(0.75, 100, 900), 4)
    0.0291
    """
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (events - 1) * (q1 - auc**2) + (others - 1) * (q2 - auc**2)
    return float(np.sqrt(max(spread, 0.0) / max(events * others, 1e-12)))
