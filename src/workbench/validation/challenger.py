"""Would an independent model on the same inputs do clearly better?

**Method** the validator's own histogram gradient boosting on all features of the panel, fitted to development; lead in AUC on the hold-out (in R² where an amount or a rate is predicted), interval of the paired difference by parent.
**Reads as bad** a lead of the challenger whose lower bound is above the threshold.
**Blind to** features nobody built.
**Source** DeLong et al. (1988) for the paired difference; Ke et al. (2017), NeurIPS 30, for histogram boosting.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from workbench import metrics
from workbench.contracts import Outcome
from workbench.evidence import Evidence, judged
from workbench.panel.bins import is_category
from workbench.validation.sight import Gauge, above_seen, sight
from workbench.validation.subject import Subject
from workbench.words import say

FAMILY, KINDS = "robustness", {"binary", "rate", "amount"}
ROWS = 30_000
MOST_CATEGORIES = 254  # histogram boosting takes 255 bins; the rarer ones are missing to it


def _prepared(rows: pd.DataFrame, learn: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    columns = {}
    for n in names:
        if is_category(learn[n]):
            known = learn[n].value_counts().index[:MOST_CATEGORIES]
            columns[n] = pd.Categorical(rows[n].astype(object), categories=sorted(known, key=str))
        else:
            columns[n] = rows[n].to_numpy(float)
    return pd.DataFrame(columns, index=rows.index)


def predictions(s: Subject) -> np.ndarray:
    """Return what the challenger, learnt on development, says of the hold-out (n)."""
    names, binary = [c.name for c in s.contract.features()], s.outcome.is_binary
    learn = s.development.sample(min(ROWS, len(s.development)), random_state=s.seed)
    kind = HistGradientBoostingClassifier if binary else HistGradientBoostingRegressor
    model = kind(
        max_iter=150,
        learning_rate=0.05,
        max_leaf_nodes=15,
        categorical_features="from_dtype",
        early_stopping=False,  # it would hold out rows by a draw
    )
    with threadpool_limits(1):  # threads that wait for a busy core cost more than they bring
        model.fit(_prepared(learn, learn, names), learn["outcome"])
        held = _prepared(s.holdout, learn, names)
        return model.predict_proba(held)[:, 1] if binary else model.predict(held)


def lead(s: Subject, other: np.ndarray) -> tuple[float, float]:
    """Return the lead of other predictions of the hold-out in AUC (or R²), and its standard error by parent."""
    h, binary = s.holdout, s.outcome.is_binary
    measure, influence = (
        (metrics.auc, metrics.auc_influence) if binary else (metrics.r_squared, metrics.r_squared_influence)
    )
    first, second = (h["outcome"], other, h["weight"]), (h["outcome"], h["predicted"], h["weight"])
    error = metrics.clustered_error(influence(*first) - influence(*second), h["parent_id"])
    return measure(*first) - measure(*second), error


def source_of(outcome: Outcome) -> str:
    """Return whose the error of a lead is: DeLong's is of AUC alone, that of R² goes by its influence curve."""
    return "DeLong et al. (1988)" if outcome.is_binary else "Hampel (1974), JASA 69"


def test(s: Subject) -> Evidence:
    """Return the challenger's lead on the hold-out with its interval."""
    binary = s.outcome.is_binary
    rule = s.rules["challenger" if binary else "challenger_r_squared"]
    value, error = lead(s, predictions(s))
    half = float(stats.norm.ppf(0.975)) * error
    facts = {"lead": value, "low": value - half, "high": value + half, "measure": say("AUC") if binary else say("R²")}
    return Evidence(
        key="challenger",
        question=say("Would an independent model do clearly better?"),
        verdict=judged(value - half, rule),
        answer=(
            say("The challenger leads in {measure} by {lead:.4f} ({low:.4f} to {high:.4f}).", **facts)
            if value >= 0
            else say(
                "The challenger trails in {measure} by {behind:.4f} ({least:.4f} to {most:.4f}).",
                behind=-value,
                least=-facts["high"],
                most=-facts["low"],
                measure=facts["measure"],
            )
        ),
        value=value,
        threshold=rule.text,
        source=source_of(s.outcome),
        sight=sight(
            s,
            value,
            above_seen(rule.amber, error, 0.025, say("lead in {measure}", measure=facts["measure"])),
            convention=Gauge(value, rule),
            significance=Gauge(value - half, rule),
        ),
    )
