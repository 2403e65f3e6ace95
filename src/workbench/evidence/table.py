"""A table of evidence: as HTML for readers, as JSON for other languages, as CSV for spreadsheets."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.evidence import hidden, lights
from workbench.words import Text, formatted, has, heard, is_term, joined, number, say
from workbench.words import names as column_names
from workbench.words.markdown import coded

if TYPE_CHECKING:
    from pandas import DataFrame

PERCENT = "\x00%"  # mark of a column that is shown as percent
# Columns that hold shares by their role, whatever the outcome is called. An amount has the last ones, too, but over 1.
SHARES = {"share", "missing", "change", "coverage", "place", "leaving"}
SHARES |= {"precision", "recall", "better", "same", "worse", "new", "by size", "within"}
SHARES |= {"completeness", "validity", "uniqueness", "consistency", "timeliness"}
SHARES |= {"of previous", "of first", "response", "rate before", "rate after", "rate without", "mix", "recalibrated"}
SHARES |= {"in common", "accuracy", "explained", "grade jumps", "flips", "decisions turned"}
# Of these a table may hold numbers of customers as well: shares are fractions.
FRACTIONS = {"followed", "converted", "answered", "handed over", "first", "held"}
RELATIVE = {"relative change"}  # parts of what was before, which may be more than all of it
COUNTED = {"n", "events", "effective n", "effective events"}
PREDICTED = ("mean predicted ", "mean probability ", "mean P(", "P(")
OF_OUTCOME = ("mean {predicted}", "highest {rate}", "lowest {rate}")  # headers around a bank's own word
LEVELS = {"predicted", "observed", "expected", "selected", "grade given", "lower", "higher"}
SHOWN_ROWS, MOST_ROWS = 10, 1000  # of a table: at once, and folded away below
# Where a spreadsheet begins a cell (in countries whose delimiter is ; or in a file broken at a quote, inside a text,
# too), and what makes it work one out; a number or a lone dash is none. Source: OWASP, CSV injection.
_BEGIN, _SPACE = r"(?:^|(?<=[;\t\r\n]))", "[\\s\ufeff\u200b]*"
_HARMLESS = rf"{_SPACE}(?:[+-]?\d[\d,]*(?:\.\d+)?(?:[eE][+-]?\d+)?%?|[-－])?{_SPACE}(?:$|[;\t\r\n])"
_WHEN = re.compile(r"\d{4}-(?:Q\d|\d\d(?:-\d\d)?)")  # a period or a day, which no line is broken in
_FORMULA = re.compile(rf"^(?=[\t\r])|{_BEGIN}(?!{_HARMLESS})(?={_SPACE}[=+\-@＝＋－＠])")


def to_html(table: DataFrame | None, rows: int = 0) -> str:
    """Return a table as HTML, its first rows at once and the rest folded away; nothing where it has no rows.

    Headers and cells are said in the language now spoken, columns by their display names; everything is escaped.
    `rows` is the number of rows of the whole table, where this is only its beginning.
    """
    if table is None or table.empty:
        return ""
    header, body, folded_away = hidden.folded(*_plain_parts(table))
    below = f'<p class="more">{html.escape(str(folded_away))}</p>' if folded_away else ""
    if not body:
        return below
    shown, rest = body[:SHOWN_ROWS], body[SHOWN_ROWS:MOST_ROWS]
    head = "".join(f"<th{_side(i, body)}>{_header(name)}</th>" for i, name in enumerate(header))
    header = _with_percent(header, body)
    more = ""
    if rest:
        folded = say("{n:, more rows}", n=len(rest))
        more = f"<details><summary>{folded}</summary>{_whole(head, header, rest)}</details>"
    if (beyond := max(rows, len(table)) - MOST_ROWS) > 0:
        words = say("… and {n:,} more in the CSV beside the MLflow run's evidence", n=beyond)
        more += f'<p class="more">{html.escape(str(words))}</p>'
    return f'<div class="scroll">{_whole(head, header, shown)}</div>{more}{below}'


def to_json(table: DataFrame) -> dict[str, Any]:
    """Return the first thousand rows as JSON can hold them: columns, rows, number of all rows."""
    header, body = _plain_parts(table.head(MOST_ROWS))
    return {"columns": header, "rows": [[_kept(v) for v in row] for row in body], "n": len(table)}


def from_json(content: dict[str, Any]) -> DataFrame:
    """Return the table that `to_json` wrote; sentences in its cells are `Text`s again."""
    import pandas as pd

    rows = [[_read(v) for v in row] for row in content["rows"]]
    return pd.DataFrame(rows, columns=content["columns"], dtype=object)


def to_csv(table: DataFrame, path: Path) -> None:
    """Write a table for spreadsheets: what a customer typed is text there, never a formula; numbers stay numbers."""
    safe = table.copy()
    for name in safe.columns[[not _is_number(t) for t in safe.dtypes]]:
        safe[name] = safe[name].map(_neutral)
    safe.columns = [_neutral(str(c)) for c in safe.columns]
    if safe.index.name is not None:
        safe.index = safe.index.map(_neutral).set_names(_neutral(str(safe.index.name)))
    safe.to_csv(path, index=safe.index.name is not None)


def _neutral(cell: Any) -> Any:
    if isinstance(cell, Text):
        cell = cell.in_language("en")
    if not isinstance(cell, str):
        return cell
    return _FORMULA.sub("'", cell).replace("\r", " ")  # a bare carriage return would end the row


def _is_number(dtype: Any) -> bool:
    return getattr(dtype, "kind", "O") in "biufc"


def _plain_parts(table: DataFrame) -> tuple[list[str], list[list[Any]]]:
    """Return header and rows; an index that has a name is the first column."""
    flat = table.reset_index() if table.index.name is not None else table
    return [str(c) for c in flat.columns], [list(row) for row in flat.itertuples(index=False, name=None)]


def _kept(cell: Any) -> Any:
    if isinstance(cell, Text):
        return {"text": cell.to_json()}
    if isinstance(cell, list | tuple):
        return [_kept(v) for v in cell]
    if hasattr(cell, "item"):
        cell = cell.item()
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    return cell if isinstance(cell, str | bool | int | float | type(None)) else str(cell)


def _read(cell: Any) -> Any:
    if isinstance(cell, list):
        return [_read(v) for v in cell]
    return Text.from_json(cell["text"]) if isinstance(cell, dict) else cell


def _whole(head: str, header: Sequence[str], rows: list[list[Any]]) -> str:
    lines = "".join(
        "<tr>" + "".join(f"<td{_kind(v)}>{_cell(v, c)}</td>" for v, c in zip(row, header, strict=True)) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def _with_percent(header: list[str], body: list[list[Any]]) -> list[str]:
    """Return the columns' names, those of shares and rates marked: they are shown as percent, with their interval.

    The ends of an interval (`low`, `observed_high`, `default rate, low`) are shown as what they are the ends of.
    """
    out, middle = [], False
    for i, name in enumerate(header):
        values = [row[i] for row in body if _is_float(row[i])]
        within = bool(values) and all(abs(v) <= 1 for v in values)
        if not _is_end(name):
            fractions = all(isinstance(v, float) and v >= 0 for v in values)
            marked = name in RELATIVE or (within and (_is_share(name) or (fractions and _is_level(name))))
            middle = marked if values else middle
        else:
            marked = within and middle
        out.append(f"{name}{PERCENT}" if marked else name)
    return out


def _is_end(name: str) -> bool:
    return name.rpartition(", ")[2].rpartition("_")[2] in ("low", "high")


def _is_share(name: str) -> bool:
    called = name.replace("_", " ").partition(",")[0]
    return called in SHARES or called.startswith("share ") or name.endswith(("rate", "rate)"))


def is_share(name: str, value: float) -> bool:
    """Say whether a figure is a share by its name, and can be one by its value."""
    return _is_share(name) and abs(value) <= 1


def _is_level(name: str) -> bool:
    """Say whether a column holds outcomes or predictions (counts of events have these names, too, but no floats)."""
    predicted = name.endswith(("PD", "probability")) or name.startswith(PREDICTED)
    return predicted or name in LEVELS or name.replace("_", " ") in FRACTIONS


def _is_figure(value: Any) -> bool:
    return hasattr(value, "__float__") and not isinstance(value, bool | str)


def _is_float(value: Any) -> bool:
    return _is_figure(value) and value == value


def _header(name: str) -> str:
    if column_names.is_name(name) and not has(name.replace("_", " ")):
        return named(name)
    words = column_names.words_of(name)
    known = heard(words)
    return html.escape(_around(words) if known == words else known)


def _around(words: str) -> str:
    """Return a header whose word for the outcome the catalogue lacks: ours is said, the bank's stands in it."""
    first, _, outcome = words.partition(" ")
    template = next((t for t in OF_OUTCOME if outcome and t.startswith(f"{first} ")), "")
    return str(say(template, predicted=say(outcome), rate=say(outcome))) if template else words


def named(code: str) -> str:
    """Return a column's display name with its unit and its code name small beside it, as HTML."""
    name, unit = column_names.display(code), column_names.unit(code)
    same = name.casefold() == code.replace("_", " ").casefold()
    beside = f" <small>{html.escape(unit)}</small>" if unit else ""
    beside += "" if same else f" <small><code>{html.escape(code)}</code></small>"
    return f"{html.escape(name)}{beside}"


def _cell(value: Any, column: str) -> str:
    if column.partition(",")[0].endswith(lights.COLUMN) and value in lights.WORDS:
        return lights.light(value)
    if isinstance(value, str):  # a unit or a table may be called as a column is: `month`
        return html.escape(heard(value)) if column in ("unit", "table") else cell_html(value)
    if isinstance(value, list | tuple):
        listed = joined([v if isinstance(v, Text) else _number(v, column) for v in value])
        return coded(listed) if all(isinstance(v, Text) for v in value) else html.escape(listed)
    return coded(str(value)) if isinstance(value, Text) else html.escape(_number(value, column))


def cell_html(text: str) -> str:
    """Return a text from a table as HTML: a term in the language now spoken, a column by its name, data as they are."""
    if column_names.is_name(text):
        return named(text)
    if has(text) or not re.fullmatch(r"\w*[a-z]\w*_\w+", text):
        return html.escape(heard(text))
    if is_term(text.replace("_", " ")):
        return html.escape(column_names.term(text))
    return f"<code>{html.escape(text)}</code>"


def _number(value: Any, column: str) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return str(say("yes") if value else say("no"))
    if isinstance(value, str) or not hasattr(value, "__float__"):
        return heard(str(value))
    if column.endswith(PERCENT):
        return formatted(float(value), ".2%" if abs(value) < 0.1 else ".1%")
    whole = isinstance(value, int) or float(value).is_integer()
    if column.replace("_", " ") in COUNTED and abs(value) >= 1:  # effective counts are fractions
        return formatted(float(value), ",.0f")
    return f"{int(value)}" if whole and "year" in column else formatted(value, ",") if whole else number(float(value))


def _kind(value: Any) -> str:
    if isinstance(value, str) and _WHEN.fullmatch(value):
        return ' class="when"'
    return ' class="n"' if _is_figure(value) else ""


def _side(i: int, body: list[list[Any]]) -> str:
    column = [row[i] for row in body[:SHOWN_ROWS] if row[i] is not None]
    return ' class="n"' if column and all(map(_is_figure, column)) else ""
