"""The simulated customers as a bank delivers them: one drop a month, with late rows, corrections and control totals.

A drop is a folder named by its month: `customer`, `account`, `monthly`, `event` as Parquet files, and `control.csv`,
what the sender counted: table, rows, total of one amount, the day of delivery.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from workbench.portfolios import simulated_defects, simulated_whole
from workbench.portfolios.simulated_customers import SimulatedCustomers

AMOUNTS = {"customer": "declared_income_amt", "account": "original_amt", "monthly": "balance_amt", "event": "value"}
CONTROL = "control.csv"
DELIVERED_DAY = 2  # of the month after
LATE_SHARE, CORRECTED_SHARE, UPDATED_SHARE = 0.005, 0.005, 0.01
_STREAM = 7_001  # apart from the streams of the blocks


@dataclass(frozen=True)
class Drop:
    """What is delivered for one month: tables, and the day of each table's delivery."""

    month: pd.Timestamp
    tables: dict[str, pd.DataFrame]
    delivered: dict[str, pd.Timestamp]


def drops(p: SimulatedCustomers) -> Iterator[Drop]:
    """Yield the clean drops in order: late rows come a month later, corrected ones come again with what is right.

    A table's rows carry `valid_from` and `recorded_at`: a further version of a row has a later one of these.
    """
    with TemporaryDirectory() as folder:
        _spool(p, Path(folder))
        for i, month in enumerate(p.months):
            parts = _spooled(Path(folder) / str(i))
            tables = {n: pd.concat([part[n] for part in parts], ignore_index=True) for n in parts[0]}
            day = month + pd.DateOffset(months=1, days=DELIVERED_DAY - 1)
            yield Drop(month, tables, dict.fromkeys(tables, day))


def _spool(p: SimulatedCustomers, folder: Path) -> None:
    """Write what each drop has of each block into a file a drop, so that memory holds one block or one drop.

    Pickled, since a Parquet file would change the types of columns that are empty in a drop.
    """
    rng = np.random.default_rng([p.seed, _STREAM])
    for tables in simulated_whole.blocks(p):
        account, monthly = _versions(tables["account"], p), _months(tables["monthly"], rng)
        sources = {"customer": _people(tables["customer"], p, rng), "account": account, "monthly": monthly}
        sources |= {"event": tables["event"]}
        drop = {name: _drop_of(table, p) for name, table in sources.items()}
        for i in range(p.n_months):
            with (folder / str(i)).open("ab") as file:
                pickle.dump({n: t[drop[n] == i].reset_index(drop=True) for n, t in sources.items()}, file)


def _spooled(path: Path) -> list[dict[str, pd.DataFrame]]:
    parts = []
    with path.open("rb") as file:
        while file.peek(1):
            parts.append(pickle.load(file))
    return parts


def _drop_of(table: pd.DataFrame, p: SimulatedCustomers) -> np.ndarray:
    """Return in which drop each row comes (n): the month the bank came to know it; what is older, in the first."""
    known = table["recorded_at"].dt.year * 12 + table["recorded_at"].dt.month
    if "opening_balance_amt" in table:
        known = known - 1  # a month's balances are known on the first day of the next
    first = p.months[0].year * 12 + p.months[0].month
    return np.maximum(known - first, 0).to_numpy()


def _versions(account: pd.DataFrame, p: SimulatedCustomers) -> pd.DataFrame:
    """Return accounts as opened and, once more, as closed."""
    opened = account["opened_month"].clip(lower=p.months[0])
    first = account.assign(closed_month=pd.NaT, close_reason_code=None, valid_from=account["opened_month"])
    first["recorded_at"] = opened + pd.Timedelta(days=1)
    last = account[account["closed_month"].notna()]
    last = last.assign(valid_from=last["closed_month"], recorded_at=last["closed_month"] + pd.Timedelta(days=20))
    both = pd.concat([first, last.astype(first.dtypes.to_dict(), errors="ignore")], ignore_index=True)
    both["closed_month"] = both["closed_month"].astype("datetime64[us]")
    return both


def _months(monthly: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return account-months, some recorded a month late, some with a salary that is put right a month later."""
    on_time = monthly["month"] + pd.DateOffset(months=1)
    u = rng.random(len(monthly))
    late = u < LATE_SHARE
    wrong = (u > 1 - CORRECTED_SHARE) & (monthly["inflow_amt"] > 0).to_numpy()
    again = monthly[wrong].assign(recorded_at=monthly["month"][wrong] + pd.DateOffset(months=2))
    first = monthly.assign(
        recorded_at=on_time.where(~late, monthly["month"] + pd.DateOffset(months=2)),
        inflow_amt=np.where(wrong, (0.9 * monthly["inflow_amt"]).round(2), monthly["inflow_amt"]),
    )
    return pd.concat([first, again], ignore_index=True).assign(valid_from=lambda t: t["month"])


def _people(customer: pd.DataFrame, p: SimulatedCustomers, rng: np.random.Generator) -> pd.DataFrame:
    """Return the people as they came, and further versions of those who declared another income later."""
    begin = customer["recorded_at"].clip(lower=p.months[0])
    parts = [customer.assign(recorded_at=begin)]
    for month in p.months[1:]:
        there = customer[(customer["recorded_at"] < month) & customer["declared_income_amt"].notna()]
        again = there[rng.random(len(there)) < UPDATED_SHARE]
        parts.append(
            again.assign(
                declared_income_amt=(again["declared_income_amt"] * rng.uniform(0.95, 1.15, len(again))).round(2),
                valid_from=month + pd.Timedelta(days=5),
                recorded_at=month + pd.Timedelta(days=10),
            )
        )
    return pd.concat(parts, ignore_index=True)


def write_drops(p: SimulatedCustomers, folder: Path, defects: bool = True, part: float = 1.0) -> pd.DataFrame:
    """Write the drops into `folder`, one folder a month, and return the planted defects with how many rows each has.

    Columns: month, kind, table, column, rows. `part` of the usual rows are spoilt. Control totals are counted before a
    defect is planted, as a sender would.
    """
    plan = {d.at: d for d in simulated_defects.plan(p.n_months)} if defects else {}
    planted, before = [], None
    for i, drop in enumerate(drops(p)):
        control = _control(drop)
        if i in plan:
            rng = np.random.default_rng([p.seed, _STREAM, i])
            rows = simulated_defects.plant(plan[i], drop.tables, before, control, rng, part)
            d = plan[i]
            planted.append((f"{drop.month:%Y-%m}", d.kind, d.table, d.column, rows))
        else:
            before = drop.tables["monthly"]
        place = folder / f"{drop.month:%Y-%m}"
        place.mkdir(parents=True)
        for name, table in drop.tables.items():
            table.to_parquet(place / f"{name}.parquet", index=False)
        control.to_csv(place / CONTROL, index=False)
    return pd.DataFrame(planted, columns=["month", "kind", "table", "column", "rows"])


def _control(drop: Drop) -> pd.DataFrame:
    rows = [
        (
            name,
            len(table),
            AMOUNTS[name],
            round(float(table[AMOUNTS[name]].sum()), 2),
            f"{drop.delivered[name]:%Y-%m-%d}",
        )
        for name, table in drop.tables.items()
    ]
    return pd.DataFrame(rows, columns=["table", "rows", "amount", "total", "delivered_at"])
