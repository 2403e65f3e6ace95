"""What is conspicuous in a month's delivery, against its control totals and against the months that came before.

Each rule says what would have to be wrong: values missing that never were, a unit, a load twice, a file too late, rows
of nobody, arrears out of nothing, days to come, codes misspelt, values that stand still, columns that changed places,
that are new or gone, rows without what names them. Across deliveries `store` adds contradictions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import TypeAlias

import numpy as np
import pandas as pd

from workbench.portfolios import versions
from workbench.portfolios.drops import AMOUNTS, TABLES, Drop

KEYS = {
    "customer": ["customer_id", "valid_from", "recorded_at"],
    "account": ["account_id", "valid_from", "recorded_at"],
    "monthly": ["account_id", "month", "recorded_at"],
    "event": ["event_id"],
}
CODES = {"account": ("channel_code", "product_code"), "event": ("channel_code",), "customer": ("channel_code",)}
DATES = {"event": "happened_at", "account": "opened_month", "monthly": "month"}
NULL_SIGMAS, NULL_SHARE = 6.0, 0.03  # above what was usual
MOSTLY_MISSING = 0.5  # nobody misses what is usually not there
FEW = 30  # rows a share needs
UNIT = (50.0, 200.0)  # a hundredfold, give and take a change
UNIT_SHARE, STALE_SHARE, SWAP_SHARE = 0.02, 0.05, 0.5
DIFFERENT = 0.1  # of two columns' logarithms, from which on a swap can be seen
JUMP_DAYS = 60
ALIKE = 1  # letters changed, left out or added

Alarm: TypeAlias = tuple[str, str, str, int]  # kind, table, column, rows


@dataclass
class Memory:
    """What earlier months said that raised no alarm: each account's last values, codes, who is known, shares.

    `missing`: missing values and all, by table and column; `still`: the most that stood still from month to month;
    `columns`: each table's in the month before.
    """

    last: pd.DataFrame = field(default_factory=pd.DataFrame)
    codes: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    known: dict[str, set[str]] = field(default_factory=lambda: {"customer": set(), "account": set()})
    missing: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    still: dict[str, float] = field(default_factory=dict)
    columns: dict[str, set[str]] = field(default_factory=dict)


def of_drop(drop: Drop, tables: dict[str, pd.DataFrame], memory: Memory, due_day: int) -> list[Alarm]:
    """Return the alarms of a drop, and take what raised none into the memory."""
    memory.known["customer"] |= set(tables["customer"]["customer_id"])
    memory.known["account"] |= set(tables["account"]["account_id"])
    first, lacking, latest = not len(memory.last), _lacking(tables), _latest(tables["monthly"])
    rules = (_late(drop, due_day), _nameless(tables), _twice(tables), _orphans(tables, memory), _future(drop, tables))
    alarms = [a for rule in rules for a in rule]
    if not first:
        months = _of_months(latest, len(tables["monthly"]), memory)
        rules = (_columns(tables, memory), _missing(tables, lacking, memory), _misspelt(tables, memory), months)
        alarms += [a for rule in rules for a in rule]
    blamed = {(table, column) for _, table, column, _ in alarms}
    _remember(tables, lacking, memory, blamed)
    _remember_months(latest, memory, {column for table, column in blamed if table == "monthly"})
    return alarms


def _lacking(tables: dict[str, pd.DataFrame]) -> dict[tuple[str, str], int]:
    """Return how many values are missing, by table and column."""
    return {(name, c): int(table[c].isna().sum()) for name, table in tables.items() for c in table.columns}


def _late(drop: Drop, due_day: int) -> Iterator[Alarm]:
    due = pd.Timestamp(drop.month) + pd.DateOffset(months=1, days=due_day - 1)
    for table in TABLES:
        if drop.control.loc[table, "delivered_at"].normalize() > due:  # in time on that day, at whatever hour
            yield "late file", table, "*", int(drop.control.loc[table, "rows"])


def _nameless(tables: dict[str, pd.DataFrame]) -> Iterator[Alarm]:
    """Rows that lack their key, or a day of their version: they can't be kept as versions of anything."""
    for name, table in tables.items():
        for column in versions.named_by(name):
            if rows := int(table[column].isna().sum()):
                yield "missing key", name, column, rows


def _columns(tables: dict[str, pd.DataFrame], memory: Memory) -> Iterator[Alarm]:
    for name, table in tables.items():
        before = memory.columns[name]
        for column in [c for c in table.columns if c not in before]:
            yield "new column", name, column, len(table)
        for column in sorted(before - set(table.columns)):
            yield "column gone", name, column, len(table)


def _twice(tables: dict[str, pd.DataFrame]) -> Iterator[Alarm]:
    for name, table in tables.items():
        if rows := int(table.dropna(subset=KEYS[name]).duplicated(KEYS[name]).sum()):
            yield "duplicate load", name, "*", rows


def _orphans(tables: dict[str, pd.DataFrame], memory: Memory) -> Iterator[Alarm]:
    for name, column in (("monthly", "account"), ("event", "account"), ("account", "customer"), ("event", "customer")):
        named = tables[name][f"{column}_id"].dropna()
        unknown = set(named.unique()) - memory.known[column]  # few: pandas looks up every one of many by itself
        if rows := int(named.isin(unknown).sum()):
            yield f"orphan {column}", name, f"{column}_id", rows


def _future(drop: Drop, tables: dict[str, pd.DataFrame]) -> Iterator[Alarm]:
    end = pd.Timestamp(drop.month) + pd.DateOffset(months=1)
    for name, column in DATES.items():
        if rows := int((tables[name][column] >= end).sum()):
            yield "date in the future", name, column, rows


def _missing(tables: dict[str, pd.DataFrame], lacking: dict[tuple[str, str], int], memory: Memory) -> Iterator[Alarm]:
    for name, table in tables.items():
        if len(table) < FEW:
            continue
        seen_before = memory.columns[name] - set(versions.named_by(name))  # of a missing key every row is told
        for column in [c for c in table.columns if c in seen_before]:
            rows = lacking[name, column]
            before, n = memory.missing.get((name, column), (0, 0))
            usual = before / n if n else 0.0
            if usual > MOSTLY_MISSING:
                continue
            spread = np.sqrt(max(usual * (1 - usual), 1 / len(table)) / len(table))
            if rows / len(table) > usual + max(NULL_SIGMAS * spread, NULL_SHARE):
                yield "null burst", name, column, rows


def _misspelt(tables: dict[str, pd.DataFrame], memory: Memory) -> Iterator[Alarm]:
    for name, columns in CODES.items():
        for column in columns:
            seen = memory.codes.get((name, column), set())
            values = tables[name][column].dropna()
            wrong = [v for v in set(values.unique()) - seen if any(_letters(v, other) <= ALIKE for other in seen)]
            if wrong:
                yield "misspelt code", name, column, int(values.isin(wrong).sum())


def _letters(a: str, b: str) -> int:
    """Return how many letters must be changed, left out or added to make `a` into `b` (Levenshtein)."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        above, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (x != y))
    return row[-1]


def _latest(monthly: pd.DataFrame) -> pd.DataFrame:
    """Return each account's latest month, by account."""
    ordered = monthly.dropna(subset=["account_id", "month"]).sort_values(["month", "recorded_at"], kind="stable")
    return ordered.drop_duplicates("account_id", keep="last").set_index("account_id")


def _of_months(now: pd.DataFrame, delivered: int, memory: Memory) -> Iterator[Alarm]:
    """Compare each account's month with the last one that raised no alarm; arrears with the month before alone."""
    both = now.index.intersection(memory.last.index)
    now, last = now.loc[both], memory.last.loc[both]
    next_to = now["month"] == last["month"] + pd.DateOffset(months=1)
    jump = next_to & (last["days_past_due"] == 0) & (now["days_past_due"] >= JUMP_DAYS)
    if rows := int(jump.sum()):
        yield "arrears out of nothing", "monthly", "days_past_due", rows
    for name in AMOUNTS:
        ratio = _ratio(now[name], last[name])
        if len(ratio) < FEW:
            continue
        if (times := ratio.between(*UNIT)).mean() > UNIT_SHARE:
            yield "unit times 100", "monthly", name, int(times.sum())
        if (same := ratio == 1).mean() > memory.still.get(name, 1.0) + STALE_SHARE:
            yield "stale income" if name == "inflow_amt" else "stale values", "monthly", name, int(same.sum())
    yield from _swapped(now, last, delivered)


def _ratio(now: pd.Series, last: pd.Series) -> pd.Series:
    real = (now > 0) & (last > 0)
    return (now / last)[real]


def _swapped(now: pd.DataFrame, last: pd.DataFrame, rows: int) -> Iterator[Alarm]:
    """Two columns changed places where most accounts' values are nearer to what the other one was than to their own."""
    x, y = (np.log1p(t[list(AMOUNTS)].clip(lower=0).to_numpy(float)) for t in (now, last))
    for i, j in combinations(range(len(AMOUNTS)), 2):
        telling = np.abs(y[:, i] - y[:, j]) > DIFFERENT
        if telling.sum() >= FEW:
            itself = np.abs(x[:, i] - y[:, i]) + np.abs(x[:, j] - y[:, j])
            other = np.abs(x[:, i] - y[:, j]) + np.abs(x[:, j] - y[:, i])
            if (other < itself)[telling].mean() > SWAP_SHARE:
                yield "columns swapped", "monthly", AMOUNTS[i], rows
                yield "columns swapped", "monthly", AMOUNTS[j], rows


def _remember(
    tables: dict[str, pd.DataFrame],
    lacking: dict[tuple[str, str], int],
    memory: Memory,
    blamed: set[tuple[str, str]],
) -> None:
    """Take in what raised no alarm: a column that did is looked at next month against the month before."""
    for name, table in tables.items():
        memory.columns[name] = set(table.columns)
        for column in table.columns:
            if (name, column) not in blamed:
                rows, n = memory.missing.get((name, column), (0, 0))
                memory.missing[name, column] = rows + lacking[name, column], n + len(table)
        for column in CODES.get(name, ()):
            if (name, column) not in blamed:
                memory.codes.setdefault((name, column), set()).update(table[column].dropna().unique())


def _remember_months(now: pd.DataFrame, memory: Memory, blamed: set[str]) -> None:
    last = now[["month", "days_past_due", *AMOUNTS]].copy()
    both = now.index.intersection(memory.last.index)
    again, before = (now.loc[both], memory.last.loc[both]) if len(both) else (now, memory.last)
    for name in AMOUNTS:
        ratio = _ratio(again[name], before[name]) if len(both) else []
        if name not in blamed and len(ratio):
            memory.still[name] = max(float((ratio == 1).mean()), memory.still.get(name, 0.0))
        if name in blamed:
            last[name] = memory.last[name].reindex(last.index) if len(both) else np.nan
    memory.last = last
