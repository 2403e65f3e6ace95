"""Screen features for what could only be known afterwards: by when they are known, and by how much they say alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from workbench import metrics
from workbench.contracts import Column, Contract
from workbench.evidence import Evidence, Verdict
from workbench.panel.bins import is_category

ALONE_ABOVE_NEXT = 0.10  # single AUC above the runner-up's
COST_OF_REMOVAL = 0.05  # AUC lost when the feature is left out
EXAMINED = 3  # the strongest single features are tried without
ROWS = 10_000


def screen(X: pd.DataFrame, y: np.ndarray, seed: int) -> pd.DataFrame:
    """Return one row per feature: single AUC (cross-validated small tree), gap to the next, cost of removal, suspect.

    X: n × k, y: n values 1 or 0. A feature is suspect where it alone has an AUC at least 0.10 above the
    next one's, or where leaving it out costs boosted trees at least 0.05. The removal cost is computed
    for the three strongest; it is NaN for the others. Two leaks of the same strength hide one another.
    """
    if len(y) > ROWS:
        kept = np.random.default_rng(seed).choice(len(y), ROWS, replace=False)
        X, y = X.iloc[np.sort(kept)], y[np.sort(kept)]
    numbers = pd.DataFrame({c: _numbers(X[c]) for c in X.columns})
    folds = StratifiedKFold(3, shuffle=True, random_state=seed)
    alone = pd.Series({c: _alone(numbers[[c]], y, folds, seed) for c in numbers}).sort_values(ascending=False)
    table = pd.DataFrame(
        {
            "feature": alone.index,
            "auc_alone": alone.to_numpy(),
            "gap_to_next": np.nan,
            "cost_of_removal": np.nan,
            "suspect": False,
        }
    )
    table = table.set_index("feature")
    if len(table) > 1:
        names = list(table.index)
        table.loc[names[0], "gap_to_next"] = alone.iloc[0] - alone.iloc[1]
        full = _boosted(numbers[names], y, folds, seed)
        for c in names[:EXAMINED]:
            table.loc[c, "cost_of_removal"] = full - _boosted(numbers.drop(columns=c), y, folds, seed)
        table["suspect"] = table["gap_to_next"].ge(ALONE_ABOVE_NEXT) | table["cost_of_removal"].ge(COST_OF_REMOVAL)
    return table.reset_index()


def _numbers(values: pd.Series) -> np.ndarray:
    return values.astype("category").cat.codes.to_numpy(float) if is_category(values) else values.to_numpy(float)


def _alone(x: pd.DataFrame, y: np.ndarray, folds: StratifiedKFold, seed: int) -> float:
    tree = DecisionTreeClassifier(max_leaf_nodes=64, min_samples_leaf=0.005, random_state=seed)
    return metrics.auc(y, cross_val_predict(tree, x, y, cv=folds, method="predict_proba")[:, 1])


def _boosted(X: pd.DataFrame, y: np.ndarray, folds: StratifiedKFold, seed: int) -> float:
    model = HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=15, random_state=seed)
    return metrics.auc(y, cross_val_predict(model, X, y, cv=folds, method="predict_proba")[:, 1])


def examine(account: pd.DataFrame, outcome: pd.Series, contract: Contract, seed: int) -> tuple[Contract, Evidence]:
    """Return the contract with leaks refused, and the evidence.

    Columns known only afterwards are refused outright; suspects of the screen are refused unless the
    contract says in `reviewed` why they may stay. Both are kept in the table, out of every model.
    """
    known = outcome.notna().to_numpy()
    names = [c.name for c in contract.columns if _examined(c)]
    table = screen(account.loc[known, names], outcome[known].to_numpy(float), seed)
    suspects = set(table.loc[table["suspect"], "feature"])
    refused = {n for n in suspects if not contract[n].reviewed}
    columns = [c.model_copy(update={"known": "after"}) if c.name in refused else c for c in contract.columns]
    after = [c.name for c in contract.columns if c.known == "after" and c.role == "feature"]
    table["treatment"] = [_treatment(n, suspects, refused) for n in table["feature"]]
    extra = pd.DataFrame({"feature": after, "suspect": True, "treatment": "refused: known only afterwards"})
    return contract.replaced(columns), _evidence(pd.concat([extra, table], ignore_index=True), after, suspects, refused)


def _examined(c: Column) -> bool:
    """Features, and facts that features will be made from; no dates, no personal data."""
    usable = c.role in ("feature", "fact") and c.known == "before" and not c.personal and not c.fairness
    return usable and c.type in ("number", "integer", "category")


def _treatment(name: str, suspects: set[str], refused: set[str]) -> str:
    return "refused: suspected leak" if name in refused else "kept: reviewed" if name in suspects else "kept"


def _evidence(table: pd.DataFrame, after: list[str], suspects: set[str], refused: set[str]) -> Evidence:
    said = [f"known only afterwards and refused: {', '.join(after)}"] if after else []
    said += [f"suspected leak and refused: {', '.join(sorted(refused))}"] if refused else []
    said += [f"suspected but reviewed: {', '.join(sorted(suspects - refused))}"] if suspects - refused else []
    answer = "; ".join(said) if said else "No feature gives the outcome away."
    return Evidence(
        key="leakage",
        question="Does any column give the outcome away?",
        verdict=Verdict.amber if said else Verdict.green,
        answer=answer[0].upper() + answer[1:] + ("." if said else ""),
        value=len(after) + len(suspects),
        threshold=f"AUC alone {ALONE_ABOVE_NEXT} above the next, {COST_OF_REMOVAL} lost without it, "
        "or known afterwards; a "
        "suspect stays where the contract says why in `reviewed`",
        source="convention of this workbench; Kaufman et al. (2012), Leakage in data mining, ACM TKDD 6(4)",
        table=table,
    )


def derived(refused: set[str], *contracts: Contract) -> set[str]:
    """Return the refused columns and everything made from them, however many steps away (`made_from`)."""
    made = [(c.name, set(getattr(c, "made_from", ()))) for contract in contracts for c in contract.columns]
    while new := {name for name, sources in made if sources & refused} - refused:
        refused = refused | new
    return refused
