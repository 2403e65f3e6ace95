"""Rows of a delimited text held to their header: names, lengths, and lines that are no rows of the table."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

from workbench.params import UserError
from workbench.personal import candidates, masked
from workbench.portfolios import limits

DELIMITERS = (",", ";", "\t", "|")
_BEFORE = 20  # lines that may stand above a header
_AFTER = 5  # lines of notes below the last row
_SHOWN = 200  # rows looked at to tell a header from values
_TOTAL = re.compile(
    r"(?:grand |sub-?)?totals?|sum|total général|gesamt(?:summe)?|summe|insgesamt|totale|totaal|suma|razem|итого|всего"
    r"|[总總]计|[总總]計|合计|合計|小计|小計|汇总|匯總|共计",
    re.I,
)
_CURLY = re.compile("[“”„«»].*[“”„«»]")  # as word processors write quotation marks
_VALUE = re.compile(
    r"[-+]?[\d,.]*\d%?|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}.*|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\S+@\S+\.\w+|\d{17}[\dXx]"
)
csv.field_size_limit(limits.LONGEST_CELL)

Line = tuple[int, list[str]]  # number of its first line (from 1), values


def well_formed(name: str, lines: Iterable[str], delimiter: str, known: Iterable[str] = ()) -> tuple[int, int]:
    """Return rows and columns; `UserError` for rows of other lengths, a line that is no row, a bad header.

    pandas shifts or cuts uneven rows without a word. `known` are the column names of a contract: a header
    that holds one of them is a header.
    """
    rows = _rows(name, lines, delimiter)
    start = list(islice(rows, 1 + _SHOWN))
    if not start:
        raise UserError(f"{name}: the file is empty (nothing but blank lines)")
    _no_preamble(name, start)
    _header(name, start, delimiter, set(known))
    header = start[0][1]
    width, count, last = len(header), 0, start[0]
    for count, last in enumerate(_chained(start[1:], rows), 1):  # noqa: B007
        line, row = last
        if len(row) != width:
            raise UserError(f"{name}: {_uneven(last, width, rows)}")
        if row == header:
            raise UserError(f"{name}: line {line:,} is the header again, no row of the table; delete it")
        if "" in row and _is_total(row[0]):
            raise UserError(f"{name}: line {line:,} seems to be a total, no row of the table; delete it")
    limits.shape(name, count, width)
    _ends_well(name, last, start[1:])
    return count, width


def _is_total(value: str) -> bool:
    return bool(_TOTAL.fullmatch(value.strip(" :：")))


def _ends_well(name: str, last: Line, start: list[Line]) -> None:
    """Raise `UserError` where the last row is a total, or holds one value where all others hold more than half."""
    line, row = last
    values = [v for v in row if v.strip()]
    if start and values and _is_total(values[0]):
        raise UserError(f"{name}: line {line:,} seems to be a total, no row of the table; delete it")
    others = [r for at, r in start if at != line]
    if len(row) > 2 and len(values) == 1 and others and all(_filled(r) > 0.5 for r in others):
        raise UserError(f"{name}: line {line:,} holds one value alone: a total or a note at the end? delete it")


def _filled(row: list[str]) -> float:
    return sum(bool(v.strip()) for v in row) / len(row)


def first_record(name: str, lines: Iterable[str], delimiter: str) -> list[str]:
    """Return the values of the first line that isn't blank."""
    return next(_rows(name, lines, delimiter), (1, []))[1]


def names_are_well(name: str, header: list[str]) -> None:
    """Raise `UserError` where a column has no name, another one's, or a customer's data for one."""
    long = next((i for i, h in enumerate(header, 1) if len(h) > limits.LONGEST_NAME), None)
    if long is not None:
        raise UserError(
            f"{name}: column {long} has a name of {len(header[long - 1]):,} characters, at most {limits.LONGEST_NAME} "
            "are read; shorten it"
        )
    twice = next((h for h, n in Counter(header).items() if n > 1 and h.strip()), None)
    if twice is not None:
        raise UserError(f"{name}: column '{' '.join(twice.split())}' stands twice in the header; rename one")
    blank = next((i for i, h in enumerate(header, 1) if not h.strip()), None)
    if blank is not None:
        raise UserError(f"{name}: column {blank} has no name in the header; name it or delete the column")
    personal = next((i for i, h in enumerate(header, 1) if candidates(h)), None)
    if personal is not None:  # names of columns stand unmasked on every page
        raise UserError(
            f"{name}: column {personal} has personal data for a name ({masked(header[personal - 1])}); give the file a "
            "header line, or the column a name"
        )


def yaml_of(delimiter: str) -> str:
    """Return a delimiter as a contract writes it: '\\t' in single quotes is two characters to YAML."""
    return '"\\t"' if delimiter == "\t" else f"'{delimiter}'"


def _rows(name: str, lines: Iterable[str], delimiter: str) -> Iterator[Line]:
    reader = csv.reader(lines, delimiter=delimiter)
    begins = 1
    try:
        for row in reader:
            if row:
                yield begins, [row[0].lstrip("\ufeff"), *row[1:]] if row[0].startswith("\ufeff") else row
            begins = reader.line_num + 1
    except csv.Error as e:
        raise UserError(f"{name}: line {begins:,}: {e}; is a quotation mark never closed?") from None


def _chained(first: list[Line], rest: Iterator[Line]) -> Iterator[Line]:
    yield from first
    yield from rest


def _no_preamble(name: str, start: list[Line]) -> None:
    """Few lines of other lengths, then rows of one length: the header stands where that length begins."""
    widths = [_width(row) for _, row in start[: 2 * _BEFORE]]
    usual, times = Counter(widths).most_common(1)[0]
    at = widths.index(usual)
    if not 0 < at <= _BEFORE or usual <= max(widths[:at]) or times < 2:
        return
    if not any(_VALUE.fullmatch(h.strip()) for h in start[at][1]):
        raise UserError(
            f"{name}: what stands above line {start[at][0]}, the header, is no part of the table; delete it"
        )


def _width(row: list[str]) -> int:
    """The length of a row; of one mostly empty, as a spreadsheet pads a title, that of what stands in it."""
    return len(row) if _filled(row) > 0.5 else sum(bool(v.strip()) for v in row)


def _header(name: str, start: list[Line], delimiter: str, known: set[str]) -> None:
    header, rows = start[0][1], [row for _, row in start[1:]]
    limits.shape(name, 0, len(header))
    others = [d for d in DELIMITERS if d != delimiter and d in "".join(header)]
    if len(header) == 1 and others:
        raise UserError(f"{name}: one column only; set `delimiter: {yaml_of(others[0])}` in the contract")
    if all(_CURLY.fullmatch(h.strip()) for h in header):
        raise UserError(f'{name}: values stand in {header[0][0]} {header[0][-1]}; replace both by ", or leave them out')
    if header in rows:
        raise UserError(f"{name}: line {start[1 + rows.index(header)][0]:,} is the header again; delete it")
    if _is_second_header(rows):
        raise UserError(
            f"{name}: line {start[1][0]:,} holds names where the lines below hold numbers; of it and line "
            f"{start[0][0]:,} delete the one that is not the header"
        )
    if not known & set(header) and _holds_values(header, rows):
        raise UserError(f"{name}: line 1 seems to hold values, not names; give the file a header line")
    names_are_well(name, header)


def _holds_values(header: list[str], rows: list[list[str]]) -> bool:
    """Half of the names are numbers, dates or addresses, or stand as values below; years and 0, 1, 2… are names."""
    numbers = [int(h) for h in header if re.fullmatch(r"\d{1,4}", h)]
    if len(numbers) > 1 and numbers == list(range(numbers[0], numbers[0] + len(numbers))):
        return False
    below = [{row[i] for row in rows if i < len(row)} for i in range(len(header))]
    pairs = [(h, seen) for h, seen in zip(header, below, strict=True) if h]
    held = sum(bool(_VALUE.fullmatch(h.strip())) or h in seen or _is_alike(h, seen) for h, seen in pairs)
    return bool(rows) and held >= max(1, len(header) / 2)


def _is_alike(name: str, values: set[str]) -> bool:
    """A name with a number in it that is built as all values are (Ada1 above Bob2) is one of them."""
    shape = _shape(name)
    return "0" in shape and len(values) > 2 and all(_shape(v) == shape for v in values)


def _shape(text: str) -> str:
    return re.sub(r"\d+", "0", re.sub(r"[^\W\d]", "a", text))


def _is_second_header(rows: list[list[str]]) -> bool:
    """The first row is all names, and in two columns or more every other row has a number or a date."""
    first, others = rows[0] if rows else [], rows[1:]
    if len(others) < 5 or any(not v.strip() or _VALUE.fullmatch(v.strip()) for v in first):
        return False
    columns = [[r[i].strip() for r in others if i < len(r) and r[i].strip()] for i in range(len(first))]
    return sum(len(c) > 4 and all(_VALUE.fullmatch(v) for v in c) for c in columns) > 1


def _uneven(line: Line, width: int, rest: Iterator[Line]) -> str:
    begins, row = line
    after = list(islice(rest, _AFTER))
    counts = f"line {begins:,} has {len(row)} values, the header {width}"
    if any("\n" in v for v in row):
        return f"{counts}, and goes over several lines: is a quotation mark never closed?"
    if len(row) < width and begins > 2 and len(after) < _AFTER and all(len(r) != width for _, r in after):
        return f"{counts}: a total or a note at the end? delete it; cut off? fetch it again"
    return f"rows of different length; {counts}: quote values that hold the delimiter"
