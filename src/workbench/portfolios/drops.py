"""Monthly drops as they are delivered: a folder a month, a Parquet file a table, and the sender's control totals."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from workbench.params import UserError

CONTROL = "control.csv"
TABLES = ("customer", "account", "monthly", "event")
_FIELDS = {"table", "rows", "amount", "total", "delivered_at"}


@dataclass(frozen=True)
class Drop:
    """One month's delivery."""

    folder: Path

    @property
    def month(self) -> str:
        """The month it is for, as YYYY-MM."""
        return self.folder.name

    @cached_property
    def control(self) -> pd.DataFrame:
        """What the sender counted: rows, total of an amount, day of delivery, by table; `UserError` without it."""
        path = self.folder / CONTROL
        if not path.is_file():
            raise UserError(
                f"portfolios/store: {self.month}/{CONTROL}: no such file; the sender's control totals belong there"
            )
        control = pd.read_csv(path, parse_dates=["delivered_at"]) if _named(path) else pd.DataFrame()
        if lacks := _FIELDS - set(control.columns):
            raise UserError(
                f"portfolios/store: {self.month}/{CONTROL}: column '{min(lacks)}' is missing; it needs "
                "table, rows, amount, total, delivered_at"
            )
        return control.set_index("table")

    def path(self, table: str) -> Path:
        """Return where a table's file lies; `UserError` where there is none."""
        path = self.folder / f"{table}.parquet"
        if not path.is_file():
            raise UserError(f"portfolios/store: {self.month}/{path.name}: no such file; ask the sender for it")
        return path

    def read(self, table: str) -> pd.DataFrame:
        """Return a table's rows as they came, with the number of each in its file as `source_row`."""
        return pd.read_parquet(self.path(table)).assign(source_row=lambda t: range(len(t)))

    def digest(self, table: str) -> str:
        """Return the SHA-256 of a table's file."""
        return hashlib.sha256(self.path(table).read_bytes()).hexdigest()


def _named(path: Path) -> bool:
    return "delivered_at" in path.read_text(encoding="utf-8").partition("\n")[0]


def all_of(folder: Path, until: str = "") -> list[Drop]:
    """Return the drops of a folder in order, up to a month; `UserError` where there is none."""
    months = sorted(f for f in folder.iterdir() if f.is_dir()) if folder.is_dir() else []
    drops = [Drop(f) for f in months if not until or f.name <= until]
    if not drops:
        raise UserError(f"portfolios/store: no drop up to {until or 'today'}; a drop is a folder named YYYY-MM")
    return drops
