"""Out-of-fold AUC of scorecard libraries and glass boxes that need an older pandas, in an environment of their own.

Run by `make benchmarks`: `python benchmarks/peers.py FOLDER [SAMPLE ...]`, where FOLDER holds the samples that
discrimination.py wrote, with its folds: the same features, and for taiwan_cards the raw columns, too, as the
libraries' own examples are shown. Where a library bins and weighs (WOE), the logistic regression on top is
scikit-learn's with its defaults.
"""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import scorecardpy
import toad
from interpret.glassbox import ExplainableBoostingClassifier
from lightgbm import LGBMClassifier
from optbinning import BinningProcess
from optbinning.scorecard import Scorecard
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score, roc_curve

OUTCOME, FOLD = "event", "fold"


def by_optbinning(train: pd.DataFrame, y: np.ndarray, test: pd.DataFrame) -> np.ndarray:
    """OptBinning's own scorecard with its defaults."""
    process = BinningProcess(list(train), categorical_variables=[n for n in train if train[n].dtype == object])
    card = Scorecard(binning_process=process, estimator=LogisticRegression(max_iter=2000))
    return card.fit(train, y).predict_proba(test)[:, 1]


def by_toad(train: pd.DataFrame, y: np.ndarray, test: pd.DataFrame) -> np.ndarray:
    """toad's chi-merge bins and WOE; missing values in a bin of their own where its default fails on them."""
    try:
        return _by_toad(train, y, test)
    except ValueError:
        return _by_toad(train, y, test, empty_separate=True)


def _by_toad(train: pd.DataFrame, y: np.ndarray, test: pd.DataFrame, **options: bool) -> np.ndarray:
    rows = train.assign(event=y)
    combiner = toad.transform.Combiner().fit(rows, y=OUTCOME, method="chi", min_samples=0.05, **options)
    woe = toad.transform.WOETransformer()
    learnt = woe.fit_transform(combiner.transform(rows), rows[OUTCOME], exclude=[OUTCOME]).drop(columns=OUTCOME)
    return _logistic(learnt, y, woe.transform(combiner.transform(test)))


def by_scorecardpy(train: pd.DataFrame, y: np.ndarray, test: pd.DataFrame) -> np.ndarray:
    """scorecardpy's tree bins and WOE."""
    rows = train.assign(event=y)
    quiet = {"no_cores": 1, "ignore_const_cols": False, "ignore_datetime_cols": False, "print_info": False}
    quiet["check_cate_num"] = False  # it would ask at the keyboard
    bins = scorecardpy.woebin(rows, y=OUTCOME, **quiet)
    learnt, asked = (scorecardpy.woebin_ply(r, bins, no_cores=1).filter(like="_woe") for r in (rows, test))
    return _logistic(learnt, y, asked[list(learnt)])


def _logistic(learnt: pd.DataFrame, y: np.ndarray, asked: pd.DataFrame) -> np.ndarray:
    """A category not seen in training, for which a library returns no number, is neutral (0)."""
    asked = asked[list(learnt)].astype(float).fillna(0)
    return LogisticRegression(max_iter=2000).fit(learnt.astype(float).fillna(0), y).predict_proba(asked)[:, 1]


def by_lightgbm(train: pd.DataFrame, y: np.ndarray, test: pd.DataFrame) -> np.ndarray:
    """LightGBM, 300 small steps."""
    types = {n: pd.CategoricalDtype(sorted(train[n].dropna().unique())) for n in train if train[n].dtype == object}
    model = LGBMClassifier(n_estimators=300, learning_rate=0.03, num_leaves=15, n_jobs=1, verbose=-1)
    return model.fit(train.astype(types), y).predict_proba(test.astype(types))[:, 1]


def by_ebm(train: pd.DataFrame, y: np.ndarray, test: pd.DataFrame) -> np.ndarray:
    """Explainable boosting, main effects, few bags (interactions take 20 times as long)."""
    model = ExplainableBoostingClassifier(interactions=0, outer_bags=4, n_jobs=1, random_state=42)
    return model.fit(train, y).predict_proba(test)[:, 1]


PEERS = {
    "OptBinning scorecard": by_optbinning,
    "toad scorecard": by_toad,
    "scorecardpy scorecard": by_scorecardpy,
    "LightGBM": by_lightgbm,
    "EBM, main effects": by_ebm,
}


def main(folder: Path, names: list[str]) -> None:
    """Print one row per sample and library: mean AUC and its deviation over the folds, KS, CPU seconds."""
    warnings.simplefilter("ignore")
    print("| sample | model, 5 folds | AUC | sd | KS | CPU s |\n| --- | --- | --- | --- | --- | --- |")
    for file in sorted(folder.glob("*.parquet")):
        if names and file.stem not in names:
            continue
        rows = pd.read_parquet(file)
        rows = rows.rename(columns={n: n.lower() for n in rows})
        for name, predict in PEERS.items():
            print(_row(file.stem, name, predict, rows), flush=True)


def _row(sample: str, name: str, predict: object, rows: pd.DataFrame) -> str:
    began, aucs, distances = time.process_time(), [], []
    X, y = rows.drop(columns=[OUTCOME, FOLD]), rows[OUTCOME].to_numpy()
    for fold in range(rows[FOLD].max() + 1):
        test = (rows[FOLD] == fold).to_numpy()
        a, b = X[~test].reset_index(drop=True), X[test].reset_index(drop=True)
        try:
            risk = predict(a, y[~test], b)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:  # a failure is a result, too
            return f"| {sample} | {name} | fails: {type(error).__name__} | | | |"
        false, true, _ = roc_curve(y[test], risk)
        aucs.append(roc_auc_score(y[test], risk))
        distances.append((true - false).max())
    took = time.process_time() - began
    return f"| {sample} | {name} | {np.mean(aucs):.4f} | {np.std(aucs):.4f} | {np.mean(distances):.4f} | {took:.1f} |"


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
