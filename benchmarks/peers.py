"""AUC of scorecard libraries that need an older pandas: the folds of discrimination.py, an environment of their own.

Run by `make benchmarks`. They get the raw columns, as their own examples do; both bin and weigh (WOE), the logistic
regression on top is scikit-learn's, with its defaults.
"""

from __future__ import annotations

import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import scorecardpy
import toad
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.model_selection import StratifiedKFold

FILE = Path(__file__).parents[1] / "src" / "workbench" / "portfolios" / "data" / "taiwan_cards.parquet"
SEED, FOLDS, OUTCOME = 42, 5, "default"  # scorecardpy wants it in lower case


def by_toad(train: pd.DataFrame, test: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return WOE of both samples by toad's chi-merge bins."""
    combiner = toad.transform.Combiner().fit(train, y=OUTCOME, method="chi", min_samples=0.05)
    woe = toad.transform.WOETransformer()
    learnt = woe.fit_transform(combiner.transform(train), train[OUTCOME], exclude=[OUTCOME])
    return learnt.drop(columns=OUTCOME), woe.transform(combiner.transform(test)).drop(columns=OUTCOME)


def by_scorecardpy(train: pd.DataFrame, test: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return WOE of both samples by scorecardpy's bins."""
    bins = scorecardpy.woebin(
        train, y=OUTCOME, no_cores=1, ignore_const_cols=False, ignore_datetime_cols=False, print_info=False
    )
    learnt, asked = (scorecardpy.woebin_ply(rows, bins, no_cores=1).drop(columns=OUTCOME) for rows in (train, test))
    return learnt, asked[learnt.columns]


def main() -> None:
    """Print one row per library: mean AUC and KS over the folds, standard deviation, seconds."""
    warnings.simplefilter("ignore")
    rows = pd.read_parquet(FILE).rename(columns=str.lower).sort_values("id", ignore_index=True)
    rows = rows.drop(columns="id")
    for name, woe in {"toad scorecard, raw": by_toad, "scorecardpy scorecard, raw": by_scorecardpy}.items():
        began, aucs, distances = time.perf_counter(), [], []
        for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(rows, rows[OUTCOME]):
            a, b = woe(rows.iloc[train].reset_index(drop=True), rows.iloc[test].reset_index(drop=True))
            y = rows[OUTCOME].iloc[test]
            risk = LogisticRegression(max_iter=2000).fit(a, rows[OUTCOME].iloc[train]).predict_proba(b)[:, 1]
            false, true, _ = roc_curve(y, risk)
            aucs.append(roc_auc_score(y, risk))
            distances.append((true - false).max())
        took = time.perf_counter() - began
        print(f"| {name} | {np.mean(aucs):.4f} | {np.std(aucs):.4f} | {np.mean(distances):.4f} | {took:.0f} |")


if __name__ == "__main__":
    main()
