"""Out-of-sample AUC on taiwan_cards, stratified 5-fold: the workbench's candidates and peers on the same folds.

Run: `.venv/bin/python benchmarks/discrimination.py`. Peers get the raw columns, as their own examples do.
"""

from __future__ import annotations

import time
import warnings

import numpy as np
import pandas as pd
from optbinning import BinningProcess
from optbinning.scorecard import Scorecard as OptBinningScorecard
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier

from workbench import contracts, metrics
from workbench.models.development import directions
from workbench.models.scorecard import Scorecard
from workbench.models.trees import BoostedTrees, RuleTree
from workbench.panel import build
from workbench.portfolios.taiwan_cards import SOURCE

SEED, FOLDS = 42, 5
GOAL = {"workbench boosted": 0.783, "workbench scorecard": 0.770}


def panel() -> tuple[pd.DataFrame, dict[str, int], np.ndarray]:
    """Return the features, their directions and the outcome of the study params/taiwan_cards.yaml."""
    checked, _ = contracts.check(pd.read_parquet(SOURCE.path), SOURCE.contract, pd.Timestamp("2026-01-01"))
    core = SOURCE.core({SOURCE.name: checked}, {SOURCE.name: SOURCE.contract})
    built, words = build.build(*core["core__account"], core["core__month"][0], build.Params(study="benchmark"))
    built = built.sort_values("entity_id", key=lambda s: s.astype(int), ignore_index=True)
    return built[[c.name for c in words.features()]], directions(words), built["outcome"].to_numpy(int)


def raw_columns() -> pd.DataFrame:
    """Return the file's own columns, as peers are shown with."""
    raw = pd.read_parquet(SOURCE.path).sort_values("ID", ignore_index=True)
    return raw.drop(columns=["ID", "DEFAULT"]).astype(float)


def optbinning(X: pd.DataFrame, y: np.ndarray) -> OptBinningScorecard:
    """Return OptBinning's own scorecard on the columns."""
    process = BinningProcess(list(X.columns), categorical_variables=["SEX", "EDUCATION", "MARRIAGE"])
    card = OptBinningScorecard(binning_process=process, estimator=LogisticRegression(max_iter=2000))
    return card.fit(X, y)


def main() -> None:
    """Print one row per model: mean AUC and KS over the folds, standard deviation, seconds."""
    warnings.simplefilter("ignore")
    X, signs, y = panel()
    R = raw_columns()
    models = {
        "workbench boosted": (X, lambda a, b: BoostedTrees(signs, 3).fit(a, b)),
        "workbench scorecard": (X, lambda a, b: Scorecard(signs, C=1.0).fit(a, b)),
        "workbench tree": (X, lambda a, b: RuleTree(6).fit(a, b)),
        "OptBinning scorecard, raw": (R, optbinning),
        "XGBoost defaults, raw": (R, lambda a, b: XGBClassifier(n_jobs=2).fit(a, b)),
        "hist. boosting, raw": (R, lambda a, b: HistGradientBoostingClassifier(random_state=SEED).fit(a, b)),
        "tree depth 5, raw": (
            R,
            lambda a, b: DecisionTreeClassifier(max_depth=5, random_state=SEED).fit(a, b),
        ),
        "logistic, raw": (
            R,
            lambda a, b: make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(a, b),
        ),
    }
    print(f"| model, {FOLDS} folds | AUC | sd | KS | seconds |\n| --- | --- | --- | --- | --- |")
    for name, (data, fit) in models.items():
        began, aucs, distances = time.perf_counter(), [], []
        for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(data, y):
            risk = fit(data.iloc[train], y[train]).predict_proba(data.iloc[test])[:, 1]
            aucs.append(metrics.auc(y[test], risk))
            distances.append(metrics.ks(y[test], risk))
        took = time.perf_counter() - began
        print(
            f"| {name} | {np.mean(aucs):.4f} | {np.std(aucs):.4f} | {np.mean(distances):.4f} | {took:.0f} |",
            flush=True,
        )
        if np.mean(aucs) < GOAL.get(name, 0):
            raise SystemExit(f"{name}: AUC {np.mean(aucs):.4f} is below the goal of {GOAL[name]}")


if __name__ == "__main__":
    main()
