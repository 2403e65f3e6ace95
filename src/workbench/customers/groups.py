"""Find groups of customers who look alike: mixed data, as many groups as stay the same under resampling."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, PowerTransformer

from workbench import metrics
from workbench.contracts import Contract
from workbench.customers.segments import Params
from workbench.evidence import Evidence, Verdict
from workbench.panel.bins import is_category
from workbench.panel.describe import effective

STABLE, APART = 0.75, 0.75  # worst adjusted Rand index of a stable number; silhouette against the best one's
CATEGORY_WEIGHT = 0.35  # a category's indicators weigh about as much together as one number
SHOWN = 4  # characteristics named in a portrait


def space(rows: pd.DataFrame, contract: Contract) -> tuple[Pipeline, list[str]]:
    """Return the fitted map of mixed data to a space of distances, and the columns it uses.

    Numbers are evened out by a power transform (Yeo & Johnson, 2000) and clipped, categories become weighted
    indicators; principal components keep nine tenths of the variance, so that columns that say the same don't
    count twice.
    """
    names = [c.name for c in contract.features()]
    numbers = [n for n in names if not is_category(rows[n])]
    kinds = [n for n in names if is_category(rows[n]) and rows[n].nunique() <= 12]
    even = [
        ("fill", FunctionTransformer(_filled)),
        ("even", PowerTransformer()),
        ("clip", FunctionTransformer(_clipped)),
    ]
    code = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    parts = [
        ("numbers", Pipeline(even), numbers),
        ("kinds", Pipeline([("code", code), ("weigh", FunctionTransformer(_weighed))]), kinds),
    ]
    mapped = Pipeline([("columns", ColumnTransformer(parts)), ("pca", PCA(0.9, svd_solver="full"))])
    return mapped.fit(rows), numbers + kinds


def _filled(X: pd.DataFrame) -> pd.DataFrame:
    return X.fillna(X.median())


def _clipped(X: np.ndarray) -> np.ndarray:
    return np.clip(X, -2.5, 2.5)


def _weighed(X: np.ndarray) -> np.ndarray:
    return X * CATEGORY_WEIGHT


def numbers_of_groups(points: np.ndarray, p: Params) -> pd.DataFrame:
    """Return, for every number of groups, its stability and separation.

    Stability: mean adjusted Rand index of the groups of half samples against those of all points.
    Separation: mean silhouette. Source: Ben-Hur, Elisseeff & Guyon (2002); Rousseeuw (1987).
    """
    rng, out = np.random.default_rng(p.seed), []
    shown = rng.choice(len(points), min(2000, len(points)), replace=False)
    halves = [rng.choice(len(points), len(points) // 2, replace=False) for _ in range(p.resamples)]
    for k in range(p.k_from, p.k_to + 1):
        whole = _kmeans(k, p.seed).fit(points)
        refits = [_kmeans(k, p.seed + i + 1).fit(points[h]).predict(points) for i, h in enumerate(halves)]
        agree = [adjusted_rand_score(whole.labels_, labels) for labels in refits]
        out.append((k, np.mean(agree), np.min(agree), silhouette_score(points[shown], whole.labels_[shown])))
    return pd.DataFrame(out, columns=["k", "stability", "stability_min", "separation"])


def _kmeans(k: int, seed: int) -> KMeans:
    return KMeans(k, n_init=3, random_state=seed)


def choose_number(table: pd.DataFrame) -> Evidence:
    """Return the number of groups: the largest that is stable even in its worst resample and still separated.

    Separated: a silhouette of at least three quarters of the best one's. Where none is stable, the most
    stable is taken and the light is amber.
    """
    apart = table["separation"] >= APART * table["separation"].max()
    stable = table[(table["stability_min"] >= STABLE) & apart]
    row = stable.loc[stable["k"].idxmax()] if len(stable) else table.loc[table["stability"].idxmax()]
    answer = (
        f"{int(row['k'])} groups: stability {row['stability']:.2f} ({row['stability_min']:.2f} in the worst resample), "
        f"separation {row['separation']:.2f}; {len(stable)} of {len(table)} numbers are stable and separated."
    )
    threshold = f"worst adjusted Rand index {STABLE}, silhouette {APART:.0%} of the best one's (convention)"
    return Evidence(
        key="number_of_groups",
        question="How many groups are really there?",
        verdict=Verdict.green if len(stable) else Verdict.amber,
        answer=answer,
        value=int(row["k"]),
        threshold=threshold,
        source="Ben-Hur et al. (2002), PSB; Rousseeuw (1987), J. Comput. Appl. Math. 20",
        table=table,
    )


def assign(points: np.ndarray, learn: np.ndarray, k: int, seed: int) -> np.ndarray:
    """Return each row's group (n), numbered from the largest; groups are learnt on the rows `learn`."""
    labels = _kmeans(k, seed).fit(points[learn]).predict(points)
    order = np.argsort(-np.bincount(labels, minlength=k), kind="stable")
    return np.argsort(order)[labels]


def portraits(rows: pd.DataFrame, group: np.ndarray, columns: list[str], contract: Contract) -> pd.DataFrame:
    """Return one row per group: share, default rate with interval, and a portrait in words.

    Named are the characteristics in which the group differs most: numbers by the distance of its
    median rank from the middle, categories by their share against everybody's.
    """
    numbers = [c for c in columns if not is_category(rows[c])]
    ranks = rows[numbers].rank(pct=True)
    out = []
    for g in np.unique(group):
        own = group == g
        bad, n = effective(rows.loc[own, "outcome"], rows.loc[own, "weight"])
        share = rows.loc[own, "weight"].sum() / rows["weight"].sum()
        words = _words(ranks[own].median() - 0.5, rows, own, columns, contract)
        out.append(
            (
                f"group {g + 1}",
                int(own.sum()),
                share,
                bad / n,
                *metrics.rate_interval(bad, n),
                float(rows.loc[own, "pd"].mean()),
                words,
            )
        )
    return pd.DataFrame(out, columns=["segment", "rows", "share", "default rate", "low", "high", "mean PD", "portrait"])


def _words(distance: pd.Series, rows: pd.DataFrame, own: np.ndarray, columns: list[str], contract: Contract) -> str:
    said = [
        (abs(d), f"{'high' if d > 0 else 'low'} {contract[n].description}")
        for n, d in distance.items()
        if abs(d) >= 0.15
    ]
    for name in [c for c in columns if is_category(rows[c])]:
        lift = rows.loc[own, name].value_counts(normalize=True) - rows[name].value_counts(normalize=True)
        if lift.max() >= 0.15:
            said.append((float(lift.max()), f"often {contract[name].description} '{lift.idxmax()}'"))
    seen, words = set(), []
    for _, phrase in sorted(said, reverse=True):
        stem = " ".join(phrase.split()[:3])
        if stem not in seen:
            seen.add(stem)
            words.append(phrase)
    return "; ".join(words[:SHOWN]) or "average in everything"


def segments_evidence(table: pd.DataFrame) -> Evidence:
    """Return the groups found with their outcome rates."""
    worst, best = table.loc[table["default rate"].idxmax()], table.loc[table["default rate"].idxmin()]
    answer = (
        f"Riskiest is {worst.segment} ({worst.share:.0%} of customers, default rate {worst['default rate']:.1%}: "
        f"{worst.portrait}); "
        f"safest is {best.segment} ({best['default rate']:.1%}: {best.portrait})."
    )
    return Evidence(
        key="portraits",
        question="Which groups are there, and how do they turn out?",
        verdict=Verdict.info,
        answer=answer,
        value=len(table),
        table=table,
    )
