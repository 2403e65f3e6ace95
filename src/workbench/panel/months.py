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


def span_in_words(first: pd.Timestamp, last: pd.Timestamp) -> tuple[str, str]:
    """Return the first and the last as-of date, both as months or both as days.

    >>> span_in_words(pd.Timestamp("2022-01-01"), pd.Timestamp("2023-12-21"))
    ('2022-01-01', '2023-12-21')
    """
    are_days = any(date != UNDATED and date.day != 1 for date in (first, last))
    return tuple(f"{d:%Y-%m-%d}" if are_days and d != UNDATED else in_words(d) for d in (first, last))


def number(date: pd.Timestamp) -> int:
    """Return a month's number: year × 12 + month, so that months are counted by subtraction."""
    return date.year * 12 + date.month


def number_sql(column: str) -> str:
    """Return the SQL expression of `number` for a date column."""
    return f"(year({column}) * 12 + month({column}))"
