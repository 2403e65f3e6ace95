"""The ECB's validation template for PD models as a workbook: its fields in its order, each with its run.

Source: ECB (2019), Instructions for reporting the validation results of internal models, sections 2.4 and 2.5. The same
records give the same bytes: the moment it was made is written down nowhere.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workbench.registry.claims import CLAIM
from workbench.registry.recorded import Recorded
from workbench.reporting import excerpts, human
from workbench.reporting.development_document import BATTERY, UNCOMPUTED
from workbench.reporting.document import NOBODY, TEMPLATE
from workbench.reporting.dossier import Dossier
from workbench.reporting.excerpts import no_run
from workbench.words import Text, say

NAME = TEMPLATE
Fields = tuple[tuple[Text, Any, str], ...]
Lines = tuple[tuple[Any, ...], ...]
KEYS = ("opinion", "portfolio", "process", "calibration", "discrimination", "migration", "concentration")
EPOCH = datetime(1980, 1, 1)  # the least day a ZIP file knows
GRADE = {"grade": say("grade"), "predicted": say("PD"), "n": say("customers"), "events": say("defaults")}
_HEAD_ROW = 3
WIDTHS = (44, 60, 40)  # of the first columns, in characters; then OTHERS
OTHERS, LINE = 22, 15  # height of a line, in points


@dataclass(frozen=True)
class Page:
    """A sheet: fields with value and source, then a table with the names of its columns."""

    name: str
    title: Text
    fields: Fields = ()
    columns: tuple[Text, ...] = ()
    rows: Lines = ()


def content(d: Dossier) -> bytes:
    """Return the workbook in the language now spoken (XLSX)."""
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"created": EPOCH, "title": f"{d.registered.model}/{d.registered.version}"})
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    plain = book.add_format({"text_wrap": True, "valign": "top"})
    for p in pages(d):
        sheet = book.add_worksheet(p.name)
        _laid_out(sheet)
        sheet.write_string(0, 0, str(p.title), bold)
        sheet.write_string(1, 0, f"{d.registered.model}/{d.registered.version}", plain)
        at = _HEAD_ROW
        for what, value, source in p.fields:
            sheet.write_string(at, 0, str(what), bold)
            _cell(sheet, at, 1, value, plain)
            sheet.write_string(at, 2, source, plain)
            sheet.set_row(at, LINE * _lines((str(what), value, source)))
            at += 1
        for j, name in enumerate(p.columns):
            sheet.write_string(at + 1, j, str(name), bold)
        for i, row in enumerate(p.rows, at + 2):
            sheet.set_row(i, LINE * _lines(row))
            for j, value in enumerate(row):
                _cell(sheet, i, j, value, plain)
    book.close()
    return out.getvalue()


def _laid_out(sheet: Any) -> None:
    """Give the columns their widths, and let a page of paper (A4, lying) hold all of them."""
    sheet.set_column(len(WIDTHS), 8, OTHERS)
    for j, width in enumerate(WIDTHS):
        sheet.set_column(j, j, width)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _lines(row: tuple[Any, ...]) -> int:
    """Return in how many lines the longest cell of a row is shown: not every program makes room for them by itself.

    A Chinese character is as wide as two others.
    """
    sizes = [len(text) + sum(ord(c) > 0x2E7F for c in text) for text in map(str, row)]
    widths = [*WIDTHS, *[OTHERS] * len(row)]
    return max((-(-size // (width - 2)) for size, width in zip(sizes, widths, strict=False)), default=1) or 1


def _cell(sheet: Any, i: int, j: int, value: Any, form: Any) -> None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        sheet.write_number(i, j, value, form)
    else:
        sheet.write_string(i, j, str(value), form)


def pages(d: Dossier) -> Iterator[Page]:
    """Yield the sheets in the order of the instructions."""
    yield Page("2.4.2 opinion", say("Validation opinion (2.4.2)"), tuple(_opinion(d)))
    yield Page("2.4.3 portfolio", say("Portfolio (2.4.3)"), *_portfolio(d))
    yield Page("2.5.2 process", say("Statistics of the rating process (2.5.2)"), tuple(_process(d)))
    yield Page("2.5.3.1 calibration", say("Jeffreys' test (2.5.3.1)"), *_calibration(d))
    yield Page("2.5.4.1 discrimination", say("AUC against the initial one (2.5.4.1)"), *_table(d, "auc_initial"))
    yield Page("2.5.5 migration", say("Migrations (2.5.5.1 and 2.5.5.2)"), *_table(d, "migrations"))
    yield Page("2.5.5.3 concentration", say("Concentration of grades (2.5.5.3)"), *_table(d, "concentration"))


def _absent(why: Text) -> str:
    return str(say("absent: {why}", why=why))


def _opinion(d: Dossier) -> Iterator[tuple[Text, Any, str]]:
    opinion, where = d.chapters.validator.opinion, human.where_of(d)
    yield say("Opinion, 1 to 4"), opinion or _absent(NOBODY), where
    yield say("What it means"), str(human.OPINIONS[opinion]) if opinion else _absent(NOBODY), where
    assessment = CLAIM.sub(r"\1 \2 \3", str(d.chapters.validator.assessment))
    yield say("Assessment"), assessment or _absent(NOBODY), where
    changed = say("no") if d.registered.version == "1" else say("yes")
    yield say("Change of the model in the period"), str(changed), "MLflow"
    yield say("Validation report"), "validation_report.html", ""
    for key, what in _AREAS.items():
        yield what, f"validation_report.html#{key}", ""


_AREAS: Mapping[str, Text] = {
    "outcomes": say("Area: discrimination and calibration"),
    "soundness": say("Area: design of the model"),
    "data": say("Area: data"),
    "use": say("Area: use and overrides"),
}


def _battery(d: Dossier, key: str) -> tuple[Recorded | None, list[dict[str, str]], str]:
    """Return the battery's run, the rows of a test of it, and where they stand; counts by parent are counts, too."""
    run = d.battery
    rows = [{n.removeprefix("effective "): v for n, v in r.items()} for r in run.rows(key)] if run else []
    return run, rows, excerpts.source(run, key) if run else ""


def _portfolio(d: Dossier) -> tuple[Fields, tuple[Text, ...], Lines]:
    _, rows, where = _battery(d, "jeffreys")
    grades = [r for r in rows if r["grade"] != "portfolio"]
    why = _absent(no_run(BATTERY) if d.battery is None else say("the battery left no grades"))
    total = (
        *_said_of_grades(d),
        (say("Customers"), sum(_number(r["n"]) for r in grades) if grades else why, where),
        (say("Defaults"), sum(_number(r["events"]) for r in grades) if grades else why, where),
        (say("Exposure at the start and at the end"), _absent(UNCOMPUTED), ""),
    )
    return total, tuple(GRADE.values()), tuple(_of_grade(r) for r in grades)


def _said_of_grades(d: Dossier) -> Fields:
    """Return what the battery says of the grades: on which rows they are counted, the hold-out or a later period."""
    run, rows, where = _battery(d, "jeffreys")
    return ((say("Answer"), str(run.evidence["jeffreys"].answer), where),) if rows else ()


def _of_grade(row: Mapping[str, str]) -> tuple[Any, ...]:
    return (row["grade"], *(_number(row[name]) for name in GRADE if name != "grade"))


def _number(text: str) -> float | str:
    """Return a cell of a table as a number; a count in which rounding left a trace as the whole number it is."""
    try:
        value = float(text)
    except ValueError:
        return text
    return round(value) if abs(value - round(value)) < 1e-9 * max(1.0, abs(value)) else value


def _process(d: Dossier) -> Iterator[tuple[Text, Any, str]]:
    run, rows, where = _battery(d, "process_statistics")
    why = no_run(BATTERY) if run is None else say("the battery has no test {test}", test="process statistics")
    for row in rows:
        yield say(row["what"]), _number(row["share"]) if row["share"] else _absent(UNCOMPUTED), where
    if not rows:
        yield say("Ratings that are missing or out of date"), _absent(why), where
        yield say("Overrides"), _absent(why), where
    yield say("Technical defaults"), _absent(UNCOMPUTED), ""


def _calibration(d: Dossier) -> tuple[Fields, tuple[Text, ...], Lines]:
    """Return Jeffreys' p of every grade and of the portfolio, from the battery's counts and before any adjustment."""
    import pandas as pd

    from workbench.validation.jeffreys import p_values

    run, rows, where = _battery(d, "jeffreys")
    if not rows:
        why = no_run(BATTERY) if run is None else say("the battery left no grades")
        return ((say("p by grade"), _absent(why), where),), (), ()
    counted = pd.DataFrame([{n: float(r[n]) for n in ("n", "events", "predicted")} for r in rows])
    p = p_values(counted)
    lines = tuple((*_of_grade(r), float(v)) for r, v in zip(rows, p, strict=True))
    formula = say("Beta(defaults + ½, customers − defaults + ½) at the PD, one-sided, of each grade by itself")
    return (*_said_of_grades(d), (say("p-value"), str(formula), where)), (*GRADE.values(), say("p-value")), lines


def _table(d: Dossier, key: str) -> tuple[Fields, tuple[Text, ...], Lines]:
    """Return what a test of the battery answers, with its table."""
    run, rows, where = _battery(d, key)
    answer = run.evidence.get(key) if run else None
    if answer is None:
        why = no_run(BATTERY) if run is None else say("the battery has no test {test}", test=key.replace("_", " "))
        return ((say("Answer"), _absent(why), ""),), (), ()
    names = tuple(say(n.replace("_", " ")) for n in rows[0]) if rows else ()
    lines = tuple(tuple(_number(v) for v in row.values()) for row in rows)
    return ((say("Answer"), str(answer.answer), where),), names, lines
