"""Account-months as arrays: one row per account, one column per month, cut into windows before and after a month."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.params import UserError

UNDATED = pd.Timestamp("1970-01-01")  # as-of month where neither the file nor its contract holds a date


def in_words(month: pd.Timestamp) -> str:
    """Return a month as `2005-09`, `undated` where there is none."""
    return "undated" if month == UNDATED else f"{month:%Y-%m}"


@dataclass(frozen=True)
class Months:
    """Account-months as arrays: one row per account, one column per month, NaN where there is no row."""

    accounts: pd.Index
    months: pd.DatetimeIndex
    facts: dict[str, np.ndarray]
    limit: np.ndarray | None = None

    def window(self, as_of: pd.Timestamp, length: int) -> Months:
        """Return the `length` months that end at the as-of month (the observation window)."""
        end = self.months.get_loc(as_of) + 1
        if end < length:
            raise UserError(
                f"panel/build: as of {as_of:%Y-%m} the observation window of {length} months begins before the data do "
                f"({self.months[0]:%Y-%m}); move as_of_from to {self.months[min(length, len(self.months)) - 1]:%Y-%m}"
            )
        return Months(
            self.accounts,
            self.months[end - length : end],
            {k: v[:, end - length : end] for k, v in self.facts.items()},
            self.limit,
        )

    def after(self, as_of: pd.Timestamp, length: int) -> dict[str, np.ndarray] | None:
        """Return the facts of the `length` months after the as-of month, None where they are not over yet."""
        start = self.months.get_loc(as_of) + 1
        if start + length > len(self.months):
            return None
        return {k: v[:, start : start + length] for k, v in self.facts.items()}


def to_months(months: pd.DataFrame, account: pd.DataFrame, limit: str | None) -> Months:
    """Return account-months (long: entity_id, month, numbers) as arrays; `limit` names the size of the line."""
    accounts = pd.Index(account["entity_id"])
    calendar = pd.DatetimeIndex(np.sort(months["month"].unique()))
    row, column = accounts.get_indexer(months["entity_id"]), calendar.get_indexer(months["month"])
    facts = {}
    for name in months.columns.difference(["entity_id", "month"], sort=False):
        numeric = pd.api.types.is_numeric_dtype(months[name])
        grid = np.full((len(accounts), len(calendar)), np.nan if numeric else None, dtype=float if numeric else object)
        grid[row, column] = months[name].to_numpy()
        facts[name] = grid
    return Months(accounts, calendar, facts, account[limit].to_numpy(float) if limit else None)
