"""Overrides as a bank records them: a flag that a person decided otherwise, or the grade that a person gave instead."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from workbench.contracts import Contract
from workbench.params import UserError


def is_flag(values: pd.Series) -> bool:
    """Say whether a column (n) holds flags: nothing but 0, 1, true, false and missing values.

    >>> is_flag(pd.Series(["0", "1", None])), is_flag(pd.Series(["True", "false"])), is_flag(pd.Series(["A", None]))
    (True, True, False)
    """
    return bool(_flags(values.dropna()).isin([0, 1]).all())


def _flags(values: pd.Series) -> pd.Series:
    """Return flags (n) as numbers; a file's booleans are the words true and false by now."""
    words = values.astype("string").str.lower().replace({"false": "0", "true": "1"})
    return pd.to_numeric(words, errors="coerce").astype(float)


def column_of(panel: pd.DataFrame, contract: Contract, grades: Collection[str]) -> str:
    """Return the panel's column with the role `override`, empty where none has it.

    grades: the model's. `UserError` where two have the role, or the column holds neither flags nor grades.
    """
    if not contract.named("override"):
        return ""
    column = contract.one("override")
    others = set() if is_flag(panel[column]) else set(panel[column].dropna().astype(str)) - set(grades)
    if others:
        raise UserError(
            f"contract '{contract.name}': override '{column}' has '{min(others)}', which is neither 0 or 1 nor a grade "
            f"of the model ({', '.join(grades)}); give flags, or the grades that persons gave"
        )
    return column


def overridden(rows: pd.DataFrame, column: str) -> pd.Series:
    """Return whether a person overrode the model (n: 1, 0, missing where the bank doesn't say).

    `rows` has the column and, where it holds grades, the model's `grade_code`: an empty or equal cell is none.
    """
    values = rows[column]
    if is_flag(values):
        return _flags(values)
    return (after(rows, column) != rows["grade_code"].astype(str)).astype(float)


def after(rows: pd.DataFrame, column: str) -> pd.Series:
    """Return the grade that stands in the end (n): the one a person gave, or where the cell is empty the model's."""
    return rows[column].astype(object).where(rows[column].notna(), rows["grade_code"]).astype(str)
