"""What columns are called, and in what unit they are: code names of the data, and what their contracts say of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from workbench.words.catalogue import has, language, translated
from workbench.words.heard import described, heard

_CUT = re.compile(r"\s*(?:[;:(（；：，,]|, )")
_AGE = re.compile(r"(?:^|[\W_])age(?:$|[\W_])|年龄", re.I)
WITHIN = " · "  # between a column and the group of rows in which it is looked at
LONGEST = 40  # of a name: longer ones end at their first comma or bracket


@dataclass
class _Columns:
    """Code names with their descriptions and units; and how many columns a shortened name stands for."""

    known: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    alike: Counter[str] = field(default_factory=Counter)


_of_process = _Columns()
_in_block: ContextVar[_Columns | None] = ContextVar("names", default=None)  # pages are rendered side by side


def _now() -> _Columns:
    return _in_block.get() or _of_process


def learn(names: Mapping[str, str], units: Mapping[str, str] | None = None) -> None:
    """Remember for the cards and pictures to come what columns are called (code name → the contract's description).

    units: code name → the contract's unit, of those that have one.
    """
    now = _now()
    now.known.update({code: words for code, words in names.items() if words})
    now.units.update({code: unit for code, unit in (units or {}).items() if unit})
    now.alike = Counter(shortened(words) for words in now.known.values())


def learn_columns(columns: Iterable[Any]) -> None:
    """Remember what a contract's columns (`name`, `description`, `unit`) are called and in what unit they are."""
    each = list(columns)
    learn({c.name: c.description for c in each}, {c.name: c.unit for c in each})


def learnt() -> dict[str, str]:
    """Return the code names known now with their descriptions."""
    return dict(_now().known)


def units() -> dict[str, str]:
    """Return the code names known now that have a unit, with it."""
    return dict(_now().units)


@contextmanager
def knowing(names: Mapping[str, str], units: Mapping[str, str] | None = None) -> Iterator[None]:
    """Know these names and units, and no others, within the block: those that were recorded with a step."""
    token = _in_block.set(_Columns())
    try:
        learn(names, units)
        yield
    finally:
        _in_block.reset(token)


def is_name(code: str) -> bool:
    """Say whether a text is the code name of a column with words of its own, or that of one within a group."""
    return code.partition(WITHIN)[0] in _now().known


def display(code: str) -> str:
    """Return what a column is called in the language now spoken; an unknown one by its code name in words.

    Shortened, but where two columns would have one name; of one within a group, with the group.

    >>> with knowing({"limit_amt": "credit granted, the customer's and the family's"}):
    ...     display("limit_amt"), display("total_trans_amt"), display("limit_amt · public")
    ('credit granted', 'total trans amt', 'credit granted · public')
    """
    code, within, group = code.partition(WITHIN)
    if within:
        return f"{display(code)}{within}{heard(group)}"
    words = _now().known.get(code)
    if words is None:
        return term(code) if has(code.replace("_", " ")) else code.replace("_", " ")
    return shortened(described(words)) if _now().alike[shortened(words)] == 1 else described(words)


def unit(code: str) -> str:
    """Return the unit of a column in the language now spoken; empty where it has none, or nobody said so."""
    words = _now().units.get(code, "")
    return heard(words if language() == "en" else unit_of(words, code, _now().known.get(code, "")))


def unit_of(words: str, *called: str) -> str:
    """Return a unit as a sentence needs it: of a column that is called an age, years are of age, a word of its own.

    >>> unit_of("year", "age_years", "age"), unit_of("year", "tenure", "years with the bank")
    ('years of age', 'year')
    """
    return "years of age" if words in ("year", "years") and is_age(*called) else words


def is_age(*called: str) -> bool:
    """Say whether a column is somebody's age, by its code name or by what its contract calls it.

    >>> is_age("age_years"), is_age("column_15", "年龄"), is_age("average")
    (True, True, False)
    """
    return any(_AGE.search(words) for words in called)


def with_unit(code: str) -> str:
    """Return what a column is called, with its unit: for a picture of its values.

    >>> with knowing({"limit_amt": "credit granted"}, {"limit_amt": "TWD"}):
    ...     with_unit("limit_amt")
    'credit granted (TWD)'
    """
    return f"{display(code)} ({unit(code)})" if unit(code) else display(code)


def term(code: str) -> str:
    """Return a header or a code of the product in words, in the language now spoken.

    >>> term("auc_low")
    'auc low'
    """
    return translated(words_of(code))


def words_of(code: str) -> str:
    """Return a code of the data as the term that pages look up; a name behind a point stays as it is.

    >>> words_of("term_deposit"), words_of("contract.simulated_bank")
    ('term deposit', 'contract.simulated_bank')
    """
    term, point, name = code.partition(".")
    return term.replace("_", " ") + point + name


def shortened(words: str) -> str:
    """Return a description as a name: whole where short, else up to its first comma, colon or bracket.

    >>> shortened("default (1 in the month in which it happens)"), shortened("违约（发生当月为 1）")
    ('default', '违约')
    """
    cut = _CUT.split(words, maxsplit=1)[0]
    return cut if len(cut) >= 2 and (len(words) > LONGEST or any(c in words for c in "(;,（；，")) else words
