"""Who the customers are: the book and one customer, by basics, credit record, size and capacity to repay."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import Field

from workbench import metrics, params
from workbench.contracts import Column, Contract
from workbench.evidence import Evidence, Verdict
from workbench.panel.bins import is_category, quantile_bins
from workbench.panel.describe import effective
from workbench.panel.months import in_words
from workbench.params import UserError

ASPECTS = ("basics", "credit_record", "size", "capacity", "relationship", "offer", "economy")
SHOWN_PER_ASPECT = 2


class Params(params.Params):
    """Which panel is profiled, and which customer is looked at."""

    panel: str = Field("mart__panel", pattern=r"^mart__[a-z0-9_]+$", description="panel to profile")
    account: str = Field("", description="one account to look at; empty is a seeded draw among defaulted ones")
    bins: int = Field(5, ge=2, le=10, description="parts a number is cut into")
    seed: int = Field(42, ge=0, description="seed of the draw")


def reads(p: Params) -> list[str]:
    """Tables this step reads."""
    return [p.panel, "?core__month"]


def writes(p: Params) -> list[str]:
    """Tables this step writes: none."""
    return []


def described(contract: Contract) -> list[Column]:
    """Return the columns a profile may show: features and the columns by which fairness is judged."""
    return [c for c in contract.columns if (c.role == "feature" or c.fairness) and not c.personal]


def groups(rows: pd.DataFrame, name: str, bins: int) -> pd.DataFrame:
    """Return group, share, default rate with 95 % interval for the parts of a number or the codes of a category."""
    cut = quantile_bins(rows[name], bins)
    labels, codes, out = cut.labels, cut.codes(rows[name]), []
    total = rows["weight"].sum()
    for code in np.unique(codes):
        part = rows[codes == code]
        bad, n = effective(part["outcome"], part["weight"])
        out.append((labels[code], part["weight"].sum() / total, bad / n, *metrics.rate_interval(bad, n)))
    return pd.DataFrame(out, columns=["group", "share", "rate", "low", "high"])


def book(rows: pd.DataFrame, contract: Contract, bins: int) -> Evidence:
    """Return one row per column: aspect, meaning, middle, spread, missing share, lowest and highest default rate."""
    out = []
    for c in described(contract):
        g = groups(rows, c.name, bins)
        solid = g[g["share"] >= 0.02] if (g["share"] >= 0.02).any() else g
        middle = _middle(rows[c.name])
        spread = float(solid["rate"].max() - solid["rate"].min())
        highest = solid.loc[solid["rate"].idxmax(), "group"]
        out.append(
            (
                c.aspect,
                c.name,
                c.description,
                middle,
                rows[c.name].isna().mean(),
                solid["rate"].min(),
                solid["rate"].max(),
                highest,
                spread,
            )
        )
    names = [
        "aspect",
        "column",
        "description",
        "middle",
        "missing",
        "lowest rate",
        "highest rate",
        "riskiest group",
        "spread",
    ]
    table = pd.DataFrame(out, columns=names)
    table["order"] = table["aspect"].map({a: i for i, a in enumerate(ASPECTS)})
    table = table.sort_values(["order", "spread"], ascending=[True, False]).drop(columns="order").reset_index(drop=True)
    top = table.loc[table["spread"].idxmax()]
    rate = np.average(rows["outcome"], weights=rows["weight"])
    first, last = (in_words(m) for m in (rows["as_of_date"].min(), rows["as_of_date"].max()))
    seen = first if first == last == "undated" else f"as of {first}" if first == last else f"as of {first} to {last}"
    answer = (
        f"{len(rows):,} accounts {seen}, default rate {rate:.2%}. "
        f"Risk differs most by {top['column']} ({top.description}): "
        f"from {top['lowest rate']:.1%} to {top['highest rate']:.1%}."
    )
    return Evidence(
        key="book",
        question="Who are the customers, and where does risk sit?",
        verdict=Verdict.info,
        answer=answer,
        value=float(rate),
        table=table,
    )


def _middle(values: pd.Series) -> str:
    if is_category(values):
        return str(values.mode().iloc[0]) if values.notna().any() else ""
    return f"{values.median():,.4g}"


def telling(table: pd.DataFrame) -> dict[str, list[str]]:
    """Return, per aspect, the columns by which the default rate differs most."""
    return {a: list(g.head(SHOWN_PER_ASPECT)["column"]) for a, g in table.groupby("aspect", sort=False)}


def status_mix(months: pd.DataFrame) -> pd.DataFrame:
    """Return the share of accounts by months past due (0, 1, 2, 3 and more) and month."""
    late = months["delay_months"].clip(upper=3).map({0: "none", 1: "1 month", 2: "2 months", 3: "3 or more"})
    mix = months.assign(late=late).groupby("month")["late"].value_counts(normalize=True).unstack(fill_value=0)
    return mix[[c for c in ("none", "1 month", "2 months", "3 or more") if c in mix]]


def chosen(rows: pd.DataFrame, p: Params) -> str:
    """Return the account to look at: the one named, else a seeded draw among those that defaulted."""
    if p.account:
        if p.account not in set(rows["entity_id"]):
            raise UserError(
                f"customers/profile: account '{p.account}' is not in '{p.panel}'; leave it empty for a draw"
            )
        return p.account
    return str(rows.loc[rows["outcome"] == 1, "entity_id"].sort_values().sample(1, random_state=p.seed).iloc[0])


def customer(rows: pd.DataFrame, account: str, contract: Contract) -> pd.DataFrame:
    """Return one customer: aspect, column, value, and where it stands among all (percentile, 0 to 100)."""
    own, out = rows[rows["entity_id"] == account].iloc[0], []
    for c in described(contract):
        value = own[c.name]
        if is_category(rows[c.name]):
            said = "missing" if pd.isna(value) else str(value)
            out.append((c.aspect, c.name, c.description, said, np.nan, c.monotone))
        elif pd.notna(value):
            below = (rows[c.name] < value).mean() + 0.5 * (rows[c.name] == value).mean()
            out.append((c.aspect, c.name, c.description, f"{value:,.4g}", 100 * below, c.monotone))
    table = pd.DataFrame(out, columns=["aspect", "column", "description", "value", "percentile", "monotone"])
    table["order"] = table["aspect"].map({a: i for i, a in enumerate(ASPECTS)})
    return table.sort_values("order", kind="stable").drop(columns="order").reset_index(drop=True)


def customer_evidence(table: pd.DataFrame, account: str) -> Evidence:
    """Return the customer's card: what stands out against the others in the direction of risk."""
    known = table.dropna(subset=["percentile"])
    risk = known.assign(risk=np.where(known["monotone"] >= 0, known["percentile"], 100 - known["percentile"]))
    out = risk[risk["monotone"] != 0].sort_values("risk", ascending=False).head(3)
    said = "; ".join(f"{r.description} {r.value} (riskier than {r.risk:.0f} % of customers)" for r in out.itertuples())
    return Evidence(
        key="customer",
        question=f"Who is {account}?",
        verdict=Verdict.info,
        answer=f"What stands out: {said or 'nothing in the direction of risk'}.",
        value=account,
        table=table.drop(columns="monotone"),
    )
