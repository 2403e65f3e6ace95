"""What the bank's own months say of the panel's entities: the outcome derived again, apart from the panel's SQL.

Conditions of the outcome (`event`, `competing`, `eligible`) are evaluated as the contract writes them; windows, order of
events and open ends are counted here anew, in pandas by months, so that a fault of the panel isn't repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench import engine, tables
from workbench.contracts import Contract, Outcome
from workbench.panel.cohort import has_date
from workbench.panel.months import number_sql
from workbench.panel.outcome import EVENT_AFTER, PLACE, is_dated
from workbench.params import Key, UserError

ACCOUNTS, MONTHS = "core__account", "core__month"
MOST = 20_000  # entities whose months are read, every k-th of the bank's by name: memory holds them


@dataclass(frozen=True)
class Raw:
    """The months of entities: `months` has entity_id, month_no, is_event, is_competing, is_eligible (1, 0 or NaN), columns.

    `columns`: what the event's condition looks at. `entities`: those read. `last`: number of the data's last month.
    `own_month`: whether a window begins in the as-of date's own month, as that of an application does.
    """

    months: pd.DataFrame
    entities: frozenset[str]
    last: int
    columns: tuple[str, ...]
    own_month: bool = False

    def anchors(self, rows: pd.DataFrame) -> np.ndarray:
        """Return the number of the last month before each row's performance window (n)."""
        dates = rows["as_of_date"]
        return (dates.dt.year * 12 + dates.dt.month - int(self.own_month)).to_numpy(int)

    def of(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the rows whose entity was read."""
        return rows[rows["entity_id"].astype(str).isin(self.entities)].reset_index(drop=True)


def read(key: Key, outcome: Outcome) -> Raw | None:
    """Return the months of a study's entities; None where it has none, or the outcome is no dated event."""
    names = tables.names(key)
    if not is_dated(outcome) or ACCOUNTS not in names or MONTHS not in names:
        return None
    accounts, months = tables.scan(key, ACCOUNTS), tables.scan(key, MONTHS)
    contract = tables.contract(key, ACCOUNTS)
    relations = {"accounts": accounts, "months": months, "asked": _asked(accounts, contract.one("key"))}
    last = engine.frame(f"SELECT max({number_sql('month')}) AS last FROM months", {"months": months})["last"][0]
    asked = tuple(sorted(engine.parsed(outcome.event, f"{PLACE}.event")))
    frame = engine.frame(_sql(outcome, contract, relations, asked), relations)
    entities = frozenset(relations["asked"]["entity_id"])
    return Raw(frame, entities, int(last), asked, has_date(contract, outcome))


def _asked(accounts: engine.Relation, key: str) -> pd.DataFrame:
    sql = f"SELECT CAST({key} AS VARCHAR) AS entity_id FROM accounts ORDER BY entity_id"
    entities = engine.frame(sql, {"accounts": accounts})
    return entities.iloc[:: max(-(-len(entities) // MOST), 1)].reset_index(drop=True)


def _sql(outcome: Outcome, contract: Contract, relations: Mapping[str, engine.Relation], asked: tuple[str, ...]) -> str:
    of_month, of_account = (list(engine.columns(relations[n])) for n in ("months", "accounts"))
    competing = " OR ".join(f"({text})" for text in outcome.competing) or "FALSE"
    eligible = "NULL"
    try:
        needed = engine.condition(outcome.eligible or "TRUE", {*of_month, *of_account}, f"{PLACE}.eligible")
        eligible = f"CASE WHEN {outcome.eligible or 'TRUE'} THEN 1e0 ELSE 0e0 END"
    except UserError:
        needed = set()  # it looks at what only the panel has: who is eligible can't be told here
    from_account = [n for n in sorted(needed) if n not in of_month]
    columns = ", ".join(
        ["CAST(m.entity_id AS VARCHAR) AS entity_id", f"{number_sql('m.month')} AS month_no"]
        + [f"m.{engine.column(n)}" for n in of_month if n not in ("entity_id", "month")]
        + [f"a.{engine.column(n)}" for n in from_account]
    )
    key = contract.one("key")
    return f"""SELECT entity_id, month_no, {", ".join(engine.column(n) for n in asked)},
            CASE WHEN {outcome.event} THEN 1 ELSE 0 END AS is_event,
            CASE WHEN {competing} THEN 1 ELSE 0 END AS is_competing, {eligible} AS is_eligible
        FROM (SELECT {columns} FROM months m JOIN accounts a ON CAST(a.{key} AS VARCHAR) = CAST(m.entity_id AS VARCHAR)
            JOIN asked ON asked.entity_id = CAST(m.entity_id AS VARCHAR)) t ORDER BY entity_id, month_no"""


def derived(rows: pd.DataFrame, raw: Raw, outcome: Outcome) -> pd.DataFrame:
    """Return per row (entity_id, as_of_date) the outcome derived again (1, 0, NaN: window open) and months_to_event."""
    places = pd.DataFrame(
        {"row": np.arange(len(rows)), "entity_id": rows["entity_id"].astype(str), "anchor": raw.anchors(rows)}
    )
    flagged = raw.months[(raw.months["is_event"] == 1) | (raw.months["is_competing"] == 1)]
    met = places.merge(flagged.astype({"entity_id": str}), on="entity_id")
    met = met.assign(after=met["month_no"] - met["anchor"])
    met = met[(met["after"] > 0) & (met["after"] <= outcome.window_months)]
    event, competing = (
        met[met[flag] == 1].groupby("row")["after"].min().reindex(places["row"]).to_numpy(float)
        for flag in ("is_event", "is_competing")
    )
    comes = np.isfinite(event) & ~(competing < event)
    is_closed = (places["anchor"] + outcome.window_months <= raw.last).to_numpy()
    value = np.where(is_closed, comes.astype(float), np.nan)
    return pd.DataFrame({"derived": value, EVENT_AFTER: np.where(is_closed & comes, event, np.nan)}, index=rows.index)


def as_of(month_no: pd.Series) -> pd.Series:
    """Return the first day of months by their number, the as-of date that a panel gives them."""
    months = month_no.astype(int) - 1
    return pd.to_datetime({"year": months // 12, "month": months % 12 + 1, "day": 1}).set_axis(month_no.index)
