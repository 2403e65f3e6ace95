"""Personal data where no contract says so: columns that hold them are treated as marked, single values don't stay.

Free text is treated alike, for nobody can say whom it names. What a contract lists in `values` is its own word.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from itertools import accumulate
from statistics import median

import pandas as pd

from workbench import contracts, personal
from workbench.contracts import Column, Contract, Finding
from workbench.portfolios import guesses
from workbench.portfolios.looks import Look, look

FREE_TEXT = "free text"
_OF_KIND = {
    "identity number": "identifier",
    "passport number": "identifier",
    "card number": "identifier",
    "bank account": "identifier",
    "number plate": "identifier",
    "address": "address",
}  # all others are contacts
_FEW = 0.05  # share of the rows from which single values are the column's nature
_HALF = 0.5  # of different numbers that keep the rule of one kind: no chance
_LEAST_NUMBERS, _NUMBER_DIGITS = 3, 10
_SEEN = 2000  # different values looked at for names and sentences
_WORDS_OF_TEXT, _HAN_OF_TEXT, _CODES = 3, 8, 5  # a sentence; so many times a code stands
_NEEDED = ("as_of", "outcome", "weight", "sample")  # their values are checked one by one


def marked(table: pd.DataFrame, contract: Contract) -> Contract:
    """Return the contract with columns of a raw table (n × k) that hold personal data or free text marked as such.

    Keys and parents become pseudonyms then, as if their contract had said it; others are ignored.
    """
    columns = [_marked(c, table[c.file_name]) if c.file_name in table else c for c in contract.columns]
    return contract.replaced(columns)


def findings(contract: Contract, given: Contract, rows: int) -> list[Finding]:
    """Return a warning for each column that `marked` changed, so that a person confirms or corrects it."""
    changed = zip(contract.columns, given.columns, strict=True)
    return [_finding(given, c, _rule(c), rows) for c, before in changed if c != before]


def without(table: pd.DataFrame, contract: Contract) -> tuple[pd.DataFrame, list[Finding]]:
    """Return a checked table without single personal values in columns of codes, and a warning for each column."""
    warnings, cleared = [], {}
    for c in contract.columns:
        if not _is_open(c) or c.type not in ("category", "text") or c.name not in table:
            continue
        bad = table[c.name].isin(single(look(table[c.name]), _header(c)))
        if bad.any():
            cleared[c.name] = table[c.name].mask(bad)
            rule = "single rows hold personal data, missing from here on; list the column's codes in `values`"
            warnings.append(_finding(contract, c, rule, int(bad.sum())))
    return table.assign(**cleared) if cleared else table, warnings


def single(seen: Look, header: str = "") -> set[str]:
    """Return values that hold something of a kind, or look like a name and stand in few rows."""
    rare = [t for t, n in zip(seen.texts, seen.counts, strict=True) if n < _CODES]
    return {t for t, _ in _holding(seen.texts, header)} | {t for t in rare if personal.is_name(t)}


def _marked(column: Column, values: pd.Series) -> Column:
    if not _is_open(column):
        return column
    header = _header(column)
    if pd.api.types.is_numeric_dtype(values) or column.type in ("number", "integer", "date"):
        kind = _of_numbers(values, header)
    else:
        kind = _of_texts(look(values), column, header)
    if not kind:
        return column
    if column.role in ("key", "parent"):
        return column.model_copy(update={"personal": "identifier", "type": "text"})
    return column.model_copy(update={"personal": "" if kind == FREE_TEXT else kind, "role": "ignore", "type": "text"})


def _header(column: Column) -> str:
    return f"{column.name} {column.source}".strip()


def _is_open(column: Column) -> bool:
    """Say whether anything may stand in a column and leave with it."""
    return not (column.personal or column.values or column.role in (*_NEEDED, "ignore") or column.type == "date")


def _of_numbers(values: pd.Series, header: str) -> str:
    """Return the kind most of a column's long numbers are of; '' where they fit by chance or are short."""
    if pd.api.types.is_bool_dtype(values):  # numeric to pandas, but not to be held against ten digits
        return ""
    if pd.api.types.is_numeric_dtype(values):
        values = values[(values.abs() >= 10**_NUMBER_DIGITS) & (values.abs() < 10**19)]
    texts = [t for t in contracts.as_text(values.drop_duplicates()).dropna().tolist() if _is_long(t)]
    holding = _holding(texts, header)
    if len(holding) < max(_LEAST_NUMBERS, _HALF * len(texts)):
        return ""
    return _commonest(kind for _, kind in holding)


def _is_long(text: str) -> bool:
    return text.isdecimal() and len(text) > _NUMBER_DIGITS


def _of_texts(seen: Look, column: Column, header: str) -> str:
    expected = guesses.is_called_name(header)
    if personal.are_names(seen.plain[:_SEEN], expected):
        return "name"
    holding = _holding(seen.texts, header)
    rows = dict(zip(seen.texts, seen.counts, strict=True))
    few = 0 if column.type == "text" or column.role in ("key", "parent") else _FEW * seen.known
    if sum(rows[t] for t, _ in holding) > few:
        return _commonest(kind for _, kind in holding)
    return FREE_TEXT if column.role not in ("key", "parent") and _is_free_text(seen) else ""


def _is_free_text(seen: Look) -> bool:
    """Say whether most values are sentences of their own rather than codes or names of things."""
    if seen.different <= guesses.FEW_CODES or seen.different < _HALF * seen.known:
        return False
    texts = seen.plain[:_SEEN]
    words = median(len(t.split()) for t in texts)
    return words >= _WORDS_OF_TEXT or median(len(re.findall("[\u4e00-\u9fff]", t)) for t in texts) >= _HAN_OF_TEXT


def _holding(texts: Iterable[str], header: str) -> list[tuple[str, str]]:
    """Return the texts that hold something of a kind, each with it; a number is judged among all of them."""
    lines = [" ".join(t.split()) for t in texts]
    of_line = dict(zip(lines, texts, strict=True))
    whole = "\n".join(lines)
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    at = {bisect(starts, c.start) - 1: c.kind for c in _candidates(_unified(whole), header)}
    return [(of_line[lines[i]], _OF_KIND.get(kind, "contact")) for i, kind in sorted(at.items())]


@lru_cache(maxsize=32)  # most columns read the same raw and checked
def _candidates(text: str, header: str) -> list[personal.Candidate]:
    return personal.candidates(text, header)


def _unified(text: str) -> str:
    """Return text with digits and signs of full width as the usual ones, each character at its place."""
    return (
        "".join(n if len(n := unicodedata.normalize("NFKC", c)) == 1 else c for c in text)
        if not text.isascii()
        else text
    )


def _commonest(kinds: Iterable[str]) -> str:
    return Counter(kinds).most_common(1)[0][0]


def _rule(column: Column) -> str:
    if not column.personal:
        return "free text may name anybody and isn't kept; code it (type: category, `values`) to keep it"
    became = "replaced by pseudonyms" if column.role in ("key", "parent") else "not kept"
    return f"holds personal data though unmarked, {became}; write `personal: {column.personal}`, or list its `values`"


def _finding(contract: Contract, column: Column, rule: str, rows: int) -> Finding:
    return Finding(table=contract.name, column=column.name, rule=rule, severity="warning", rows=rows)
