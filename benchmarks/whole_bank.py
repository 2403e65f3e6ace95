"""A simulated bank of whole relationships for the benchmarks: core tables, the truth behind them, files for SQL."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.contracts import Contract
from workbench.portfolios import simulated_relationships, simulated_truth
from workbench.portfolios.simulated_customers import SimulatedCustomers
from workbench.portfolios.source import Request

LABELS = {  # by which names the SQL of the steps knows a core table
    "account": ("customers",),
    "month": ("months",),
    "holding": ("holding", "holdings"),
    "event": ("event", "events"),
}


@dataclass(frozen=True)
class Bank:
    """Core tables with their contracts by name (`account`, `month` …), and what was planted."""

    p: SimulatedCustomers
    core: dict[str, tuple[pd.DataFrame, Contract]]
    truth: dict[str, Any]

    def files(self, folder: Path) -> dict[str, Path]:
        """Write the core tables into a folder; return their files by the names that SQL uses."""
        files: dict[str, Path] = {}
        for name, (table, _) in self.core.items():
            table.to_parquet(path := folder / f"{name}.parquet")
            files |= dict.fromkeys(LABELS.get(name, (name,)), path)
        return files


def bank(p: SimulatedCustomers) -> Bank:
    """Return a simulated bank; entity_id is the customer's number, in the truth as in the tables."""
    raw, truth = simulated_truth.with_tables(p)
    source = simulated_relationships.SOURCE
    core = source.core(raw, source.words(Request(portfolio="simulated_customers")))
    known = {n: _by_number(t) if isinstance(t, pd.DataFrame) else t for n, t in truth.items()}
    return Bank(p, {name.removeprefix("core__"): made for name, made in core.items()}, known)


def _by_number(table: pd.DataFrame) -> pd.DataFrame:
    return table.rename(columns={"customer_id": "entity_id"})
