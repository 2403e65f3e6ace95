"""Ten kinds of defect as deliveries have them, planted in known months of the simulated drops with known counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

Tables = dict[str, pd.DataFrame]
FIRST_AT = 8  # the first months are clean: a bank knows what is usual before it sees what isn't
DAYS_LATE = 20


@dataclass(frozen=True)
class Defect:
    """One planted defect: in which drop (by position), of which kind, in which table and column."""

    at: int
    kind: str
    table: str
    column: str


KINDS = {  # kind → where it is planted the first and the second time
    "null burst": (("monthly", "due_amt"), ("event", "channel_code")),
    "unit times 100": (("monthly", "inflow_amt"), ("monthly", "outflow_amt")),
    "duplicate load": (("monthly", "*"), ("event", "*")),
    "late file": (("monthly", "*"), ("event", "*")),
    "orphan account": (("monthly", "account_id"), ("monthly", "account_id")),
    "arrears out of nothing": (("monthly", "days_past_due"), ("monthly", "days_past_due")),
    "date in the future": (("event", "happened_at"), ("account", "opened_month")),
    "misspelt code": (("event", "channel_code"), ("account", "channel_code")),
    "stale income": (("monthly", "inflow_amt"), ("monthly", "inflow_amt")),
    "columns swapped": (("monthly", "inflow_amt"), ("monthly", "interest_amt")),
}
PARTNER = {"inflow_amt": "outflow_amt", "interest_amt": "fee_amt"}


def plan(n_months: int) -> list[Defect]:
    """Return what is planted where: each kind twice in 48 months and more, else once, one defect a month at most."""
    times = 2 if n_months >= 48 else 1
    places = [(kind, *where[k]) for k in range(times) for kind, where in KINDS.items()]
    months = np.linspace(FIRST_AT, n_months - 2, len(places)).astype(int)
    return [Defect(int(at), *place) for at, place in zip(months, places, strict=True)]


def plant(
    defect: Defect,
    tables: Tables,
    before: pd.DataFrame | None,
    control: pd.DataFrame,
    rng: np.random.Generator,
    part: float = 1.0,
) -> int:
    """Plant a defect in a drop's tables (or in its day of delivery), in place; return how many rows it has.

    before: `monthly` of the last clean drop, which stale values come from; part: of the usual number of rows, where a
    defect doesn't lie in the file as a whole.
    """
    if defect.kind == "late file":
        row = control["table"] == defect.table
        day = pd.to_datetime(control.loc[row, "delivered_at"]) + pd.Timedelta(days=DAYS_LATE)
        control.loc[row, "delivered_at"] = day.dt.strftime("%Y-%m-%d")
        return len(tables[defect.table])
    if defect.kind == "stale income":
        tables["monthly"], rows = _stale(tables["monthly"], before, rng, part)
        return rows
    tables[defect.table], rows = _PLANTED[defect.kind](tables[defect.table].copy(), defect.column, rng, part)
    return rows


def _some(table: pd.DataFrame, share: float, rng: np.random.Generator, mask: pd.Series | None = None) -> np.ndarray:
    at = np.arange(len(table)) if mask is None else np.flatnonzero(mask)
    return rng.choice(at, min(max(int(share * len(at)), 3), len(at)), replace=False)


def _nulls(table: pd.DataFrame, column: str, rng: np.random.Generator, part: float) -> tuple[pd.DataFrame, int]:
    at = _some(table, 0.2 * part, rng)
    table.loc[at, column] = None
    return table, len(at)


def _unit(table: pd.DataFrame, column: str, rng: np.random.Generator, part: float) -> tuple[pd.DataFrame, int]:
    at = _some(table, 0.2 * part, rng, table[column] > 0)
    table.loc[at, column] = table.loc[at, column] * 100
    return table, len(at)


def _twice(table: pd.DataFrame, column: str, rng: np.random.Generator, part: float) -> tuple[pd.DataFrame, int]:
    at = _some(table, 0.25 * part, rng)
    return pd.concat([table, table.iloc[at]], ignore_index=True), len(at)


def _orphans(table: pd.DataFrame, column: str, rng: np.random.Generator, part: float) -> tuple[pd.DataFrame, int]:
    at = _some(table, 0.005 * part, rng)
    table.loc[at, column] = [f"X{i:09d}" for i in range(len(at))]
    return table, len(at)


def _arrears(table: pd.DataFrame, column: str, rng: np.random.Generator, part: float) -> tuple[pd.DataFrame, int]:
    at = _some(
        table, 0.01 * part, rng, (table[column] == 0) & (table["due_amt"] > 0) & (table["opening_balance_amt"] > 0)
    )
    table.loc[at, column] = 75
    return table, len(at)


def _future(table: pd.DataFrame, column: str, rng: np.random.Generator, part: float) -> tuple[pd.DataFrame, int]:
    at = _some(table, 0.005 * part, rng)
    table.loc[at, column] = table.loc[at, column] + pd.Timedelta(days=400)
    return table, len(at)


def _misspelt(table: pd.DataFrame, column: str, rng: np.random.Generator, part: float) -> tuple[pd.DataFrame, int]:
    at = _some(table, 0.02 * part, rng)
    table.loc[at, column] = table.loc[at, column].str[:-2] + table.loc[at, column].str[-1]
    return table, len(at)


def _swapped(table: pd.DataFrame, column: str, rng: np.random.Generator, part: float) -> tuple[pd.DataFrame, int]:
    other = PARTNER[column]
    return table.rename(columns={column: other, other: column})[list(table.columns)], len(table)


def _stale(
    table: pd.DataFrame, before: pd.DataFrame | None, rng: np.random.Generator, part: float
) -> tuple[pd.DataFrame, int]:
    """The salaries of two months ago or one come again for most accounts."""
    table = table.copy()
    if before is None:
        return table, 0
    last = before.drop_duplicates("account_id", keep="last").set_index("account_id")["inflow_amt"]
    old = table["account_id"].map(last)
    at = _some(table, 0.6 * part, rng, (old > 0) & (table["inflow_amt"] > 0))
    table.loc[at, "inflow_amt"] = old.iloc[at]
    return table, len(at)


_PLANTED: dict[str, Callable[[pd.DataFrame, str, np.random.Generator, float], tuple[pd.DataFrame, int]]] = {
    "null burst": _nulls,
    "unit times 100": _unit,
    "duplicate load": _twice,
    "orphan account": _orphans,
    "arrears out of nothing": _arrears,
    "date in the future": _future,
    "misspelt code": _misspelt,
    "columns swapped": _swapped,
}
