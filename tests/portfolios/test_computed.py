"""Computed columns: DuckDB's values in the file's order and the contract's type; its complaint in one line."""

import numpy as np
import pandas as pd
import pytest

from workbench import contracts
from workbench.contracts import Column, Contract
from workbench.params import UserError
from workbench.portfolios.computed import with_computed

RAW = pd.DataFrame(
    {"ID": ["b", "a", "a", "b", "a"], "T": [2, 2, 1, 1, 3], "PMT": [0.0, 5.0, 0.0, 0.0, np.nan], "S": list("X01CX")}
)


def _contract(*computed: Column) -> Contract:
    there = [
        Column(name=n.lower(), source=n, type="text" if n in "IDS" else "number", role="fact") for n in RAW.columns
    ]
    return Contract(name="months", title="t", columns=(*there, *computed))


def _values(kind: str, sql: str) -> list:
    contract = _contract(Column(name="x", type=kind, role="fact", sql=sql))
    table, findings = contracts.check(with_computed(RAW, contract), contract, pd.Timestamp("2030-01-01"))
    assert [f.line() for f in findings if f.severity == "error"] == []
    return table["x"].tolist()


def test_zero_payments_in_a_row_are_counted_in_the_rows_own_order():
    sql = "t - COALESCE(MAX(CASE WHEN PMT > 0 THEN t END) OVER (PARTITION BY id ORDER BY t), 0)"
    assert _values("integer", sql) == [2, 0, 1, 1, 1]


def test_each_type_is_read_as_the_contract_says():
    assert _values("number", "CASE WHEN S IN ('C', 'X') THEN 0 ELSE CAST(S AS DOUBLE) END") == [0, 0, 1, 0, 0]
    assert _values("category", "CASE WHEN PMT > 0 THEN 'paid' ELSE 'not' END") == ["not", "paid", "not", "not", "not"]
    assert _values("date", "DATE '2020-01-01' + to_months(CAST(T AS INTEGER))")[0] == pd.Timestamp("2020-03-01")
    assert np.isnan(_values("number", "PMT + 1")[4])


def test_a_rule_of_the_contract_holds_for_a_computed_column_too():
    contract = _contract(Column(name="x", type="number", role="fact", sql="PMT - 1", minimum=0))
    _, findings = contracts.check(with_computed(RAW, contract), contract, pd.Timestamp("2030-01-01"))
    assert [f.line() for f in findings] == ["months.x: below 0 (3 rows, e.g. '-1.0')"]


def test_a_computed_column_may_be_called_as_one_of_the_file():
    contract = _contract().replaced(
        [*_contract().columns[:3], Column(name="status", source="S", type="text", role="fact")]
    )
    contract = Contract.model_validate(
        {
            **contract.model_dump(),
            "columns": [*contract.columns, Column(name="s", type="text", role="fact", sql="lower(S)")],
        }
    )
    table, _ = contracts.check(with_computed(RAW, contract), contract, pd.Timestamp("2030-01-01"))
    assert table["status"].tolist() == list("X01CX") and table["s"].tolist() == list("x01cx")


@pytest.mark.parametrize(
    ("kind", "sql", "message"),
    [
        (
            "number",
            "PMT || S",
            "contract 'months': column 'x': sql: Conversion Error: Could not convert string '0.0X' to DOUBLE",
        ),
        (
            "number",
            "no_such_function(PMT)",
            "contract 'months': column 'x': sql: Catalog Error: Scalar Function with name no_such_function does not exist!",
        ),
        (
            "number",
            "unnest([1, 2])",
            "contract 'months': column 'x': sql: gives 10 values for 5 rows; write an expression of one value a row, "
            "without unnest",
        ),
    ],
)
def test_what_duckdb_refuses_is_one_line_with_the_column(kind, sql, message):
    contract = _contract(Column(name="x", type=kind, role="fact", sql=sql))
    with pytest.raises(UserError) as e:
        with_computed(RAW, contract)
    assert str(e.value).startswith(message) and "\n" not in str(e.value)


def test_without_computed_columns_the_table_is_as_it_was():
    assert with_computed(RAW, _contract()) is RAW


def test_a_column_computed_from_a_date_with_a_time_zone_has_the_day_the_date_has():
    raw = RAW.assign(D=pd.to_datetime(["2018-01-01"] * 5).tz_localize("Asia/Shanghai"))
    columns = [Column(name="d", source="D", type="date", role="fact")]
    columns += [
        Column(name=n, type=t, role="fact", sql=s) for n, t, s in (("day", "date", "D"), ("m", "integer", "month(D)"))
    ]
    contract = Contract(name="months", title="t", columns=(*_contract().columns, *columns))
    table, _ = contracts.check(with_computed(raw, contract), contract, pd.Timestamp("2030-01-01"))
    assert table["d"].equals(table["day"]) and table["m"].tolist() == [1] * 5
