"""Bins frozen on the development sample: the same edges for the model, every PSI and every later month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import floor, log10
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from workbench import engine

if TYPE_CHECKING:
    from workbench.engine import Relation

MISSING, UNSEEN = "missing", "unseen"
SIGNIFICANT, MOST_DIGITS = 6, 17  # digits of an edge that count: usually, and where all of a double's are needed
POSITIONAL = (1e-9, 1e18)  # beyond these zeros can't be counted, and powers of ten are read sooner


@dataclass(frozen=True)
class Bins:
    """Edges of a number (bin i is [edge i−1, edge i)) or groups of categories; missing and unseen have their own.

    `special`: codes in the column that are no value of it, each with its name; codes of one name share a bin.
    """

    name: str
    edges: tuple[float, ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()
    special: tuple[tuple[str, str], ...] = ()

    @property
    def inner(self) -> int:
        """How many bins there are without those of special codes, missing and unseen."""
        return len(self.groups) or len(self.edges) + 1

    @property
    def size(self) -> int:
        """How many bins there are with those of special codes, missing and unseen."""
        return self.inner + len({name for _, name in self.special}) + 2

    @property
    def labels(self) -> list[str]:
        """Names of the bins, in order; special codes after the others, then `missing` and `unseen`."""
        return self._inner_labels() + list(dict.fromkeys(name for _, name in self.special)) + [MISSING, UNSEEN]

    def _inner_labels(self) -> list[str]:
        if self.groups:
            return [", ".join(g) for g in self.groups]
        cuts = _apart(self.edges)
        first = [f"< {cuts[0]}"] if cuts else ["all"]
        middle = [f"{a} to < {b}" for a, b in pairwise(cuts)]
        return first + middle + ([f">= {cuts[-1]}"] if cuts else [])

    def codes(self, values: pd.Series) -> np.ndarray:
        """Return each value's bin (0 … k−1; k is missing, k+1 unseen; special codes stand before k).

        Bins without edges or groups were made of a column of one value or of none: their values tell what they are.
        """
        k, place = self.size - 2, self._special_places()
        if self.groups or (not self.edges and is_category(values)):
            place |= {category: i for i, group in enumerate(self.groups) for category in group if category not in place}
            each, seen = pd.factorize(values)
            return np.array([*(place.get(v, k + 1) for v in seen), k], dtype=int)[each]  # of missing ones, -1: the last
        numbers = pd.to_numeric(values, errors="coerce").to_numpy(float)
        codes = np.where(np.isnan(numbers), k, np.searchsorted(self.edges, numbers, side="right"))
        for code, bin_ in place.items():
            codes[numbers == float(code)] = bin_
        return codes

    def _special_places(self) -> dict[str, int]:
        names = list(dict.fromkeys(name for _, name in self.special))
        return {code: self.inner + names.index(name) for code, name in self.special}

    def counts(self, values: pd.Series, weight: np.ndarray | None = None) -> np.ndarray:
        """Return how many rows (or how much weight) stand in each bin, missing and unseen included."""
        return np.bincount(self.codes(values), weight, self.size).astype(float)

    @property
    def sql(self) -> str:
        """The bin's code as SQL over a column of the same name; the same codes as `codes` gives."""
        k, column = self.size - 2, engine.column(self.name)
        cases = [f"WHEN {column} IS NULL THEN {k}"]
        cases += [f"WHEN {self._is(column, code)} THEN {i}" for code, i in self._special_places().items()]
        if not self.groups and not self.edges:
            text = f"lower(typeof({column})) IN ('varchar', 'string') OR typeof({column}) LIKE 'ENUM%'"  # Spark: string
            cases.append(f"WHEN {text} THEN {k + 1}")
        if self.groups:
            cases += [f"WHEN {column} IN ({_quoted(group)}) THEN {i}" for i, group in enumerate(self.groups)]
        else:
            cases += [f"WHEN {column} < {edge:.17e} THEN {i}" for i, edge in enumerate(self.edges)]
        return f"CASE {' '.join(cases)} ELSE {k + 1 if self.groups else self.inner - 1} END"

    def _is(self, column: str, code: str) -> str:
        """Say in SQL that a column holds a special code."""
        if self.edges:
            return f"{column} = {code}"
        if self.groups:
            return f"{column} = {_quoted((code,))}"
        text = _quoted((code,))  # of a number or of a category: which, the bins don't say
        return f"({column}::VARCHAR = {text} OR TRY_CAST({column} AS DOUBLE) = TRY_CAST({text} AS DOUBLE))"

    def labelled(self, values: pd.Series) -> pd.Series:
        """Return each value's bin by name, for libraries that bin on their own otherwise."""
        return pd.Series(np.array(self.labels, dtype=object)[self.codes(values)], index=values.index, name=self.name)

    def to_dict(self) -> dict[str, Any]:
        """Return the bins as JSON can hold them."""
        return {"name": self.name, "edges": list(self.edges), "groups": [list(g) for g in self.groups]} | (
            {"special": [list(pair) for pair in self.special]} if self.special else {}
        )

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> Bins:
        """Return the bins that `to_dict` wrote."""
        return cls(
            d["name"], tuple(d["edges"]), tuple(tuple(g) for g in d["groups"]), tuple(map(tuple, d.get("special", ())))
        )


def _apart(edges: Sequence[float]) -> list[str]:
    """Return edges as people read them: six digits that count, all whole ones, and more where two would look alike.

    >>> _apart([0.5, 1_250_000.0]), _apart([1_234_567.1, 1_234_567.42])
    (['0.5', '1,250,000'], ['1,234,567.1', '1,234,567.4'])
    """
    for digits in range(SIGNIFICANT, MOST_DIGITS):
        if len(set(written := [_plain(e, digits) for e in edges])) == len(edges):
            return written
    return [_plain(e, MOST_DIGITS) for e in edges]


def _plain(edge: float, digits: int) -> str:
    if not POSITIONAL[0] <= abs(edge) < POSITIONAL[1]:
        return f"{edge:,.{digits}g}"
    places = max(digits - 1 - floor(log10(abs(edge))), 0)
    written = f"{edge:,.{places}f}"
    return written.rstrip("0").rstrip(".") if places else written


def _quoted(group: tuple[str, ...]) -> str:
    return ", ".join("'" + category.replace("'", "''") + "'" for category in group)


def counted(relation: Relation, bins: Sequence[Bins], by: str) -> pd.DataFrame:
    """Return how many rows stand in each bin of many columns, by the value of a SQL expression, in one pass.

    Columns: `by` (the value), `name` (of the binned column), `bin` (its code), `n`. Bins without rows have no line.
    """
    codes = ", ".join(f"{b.sql} AS b{i}" for i, b in enumerate(bins))
    sets = ", ".join(f"(by_value, b{i})" for i in range(len(bins)))
    which = " ".join(f"WHEN grouping(b{i}) = 0 THEN {i}" for i in range(len(bins)))
    one = " ".join(f"WHEN grouping(b{i}) = 0 THEN b{i}" for i in range(len(bins)))
    text = f"""SELECT by_value AS "by", CASE {which} END AS which, CASE {one} END AS bin, count(*) AS n
        FROM (SELECT {by} AS by_value, {codes} FROM rows_binned) binned GROUP BY GROUPING SETS ({sets})
        ORDER BY by_value, which, bin"""
    counts = engine.frame(text, {"rows_binned": relation})
    counts.insert(1, "name", [bins[i].name for i in counts.pop("which")])
    return counts


def is_category(values: pd.Series) -> bool:
    """Say whether a column holds categories rather than numbers."""
    return not pd.api.types.is_numeric_dtype(values)


def quantile_bins(values: pd.Series, n: int = 10) -> Bins:
    """Return bins of about equal size, n or a few more, or one bin per category.

    >>> quantile_bins(pd.Series([1.0, 2.0, 3.0, 4.0], name="x"), 2).edges
    (2.5,)
    """
    if is_category(values):
        seen = values.dropna().value_counts().index
        return Bins(str(values.name), groups=tuple((str(c),) for c in sorted(seen)))
    return Bins(str(values.name), edges=_edges(values.dropna().to_numpy(float), n))


def _edges(known: np.ndarray, n: int) -> tuple[float, ...]:
    """Quantiles, and a bin of its own for every value that holds more than 1/n of the rows (often 0)."""
    seen, counts = np.unique(known, return_counts=True)
    if len(seen) <= n:
        return tuple(float(v) for v in seen[1:])
    heavy = np.flatnonzero(counts > len(known) / n)
    after = seen[np.minimum(heavy + 1, len(seen) - 1)]
    edges = np.unique(np.concatenate([np.quantile(known, np.arange(1, n) / n), seen[heavy], after]))
    return tuple(float(e) for e in edges if e > seen[0])
