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

from workbench.contracts import Contract, Outcome
from workbench.customers.segments import Params
from workbench.evidence import Evidence, Verdict
from workbench.evidence.disclosure import People
from workbench.panel.bins import is_category
from workbench.panel.rates import in_words, level, observed
from workbench.params import UserError
from workbench.words import Text, say

STABLE, APART = 0.75, 0.75  # worst adjusted Rand index of a stable number; silhouette against the best one's
CATEGORY_WEIGHT = 0.35  # a category's indicators weigh about as much together as one number
TELLING = 0.15  # distance of a median rank from the middle, or of a share from everybody's, that is told
MOST_CODES = 12  # of a category that is used
SHOWN = 4  # characteristics named in a portrait


def space(rows: pd.DataFrame, contract: Contract) -> tuple[Pipeline, list[str]]:
    """Return the fitted map of mixed data to a space of distances, and the columns it uses.

    Numbers are evened out by a power transform (Yeo & Johnson, 2000) and clipped, categories become weighted
    indicators; principal components keep nine tenths of the variance, so that columns that say the same don't
    count twice.
    """
    names = [c.name for c in contract.features() if rows[c.name].nunique() > 1]
    numbers = [n for n in names if not is_category(rows[n])]
    kinds = [n for n in names if is_category(rows[n]) and rows[n].nunique() <= MOST_CODES]
    if not names:
        raise UserError(f"customers/segments: no feature of '{contract.name}' varies; there is nothing to group by")
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


def on_map(points: np.ndarray) -> np.ndarray:
    """Return the two directions in which rows differ most (n × 2); the second is 0 where there is only one."""
    return points[:, :2] if points.shape[1] > 1 else np.column_stack([points[:, 0], np.zeros(len(points))])


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
    most = min(p.k_to, min(len(np.unique(points[h], axis=0)) for h in halves))
    if most < p.k_from:
        raise UserError(f"customers/segments: the rows hold {most} different kinds only; there is nothing to group")
    for k in range(p.k_from, most + 1):
        whole = _kmeans(k, p.seed).fit(points)
        refits = [_kmeans(k, p.seed + i + 1).fit(points[h]).predict(points) for i, h in enumerate(halves)]
        agree = [adjusted_rand_score(whole.labels_, labels) for labels in refits]
        out.append((k, np.mean(agree), np.min(agree), silhouette_score(points[shown], whole.labels_[shown])))
    return pd.DataFrame(out, columns=["k", "stability", "stability_min", "silhouette"])


def _kmeans(k: int, seed: int) -> KMeans:
    return KMeans(k, n_init=3, random_state=seed)


def choose_number(table: pd.DataFrame) -> Evidence:
    """Return the number of groups: the largest that is stable even in its worst resample and still separated.

    Separated: a silhouette of at least three quarters of the best one's. Where none is stable, the most
    stable is taken and the light is amber.
    """
    apart = table["silhouette"] >= APART * table["silhouette"].max()
    stable = table[(table["stability_min"] >= STABLE) & apart]
    row = stable.loc[stable["k"].idxmax()] if len(stable) else table.loc[table["stability"].idxmax()]
    answer = say(
        "{k: groups}: stability {stability:.2f} ({worst:.2f} in the worst resample), separation {separation:.2f}; "
        "{stable} of {tried: numbers are} stable and separated.",
        k=int(row["k"]),
        stability=row["stability"],
        worst=row["stability_min"],
        separation=row["silhouette"],
        stable=len(stable),
        tried=len(table),
    )
    return Evidence(
        key="number_of_groups",
        question=say("How many groups are really there?"),
        verdict=Verdict.green if len(stable) else Verdict.amber,
        answer=answer,
        value=int(row["k"]),
        threshold=say(
            "worst adjusted Rand index {stable:g}, silhouette {apart:.0%} of the best one's (convention)",
            stable=STABLE,
            apart=APART,
        ),
        source="Ben-Hur et al. (2002), PSB; Rousseeuw (1987), J. Comput. Appl. Math. 20",
        table=table,
    )


def assign(points: np.ndarray, learn: np.ndarray, k: int, seed: int) -> np.ndarray:
    """Return each row's group (n), numbered from the largest; groups are learnt on the rows `learn`."""
    labels = _kmeans(k, seed).fit(points[learn]).predict(points)
    order = np.argsort(-np.bincount(labels, minlength=k), kind="stable")
    return np.argsort(order)[labels]


def portraits(rows: pd.DataFrame, group: np.ndarray, columns: list[str], contract: Contract) -> pd.DataFrame:
    """Return one row per group: segment, rows, share, rate with interval, mean prediction, a portrait in words.

    Named are the characteristics in which the group differs most: numbers by the distance of its
    median rank from the middle, categories by their share against everybody's.
    """
    numbers, out = [c for c in columns if not is_category(rows[c])], []
    ranks = rows[numbers].rank(pct=True)
    for g in np.unique(group):
        members = rows[group == g]
        turned_out = observed(members["outcome"], members["weight"], contract.outcome)
        share = members["weight"].sum() / rows["weight"].sum()
        traits = _traits(ranks[group == g].median() - 0.5, rows, members, columns)
        mean = float(np.average(members["predicted"], weights=members["weight"]))
        out.append((str(say("group {g}", g=int(g) + 1)), len(members), share, *turned_out, mean, traits))
    return pd.DataFrame(out, columns=["segment", "rows", "share", "rate", "low", "high", "predicted", "portrait"])


def _traits(distance: pd.Series, rows: pd.DataFrame, members: pd.DataFrame, columns: list[str]) -> Text:
    seen = []
    for name, d in distance.items():
        if abs(d) >= TELLING:
            seen.append((abs(d), say("high {column}", column=name) if d > 0 else say("low {column}", column=name)))
    for name in [c for c in columns if is_category(rows[c])]:
        lift = members[name].value_counts(normalize=True) - rows[name].value_counts(normalize=True)
        if lift.max() >= TELLING:
            often = say("often {column} '{code}'", column=name, code=str(lift.idxmax()))
            seen.append((float(lift.max()), often))
    traits: dict[str, Text] = {}
    for _, trait in sorted(seen, key=lambda t: -t[0]):
        traits.setdefault(" ".join(str(trait).split()[:3]), trait)
    return say("{traits}", traits=list(traits.values())[:SHOWN]) if traits else say("average in everything")


def segments_evidence(table: pd.DataFrame, outcome: Outcome | None = None) -> Evidence:
    """Return the groups found with how they turned out: the highest and the lowest rate."""
    outcome = outcome or Outcome()
    table = People(("rows",), ("segment",)).published(table)
    ends = {
        name: say(
            "{segment} ({share:.0%} of all, {value}: {portrait})",
            segment=say(r["segment"]),
            share=r["share"],
            value=level(r["rate"], outcome),
            portrait=r["portrait"],
        )
        for name, r in (("high", table.loc[table["rate"].idxmax()]), ("low", table.loc[table["rate"].idxmin()]))
    }
    return Evidence(
        key="portraits",
        question=say("Which groups are there, and how do they turn out?"),
        verdict=Verdict.info,
        answer=say("The {rate} is highest in {high} and lowest in {low}.", rate=outcome.rate, **ends),
        value=len(table),
        table=in_words(table, outcome),
    )
