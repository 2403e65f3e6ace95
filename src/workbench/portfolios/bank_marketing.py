"""A Portuguese bank's calls about term deposits: the file's order gives each contact its date."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from workbench.portfolios.source import Request, Shipped, Tables

FIRST_YEAR = 2008
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True)
class BankMarketing(Shipped):
    """The rows are in date order from May 2008 on; a month before the last row's begins another year."""

    def raw(self, asked: Request) -> Tables:
        """Return the file's table with the date of each contact."""
        table = super().raw(asked)[self.name]
        return {self.name: table.assign(contact_date=contact_dates(table))}


def contact_dates(table: pd.DataFrame) -> pd.Series:
    """Return the date of each contact (n) from `day`, `month` (`may`) and the rows' order; NaT where it is none."""
    month = table["month"].map({name: i for i, name in enumerate(_MONTHS, 1)})
    year = FIRST_YEAR + (month.diff() < 0).cumsum()
    parts = pd.DataFrame({"year": year, "month": month, "day": table["day"]})
    return pd.to_datetime(parts, errors="coerce").astype("datetime64[us]")


SOURCE = BankMarketing("bank_marketing")
