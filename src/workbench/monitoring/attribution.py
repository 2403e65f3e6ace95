"""How much of a change each input and each segment explains: of the mean prediction, and of the separation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench import metrics
from workbench.models.scorer import Scorer
from workbench.panel.bins import is_category

PAIRS = 20_000  # of a row before and a row now
MOST_GROUPS = 12  # values of a column that cuts the book into segments


def of_prediction(model: Scorer, before: pd.DataFrame, now: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return what each input adds to the change of the mean prediction, the strongest first; the parts add up to it.

    Rows before and now (features, `predicted`, `weight`) are paired at random, each as often as its weight says; along
    the straight way from one to the other each input gets its share of the change: its difference in contribution over
    the sum of all of them. What the pairing misses of the change is shared out by size. Columns: feature, change.
    Source: Aumann & Shapley (1974); Sundararajan, Taly & Yan (2017), ICML (integrated gradients, which for a function
    of a sum are these shares).
    """
    rng = np.random.default_rng(seed)
    n = min(PAIRS, max(len(before), len(now)))
    first, second = (rows.iloc[_drawn(rows["weight"].to_numpy(float), n, rng)] for rows in (before, now))
    moved = model.contributions(second).to_numpy(float) - model.contributions(first).to_numpy(float)
    change = second["predicted"].to_numpy(float) - first["predicted"].to_numpy(float)
    total = moved.sum(axis=1)
    rate = np.divide(change, total, out=np.zeros(n), where=np.abs(total) > 1e-9)
    parts = (moved * rate[:, None]).mean(axis=0)
    missed = _mean(now) - _mean(before) - parts.sum()
    parts += missed * np.abs(parts) / max(np.abs(parts).sum(), 1e-12)
    table = pd.DataFrame({"feature": list(model.features), "change": parts})
    return table.sort_values("change", key=np.abs, ascending=False, ignore_index=True)


def _drawn(weight: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return the places of n rows in random order, each as often as its weight says (systematic sampling)."""
    order = rng.permutation(len(weight))
    reached = np.cumsum(weight[order]) / weight.sum()
    at = np.searchsorted(reached, (np.arange(n) + rng.random()) / n, side="right")
    return rng.permutation(order[np.minimum(at, len(order) - 1)])


def _mean(rows: pd.DataFrame) -> float:
    return float(np.average(rows["predicted"], weights=rows["weight"]))


def of_separation(model: Scorer, before: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Return what each input adds to AUC before and now, and the difference, the largest loss first.

    `before`, `now`: rows with features and known outcomes (0, 1). What an input adds is the AUC of the sum of all
    contributions over that of the sum without its own. Columns: feature, before, now, change.
    """
    added = [_added(model, rows) for rows in (before, now)]
    table = pd.DataFrame({"feature": list(model.features), "before": added[0], "now": added[1]})
    table["change"] = table["now"] - table["before"]
    return table.sort_values("change", ignore_index=True)


def _added(model: Scorer, rows: pd.DataFrame) -> np.ndarray:
    parts, y, weight = model.contributions(rows).to_numpy(float), rows["outcome"], rows["weight"]
    total = parts.sum(axis=1)
    whole = metrics.auc(y, total, weight)
    return np.array([whole - metrics.auc(y, total - part, weight) for part in parts.T])


def of_segments(before: pd.DataFrame, now: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return what each segment adds to the change of the mean prediction: by its size, and by those within it.

    `columns` cut the book, each for itself. Columns: column, segment, share_before, share, size (change of share times
    how far the segment lay from the mean), within (share times change of its mean), change (both); the parts of one
    column add up to the whole change. Source: Kitagawa (1955), JASA 50(272).
    """
    out, mean = [], _mean(before)
    for column in columns:
        by = [_sizes(rows, column) for rows in (before, now)]
        table = by[0].join(by[1], how="outer", lsuffix="_before")
        share = {k: table[f"size{k}"].fillna(0) / table[f"size{k}"].sum() for k in ("_before", "")}
        level = {k: table[f"mean{k}"].fillna(table["mean_before"]).fillna(table["mean"]) for k in ("_before", "")}
        size = (share[""] - share["_before"]) * (level["_before"] - mean)
        within = share[""] * (level[""] - level["_before"])
        parts = {"share_before": share["_before"], "share": share[""], "size": size, "within": within}
        out.append(pd.DataFrame(parts).rename_axis("segment").reset_index().assign(column=column))
    names = ["column", "segment", "share_before", "share", "size", "within"]
    rows = pd.concat(out, ignore_index=True)[names] if out else pd.DataFrame(columns=names)
    rows["change"] = rows["size"] + rows["within"]
    return rows.sort_values("change", key=lambda v: v.astype(float).abs(), ascending=False, ignore_index=True)


def _sizes(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the weight in each segment (`size`) and its mean prediction (`mean`); missing is a segment, too."""
    values = rows[column].astype(object)
    parts = rows.assign(size=rows["weight"], mean=rows["predicted"] * rows["weight"])
    summed = parts.groupby(values.where(values.notna(), "missing").astype(str))[["size", "mean"]].sum()
    return summed.assign(mean=summed["mean"] / summed["size"])


def cuts(rows: pd.DataFrame, candidates: list[str]) -> list[str]:
    """Return the columns among the candidates that cut the book into a few segments by name."""
    return [c for c in candidates if is_category(rows[c]) and 2 <= rows[c].nunique() <= MOST_GROUPS]
