"""Contracts: every usual breach is found with table, column, rule, rows and example; the input is not changed."""

import time

import numpy as np
import pandas as pd
import pytest

from workbench import contracts, home
from workbench.contracts import Column, Contract, checks, readings
from workbench.params import UserError
from workbench.portfolios import catalog
from workbench.portfolios.files import read_raw
from workbench.portfolios.source import DATA, Request, read
from workbench.words import names

TODAY = pd.Timestamp("2026-01-01")
WORDS = Contract(
    name="loans",
    title="t",
    event_value="1",
    columns=(
        Column(name="id", type="text", role="key", personal="identifier"),
        Column(name="amt", type="number", minimum=0),
        Column(name="n", type="integer", breach="warning"),
        Column(name="kind", type="category", values={"a": "a", "b": "b"}),
        Column(name="day", type="date"),
        Column(name="bad", type="category", role="outcome", values={"0": "0", "1": "1"}),
    ),
)

WIDE = tuple(c.model_copy(update={"minimum": None}) for c in WORDS.columns)


def _raw(**changes) -> pd.DataFrame:
    good = {
        "id": ["x1", "x2", "x3"],
        "amt": ["1", "2", "3"],
        "n": ["1", "2", "3"],
        "kind": ["a", "b", "a"],
        "day": ["2020-01-01"] * 2 + ["2020-02-01"],
        "bad": ["0", "1", "0"],
    }
    return pd.DataFrame({**good, **changes})


def _lines(raw: pd.DataFrame, contract: Contract = WORDS) -> list[str]:
    before = raw.copy(deep=True)
    lines = [f"{f.severity}: {f.line()}" for f in contracts.check(raw, contract, TODAY)[1]]
    pd.testing.assert_frame_equal(raw, before)
    return lines


def test_a_good_table_has_no_findings_and_is_typed():
    table, findings = contracts.check(_raw(), WORDS, TODAY)
    assert findings == [] and table["amt"].dtype == float and str(table["day"].dtype).startswith("datetime64")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"amt": ["1", "-2", "3"]}, "error: loans.amt: below 0 (1 row, e.g. '-2.0')"),
        (
            {"amt": ["1", "1,200", "3"]},
            "error: loans.amt: not a number; has thousand separators: set `thousands` in the contract (1 row, e.g. '1,200')",
        ),
        (
            {"amt": ["1", "two", "3"]},
            "error: loans.amt: not a number; correct it, or write `missing: [\"two\"]` in the contract where it stands for none (1 row, e.g. 'two')",
        ),
        ({"amt": ["1", "inf", "3"]}, "error: loans.amt: value is infinite (1 row, e.g. 'inf')"),
        ({"n": ["1", "2.5", "3"]}, "warning: loans.n: not a whole number (1 row, e.g. '2.5')"),
        ({"kind": ["a", "z", "a"]}, "error: loans.kind: value is not among the allowed ones (1 row, e.g. 'z')"),
        (
            {"day": ["2020-01-01", "2031-01-01", "2020-02-01"]},
            "error: loans.day: date is in the future (1 row, e.g. '2031-01-01')",
        ),
        (
            {"day": ["2020-01-01", "2020-02-31", "2020-02-01"]},
            "error: loans.day: not a date; correct it, or write `missing: [\"2020-02-31\"]` in the contract where it stands for none (1 row, e.g. '2020-02-31')",
        ),
        ({"id": ["x1", "x1", "x3"]}, "error: loans.id: key is not unique (2 rows, e.g. 'x*')"),
        (
            {"id": ["x1", None, "x3"]},
            "error: loans.id: value is missing; fill it in, or leave the row out of the file (1 row)",
        ),
        ({"amt": ["2", "2", "2"]}, "error: loans.amt: column is constant (3 rows, e.g. '2.0')"),
        ({"amt": [None, "", None]}, "error: loans.amt: column is empty (3 rows)"),
        (
            {"n": ["1", "two", "3"]},
            "warning: loans.n: not a number; correct it, or write `missing: [\"two\"]` in the contract where it stands for none (1 row, e.g. 'two')",
        ),
        (
            {"bad": ["0", "0", "0"]},
            "error: loans.bad: outcome must have two classes; map its codes to two in `values`, and give rows of both (3 rows, e.g. '0')",
        ),
        (
            {"bad": ["0", "0", "0"]},
            "error: loans.bad: event_value '1' stands in no row; known: 0 (3 rows)",
        ),
        (
            {"bad": ["0", "1", None]},
            "error: loans.bad: value is missing; fill it in, or leave the row out of the file (1 row)",
        ),
        (
            {"day": ["01/02/2020", "02/03/2020", "11/12/2020"]},
            "warning: loans.day: day and month can't be told apart, read as month first; set `format` in the contract (3 rows, e.g. '01/02/2020', '02/03/2020', '11/12/2020')",
        ),
        (
            {"day": ["1801-01-01", "2020-01-01", None]},
            "error: loans.day: date is before 1900 (1 row, e.g. '1801-01-01')",
        ),
        (
            {"id": [1.1010119900307014e17, 1.0, 2.0]},
            "error: loans.id: more digits than a decimal number keeps; export it as text and set `type: text` (1 row, e.g. '1*********************')",
        ),
        (
            {"id": ["1.23E+17", "x2", "x3"]},
            "error: loans.id: identifier in scientific notation, its digits are lost; export the column as text (1 row, e.g. '1*******')",
        ),
        (
            {"id": ["1001.0", "1002.0", "1003"]},
            "warning: loans.id: identifier written as a decimal number, read as a whole one (2 rows, e.g. '1*****')",
        ),
        (
            {"amt": ["1", "12.5%", "3"]},
            "error: loans.amt: not a number; has percent signs: set `unit: \"%\"` (12.5% is 12.5) in the contract (1 row, e.g. '12.5%')",
        ),
        (
            {"day": ["2020-01-01", "9999-12-31", "2020-02-01"]},
            "error: loans.day: date stands for no day; name it in `missing` (1 row, e.g. '9999-12-31')",
        ),
        (
            {"day": ["43831", "43832", "43890"]},
            "error: loans.day: not a date; day numbers of a spreadsheet? set `format: excel` in the contract (3 rows, e.g. '43831', '43832', '43890')",
        ),
        (
            {"more": [1, 2, 3]},
            "error: loans.more: column is not in the contract; add it (role: ignore, where it is not needed) (3 rows)",
        ),
    ],
)
def test_each_breach_is_found(changes, line):
    assert line in _lines(_raw(**changes))


def test_one_value_or_none_is_a_flag_and_not_constant():
    assert _lines(_raw(amt=["1", None, "1"], kind=["a", "a", ""])) == []
    assert _lines(_raw(kind=["a", "a", "a"])) == ["error: loans.kind: column is constant (3 rows, e.g. 'a')"]


def test_missing_column_column_twice_and_empty_table():
    lines = _lines(_raw().rename(columns={"amt": "amount"}))
    assert (
        lines[0]
        == "error: loans.amt: column is missing; if 'amount' is meant, write `source: amount` in the contract (3 rows)"
    )
    twice = _raw().set_axis(["id", "amt", "amt", "kind", "day", "bad"], axis=1)
    assert "error: loans.amt: column name stands twice (3 rows)" in _lines(twice)
    assert _lines(_raw().head(0)) == ["error: loans.*: the table has no rows (0 rows)"]


def test_the_same_row_twice_is_dropped_under_a_key_and_told_without_one():
    twice = pd.concat([_raw(), _raw().head(1)], ignore_index=True)
    assert _lines(twice) == ["warning: loans.*: the same row twice, one is kept (1 row)"]
    assert len(contracts.check(twice, WORDS, TODAY)[0]) == 3
    keyless = WORDS.replaced([c.model_copy(update={"role": "fact"}) if c.role == "key" else c for c in WORDS.columns])
    line = "warning: loans.*: the same row twice; no key tells whether it is one or two, all are kept (1 row)"
    assert _lines(twice, keyless) == [line] and len(contracts.check(twice, keyless, TODAY)[0]) == 4


def test_a_composite_key_is_unique_as_a_whole():
    day = WORDS["day"].model_copy(update={"role": "key"})
    words = WORDS.replaced([day if c.name == "day" else c for c in WORDS.columns])
    assert _lines(_raw(id=["x1", "x2", "x1"]), words) == []
    line = "error: loans.id+day: key is not unique (2 rows, e.g. 'x*'+'2020-01-01')"
    assert _lines(_raw(id=["x1", "x1", "x3"]), words) == [line]


def test_examples_of_personal_columns_are_masked():
    amt = WORDS["amt"].model_copy(update={"personal": "identifier"})
    words = WORDS.replaced([amt if c.name == "amt" else c for c in WORDS.columns])
    hint = "; correct it, or name in `missing` of the contract what stands for none"
    line = f"error: loans.amt: not a number{hint} (1 row, e.g. 's*****')"
    assert _lines(_raw(amt=["1", "secret", "3"]), words) == [line]


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("", ["2020-01-31", "20200201", "2020-02-02 10:00"]),
        ("", ["31/01/2020", "01/02/2020", "02/02/2020"]),
        ("", [20200131, 20200201, 20200202]),
        ("", [20200131.0, 20200201.0, 20200202.0]),
        ("%d/%m/%Y", ["31/01/2020", "01/02/2020", "02/02/2020"]),
        ("", ["31-Jan-20", "01-Feb-20", "02-Feb-20"]),
        ("", pd.to_datetime(["2020-01-31", "2020-02-01", "2020-02-02"]).tz_localize("UTC")),
        ("", list(pd.to_datetime(["2020-01-31", "2020-02-01", "2020-02-02"]).date)),
    ],
)
def test_dates_are_read_however_they_are_written(written, values):
    day = WORDS["day"].model_copy(update={"format": written})
    table, findings = contracts.check(
        _raw(day=values), WORDS.replaced([day if c.name == "day" else c for c in WORDS.columns]), TODAY
    )
    assert findings == [] and table["day"].dt.strftime("%m-%d").tolist() == ["01-31", "02-01", "02-02"]


CHINA = [f"{day} 00:00:00+08:00" for day in ("2018-01-01", "2018-02-01", "2018-03-01")]


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("", CHINA),
        ("", [c.replace(" ", "T").replace(":00+08:00", "+08") for c in CHINA]),
        ("", ["2018-01-01T00:00:00+08:00", "2018-02-01T23:00:00Z", "2018-03-01"]),
        ("%Y-%m-%d %H:%M:%S%z", CHINA),
        ("%Y-%m-%d %H:%M:%S%z", [*CHINA[:2], "2018-03-01 23:30:00-05:00"]),
        ("", ["01/13/2018 00:00:00 +0800", "02/13/2018 00:00:00 +0800", "03/13/2018 00:00:00 +0800"]),
        ("", pd.to_datetime(CHINA).tz_convert("Asia/Shanghai")),
    ],
)
def test_a_time_zone_moves_no_date_into_another_month(written, values):
    day = WORDS["day"].model_copy(update={"format": written})
    words = WORDS.replaced([day if c.name == "day" else c for c in WORDS.columns])
    table, findings = contracts.check(_raw(day=values), words, TODAY)
    assert findings == [] and table["day"].dt.strftime("%Y-%m").tolist() == ["2018-01", "2018-02", "2018-03"]


def test_what_keyboards_and_spreadsheets_write_is_read():
    day = WORDS["day"].model_copy(update={"format": "excel", "missing": ("9999-12-31",)})
    amt = WORDS["amt"].model_copy(update={"unit": "%"})
    words = WORDS.replaced([{"day": day, "amt": amt}.get(c.name, c) for c in WORDS.columns])
    raw = _raw(day=["43831", "43832.0", "9999-12-31"], amt=["１２.５％", "12.5 %", "3"], n=["１", "２", "３"])
    table, findings = contracts.check(raw.assign(id=["１a", "1001", "x"]), words, TODAY)
    rule = "some values have a percent sign, some have none; all are read as percent"
    assert [(f.column, f.rule, f.severity) for f in findings] == [("amt", rule, "warning")]
    assert table["amt"].tolist() == [12.5, 12.5, 3] and table["n"].tolist() == [1, 2, 3]
    assert table["day"].dt.strftime("%Y-%m-%d").tolist()[:2] == ["2020-01-01", "2020-01-02"]
    assert table["id"].tolist()[0] == "1a" and table["day"].isna().tolist() == [False, False, True]
    dates = pd.to_datetime(["2020-01-31", "2020-02-01", "9999-12-31"])
    table, findings = contracts.check(raw.assign(day=dates), words, TODAY)
    assert [f.rule for f in findings] == [rule] and table["day"].isna().tolist() == [False, False, True]


def test_guesses_are_amber_and_said_until_somebody_confirms_them():
    assert contracts.unconfirmed(WORDS) is None
    guessed = WORDS.replaced([c.model_copy(update={"guessed": c.name != "n"}) for c in WORDS.columns])
    card = contracts.unconfirmed(guessed)
    assert card.verdict == "amber" and card.value == 5
    assert str(card.answer) == (
        "Nobody has confirmed 5 guesses, and the study stands on them: "
        "bad as outcome, id as key, amt as number, kind as category, day as date."
    )
    assert card.table["name"].tolist()[:2] == ["bad", "id"]


def test_codes_held_as_floats_and_missing_codes_are_read():
    kind = WORDS["kind"].model_copy(update={"values": {"1": "one", "2": "two"}, "missing": ("9",)})
    amt = WORDS["amt"].model_copy(update={"missing": ("-1",)})
    words = WORDS.replaced([{"kind": kind, "amt": amt}.get(c.name, c) for c in WORDS.columns])
    table, findings = contracts.check(_raw(kind=[1.0, 2.0, 9.0], amt=[5, 6, -1]), words, TODAY)
    assert findings == [] and table["kind"].tolist()[:2] == ["one", "two"]
    assert table["kind"].isna().tolist() == table["amt"].isna().tolist() == [False, False, True]


@pytest.mark.parametrize("written", ["-999", "-999.0", "-999.00", "-９９９", "-9.99e2"])
def test_a_code_for_missing_is_a_number_however_it_is_written(written):
    amt = WORDS["amt"].model_copy(update={"missing": ("-999",), "minimum": None})
    read, findings = readings.typed(pd.Series(["1.5", written, "999"]), amt, WORDS)
    assert read.isna().tolist() == [False, True, False] and findings == []


def test_bad_values_of_warning_columns_become_missing_and_undocumented_codes_are_read():
    table, _ = contracts.check(_raw(n=["1", "2.5", "3"]), WORDS, TODAY)
    assert table["n"].isna().tolist() == [False, True, False]
    kind = WORDS["kind"].model_copy(update={"undocumented": {"9": "b"}})
    words = WORDS.replaced([kind if c.name == "kind" else c for c in WORDS.columns])
    table, findings = contracts.check(_raw(kind=["a", "9", "a"]), words, TODAY)
    assert table["kind"].tolist() == ["a", "b", "a"]
    assert findings[0].line() == "loans.kind: code '9' is in no document; read as 'b' (1 row, e.g. '9')"


def test_thousand_separators_are_read_where_the_contract_names_them():
    table, findings = contracts.check(_raw(amt=["1", "1,200", "3"]), WORDS.model_copy(update={"thousands": ","}), TODAY)
    assert findings == [] and table["amt"].tolist() == [1, 1200, 3]


MISFIT = "; `thousands` stands between groups of three digits: correct it or `decimal` in the contract"


@pytest.mark.parametrize(
    ("signs", "written", "read", "hint"),
    [
        ({"thousands": ","}, ["1,234", "-12,345.5", "12,34,567"], [1234, -12345.5, 1234567], ""),
        ({"thousands": ","}, ["1,234", "12,5", "0,125"], [1234, None, None], MISFIT),
        ({"thousands": "."}, ["1.234", "1234.56", "0.75"], [1234, None, None], MISFIT),
        ({"thousands": "'"}, ["1'234.50", "12'5", "7"], [1234.5, None, 7], MISFIT),
        ({"decimal": ","}, ["7,63", "5,906", "12"], [7.63, 5.906, 12], ""),
        ({"decimal": ",", "thousands": "."}, ["1.234,56", "1.234", "1234,5"], [1234.56, 1234, 1234.5], ""),
        ({"decimal": ",", "thousands": " "}, ["1 234,5", "12 5", "7"], [1234.5, None, 7], MISFIT),
        (
            {"decimal": ","},
            ["7,63", "7.63", "12"],
            [7.63, None, 12],
            "; has a decimal point: write a comma for it, as the contract's `decimal` says",
        ),
        ({}, ["7,63", "5,906", "12"], [None, None, 12], '; has decimal commas: set `decimal: ","` in the contract'),
        ({}, ["0,125", "5", "12"], [None, 5, 12], '; has decimal commas: set `decimal: ","` in the contract'),
    ],
)
def test_signs_in_numbers_are_read_where_they_fit_and_else_no_digit_moves(signs, written, read, hint):
    table, findings = contracts.check(_raw(amt=written), WORDS.model_copy(update={"columns": WIDE, **signs}), TODAY)
    assert table["amt"].isna().tolist() == [v is None for v in read]
    assert table["amt"].dropna().tolist() == [v for v in read if v is not None]
    unread = [f.rule for f in findings if f.rule != "column is constant"]
    assert unread == [f"not a number{hint}"] * bool(hint)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"source": "金额"}, "金额"),
        ({"source": "Prêt accordé"}, "Prêt accordé"),
        ({"source": "LOAN_AMT"}, "loan amt"),
        ({}, "loan amt"),
        ({"source": "金额", "description": "amount lent"}, "amount lent"),
    ],
)
def test_a_header_beyond_ascii_is_what_a_page_calls_the_column(facts, words):
    assert Column(name="loan_amt", type="number", **facts).description == words


def test_an_amount_that_is_the_same_in_every_row_is_no_outcome():
    columns = [c for c in WORDS.columns if c.name != "bad"]
    amount = WORDS.replaced([*columns, Column(name="loss_amt", type="number", role="outcome")], event_value=None)
    lines = _lines(_raw(loss_amt=["5", "5", "5"]).drop(columns="bad"), amount)
    assert lines == ["error: loans.loss_amt: outcome is the same in every row (3 rows, e.g. '5.0')"]


def test_a_comma_is_not_both_between_thousands_and_before_decimals():
    with pytest.raises(ValueError, match="`thousands` and `decimal` are both ','; a comma is one of them"):
        Contract(name="a", title="t", thousands=",", decimal=",", columns=())


def test_the_first_error_is_raised_with_the_number_of_others():
    _, findings = contracts.check(_raw(amt=["1", "-2", "3"], kind=["a", "z", "a"]), WORDS, TODAY)
    with pytest.raises(UserError) as e:
        contracts.stop_on_errors(findings)
    assert str(e.value) == (
        "loans.amt: below 0 (1 row, e.g. '-2.0'); correct it, or lower `minimum` in the contract; and 1 more error: "
        "loans.kind (value is not among the allowed ones)"
    )


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        ({"day": ["2020-13-01", "2020-01-02", "2020-01-03"]}, "loans.day: not a date"),
        (
            {"amt": ["1.5", "2,5", "3.0"]},
            "loans.amt: not a number; has a decimal comma, and the others points: correct",
        ),
        ({"amt": ["1", "2,5", "3"]}, 'loans.amt: not a number; has decimal commas: set `decimal: ","` in the contract'),
    ],
)
def test_what_follows_from_unread_values_is_no_further_error(columns, line):
    needed = [c.model_copy(update={"nullable": False}) if c.name in columns else c for c in WORDS.columns]
    _, findings = contracts.check(_raw(**columns), WORDS.replaced(needed), TODAY)
    with pytest.raises(UserError) as e:
        contracts.stop_on_errors(findings)
    assert str(e.value).startswith(line) and "more error" not in str(e.value) and "missing;" not in str(e.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "name: a\ntitle: t\ncolumns:\n  - {name: x, type: number, rol: key}\n",
            "columns.x.rol: unknown; did you mean 'role'?",
        ),
        ("name: a\ntitle: t\ncolumns:\n  - {name: x, type: numbr}\n", "columns.x.type: write 'number', 'integer'"),
        (
            "name: a\ntitle: t\ncolumns:\n  - {name: x, type: number}\n  - {name: x, type: date}\n",
            "column 'x' stands twice; rename one (the file's name goes into `source`)",
        ),
        (
            "name: a\ntitle: t\ncolumns:\n  - {name: x, type: category, values: {1: a}}\n",
            "columns.x.values.1: write it in quotes",
        ),
        (f"name: a\ntitle: t\ncolumns: {'[' * 1000}{']' * 1000}\n", "not YAML: nested too deeply; write it flatter"),
        (f"name: a\ntitle: {'7' * 5000}\n", "a value can't be read (a number of thousands of digits?); quote it"),
        (f"name: a\ntitle: 0x{'f' * 5000}\ncolumns: []\n", "title: write it in quotes"),
        ("name: a\ntitle: &t x\nlicence: *t\n", "line 3: aliases (*name) are not read; write the value out"),
        ("name: a\ntitle: !!int ''\n", "a value can't be read"),
        (
            "name: a\ntitle: t\nthousands: '1'\ncolumns: []\n",
            "thousands: '1' can't stand between thousands; one of , . ' _ or a space",
        ),
        ("name: a\ntitle: t\ndelimiter: 'x'\ncolumns: []\n", "delimiter: 'x' can't stand between values; one of"),
        ("name: a\ntitle: t\nas_of: 2020-02-31\ncolumns: []\n", "as_of: '2020-02-31' is no day; write YYYY-MM-DD"),
        (
            "name: a\ntitle: t\ncolumns:\n  - {name: x, type: date, format: '%Q'}\n",
            "columns.x.format: '%Q' is no way to write a date; such as %d/%m/%Y, %Y年%m月%d日, or excel for its day numbers",
        ),
        (
            "name: a\ntitle: t\ncolumns:\n  - {name: x, type: date, format: '%d.%m.'}\n",
            "'%d.%m.' is no way to write a date",
        ),
        (
            "name: a\ntitle: t\ncolumns:\n  - {name: x, type: category, monotone: 1}\n",
            "columns.x: `monotone` is for numbers, and 'x' is category; leave it out",
        ),
        (
            "name: a\ntitle: t\ncolumns:\n  - {name: x, type: date, role: as_of}\n  - {name: y, type: date, role: as_of}\n",
            "columns x and y both have the role as_of; give it to the date as of which a row is known, and others "
            "`role: fact`",
        ),
        (
            "name: a\ntitle: t\ncolumns:\n  - {name: x, type: number, exposure: true, role: weight}\n",
            "columns.x: an exposure is no weight; `role: weight` says how many rows of the population a row stands for",
        ),
        *(
            (
                f"name: a\ntitle: t\ncolumns:\n  - {{name: {n}, type: text}}\n",
                f"columns.{n}: the panel keeps this name for itself; write `name: {n}_value, source: '{n}'`",
            )
            for n in ("entity_id", "parent_id", "as_of_date", "sample", "outcome", "weight", "predicted")
        ),
        *(
            (
                f"name: a\ntitle: t\ncolumns:\n  - {{name: {n}, type: number}}\n",
                f"columns.{n}: the panel keeps this name for itself; write `name: {n}_value, source: '{n}'`",
            )
            for n in ("grade_code", "learnt", "period", "segment")
        ),
        ("name: a\ntitle: t\ncolumns: [x]\n", "columns.0: write pairs: {name: value}"),
        ("", "c.yaml: write pairs: {name: value}"),
        ("name: [", "not YAML: "),
        ("name: a\ntitel: t\ncolumns: []\n", "c.yaml: titel: unknown; did you mean 'title'?"),
        *(
            (
                f"name: a\ntitle: t\ncolumns:\n  - {{name: x, type: number, personal: name, {mark}}}\n",
                f"columns.x: a personal column is dropped, and the {role} is needed; leave `personal: name` out, or {role}",
            )
            for mark, role in (
                ("role: outcome, known: after", "outcome"),
                ("exposure: true", "exposure"),
                ("fairness: true", "fairness"),
            )
        ),
    ],
)
def test_a_wrong_contract_names_the_place(tmp_path, text, words):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as e:
        contracts.load(path)
    assert words in str(e.value) and "\n" not in str(e.value)


@pytest.mark.parametrize("name", sorted(catalog.shipped()), ids=str)
def test_every_embedded_portfolio_keeps_its_contract(name):
    source = catalog.shipped()[name]
    contract = source.contract
    assert contract.source and contract.licence and contract.citation
    _, findings = contracts.check(source.raw(Request())[name], contract, TODAY)
    assert [f.line() for f in findings if f.severity == "error"] == []


WRITTEN = [*sorted(DATA.glob("*.yaml")), *sorted((home.root() / "params" / "contracts").glob("*.yaml"))]


@pytest.mark.parametrize("path", WRITTEN, ids=lambda p: p.stem)
def test_every_contract_in_the_house_says_what_it_is_about(path):
    contract = contracts.load(path)
    assert contract.name == path.stem and contract.source and contract.licence and contract.notes
    assert [c.name for c in contract.columns if not c.description or c.guessed] == []
    assert all(c.known == "after" for c in contract.columns if c.role == "outcome")
    if contract.named("outcome") and contract.outcome.is_binary:
        assert contract.event_value in contract[contract.one("outcome")].values
    groups = r"sex|gender|^age_|marital|marriage|foreign_worker"
    assert [c.name for c in contract.columns if pd.Series(c.name).str.contains(groups)[0] and not c.fairness] == []


def test_a_file_of_another_bank_keeps_its_contract_and_odd_codes_are_caught(bank_file):
    path = bank_file("sba_loans.parquet")
    words = contracts.load(home.root() / "params" / "contracts" / "sba_loans.yaml")
    table, findings = contracts.check(read(path, words), words, TODAY)
    assert [f.line() for f in findings if f.severity == "error"] == []
    rows = {(f.column, f.rule): f.rows for f in findings}
    assert rows["business_code", "value is not among the allowed ones"] == 20
    assert set(table["business_code"].dropna()) == {"existing", "new"}
    assert rows["n_jobs_created", "above 5000"] == 29 and table["n_jobs_created"].max() <= 5000
    assert len(table) == 30_000 and table["industry_code"].dropna().str.len().eq(2).all()
    assert table["loan_status_code"].value_counts().to_dict() == {"CHGOFF": 15_000, "PIF": 15_000}


def test_traps_of_the_embedded_portfolios_are_caught():
    taiwan, club = (catalog.shipped()[n].contract for n in ("taiwan_cards", "lendingclub_2007_2014"))
    _, findings = contracts.check(read_raw(DATA / "taiwan_cards.parquet", taiwan), taiwan, TODAY)
    rows = {(f.column, f.examples): f.rows for f in findings}
    assert rows["education_code", "'5'"] == 280 and rows["marriage_code", "'0'"] == 54
    assert rows["status_2005_09", "'-2'"] == 2759 and rows["status_2005_09", "'0'"] == 14737
    assert {c.file_name for c in club.columns if c.known == "after" and c.role == "feature"} == {
        "total_pymnt",
        "funded_amnt_inv",
    }


@pytest.mark.whole
def test_a_large_table_is_checked_in_seconds():
    n = 175_000
    raw = pd.DataFrame(
        {
            "id": np.arange(n).astype(str),
            "amt": np.arange(n) * 1.0,
            "n": np.arange(n),
            "kind": ["a", "b"] * (n // 2),
            "day": np.resize(["2020-01-01", "2020-02-01"], n),
            "bad": ["0", "1"] * (n // 2),
        }
    ).astype(str)
    raw = raw.assign(**{f"x{i}": raw["amt"] for i in range(6)})
    words = WORDS.replaced([*WORDS.columns, *(Column(name=f"x{i}", type="number") for i in range(6))])
    began = time.process_time()
    contracts.check(raw, words, TODAY)
    assert time.process_time() - began < 2.5, "175,000 rows x 12 columns of text take 0.8 s on two idle cores"


def test_what_is_made_from_an_outcome_is_known_after_it_though_the_contract_does_not_say_so():
    columns = [
        {"name": "id", "type": "text", "role": "key"},
        {"name": "bad", "type": "integer", "role": "outcome"},
        {"name": "twice", "type": "number", "sql": "bad * 2"},
    ]
    contract = Contract(name="loans", title="Loans", columns=columns, event_value="1")
    assert contract["bad"].known == contract["twice"].known == "after" and not contract.features()


def test_a_finding_is_told_by_the_name_people_know_and_its_example_as_the_file_has_it():
    age = Column(name="column_15", type="integer", description="年龄", unit="years", maximum=100, breach="warning")
    contract = WORDS.model_copy(update={"columns": (*WORDS.columns, age)})
    raw = _raw(column_15=["35", "199", "40"])
    findings = contracts.check(raw, contract, TODAY)[1]
    with names.knowing({"column_15": "年龄"}):
        assert [f.line() for f in findings] == [
            "loans.column_15 (年龄): above 100 years of age (1 row, e.g. '199')",
        ]
        evidence = checks.to_evidence(findings, "loans")
        assert "年龄（loans）：高于 100 岁（1 行）" in evidence.answer.in_language("zh_CN")
        assert "column_15" not in evidence.answer.in_language("zh_CN")
