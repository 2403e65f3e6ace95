"""Group customers who look alike, and give each group of grade and need its own policy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, QuantileTransformer

from workbench import metrics, params
from workbench.contracts import Contract
from workbench.customers import policies
from workbench.evidence import Evidence, Verdict
from workbench.panel.bins import is_category
from workbench.panel.describe import effective

STABLE = 0.75  # mean adjusted Rand index from which a number of groups counts as stable
CATEGORY_WEIGHT = 0.35  # a category's indicators weigh about as much together as one number
SHOWN = 4  # characteristics named in a portrait


class Params(params.Params):
    """How groups are found and decided, and what each gets."""

    panel: str = Field("mart__panel", pattern=r"^mart__[a-z0-9_]+$", description="panel of the customers")
    scores: str = Field("mart__scores_pd", pattern=r"^mart__[a-z0-9_]+$", description="scores of the same rows")
    k_from: int = Field(2, ge=2, le=10, description="fewest groups tried")
    k_to: int = Field(7, ge=3, le=12, description="most groups tried")
    resamples: int = Field(10, ge=3, le=100, description="resamples by which stability is judged")
    max_rows: int = Field(5000, ge=500, description="rows the groups are found on")
    risk_bands: list = Field([0.10, 0.20, 0.40], description="PDs at which medium, high and very high begin")
    as_of: str = Field("2026-06-30", pattern=r"^\d{4}-\d{2}-\d{2}$", description="date at which policies are valid")
    policies: list = Field(list(policies.DEFAULT), description="policy table, one row per risk and need")
    loss_given_default: float = Field(0.6, ge=0, le=1, description="part of the exposure lost in default")
    present_rate: float = Field(0.14, ge=0, le=0.6, description="interest everybody pays as it is")
    seed: int = Field(42, ge=0, description="seed of resamples and groups")


def reads(p: Params) -> list[str]:
    """Tables this step reads."""
    return [p.panel, p.scores]


def writes(p: Params) -> list[str]:
    """Tables this step writes: one row per customer with group, risk band, need and policy."""
    return ["mart__segments"]


def population(panel: pd.DataFrame, scores: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    """Return the customers that are grouped: every account's latest row with a known outcome before monitoring, with its PD."""
    both = panel.merge(
        scores[["account_id", "as_of_month", "pd", "grade_code"]],
        on=["account_id", "as_of_month"],
        validate="one_to_one",
    )
    before = both[(both["sample"] != "monitoring") & both["is_default"].notna()]
    return before.sort_values("as_of_month").drop_duplicates("account_id", keep="last").reset_index(drop=True)


def space(rows: pd.DataFrame, contract: Contract) -> tuple[Pipeline, list[str]]:
    """Return the fitted map of mixed data to a space of distances, and the columns it uses.

    Numbers go to normal quantiles (robust to tails), categories to weighted indicators; principal
    components keep nine tenths of the variance, so that columns that say the same don't count twice.
    """
    names = [c.name for c in contract.features()]
    numbers = [n for n in names if not is_category(rows[n])]
    kinds = [n for n in names if is_category(rows[n]) and rows[n].nunique() <= 12]
    filled = FunctionTransformer(lambda X: X.fillna(X.median()))
    weigh = FunctionTransformer(lambda X: X * CATEGORY_WEIGHT)
    parts = [
        ("numbers", Pipeline([("fill", filled), ("rank", QuantileTransformer(n_quantiles=200, output_distribution="normal", random_state=0)), ("clip", FunctionTransformer(lambda X: np.clip(X, -2.5, 2.5)))]), numbers),
        ("kinds", Pipeline([("code", OneHotEncoder(handle_unknown="ignore", sparse_output=False)), ("weigh", weigh)]), kinds),
    ]  # fmt: skip
    mapped = Pipeline([("columns", ColumnTransformer(parts)), ("pca", PCA(0.9, svd_solver="full"))])
    return mapped.fit(rows), numbers + kinds


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
        agree = [
            adjusted_rand_score(whole.labels_, _kmeans(k, p.seed + i + 1).fit(points[h]).predict(points))
            for i, h in enumerate(halves)
        ]
        out.append((k, np.mean(agree), np.min(agree), silhouette_score(points[shown], whole.labels_[shown])))
    return pd.DataFrame(out, columns=["k", "stability", "stability_min", "separation"])


def _kmeans(k: int, seed: int) -> KMeans:
    return KMeans(k, n_init=3, random_state=seed)


def choose_number(table: pd.DataFrame) -> Evidence:
    """Return the number of groups: among the stable ones (0.75 and more) the best separated, else the most stable."""
    stable = table[table["stability"] >= STABLE]
    row = stable.loc[stable["separation"].idxmax()] if len(stable) else table.loc[table["stability"].idxmax()]
    k = int(row["k"])
    answer = f"{k} groups: stability {row['stability']:.2f}, separation {row['separation']:.2f}; {len(stable)} of {len(table)} numbers are stable."
    return Evidence(
        "number_of_groups", "How many groups are really there?", Verdict.green if len(stable) else Verdict.amber, answer, k,
        f"stable from {STABLE} mean adjusted Rand index (convention); among those the best separated",
        "Ben-Hur et al. (2002), PSB; Rousseeuw (1987), J. Comput. Appl. Math. 20", table,
    )  # fmt: skip


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
        bad, n = effective(rows.loc[own, "is_default"], rows.loc[own, "weight"])
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
        f"Riskiest is {worst.segment} ({worst.share:.0%} of customers, default rate {worst['default rate']:.1%}: {worst.portrait}); "
        f"safest is {best.segment} ({best['default rate']:.1%}: {best.portrait})."
    )
    return Evidence(
        "segments", "Which groups are there, and how do they turn out?", Verdict.info, answer, len(table), table=table
    )


def risk_band(pd_: pd.Series, p: Params) -> np.ndarray:
    """Return the risk band of each PD: low, medium, high, very_high."""
    return np.array(policies.BANDS)[np.searchsorted(p.risk_bands, pd_, side="right")]


def need(rows: pd.DataFrame, contract: Contract) -> np.ndarray:
    """Return what each customer needs credit for, by behaviour.

    Lines of credit: `stretched` from nine tenths of the limit, `transactor` where bills are paid in
    full or little is used, `revolver` otherwise. Where there is no utilisation: `small` or `large` by the
    median of the amount.
    """
    if {"utilisation_rate", "payment_ratio_rate"} <= set(rows) and (rows["utilisation_rate"] < 0.05).any():
        used, paid = rows["utilisation_rate"], rows["payment_ratio_rate"].fillna(1)
        return np.select([used >= 0.9, (paid >= 0.95) | (used < 0.1)], ["stretched", "transactor"], "revolver")
    amount = rows[exposure_column(rows, contract)]
    return np.where(amount > amount.median(), "large", "small")


def exposure_column(rows: pd.DataFrame, contract: Contract) -> str:
    """Return the column that holds the exposure: the first amount of aspect `size`."""
    sizes = [c.name for c in contract.columns if c.aspect == "size" and c.name.endswith("_amt") and c.name in rows]
    amounts = sizes or [c.name for c in contract.columns if c.name.endswith("_amt") and c.name in rows]
    return amounts[0]


def decided(rows: pd.DataFrame, contract: Contract, p: Params) -> pd.DataFrame:
    """Return the customers with risk band, need and what their cell's policy says."""
    table = policies.table(p.policies, p.as_of)
    out = rows.assign(risk_code=risk_band(rows["pd"], p), need_code=need(rows, contract))
    cells = {c: policies.lookup(table, *c) for c in sorted(set(zip(out["risk_code"], out["need_code"], strict=True)))}
    chosen = [cells[c] for c in zip(out["risk_code"], out["need_code"], strict=True)]
    for name in ("lane", "interest_rate", "limit_multiple", "collateral"):
        out[name] = [getattr(c, name) for c in chosen]
    return out.assign(exposure_amt=out[exposure_column(out, contract)].fillna(0).clip(lower=0))


def matrix(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per cell of risk and need: rows, share, default rate with interval on the hold-out, PD, policy."""
    held, out = rows[rows["sample"] == "holdout"], []
    for (risk, want), part in rows.groupby(["risk_code", "need_code"]):
        tested = held[(held["risk_code"] == risk) & (held["need_code"] == want)]
        bad, n = effective(tested["is_default"], tested["weight"]) if len(tested) else (np.nan, 0)
        rate = (bad / n, *metrics.rate_interval(bad, n)) if n else (np.nan,) * 3
        weight = part["weight"]
        first = part.iloc[0]
        out.append(
            (risk, want, len(part), weight.sum() / rows["weight"].sum(), *rate, np.average(part["pd"], weights=weight),
             (part["exposure_amt"] * weight).sum(), first["lane"], first["interest_rate"], first["limit_multiple"], bool(first["collateral"]))
        )  # fmt: skip
    names = [
        "risk",
        "need",
        "rows",
        "share",
        "default rate",
        "low",
        "high",
        "pd",
        "exposure_amt",
        "lane",
        "interest_rate",
        "limit_multiple",
        "collateral",
    ]
    found = pd.DataFrame(out, columns=names)
    return found.sort_values(
        "risk", key=lambda s: s.map({b: i for i, b in enumerate(policies.BANDS)}), kind="stable"
    ).reset_index(drop=True)


def policy_effect(rows: pd.DataFrame, cells: pd.DataFrame, p: Params) -> Evidence:
    """Return what the policies do to volume, expected loss and income, against everybody at one price."""
    loss = policies.effect(_exposure_weighted(rows, cells), p.loss_given_default, p.present_rate)
    sums = {
        n: (float(loss[f"{n}_before"].sum()), float(loss[f"{n}_after"].sum())) for n in ("volume", "loss", "income")
    }
    sums["income after loss"] = tuple(i - v for i, v in zip(sums["income"], sums["loss"], strict=True))
    table = pd.DataFrame(
        [(n, a, b, b / a - 1 if a else np.nan) for n, (a, b) in sums.items()],
        columns=["what", "as is", "with policies", "change"],
    )
    change = table.set_index("what")["change"]
    gain = sums["income after loss"][1] - sums["income after loss"][0]
    answer = f"Volume {change['volume']:+.1%}, expected loss {change['loss']:+.1%}, income {change['income']:+.1%}; income after loss {gain:+,.0f} a year."
    return Evidence(
        "policy_effect", "What do the policies do to volume, loss and income?", Verdict.green if gain > 0 else Verdict.amber, answer,
        gain, "income after expected loss should rise", f"PD × LGD × exposure, LGD {p.loss_given_default:.0%} (study file)", table,
    )  # fmt: skip


def _exposure_weighted(rows: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Cells with the PD weighted by exposure: money, not heads, is lost."""
    weight = rows["exposure_amt"] * rows["weight"] + 1e-9
    mean = (rows["pd"] * weight).groupby([rows["risk_code"], rows["need_code"]]).sum() / weight.groupby(
        [rows["risk_code"], rows["need_code"]]
    ).sum()
    keys = pd.MultiIndex.from_frame(cells[["risk", "need"]])
    return cells.assign(pd=mean.reindex(keys).to_numpy())


def kept(rows: pd.DataFrame, group: np.ndarray) -> pd.DataFrame:
    """Return what is written: account_id, as_of_month, segment, risk, need and policy."""
    columns: list[Any] = [
        "account_id",
        "as_of_month",
        "risk_code",
        "need_code",
        "lane",
        "interest_rate",
        "limit_multiple",
        "collateral",
    ]
    return rows[columns].assign(segment_code=[f"group {g + 1}" for g in group])
