"""What is odd in a file's columns, as notes of its draft: what a guess would otherwise pass over without a word."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

import numpy as np

from workbench.contracts import Column, Contract
from workbench.contracts.fields import EXCEL
from workbench.contracts.readings import SCIENTIFIC, are_shares_and_percents
from workbench.portfolios import guesses, roles
from workbench.portfolios.looks import FULL_WIDTH, SEEN, Look
from workbench.words import Text, say

_NAMED = 5  # columns that a note names
_MOST = 0.9  # of the rows
_ERROR = re.compile(r"#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|#{3,})")
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060\ufeff]")
_QUOTED = re.compile(r"'\S.*|=\"[^\"]*\"")
_CURRENCY = r"[$€£¥￥₩₹₽฿]|USD|EUR|GBP|CNY|RMB|JPY|HKD|TWD|KRW|INR|CHF|SEK|NOK|DKK|PLN|CZK|RUB|BRL|AUD|CAD|SGD|元"
_SIGNED = re.compile(
    rf"\(?[-+−–]?\s*(?:{_CURRENCY})?\s*[-+−–]?\d[\d.,'’ \u00a0\u202f]*(?:[eE]\+?\d+)?\s*"
    rf"(?:{_CURRENCY}|[%‰万萬亿億kKmM-]|DR|CR|Dr|Cr)?\)?"
)
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+")
_LIKE_A_DATE = re.compile(r"(?=(?:\D*\d){4})[^-\s].{5,}")
_DAY = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ].*)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}(?: .*)?")
_DAY_OTHERWISE = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2}(?: .*)?|\d{4}年\d{1,2}月\d{1,2}日?(?:[ T].*)?")
_SECONDS = (946_684_800, 2_000_000_000)  # since 1970: 2000 to 2033
_WIDER = 3  # times as many columns as rows: nobody's table
_SOME = 9  # different values, fewer say nothing
_DAYS = (36_526, 47_500)  # 2000-01-01 to 2030 in a spreadsheet's day numbers


def notes(contract: Contract, looks: Mapping[str, Look]) -> tuple[str, ...]:
    """Return the notes: one a kind of oddity, with the columns that show it; `looks` by column name."""
    return (*_turned(looks), *_keys(contract, looks), *_commas(contract, looks), *_columns(contract, looks))


def _turned(looks: Mapping[str, Look]) -> Iterator[str]:
    """More columns than rows, most of which hold numbers beside texts: each was a row once."""
    columns = list(looks.values())[1:]
    if len(columns) <= max(_SOME, _WIDER * columns[0].rows):
        return  # before every text is read as a number
    mixed = sum(0 < np.isfinite(c.numbers).sum() < c.different for c in columns)
    if mixed > 0.5 * len(columns):
        yield str(
            say(
                "More columns than rows, most with numbers beside texts: is the table turned? "
                "Exchange rows and columns."
            )
        )


def _keys(contract: Contract, looks: Mapping[str, Look]) -> Iterator[str]:
    """An identifier that names no row, because some stand twice or are missing."""
    if contract.named("key") or roles.are_dated(contract):
        return
    called = (c for c in contract.columns if guesses.is_key(c) and _nearly_names_rows(looks[c.name], c))
    for c in islice(called, 1):
        again = looks[c.name].rows - looks[c.name].different
        facts = {"column": _named(c), "again": again, "rows": looks[c.name].rows}
        yield str(_no_key(taken=c.role == "parent", **facts))


def _no_key(taken: bool, **facts: str | int) -> Text:
    if not taken:
        return say(
            "No column names the rows: in '{column}' {again:,} of {rows:,} rows repeat a value or have none. "
            "Remove them, or give `role: key` to what makes a row unique.",
            **facts,
        )
    return say(
        "No column names the rows: in '{column}' {again:,} of {rows:,} rows repeat a value or have none; "
        "it is taken for whom the rows belong to (`parent`). Remove them, or give `role: key` to what makes "
        "a row unique.",
        **facts,
    )


def _commas(contract: Contract, looks: Mapping[str, Look]) -> Iterator[str]:
    """Numbers such as 5,906, whose comma may stand between thousands or before decimals."""
    numbers = {c.name: looks[c.name] for c in contract.columns if c.type in ("number", "integer")}
    least = 0.5 if contract.decimal == "," else 1.0  # of thousands some number below has no comma
    either = [n for n, seen in numbers.items() if seen.different > _SOME and guesses.grouped_share(seen) >= least]
    if either and contract.decimal == ",":
        note = say("commas before three digits are read as decimals (5,906 is 5.906), as others are.")
        yield f"{_listed(either)}: {note}"
    elif either:
        note = say(
            "every number has three digits after its comma, read as thousands (5,906 is 5906); if it stands before "
            'decimals, set `decimal: ","` in place of `thousands`.'
        )
        yield f"{_listed(either)}: {note}"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def _named(c: Column) -> str:
    """Return a column's name; of one that is only numbered, for its header has no Latin letters, with the header."""
    return f"{c.name} ({c.source})" if c.source and re.fullmatch(r"column_\d+", c.name) else c.name


def _nearly_names_rows(seen: Look, c: Column) -> bool:
    return 1 < seen.different < seen.rows and (c.role == "parent" or seen.different >= seen.rows / 2)


def _columns(contract: Contract, looks: Mapping[str, Look]) -> Iterator[str]:
    odd: dict[str, list[str]] = {}
    for c in contract.columns:
        for test, note in _ODDITIES:
            if looks[c.name].texts and test(looks[c.name], c):
                odd.setdefault(str(note), []).append(_named(c))
    for note, names in odd.items():
        yield f"{_listed(names)}: {note}"


def _any(pattern: re.Pattern[str], texts: tuple[str, ...]) -> bool:
    return any(map(pattern.search, texts[:SEEN]))


def _is_read_as_text(c: Column) -> bool:
    return c.type in ("text", "category") and c.role not in ("key", "parent") and not c.personal


def _lost_digits(seen: Look, c: Column) -> bool:
    named = guesses.is_key(c) and c.role != "key"  # of a key it is said already
    return named and any(re.fullmatch(SCIENTIFIC, t) for t in seen.plain[:SEEN])


def _errors(seen: Look, c: Column) -> bool:
    return _any(_ERROR, seen.texts)


def _no_date(seen: Look, c: Column) -> bool:
    return c.type != "date" and not c.personal and guesses.is_called_date(c) and seen.mostly(_LIKE_A_DATE, 0.5)


def _partly_dates(seen: Look, c: Column) -> bool:
    if c.type == "date" or c.role == "key" or c.personal or guesses.is_called_date(c):  # of one so called it is said
        return False
    return seen.mostly(_DAY, 0.5)


def _days_otherwise(seen: Look, c: Column) -> bool:
    if c.type == "date" or c.role == "key" or c.personal or guesses.is_called_date(c):
        return False
    return seen.mostly(_DAY_OTHERWISE, 0.5)


def _seconds(seen: Look, c: Column) -> bool:
    if c.type not in ("integer", "text") or c.role in ("key", "parent") or c.personal or seen.different <= _SOME:
        return False
    thousands = seen.numbers / 1000
    return any(bool(((n >= _SECONDS[0]) & (n <= _SECONDS[1])).all()) for n in (seen.numbers, thousands))


def _days(seen: Look, c: Column) -> bool:
    return c.format == EXCEL


def _may_be_days(seen: Look, c: Column) -> bool:
    if c.type != "integer" or seen.different <= _SOME:
        return False
    return bool(((seen.numbers >= _DAYS[0]) & (seen.numbers <= _DAYS[1])).all())


def _signs(seen: Look, c: Column) -> bool:
    if not _is_read_as_text(c) or guesses.is_key(c) or seen.number_share >= _MOST:
        return False
    return seen.mostly(_SIGNED, _MOST) and not all(t.isdecimal() for t in seen.plain[:SEEN])


def _partly_numbers(seen: Look, c: Column) -> bool:
    if not _is_read_as_text(c) or not 0.5 < seen.number_share < guesses.MOSTLY:
        return False
    return int(np.isfinite(seen.numbers).sum()) > guesses.FEW_CODES


def _percents(seen: Look, c: Column) -> bool:
    return are_shares_and_percents(seen.plain[:SEEN])


def _full_width(seen: Look, c: Column) -> bool:
    return (c.type != "text" or c.role == "key") and _any(FULL_WIDTH, seen.texts)


def _three_decimals(seen: Look, c: Column) -> bool:
    texts = seen.plain[:SEEN]
    numbers = c.type == "number" and seen.is_text and seen.decimal == "."
    return numbers and seen.different > _SOME and all(map(_THOUSANDS.fullmatch, texts))


def _invisible(seen: Look, c: Column) -> bool:
    return _any(_INVISIBLE, seen.texts)


def _marked_as_text(seen: Look, c: Column) -> bool:
    return seen.mostly(_QUOTED, _MOST)


_ODDITIES: tuple[tuple[Callable[[Look, Column], bool], Text], ...] = (
    (_lost_digits, say("identifiers in scientific notation, their digits are lost; export the column as text.")),
    (_errors, say("a spreadsheet's errors (#N/A, #REF!, ####) stand for values; export it anew.")),
    (
        _no_date,
        say(
            "called a date, but its values aren't read as dates; write them as 2020-01-31, or set "
            "`type: date`, `format`."
        ),
    ),
    (
        _partly_dates,
        say(
            "mostly days, but not all are dates, so that none is read; mend the others, or name them in `missing` and "
            "set `type: date`."
        ),
    ),
    (
        _days_otherwise,
        say(
            "days written otherwise (31/01/20, 2020年1月31日), read as text; if so set `type: date` and `format`, such "
            "as %d/%m/%y."
        ),
    ),
    (_seconds, say("may hold seconds or milliseconds since 1970; if so write them as 2020-01-31.")),
    (_days, say("day numbers of a spreadsheet, read as dates (43831 is 2020-01-01); an old Mac's count from 1904.")),
    (
        _may_be_days,
        say("may hold day numbers of a spreadsheet (43831 is 2020-01-01); if so set `type: date` and `format: excel`."),
    ),
    (
        _signs,
        say(
            "numbers with other signs in them (a currency, a unit, commas, brackets), read as text; write "
            "plain numbers."
        ),
    ),
    (
        _partly_numbers,
        say(
            "mostly numbers, but not all, and read as text; mend the others, or name them in `missing` and "
            "set the type."
        ),
    ),
    (_percents, say("some values have a percent sign, some have none; write all alike.")),
    (_full_width, say("digits of full width, read as usual ones.")),
    (
        _three_decimals,
        say('every number has three digits after its point; if it stands between thousands, set `thousands: "."`.'),
    ),
    (_invisible, say("invisible characters stand in values, so that equal ones differ; remove them.")),
    (_marked_as_text, say("values begin with a spreadsheet's mark for text (' or =); export it anew.")),
)
