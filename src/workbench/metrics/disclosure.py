"""Small groups hidden in a table that is published, with so many others that no total gives them back.

Primary suppression: a cell of fewer than k. Complementary: the fewest neighbours more, the smallest first, until no
hidden cell follows from the totals of its lines. Source: Hundepool et al.
(2012), Statistical Disclosure Control, ch. 4.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

HIDDEN = "suppressed"
_EXACT = 1e-9


def suppressed(table: pd.DataFrame, counts: str, k: int, by: Sequence[str] = ()) -> pd.DataFrame:
    """Return a table of groups (n × m) with the groups that would tell of few people hidden, and `suppressed` (bool).

    counts: column with the number of people in a group. A group of 1 to k − 1 is hidden; one of none tells of nobody.
    by: columns that name the group; totals over each of them, and over all, are taken as known to the reader. Without
        them only the total over all rows is. Every other column of a hidden row becomes missing.

    Raises `ValueError` for k below 1 and for a group that stands twice.
    """
    if k < 1:
        raise ValueError(f"k must be 1 or more, not {k}")
    if by and table.duplicated(list(by)).any():
        raise ValueError("a group stands twice; aggregate it first")
    n = table[counts].fillna(0).to_numpy(float)
    hidden = _complemented((n > 0) & (n < k), n, _lines(table, by), k)
    names = list(by) or [c for c in table if not pd.api.types.is_numeric_dtype(table[c])]
    shown = table.astype({c: float for c in table if c not in names and pd.api.types.is_numeric_dtype(table[c])})
    shown.loc[hidden, [c for c in table if c not in names]] = np.nan
    return shown.assign(**{HIDDEN: hidden})


def _lines(table: pd.DataFrame, by: Sequence[str]) -> np.ndarray:
    """Return which rows each published total adds up (totals × n, bool): of all, and of all but one name fixed."""
    lines = [np.ones(len(table), bool)]
    if len(by) > 1:
        for name in by:
            lines += [(table[name] == value).to_numpy() for value in table[name].unique()]
    return np.array(lines)


def _complemented(hidden: np.ndarray, n: np.ndarray, lines: np.ndarray, k: int) -> np.ndarray:
    hidden = hidden.copy()
    while (exposed := _exposed(hidden, n, lines, k)) is not None:
        line = lines[exposed] & ~hidden
        if not line.any():  # nothing is left to hide behind: the line itself is small
            break
        candidates = np.flatnonzero(line)
        some = candidates[n[candidates] > 0] if (n[candidates] > 0).any() else candidates
        hidden[some[np.argmin(n[some])]] = True
    return hidden


def _exposed(hidden: np.ndarray, n: np.ndarray, lines: np.ndarray, k: int) -> int | None:
    """Return the number of a line that gives a hidden cell away and has one to hide it behind; None where none does."""
    open_lines = [i for i in range(len(lines)) if (lines[i] & ~hidden).any()]
    for i in open_lines:
        of_line = lines[i] & hidden
        if of_line.any() and (of_line.sum() == 1 or n[of_line].sum() < k):
            return i
    followed = np.flatnonzero(hidden)[determined(lines[:, hidden])] if hidden.any() else []
    return next((i for cell in followed for i in open_lines if lines[i, cell]), None)


def determined(lines: np.ndarray) -> np.ndarray:
    """Return which hidden cells (bool, n) follow from the totals of their lines (totals × n): linear algebra alone.

    A cell is free where some change of the cells leaves every total as it is and moves this one.
    """
    _, values, rows = np.linalg.svd(lines.astype(float), full_matrices=True)
    free = rows[int((values > _EXACT).sum()) :]
    return (np.abs(free) < 1e-6).all(axis=0)
