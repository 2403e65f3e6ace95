"""Small groups hidden in a table that is published, with so many others that no total gives them back.

Primary suppression: a cell of fewer than k. Complementary: the fewest neighbours more, the smallest first, until no
hidden cell follows from the totals of its lines. Source: Hundepool et al.
(2012), Statistical Disclosure Control, ch. 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.evidence.hidden import HIDDEN, MARK, few, smallest
from workbench.words import Text

_EXACT = 1e-9


@dataclass(frozen=True)
class People:
    """What in a table counts people, by what: `Evidence(people=...)` and `published` hide what tells of few.

    counts: columns with the number of people of a row's group; a row is hidden where any of them is small.
    by: columns that name the group; without them those that hold no numbers do.
    parts: columns that count some of the row's people (what became of them); these are hidden cell by cell, as if the
        totals of each row and of each part were known. Without `counts` the rows are those of a crossed table.
    nested: a row's people are among those of the row before (a funnel), anew with each value of `by`: then what lies
        between two shown rows is a group, too.
    of_previous: columns of a nested row that are made with the row before: hidden after a hidden row, which they give.
    whole: the name of the row that holds the total, which stays.
    unseen: columns of `counts` that are left out of what is shown.
    tells_nothing: columns that stay in a hidden row, since they aren't made of its people (a policy, a limit).
    within: column by whose values the rows are tables of their own, each with the same total (by region, by product).
    """

    counts: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    nested: bool = False
    of_previous: tuple[str, ...] = ()
    whole: str = ""
    unseen: tuple[str, ...] = ()
    tells_nothing: tuple[str, ...] = ()
    within: str = ""

    def published(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table (n × m) as a page may show it; `suppressed` (bool) says which rows something was hidden of.

        Where nothing is hidden there is no such column. What is published stays as it is.
        """
        if HIDDEN in table or not set(self.unseen) <= set(table):
            return table
        gone = self.hidden(table)
        hidden, shown = gone.copy(), _blank(table, gone, self._named(table))
        if self.of_previous:
            after = np.append(False, gone)[: len(gone)]
            shown.loc[after, list(self.of_previous)] = np.nan
            hidden |= after
        if self.parts:
            cells = _cells(table[list(self.parts)], gone, smallest())
            shown[list(self.parts)] = shown[list(self.parts)].astype(float).mask(cells)
            hidden |= cells.any(axis=1)
        shown = shown.drop(columns=list(self.unseen))
        if not hidden.any():
            return table.drop(columns=list(self.unseen))
        shown = shown.assign(**{HIDDEN: hidden})
        return _hidden_last(shown, self._named(table)) if self._is_ranked(table) else shown

    def _is_ranked(self, table: pd.DataFrame) -> bool:
        """Say whether a table stands in the order of a number: where a hidden row stands, it would tell that number."""
        if self.nested or self.parts or self.within or self.whole or len(table) < 3:
            return False
        numbers = [table[c].dropna() for c in table if c not in self._named(table)]
        numbers = [n for n in numbers if pd.api.types.is_numeric_dtype(n) and n.nunique() > 1]
        return any(n.is_monotonic_increasing or n.is_monotonic_decreasing for n in numbers)

    def hidden(self, table: pd.DataFrame) -> np.ndarray:
        """Return which rows (bool, n) nothing may be shown of but their names."""
        is_group, hide = ~self._is_whole(table), _nested if self.nested else _whole_rows
        hidden = np.zeros(len(table), bool)
        for rows in self._tables(table, is_group):
            for counts in self.counts:
                hidden[rows] |= hide(table.iloc[rows], counts, smallest(), [n for n in self.by if n != self.within])
        return hidden

    def _tables(self, table: pd.DataFrame, is_group: np.ndarray) -> list[np.ndarray]:
        if not self.within:
            return [np.flatnonzero(is_group)]
        named = table[self.within].map(str).to_numpy()
        return [np.flatnonzero(is_group & (named == value)) for value in dict.fromkeys(named)]

    def _named(self, table: pd.DataFrame) -> list[str]:
        return [*(self.by or _names(table, self.counts)), *self.tells_nothing]

    def _is_whole(self, table: pd.DataFrame) -> np.ndarray:
        if not self.whole:
            return np.zeros(len(table), bool)
        return (table[self.by[0]].map(str) == self.whole).to_numpy()


def open_rows(table: pd.DataFrame, *counts: str) -> pd.DataFrame:
    """Return the rows of a table of groups that a sentence may speak of (see `People`): nothing is hidden of them."""
    return table if table.empty else table[~People(counts).hidden(table)]


def told(table: pd.DataFrame, *counts: str) -> pd.DataFrame:
    """Return the rows of a table of groups that a picture may show (see `People`): those that nothing is hidden of.

    Where that is none they all come, blank and marked: the picture says so.
    """
    shown = open_rows(table, *counts)
    return shown if len(shown) or table.empty else People(counts).published(table)


def tellable(*parts: int) -> list[int | Text]:
    """Return the numbers of people in the parts of a known whole as a sentence may say them.

    One that would tell of few, and as many others that no total gives it back, is said as `MARK`.
    """
    n, line = np.array(parts, float), np.ones((1, len(parts)), bool)
    hidden = _complemented((n > 0) & (n < smallest()), n, line, smallest())
    return [MARK if h else int(v) for h, v in zip(hidden, parts, strict=True)]


def _names(table: pd.DataFrame, counts: Sequence[str]) -> list[str]:
    return [c for c in table if c not in counts and not pd.api.types.is_numeric_dtype(table[c])]


def _blank(table: pd.DataFrame, hidden: np.ndarray, names: Sequence[str]) -> pd.DataFrame:
    """Return a table with nothing in the hidden rows but what names them."""
    if not hidden.any():
        return table.copy()
    others = [c for c in table if c not in names]
    shown = table.astype({c: float for c in others if pd.api.types.is_numeric_dtype(table[c])})
    shown.loc[hidden, others] = np.nan
    return shown


def _hidden_last(shown: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return a published table with the hidden rows last, in the order of their names."""
    last = shown[shown[HIDDEN]]
    order = last[[n for n in names if n in last]].astype(str).sort_values([n for n in names if n in last]).index
    return pd.concat([shown[~shown[HIDDEN]], last.loc[order]], ignore_index=True)


def _whole_rows(table: pd.DataFrame, counts: str, k: int, by: Sequence[str]) -> np.ndarray:
    return suppressed(table, counts, k, by)[HIDDEN].to_numpy(bool)


def _nested(table: pd.DataFrame, counts: str, k: int, by: Sequence[str]) -> np.ndarray:
    """Return which rows are hidden (bool, n) so that neither a row nor what lies between two shown ones is small.

    The last row is what an answer speaks of: it is shown before those between.
    """
    hidden, n = np.zeros(len(table), bool), table[counts].fillna(0).to_numpy(float)
    groups = table.groupby(list(by), sort=False).indices.values() if by else [np.arange(len(table))]
    for rows in (g for g in groups if len(g)):
        shown: list[float] = []
        for i in dict.fromkeys((rows[0], rows[-1], *rows)):
            apart = [abs(n[i] - other) for other in (0.0, *shown)]
            hidden[i] = any(0 < gap < k for gap in apart)
            shown += [] if hidden[i] else [n[i]]
    return hidden


def _cells(counts: pd.DataFrame, gone: np.ndarray, k: int) -> np.ndarray:
    """Return which cells of a crossed table (n × m, people) are hidden (bool), the totals of both sides known.

    gone: rows (bool, n) of which no cell is shown.
    """
    rows, columns = np.indices(counts.shape)
    flat = pd.DataFrame({"row": rows.ravel(), "column": columns.ravel()})
    n = counts.fillna(0).to_numpy(float).ravel()
    small = ((n > 0) & (n < k)) | np.repeat(gone, counts.shape[1])
    return _complemented(small, n, _lines(flat, ["row", "column"]), k).reshape(counts.shape)


def suppressed(table: pd.DataFrame, counts: str, k: int, by: Sequence[str] = ()) -> pd.DataFrame:
    """Return a table of groups (n × m) with the groups that would tell of few people hidden, and `suppressed` (bool).

    counts: column with the number of people in a group. A group of 1 to k − 1 is hidden; one of none tells of nobody.
    by: columns that name the group; totals over each of them, and over all, are taken as known to the reader. Without
        them only the total over all rows is. Every other column of a hidden row becomes missing.

    Raises `ValueError` for k below 1 and for a group that stands twice.
    """
    if k < 1:
        raise ValueError(f"k must be 1 or more, not {k}")
    named = pd.DataFrame({name: table[name].map(str) for name in by}, index=table.index)  # sentences, too
    if by and named.duplicated().any():
        raise ValueError("a group stands twice; aggregate it first")
    n = table[counts].fillna(0).to_numpy(float)
    hidden = _complemented((n > 0) & (n < k), n, _lines(named, by), k)
    return _blank(table, hidden, list(by) or _names(table, [counts])).assign(**{HIDDEN: hidden})


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


__all__ = ["HIDDEN", "MARK", "People", "determined", "few", "open_rows", "smallest", "suppressed", "tellable", "told"]
