"""Contracts: every usual breach is found with table, column, rule, rows and example; the input is not changed."""

import numpy as np
import pandas as pd
import pytest

from workbench import contracts
from workbench.contracts import Column, Contract
from workbench.params import UserError
from workbench.portfolios import catalog
from workbench.portfolios.files import read_raw

TODAY = pd.Timestamp("2026-01-01")
WORDS = Contract(
    name="loans",
    title="t",
    bad_value="1",
    columns=(
        Column(name="id", type="text", role="key", personal="identifier"),
        Column(name="amt", type="number", minimum=0),
        Column(name="n", type="integer", breach="warning"),
        Column(name="kind", type="category", values={"a": "a", "b": "b"}),
        Column(name="day", type="date"),
        Column(name="bad", type="category", role="outcome", values={"0": "0", "1": "1"}),
    ),
)


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
    found = [f"{f.severity}: {f.line()}" for f in contracts.check(raw, contract, TODAY)[1]]
    pd.testing.assert_frame_equal(raw, before)
    return found


def test_a_good_table_has_no_findings_and_is_typed():
    table, findings = contracts.check(_raw(), WORDS, TODAY)
    assert findings == [] and table["amt"].dtype == float and str(table["day"].dtype).startswith("datetime64")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"amt": ["1", "-2", "3"]}, "error: loans.amt: below 0 (1 rows, e.g. '-2.0')"),
        (
            {"amt": ["1", "1,200", "3"]},
            "error: loans.amt: not a number; has thousand separators: set `thousands` in the contract (1 rows, e.g. '1,200')",
        ),
        ({"amt": ["1", "two", "3"]}, "error: loans.amt: not a number (1 rows, e.g. 'two')"),
        ({"amt": ["1", "inf", "3"]}, "error: loans.amt: value is infinite (1 rows, e.g. 'inf')"),
        ({"n": ["1", "2.5", "3"]}, "warning: loans.n: not a whole number (1 rows, e.g. '2.5')"),
        ({"kind": ["a", "z", "a"]}, "error: loans.kind: value is not among the allowed ones (1 rows, e.g. 'z')"),
        (
            {"day": ["2020-01-01", "2031-01-01", "2020-02-01"]},
            "error: loans.day: date is in the future (1 rows, e.g. '2031-01-01 00:00:00')",
        ),
        (
            {"day": ["2020-01-01", "2020-02-31", "2020-02-01"]},
            "error: loans.day: not a date (1 rows, e.g. '2020-02-31')",
        ),
        ({"id": ["x1", "x1", "x3"]}, "error: loans.id: key is not unique (2 rows, e.g. 'x*')"),
        ({"id": ["x1", None, "x3"]}, "error: loans.id: value is missing (1 rows)"),
        ({"amt": ["2", "2", "2"]}, "error: loans.amt: column is constant (3 rows, e.g. '2.0')"),
        ({"bad": ["0", "0", "0"]}, "error: loans.bad: outcome must have two classes (3 rows, e.g. '0')"),
        (
            {"more": [1, 2, 3]},
            "error: loans.more: column is not in the contract; add it (role: ignore, where it is not needed) (3 rows)",
        ),
    ],
)
def test_each_breach_is_found(changes, said):
    assert said in _lines(_raw(**changes))


def test_missing_column_duplicate_row_and_empty_table():
    assert (
        _lines(_raw().rename(columns={"amt": "amount"}))[0]
        == "error: loans.amt: column is missing; did you mean 'amount'? (3 rows)"
    )
    twice = pd.concat([_raw(), _raw().head(1)], ignore_index=True)
    assert _lines(twice) == ["warning: loans.*: the same row twice, one is kept (1 rows)"]
    assert _lines(_raw().head(0)) == ["error: loans.*: the table has no rows (0 rows)"]


def test_bad_values_of_warning_columns_become_missing_and_undocumented_codes_are_read():
    table, _ = contracts.check(_raw(n=["1", "2.5", "3"]), WORDS, TODAY)
    assert table["n"].isna().tolist() == [False, True, False]
    kind = WORDS["kind"].model_copy(update={"undocumented": {"9": "b"}})
    words = WORDS.replaced([kind if c.name == "kind" else c for c in WORDS.columns])
    table, findings = contracts.check(_raw(kind=["a", "9", "a"]), words, TODAY)
    assert table["kind"].tolist() == ["a", "b", "a"]
    assert findings[0].line() == "loans.kind: code '9' is in no document; read as 'b' (1 rows, e.g. '9')"


def test_thousand_separators_are_read_where_the_contract_names_them():
    table, findings = contracts.check(_raw(amt=["1", "1,200", "3"]), WORDS.model_copy(update={"thousands": ","}), TODAY)
    assert findings == [] and table["amt"].tolist() == [1, 1200, 3]


def test_the_first_error_is_raised_with_the_number_of_others():
    _, findings = contracts.check(_raw(amt=["1", "-2", "3"], kind=["a", "z", "a"]), WORDS, TODAY)
    with pytest.raises(UserError, match=r"loans\.amt: below 0 \(1 rows, e\.g\. '-2\.0'\); and 1 more errors"):
        contracts.stop_on_errors(findings)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "name: a\ntitle: t\ncolumns:\n  - {name: x, type: number, rol: key}\n",
            "columns.x.rol: Extra inputs are not permitted; did you mean 'role'?",
        ),
        ("name: a\ntitle: t\ncolumns:\n  - {name: x, type: numbr}\n", "columns.x.type: Input should be 'number'"),
        ("name: [", "not YAML: "),
    ],
)
def test_a_wrong_contract_names_the_place(tmp_path, text, said):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as e:
        contracts.load(path)
    assert said in str(e.value) and "\n" not in str(e.value)


@pytest.mark.parametrize("name", sorted(catalog.embedded()), ids=str)
def test_every_embedded_portfolio_keeps_its_contract(name):
    contract = catalog.embedded()[name]
    assert contract.source and contract.licence and contract.citation
    _, findings = contracts.check(read_raw(catalog.raw_file(name), contract), contract, TODAY)
    assert [f.line() for f in findings if f.severity == "error"] == []


def test_traps_of_the_embedded_portfolios_are_caught():
    taiwan, club = catalog.embedded()["taiwan_cards"], catalog.embedded()["lendingclub_2007_2014"]
    _, findings = contracts.check(read_raw(catalog.raw_file("taiwan_cards"), taiwan), taiwan, TODAY)
    rows = {(f.column, f.examples): f.rows for f in findings}
    assert rows["education_code", "'5'"] == 280 and rows["marriage_code", "'0'"] == 54
    assert rows["status_2005_09", "'-2'"] == 2759 and rows["status_2005_09", "'0'"] == 14737
    assert {c.file_name for c in club.columns if c.known == "after" and c.role == "feature"} == {
        "total_pymnt",
        "funded_amnt_inv",
    }


def test_a_large_table_is_checked_in_seconds():
    import time

    n = 200_000
    raw = pd.DataFrame(
        {
            "id": np.arange(n).astype(str),
            "amt": np.arange(n) * 1.0,
            "n": np.arange(n),
            "kind": ["a", "b"] * (n // 2),
            "day": pd.Timestamp("2020-01-01"),
            "bad": ["0", "1"] * (n // 2),
        }
    )
    began = time.perf_counter()
    contracts.check(raw, WORDS, TODAY)
    assert time.perf_counter() - began < 8
