"""The whole simulated bank, block by block: in memory, or written as files that memory needn't hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd

from workbench.portfolios import simulated_conduct, simulated_feedback
from workbench.portfolios.simulated_customers import (
    BLOCK_CUSTOMERS,
    PRODUCTS,
    REGIONS,
    SimulatedCustomers,
    macro,
    people,
    products,
)


def blocks(p: SimulatedCustomers) -> Iterator[dict[str, pd.DataFrame]]:
    """Yield the bank block by block: customer, account, monthly, event, feedback; each block has its own stream."""
    for block, _ in with_truth(p):
        yield block


def with_truth(p: SimulatedCustomers) -> Iterator[tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]]:
    """Yield each block's tables with the truth behind them; for `simulated_truth` and its tests alone."""
    for number, first in enumerate(range(0, p.n_customers, BLOCK_CUSTOMERS)):
        rng = np.random.default_rng([p.seed, number])
        who = people(p, first, min(BLOCK_CUSTOMERS, p.n_customers - first), rng)
        conduct = simulated_conduct.walk(p, who, rng)
        feedback, satisfaction = simulated_feedback.feedback(p, who, conduct, rng)
        twice, pairs = _twice(who.customer, rng)
        tables = {
            "customer": pd.concat([who.customer, twice], ignore_index=True),
            "account": conduct.accounts,
            "monthly": conduct.monthly,
            "event": conduct.events,
            "feedback": feedback,
        }
        income = who.customer[["customer_id"]].assign(income_amt=who.income)
        yield tables, {**conduct.truth, "satisfaction": satisfaction, "income": income, "duplicates": pairs}


def _twice(customer: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return 2 % of the customers once more under another number, written differently in one way, and the pairs."""
    again = customer.sample(max(len(customer) // 50, 1), random_state=rng.integers(2**31)).reset_index(drop=True)
    pairs = pd.DataFrame({"customer_id": again["customer_id"], "again_id": "D" + again["customer_id"].str[1:]})
    way = rng.integers(0, 4, len(again))
    names, ids, born = again["name"].tolist(), again["national_id"].tolist(), again["birth_date"].tolist()
    for i, kind in enumerate(way):
        if kind == 0:
            at = 1 + i % max(len(names[i]) - 2, 1)
            names[i] = names[i][:at] + names[i][at + 1 :]
        elif kind == 2:
            ids[i] = ids[i][:6] + ids[i][8:17]  # the older form of 15 digits
        elif kind == 3 and born[i].day <= 12:
            born[i] = born[i].replace(month=born[i].day, day=born[i].month)
    phone = np.where(
        way == 1, [f"1{v:010d}" for v in rng.integers(3 * 10**9, 10**10, len(again))], again["phone_number"]
    )
    again = again.assign(
        customer_id=pairs["again_id"], name=names, national_id=ids, birth_date=born, phone_number=phone
    )
    return again, pairs


def simulate(p: SimulatedCustomers) -> dict[str, pd.DataFrame]:
    """Return the seven raw tables: customer, product, account, monthly, event, feedback, macro."""
    parts = list(blocks(p))
    tables = {name: pd.concat([part.pop(name) for part in parts], ignore_index=True) for name in list(parts[0])}
    return {**tables, "product": products(p), "macro": macro(p)}


def write(p: SimulatedCustomers, folder: Path) -> dict[str, int]:
    """Write the tables of `simulate` as Parquet files, one block in memory at a time; return their rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    rows = {"product": len(PRODUCTS), "macro": REGIONS * p.n_months}
    products(p).to_parquet(folder / "product.parquet", index=False)
    macro(p).to_parquet(folder / "macro.parquet", index=False)
    with ExitStack() as open_files:
        writers: dict[str, pq.ParquetWriter] = {}
        for tables in blocks(p):
            for name, table in tables.items():
                arrow = pa.Table.from_pandas(table, preserve_index=False)
                if name not in writers:
                    writers[name] = open_files.enter_context(pq.ParquetWriter(folder / f"{name}.parquet", arrow.schema))
                writers[name].write_table(arrow.cast(writers[name].schema))
                rows[name] = rows.get(name, 0) + len(table)
    return rows
