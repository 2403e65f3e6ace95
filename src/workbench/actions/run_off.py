"""What accounts will stand at, earn and lose in the months ahead: their schedule, and what was learnt of others'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from workbench import engine
from workbench.customers.needs import need_sql
from workbench.panel.months import number, number_sql

if TYPE_CHECKING:
    from workbench.engine import Relations

DEFAULT_MONTHS = 3  # without a payment, then a loan is in default
SURE_LOSSES = 10.0  # write-offs of a product that weigh as much as what all products like it lost

# accounts open at the end of the months asked for; their balance `ahead` months later if each instalment is paid
_OPEN = f"""
    SELECT {number_sql("f.month")} AS anchor, f.entity_id, f.account_id, h.product_code, f.balance_amt AS open_amt,
        f.fee_amt, h.interest_rate / 12 AS rate, h.instalment_amt, p.margin_rate / 12 AS margin_rate, p.service_cost_amt
    FROM performance f JOIN holding h ON h.account_id = f.account_id JOIN product p ON p.product_code = h.product_code
    WHERE {number_sql("f.month")} IN ({{anchors}})
        AND (h.closed_month IS NULL OR {number_sql("h.closed_month")} > {number_sql("f.month")})"""
_SCHEDULED = """greatest(0, CASE WHEN instalment_amt <= 0 THEN open_amt
    WHEN rate <= 0 THEN open_amt - instalment_amt * ahead
    ELSE open_amt * power(1 + rate, ahead) - instalment_amt * (power(1 + rate, ahead) - 1) / rate END)"""


@dataclass(frozen=True)
class Learnt:
    """What was seen of accounts up to a date, by product (rows) and month ahead (columns 1 … T).

    growth: balance over schedule, of who was still there; bought: net margin a month of what was opened since, less
    what was written off of it, by need (rows); lost: of a balance in default, by product; wait: months from default to
    the write-off; ends: share of defaults that end in one.
    """

    growth: pd.DataFrame
    bought: pd.DataFrame
    lost: pd.Series
    wait: int
    ends: float


def learnt(relations: Relations, dates: list[pd.Timestamp], until: pd.Timestamp, months: int) -> Learnt:
    """Return what is learnt of accounts open on dates, from the months after each; nothing after `until` is used.

    relations: months, performance, holding, product.
    """
    anchors = ", ".join(str(number(d)) for d in dates)
    last = number(until)
    wait, ends = _write_offs(relations, last)
    return Learnt(
        _growth(relations, anchors, last, months),
        _bought(relations, anchors, last, months),
        loss_given_default(relations, until),
        wait,
        ends,
    )


def _there(months: int, last: int) -> str:
    """Return SQL of who is with the bank `ahead` months after an anchor, and hasn't left in that month."""
    numbers = ", ".join(f"({t})" for t in range(1, months + 1))
    return f"""
        ahead AS (SELECT * FROM (VALUES {numbers}) v (ahead)),
        there AS (SELECT entity_id, {number_sql("month")} AS month_no FROM months
            WHERE left_bank = 0 AND {number_sql("month")} <= {last})"""


def _growth(relations: Relations, anchors: str, last: int, months: int) -> pd.DataFrame:
    sql = f"""
        WITH opened AS ({_OPEN.format(anchors=anchors)}), {_there(months, last)},
        held AS (SELECT o.*, a.ahead, coalesce(f.balance_amt, 0) AS later_amt, {_SCHEDULED} AS scheduled_amt
            FROM opened o CROSS JOIN ahead a
            JOIN there t ON t.entity_id = o.entity_id AND t.month_no = o.anchor + a.ahead
            LEFT JOIN performance f ON f.account_id = o.account_id AND {number_sql("f.month")} = o.anchor + a.ahead)
        SELECT product_code, ahead, sum(later_amt) / nullif(sum(scheduled_amt), 0) AS growth
        FROM held GROUP BY product_code, ahead"""
    return _wide(engine.frame(sql, relations), "product_code", "growth", months, 1.0)


def _bought(relations: Relations, anchors: str, last: int, months: int) -> pd.DataFrame:
    sql = f"""
        WITH {_there(months, last)},
        asked AS (SELECT entity_id, {number_sql("month")} AS anchor, {need_sql()} AS need FROM months
            WHERE {number_sql("month")} IN ({anchors}) AND left_bank = 0 AND delay_months < {DEFAULT_MONTHS}),
        stay AS (SELECT q.*, a.ahead, q.anchor + a.ahead AS month_no FROM asked q CROSS JOIN ahead a
            JOIN there t ON t.entity_id = q.entity_id AND t.month_no = q.anchor + a.ahead),
        earned AS (SELECT h.entity_id, {number_sql("h.opened_month")} AS opened_no, {number_sql("f.month")} AS month_no,
                f.balance_amt * p.margin_rate / 12 + f.fee_amt - p.service_cost_amt - f.written_off_amt AS margin_amt
            FROM performance f JOIN holding h ON h.account_id = f.account_id
            JOIN product p ON p.product_code = h.product_code),
        new AS (SELECT s.entity_id, s.anchor, s.ahead, sum(e.margin_amt) AS margin_amt FROM stay s JOIN earned e
            ON e.entity_id = s.entity_id AND e.month_no = s.month_no AND e.opened_no > s.anchor
            GROUP BY s.entity_id, s.anchor, s.ahead)
        SELECT s.need, s.ahead, sum(coalesce(n.margin_amt, 0)) / count(*) AS bought FROM stay s LEFT JOIN new n
            ON n.entity_id = s.entity_id AND n.anchor = s.anchor AND n.ahead = s.ahead
        GROUP BY s.need, s.ahead"""
    return _wide(engine.frame(sql, relations), "need", "bought", months, 0.0)


def _wide(table: pd.DataFrame, by: str, value: str, months: int, otherwise: float) -> pd.DataFrame:
    wide = table.pivot(index=by, columns="ahead", values=value).reindex(columns=range(1, months + 1))
    return wide.astype(float).fillna(otherwise)


def loss_given_default(relations: Relations, until: pd.Timestamp) -> pd.Series:
    """Return the share of a balance in default that is lost, by product, from all write-offs up to a date.

    Written off over what stood open, shrunk to what products of its kind lost (with collateral, and without) by as many
    write-offs as SURE_LOSSES, and those to all. Source: Bühlmann & Gisler (2005), Credibility Theory, ch. 4.
    """
    sql = f"""
        WITH f AS (SELECT h.product_code, h.collateral_amt > 0 AS is_secured, f.written_off_amt, f.opening_balance_amt
            FROM performance f JOIN holding h ON h.account_id = f.account_id
            WHERE h.close_reason_code = 'defaulted' AND {number_sql("h.closed_month")} = {number_sql("f.month")}
                AND f.opening_balance_amt > 0 AND {number_sql("f.month")} <= {number(until)}),
        known AS (SELECT h.product_code, max(h.collateral_amt) > 0 AS is_secured FROM holding h
            JOIN product p ON p.product_code = h.product_code WHERE p.kind_code IN ('loan', 'card') GROUP BY 1)
        SELECT k.product_code, k.is_secured, count(f.written_off_amt) AS n, coalesce(sum(f.written_off_amt), 0) AS lost,
            coalesce(sum(f.opening_balance_amt), 0) AS stood
        FROM known k LEFT JOIN f ON f.product_code = k.product_code GROUP BY 1, 2 ORDER BY 1"""
    t = engine.frame(sql, relations).set_index("product_code")
    whole = _credible(t["lost"].sum(), t["stood"].sum(), t["n"].sum(), 1.0)
    alike = t.groupby("is_secured")[["lost", "stood", "n"]].sum()
    kind = {k: _credible(r["lost"], r["stood"], r["n"], whole) for k, r in alike.iterrows()}
    values = [_credible(r.lost, r.stood, r.n, kind[r.is_secured]) for r in t.itertuples()]
    return pd.Series(values, index=t.index, dtype=float)


def _credible(lost: float, stood: float, n: float, otherwise: float) -> float:
    seen = lost / stood if stood > 0 else otherwise
    return float((n * seen + SURE_LOSSES * otherwise) / (n + SURE_LOSSES)) if n else otherwise


def _write_offs(relations: Relations, last: int) -> tuple[int, float]:
    """Return the median months from default to write-off, and the share of defaults that ended in one.

    Of defaults so long ago that the longest wait seen has passed; where there are none, at once and all.
    """
    sql = f"""
        WITH d AS (SELECT entity_id, min({number_sql("month")}) AS default_no FROM months
            WHERE defaulted = 1 AND {number_sql("month")} <= {last} GROUP BY entity_id),
        w AS (SELECT entity_id, max({number_sql("closed_month")}) AS closed_no FROM holding
            WHERE close_reason_code = 'defaulted' AND {number_sql("closed_month")} <= {last} GROUP BY entity_id)
        SELECT d.default_no, w.closed_no - d.default_no AS wait FROM d LEFT JOIN w ON w.entity_id = d.entity_id"""
    t = engine.frame(sql, relations)
    if not t["wait"].notna().any():
        return 0, 1.0
    ripe = t[t["default_no"] <= last - t["wait"].max()]
    return int(t["wait"].median()), float(ripe["wait"].notna().mean()) if len(ripe) else 1.0


@dataclass(frozen=True)
class Ahead:
    """Customers (n) by month ahead (T): net margin of what they hold, of what they will buy, and loss in a default."""

    margin: np.ndarray
    bought: np.ndarray
    loss: np.ndarray


def ahead(relations: Relations, state: pd.DataFrame, known: Learnt) -> Ahead:
    """Return what is ahead of customers in a state (entity_id, anchor of one date, need) if they stay, if they default.

    Who defaults in a month stopped paying before: his balance is the schedule's of DEFAULT_MONTHS earlier.
    """
    months = known.growth.shape[1]
    accounts = engine.frame(_OPEN.format(anchors=int(state["anchor"].iloc[0])), relations)
    at = pd.Index(state["entity_id"]).get_indexer(accounts["entity_id"])
    accounts, at = accounts[at >= 0], at[at >= 0]
    growth = known.growth.reindex(accounts["product_code"]).fillna(1.0).to_numpy()
    plan = _schedule(accounts, np.arange(1, months + 1))
    runs = (plan > 0) | (accounts["instalment_amt"].to_numpy() <= 0)[:, None]  # a loan that was repaid costs nothing
    flat = (accounts["fee_amt"] - accounts["service_cost_amt"]).to_numpy()[:, None]
    margin = plan * growth * accounts["margin_rate"].to_numpy()[:, None] + flat * runs
    stopped = _schedule(accounts, np.maximum(np.arange(1, months + 1) - DEFAULT_MONTHS, 0))
    lost = known.lost.reindex(accounts["product_code"]).fillna(0.0).to_numpy()[:, None]
    bought = known.bought.reindex(state["need"]).fillna(0.0).to_numpy()
    return Ahead(_summed(margin, at, len(state)), bought, _summed(stopped * growth * lost, at, len(state)))


def _summed(each: np.ndarray, at: np.ndarray, n: int) -> np.ndarray:
    out = np.zeros((n, each.shape[1]))
    np.add.at(out, at, each)
    return out


def _schedule(accounts: pd.DataFrame, after: np.ndarray) -> np.ndarray:
    """Return the balance of accounts (m) after so many months (T) if each instalment is paid on its day (m × T)."""
    balance, rate, paid = (accounts[c].to_numpy(float)[:, None] for c in ("open_amt", "rate", "instalment_amt"))
    grown = (1 + rate) ** after
    repaid = paid * np.where(rate > 0, (grown - 1) / np.where(rate > 0, rate, 1.0), after)
    return np.where(paid > 0, np.maximum(balance * grown - repaid, 0.0), balance)
