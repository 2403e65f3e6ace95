"""Who the customers are: the book and one customer, by basics, credit record, size and capacity to repay."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from workbench import engine, params, pseudonyms, tables
from workbench.contracts import Column, Contract, Outcome
from workbench.contracts.counted import entities
from workbench.evidence import Evidence, Verdict
from workbench.evidence.disclosure import People
from workbench.panel.bins import is_category, quantile_bins
from workbench.panel.months import span_in_words
from workbench.panel.rates import level, observed
from workbench.params import Key, UserError
from workbench.portfolios import catalog, intake
from workbench.words import Text, number, say

ASPECTS = ("basics", "credit_record", "size", "capacity", "relationship", "offer", "economy")
SHOWN_PER_ASPECT = 2
MIDDLE = 50.0  # percentile from which on a value is further out than most
SOLID = 0.02  # share of rows below which a group's rate is not compared
DRAWN_FROM = 0.1  # share of rows, those with the highest outcome, from which one is drawn


class Params(params.Params):
    """Which panel is profiled, and which customer is looked at."""

    panel: str = Field("mart__panel", pattern=r"^mart__[a-z0-9_]+$", description="panel to profile")
    account: str = Field("", description="one account to look at; empty is a seeded draw among the highest outcomes")
    bins: int = Field(5, ge=2, le=10, description="parts a number is cut into")
    seed: int = Field(42, ge=0, description="seed of the draw")


def agree(p: Params, others: Mapping[str, params.Params]) -> None:
    """Raise `UserError` where the source's keys are personal and the account isn't given by pseudonym."""
    intakes = [o for o in others.values() if isinstance(o, intake.Params)]
    words = [c for o in intakes for c in catalog.source(o.portfolio).words(o).values()] if p.account else []
    if any(c.personal and c.role in ("key", "parent") for w in words for c in w.columns):
        pseudonyms.must_be_one(p.account, "customers/profile: account")


def reads(p: Params) -> list[str]:
    """Tables this step reads."""
    return [p.panel, "?core__month"]


def writes(p: Params) -> list[str]:
    """Tables this step writes: none."""
    return []


def described(contract: Contract) -> list[Column]:
    """Return the columns a profile may show: features and the columns by which fairness is judged."""
    return [c for c in contract.columns if (c.role == "feature" or c.fairness) and not c.personal]


def groups(rows: pd.DataFrame, name: str, bins: int, outcome: Outcome | None = None) -> pd.DataFrame:
    """Return group, share, rate with 95 % interval for the parts of a number or the codes of a category.

    Small groups are hidden (`evidence.disclosure`).
    """
    cut = quantile_bins(rows[name], bins)
    labels, codes, out = cut.labels, cut.codes(rows[name]), []
    total = rows["weight"].sum()
    for code in np.unique(codes):
        part = rows[codes == code]
        turned_out = observed(part["outcome"], part["weight"], outcome or Outcome())
        out.append((labels[code], part["entity_id"].nunique(), part["weight"].sum() / total, *turned_out))
    table = pd.DataFrame(out, columns=["group", "people", "share", "rate", "low", "high"])
    return People(("people",), ("group",), unseen=("people",)).published(table)


def book(rows: pd.DataFrame, contract: Contract, bins: int) -> Evidence:
    """Return one row per column: aspect, middle, missing share, lowest and highest rate, and where it is highest."""
    table = pd.DataFrame([_characteristic(rows, c, contract.outcome, bins) for c in described(contract)])
    if not len(table):
        raise UserError(f"panel '{contract.name}': no column can be profiled; give one the role feature")
    table = _in_order(table, ["order", "spread"], [True, False])
    top, outcome = table.loc[table["spread"].idxmax()], contract.outcome
    rate = float(np.average(rows["outcome"], weights=rows["weight"]))
    answer = say(
        "{entities} {seen}: {rate_word} {rate}.",
        entities=entities(contract, len(rows)),
        seen=_seen(rows),
        rate_word=outcome.rate,
        rate=level(rate, outcome),
    ) + say(
        "It differs most by {column}: from {lowest} to {highest}.",
        column=top["column"],
        lowest=level(top["lowest"], outcome),
        highest=level(top["highest"], outcome),
    )
    return Evidence(
        key="book",
        question=say("Who are they, and where is the {rate} high?", rate=outcome.rate),
        verdict=Verdict.info,
        answer=answer,
        value=rate,
        table=table.rename(
            columns={
                "lowest": str(say("lowest {rate}", rate=outcome.rate)),
                "highest": str(say("highest {rate}", rate=outcome.rate)),
            }
        ),
    )


def _characteristic(rows: pd.DataFrame, c: Column, outcome: Outcome, bins: int) -> dict[str, Any]:
    g = groups(rows, c.name, bins, outcome)
    solid = g[g["share"] >= SOLID] if (g["share"] >= SOLID).any() else g
    return {
        "aspect": c.aspect.replace("_", " "),
        "column": c.name,
        "median or most frequent": _middle(rows[c.name]),
        "missing": float(np.average(rows[c.name].isna(), weights=rows["weight"])),
        "lowest": solid["rate"].min(),
        "highest": solid["rate"].max(),
        "where highest": solid.loc[solid["rate"].idxmax(), "group"] if solid["rate"].notna().any() else "",
        "spread": float(solid["rate"].max() - solid["rate"].min()),
    }


def _in_order(table: pd.DataFrame, by: list[str], ascending: list[bool]) -> pd.DataFrame:
    order = {a.replace("_", " "): i for i, a in enumerate(ASPECTS)}
    ordered = table.assign(order=table["aspect"].map(order))
    return ordered.sort_values(by, ascending=ascending, kind="stable", ignore_index=True).drop(columns="order")


def _seen(rows: pd.DataFrame) -> Text:
    first, last = span_in_words(rows["as_of_date"].min(), rows["as_of_date"].max())
    if first == last == "undated":
        return say("undated")
    if first == last:
        return say("as of {first}", first=first)
    return say("as of {first} to {last}", first=first, last=last)


def _middle(values: pd.Series) -> str:
    if is_category(values):
        return str(values.mode().iloc[0]) if values.notna().any() else ""
    return number(float(values.median()))


def telling(table: pd.DataFrame) -> dict[str, list[str]]:
    """Return, per aspect, the columns by which the rate differs most."""
    return {a: list(g.head(SHOWN_PER_ASPECT)["column"]) for a, g in table.groupby("aspect", sort=False)}


def months(key: Key) -> Path | None:
    """Return the file of the account-months, None where there are none or they say nothing of delay."""
    if "core__month" not in tables.names(key):
        return None
    months = tables.scan(key, "core__month")
    return months if "delay_months" in engine.columns(months) else None


def status_mix(months: Path) -> pd.DataFrame:
    """Return the share of accounts by months past due (0, 1, 2, 3 and more) and month."""
    counted = engine.frame(
        "SELECT month, CAST(least(delay_months, 3) AS INTEGER) AS late, count(*) AS n FROM months "
        "WHERE delay_months IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2",
        {"months": months},
    )
    mix = counted.pivot(index="month", columns="late", values="n").fillna(0)
    shares = mix.div(mix.sum(axis=1), axis=0)
    return shares.rename(columns={0: "none", 1: "1 month", 2: "2 months", 3: "3 or more"})


def months_of(months: Path, account: str) -> pd.DataFrame:
    """Return one account's months (m × k) in order."""
    text = "SELECT * FROM months WHERE entity_id = (SELECT entity_id FROM asked) ORDER BY month"
    return engine.frame(text, {"months": months, "asked": pd.DataFrame({"entity_id": [account]})})


def chosen(rows: pd.DataFrame, p: Params) -> str:
    """Return the account to look at: the one named, else a seeded draw among those with the highest outcome."""
    if p.account:
        if p.account not in set(rows["entity_id"]):
            raise UserError(
                f"customers/profile: account '{p.account}' is not in '{p.panel}'; leave it empty for a draw"
            )
        return p.account
    highest = rows.loc[rows["outcome"] >= rows["outcome"].quantile(1 - DRAWN_FROM), "entity_id"]
    if (rows["outcome"] == 1).any() and rows["outcome"].isin([0, 1]).all():
        highest = rows.loc[rows["outcome"] == 1, "entity_id"]
    return str(highest.sort_values().sample(1, random_state=p.seed).iloc[0])


def customer(rows: pd.DataFrame, account: str, contract: Contract) -> pd.DataFrame:
    """Return one customer: aspect, column, value, and where it stands among all (percentile, 0 to 100)."""
    row, out = rows[rows["entity_id"] == account].iloc[0], []
    for c in described(contract):
        value, aspect = row[c.name], c.aspect.replace("_", " ")
        if is_category(rows[c.name]):
            out.append((aspect, c.name, "missing" if pd.isna(value) else str(value), np.nan, c.monotone))
        elif pd.notna(value):
            below = (rows[c.name] < value).mean() + 0.5 * (rows[c.name] == value).mean()
            out.append((aspect, c.name, number(float(value)), 100 * below, c.monotone))
    table = pd.DataFrame(out, columns=["aspect", "column", "value", "percentile", "monotone"])
    return _in_order(table, ["order"], [True])


def customer_evidence(table: pd.DataFrame, account: str, contract: Contract) -> Evidence:
    """Return the customer's card: what stands out against the others on the side where the rate is higher."""
    known = table.dropna(subset=["percentile"])
    known = known.assign(beyond=np.where(known["monotone"] >= 0, known["percentile"], 100 - known["percentile"]))
    out = known[(known["monotone"] != 0) & (known["beyond"] > MIDDLE)].sort_values("beyond", ascending=False).head(3)
    each = [
        say(
            "{column}: {value} (further out than {share:.0%} of all)",
            column=r.column,
            value=r.value,
            share=math.floor(r.beyond) / 100,  # of all but itself: never 100 %
        )
        for r in out.itertuples()
    ]
    rate = contract.outcome.rate
    answer = (
        say("Where a higher {rate} is expected: {each}.", rate=rate, each=each)
        if each
        else say("Nothing stands out on the side where a higher {rate} is expected.", rate=rate)
    )
    return Evidence(
        key="customer",
        question=say("Who is {account}?", account=account),
        verdict=Verdict.info,
        answer=answer,
        value=account,
        table=table.drop(columns="monotone"),
    )
