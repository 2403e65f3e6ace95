"""Months as numbers SQL can count with, and as-of dates in words."""

from __future__ import annotations

import pandas as pd

UNDATED = pd.Timestamp("1970-01-01")  # as-of date where neither the file nor its contract holds one


def in_words(date: pd.Timestamp) -> str:
    """Return an as-of date as `2005-09` where it stands for a month, else as a day; `undated` where there is none.

    >>> in_words(pd.Timestamp("2005-09-01")), in_words(pd.Timestamp("2005-09-17"))
    ('2005-09', '2005-09-17')
    """
    if date == UNDATED:
        return "undated"
    return f"{date:%Y-%m}" if date.day == 1 else f"{date:%Y-%m-%d}"


def number(date: pd.Timestamp) -> int:
    """Return a month's number: year × 12 + month, so that months are counted by subtraction."""
    return date.year * 12 + date.month


def number_sql(column: str) -> str:
    """Return the SQL expression of `number` for a date column."""
    return f"(year({column}) * 12 + month({column}))"
