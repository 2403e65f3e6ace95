"""Would an independent model on the same inputs do clearly better?

**Method** the validator's own histogram gradient boosting on all features of the panel, fitted to development; difference of AUC on the hold-out, paired bootstrap by account.
**Reads as bad** a lead of the challenger whose lower bound is above the threshold.
**Blind to** features nobody built.
**Source** ECB guide to internal models (2024), benchmarking; Ke et al. (2017) for histogram boosting.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from workbench import metrics
from workbench.evidence import Evidence
from workbench.panel.bins import is_category
from workbench.validation.subject import Subject

FAMILY = "robustness"
ROWS = 30_000


def _prepared(rows: pd.DataFrame, learn: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    columns = {}
    for n in names:
        kinds = learn[n].dropna().unique() if is_category(learn[n]) else None
        columns[n] = rows[n] if kinds is None else pd.Categorical(rows[n], categories=sorted(kinds))
    return pd.DataFrame(columns, index=rows.index)


def test(s: Subject) -> Evidence:
    """Return the challenger's lead in AUC on the hold-out with its interval."""
    names, t = [c.name for c in s.contract.features()], s.thresholds["challenger"]
    learn = s.development.sample(min(ROWS, len(s.development)), random_state=s.seed)
    model = HistGradientBoostingClassifier(
        max_iter=150, learning_rate=0.05, max_leaf_nodes=15, categorical_features="from_dtype", random_state=s.seed
    )
    with threadpool_limits(1):  # threads that wait for a busy core cost more than they bring
        model.fit(_prepared(learn, learn, names), learn["outcome"])
        other = model.predict_proba(_prepared(s.holdout, learn, names))[:, 1]
    y, own, w = (s.holdout[c].to_numpy(float) for c in ("outcome", "pd", "weight"))

    def lead(y: np.ndarray, own: np.ndarray, other: np.ndarray, w: np.ndarray) -> float:
        return metrics.auc(y, other, w) - metrics.auc(y, own, w)

    value = lead(y, own, other, w)
    low, high = metrics.bootstrap_interval(lead, (y, own, other, w), s.holdout["entity_id"], s.seed, 100)
    return Evidence(
        key="challenger",
        question="Would an independent model do clearly better?",
        verdict=t.light(low),
        answer=f"The challenger's lead in AUC is {value:+.4f} ({low:+.4f} to {high:+.4f}).",
        value=value,
        threshold=str(t),
        source="ECB guide (2024)",
    )
