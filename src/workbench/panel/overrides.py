"""Overrides as a bank records them: a flag that a person decided otherwise, or the grade that a person gave instead."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from workbench.params import UserError, nearest


def is_flag(values: pd.Series) -> bool:
    """Say whether a column (n) holds flags: nothing but 0, 1, true, false and missing values.

    >>> is_flag(pd.Series(["0", "1", None])), is_flag(pd.Series(["A", None]))
    (True, False)
    """
    return bool(pd.to_numeric(values.dropna(), errors="coerce").isin([0, 1]).all())


def checked(panel: pd.DataFrame, column: str, grades: Collection[str], where: str) -> str:
    """Return the column's name; `UserError` where it isn't there, or has neither flags nor grades."""
    if column and column not in panel:
        raise UserError(f"{where}: override: {nearest(column, panel.columns)}")
    if column and not is_flag(panel[column]):
        unknown = sorted(set(panel[column].dropna().astype(str)) - set(grades))
        if unknown:
            raise UserError(
                f"{where}: override: column '{column}' has '{unknown[0]}', which is neither 0 or 1 nor a grade of the "
                f"model ({', '.join(grades)}); give flags, or the grades that persons gave"
            )
    return column


def overridden(rows: pd.DataFrame, column: str) -> pd.Series:
    """Return whether a person overrode the model (n: 1, 0, missing where the bank doesn't say).

    `rows` has the column and, where it holds grades, the model's `grade_code`: an empty or equal cell is none.
    """
    values = rows[column]
    if is_flag(values):
        return pd.to_numeric(values).astype(float)
    return (after(rows, column) != rows["grade_code"].astype(str)).astype(float)


def after(rows: pd.DataFrame, column: str) -> pd.Series:
    """Return the grade that stands in the end (n): the one a person gave, or where the cell is empty the model's."""
    return rows[column].astype(object).where(rows[column].notna(), rows["grade_code"]).astype(str)
