"""What do events add to a model? The same learner with and without their counts, on dates it hasn't seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from workbench import metrics
from workbench.contracts import Contract
from workbench.metrics.intervals import bootstrap_interval

DRAWS = 100
LEARNER = {
    "max_iter": 120,
    "learning_rate": 0.06,
    "max_leaf_nodes": 12,
    "min_samples_leaf": 100,
    "early_stopping": False,
}


def drawn(panel: pd.DataFrame, most: int, seed: int) -> pd.DataFrame:
    """Return the panel's rows with an outcome, of whole customers drawn at random, about `most` rows."""
    rows = panel[panel["outcome"].notna()]
    if len(rows) <= most:
        return rows
    parents = rows["parent_id"].drop_duplicates()
    chosen = parents.sample(frac=most / len(rows), random_state=seed)
    return rows[rows["parent_id"].isin(chosen)]


def gain(rows: pd.DataFrame, counts: pd.DataFrame, contract: Contract, share: float, seed: int) -> dict[str, float]:
    """Return AUC on the latest dates without and with event counts, the difference and its 95 % interval.

    rows: of a panel; counts: of the same index, a column a kind. Learnt on the dates before the last `share` of them,
    without those whose outcome isn't over by then; tested on the last. Facts: `without`, `with_events`, `gain`, `low`,
    `high`, `n`, `n_test`; the interval resamples customers, the two models as they are. AUCs are NaN where the dates
    are nearer together than the window, or the rows on a side of it have one outcome only.
    """
    columns = [c.name for c in contract.columns if c.role == "feature" and c.name in rows]
    numbers = [c for c in columns if contract[c].type in ("number", "integer")]
    X = rows[numbers].astype(float)
    for c in (c for c in columns if contract[c].type == "category"):
        X[c] = pd.factorize(rows[c].astype("string"), sort=True)[0].astype(float)
    dates = np.sort(rows["as_of_date"].unique())
    first = dates[min(len(dates) - 1, int(len(dates) * (1 - share)))]
    before = pd.Timestamp(first) - pd.DateOffset(months=contract.outcome.window_months)
    test, learn = rows["as_of_date"] >= first, rows["as_of_date"] <= before
    y = rows["outcome"].to_numpy(float)
    scores, sizes = [], {"n": int(learn.sum()), "n_test": int(test.sum())}
    if min(len(np.unique(y[side.to_numpy()])) for side in (learn, test)) < 2:
        return dict.fromkeys(("without", "with_events", "gain", "low", "high"), float("nan")) | sizes
    for table in (X, pd.concat([X, counts], axis=1)):
        model = HistGradientBoostingClassifier(**LEARNER, random_state=seed)
        model.fit(table[learn].to_numpy(), y[learn.to_numpy()])
        scores.append(model.predict_proba(table[test].to_numpy())[:, 1])
    held = y[test.to_numpy()]
    without, with_events = (metrics.auc(held, s) for s in scores)
    low, high = bootstrap_interval(_difference, (held, *scores), rows.loc[test, "parent_id"], seed, DRAWS)
    facts = {"without": without, "with_events": with_events, "gain": with_events - without, "low": low, "high": high}
    return facts | sizes


def _difference(y: np.ndarray, without: np.ndarray, with_events: np.ndarray) -> float:
    return metrics.auc(y, with_events) - metrics.auc(y, without) if 0 < y.sum() < len(y) else float("nan")
