"""Out-of-fold AUC of the workbench's candidates beside plain models, stratified 5-fold, the same folds for everybody.

Run: `python benchmarks/discrimination.py [FOLDER] [SAMPLE ...]`. The samples are those of frames.py; with a FOLDER
each is written there for peers.py, which runs libraries in an environment of their own on the same rows and folds.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from frames import Frame, frames
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from xgboost import XGBClassifier

from workbench import metrics
from workbench.models.scorecard import Scorecard
from workbench.models.trees import BoostedTrees, RuleTree
from workbench.panel.bins import is_category, quantile_bins

SEED, FOLDS = 42, 5
Predict = Callable[[pd.DataFrame, np.ndarray, pd.DataFrame], np.ndarray]


def decile_logistic(train: pd.DataFrame, y: np.ndarray, test: pd.DataFrame) -> np.ndarray:
    """Return predictions of a logistic regression on ten quantile bins per column, one indicator each."""
    bins = {n: quantile_bins(train[n]) for n in train}
    seen, asked = (
        np.hstack([np.eye(len(b.labels))[b.codes(rows[n])] for n, b in bins.items()]) for rows in (train, test)
    )
    return LogisticRegression(max_iter=1000).fit(seen, y).predict_proba(asked)[:, 1]


def as_categories(train: pd.DataFrame, test: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return both with text columns as categories of the training rows, as boosted trees want them."""
    text = [n for n in train if is_category(train[n])]
    types = {n: pd.CategoricalDtype(sorted(train[n].dropna().astype(str).unique())) for n in text}
    return train.astype(types), test.astype(types)


def boosted(make: Callable[[], object]) -> Predict:
    """Return a fit-and-predict of a library that takes categories."""

    def predict(train: pd.DataFrame, y: np.ndarray, test: pd.DataFrame) -> np.ndarray:
        a, b = as_categories(train, test)
        return make().fit(a, y).predict_proba(b)[:, 1]

    return predict


def models(f: Frame) -> dict[str, Predict]:
    """Return every model, by name."""
    return {
        "workbench scorecard": lambda a, y, b: Scorecard(f.signs).fit(a, y).predict_proba(b)[:, 1],
        "workbench boosted": lambda a, y, b: BoostedTrees(f.signs, 3).fit(a, y).predict_proba(b)[:, 1],
        "workbench tree": lambda a, y, b: RuleTree(6).fit(a, y).predict_proba(b)[:, 1],
        "decile-bin logistic": decile_logistic,
        "XGBoost": boosted(
            lambda: XGBClassifier(n_estimators=300, max_depth=4, learning_rate=0.05, n_jobs=1, enable_categorical=True)
        ),
        "hist. boosting": boosted(lambda: HistGradientBoostingClassifier(random_state=SEED)),
    }


def out_of_fold(predict: Predict, X: pd.DataFrame, y: np.ndarray, folds: list) -> list[tuple[float, float]]:
    """Return AUC and KS of each fold."""
    measured = []
    for train, test in folds:
        risk = predict(X.iloc[train], y[train], X.iloc[test])
        measured.append((metrics.auc(y[test], risk), metrics.ks(y[test], risk)))
    return measured


def row(sample: str, name: str, measured: list[tuple[float, float]], seconds: float) -> str:
    """Return one line of the table."""
    auc, ks = np.array(measured).T
    return f"| {sample} | {name} | {auc.mean():.4f} | {auc.std():.4f} | {ks.mean():.4f} | {seconds:.1f} |"


def main(folder: Path | None, names: list[str]) -> None:
    """Print one row per sample and model: mean AUC and its deviation over the folds, KS, CPU seconds."""
    warnings.simplefilter("ignore")
    print(f"| sample | model, {FOLDS} folds | AUC | sd | KS | CPU s |\n| --- | --- | --- | --- | --- | --- |")
    for sample, f in frames(names).items():
        folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(f.X, f.y))
        if folder:
            written(folder, sample, f, folds)
        for name, predict in models(f).items():
            began = time.process_time()
            measured = out_of_fold(predict, f.X, f.y, folds)
            print(row(sample, name, measured, time.process_time() - began), flush=True)


def written(folder: Path, sample: str, f: Frame, folds: list) -> None:
    """Write the sample for peers.py: features, outcome `event` and the fold in which each row is tested."""
    folder.mkdir(parents=True, exist_ok=True)
    fold = np.zeros(len(f.y), dtype=int)
    for i, (_, test) in enumerate(folds):
        fold[test] = i
    for name, X in {sample: f.X, f"{sample}, raw": f.raw}.items():
        if X is not None:
            X.assign(event=f.y, fold=fold).to_parquet(folder / f"{name}.parquet")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None, sys.argv[2:])
