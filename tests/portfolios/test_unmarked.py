"""Columns that hold personal data though no contract says so are treated as marked, and ordinary ones stay."""

import pandas as pd
import pytest

from workbench.contracts import Column, Contract
from workbench.portfolios import unmarked


def _treated(held: list, **facts: object) -> Column:
    column = Column(**{"name": "x", "type": "category", **facts})
    contract = Contract(name="t", title="t", columns=(column,))
    (seen,) = unmarked.marked(pd.DataFrame({column.name: held}), contract).columns
    return seen


@pytest.mark.parametrize(
    ("values", "facts", "kind", "role"),
    [
        (["王小明", "李娜", "张伟"] * 40, {}, "name", "ignore"),  # few different names are names
        (["王小明", "尚慧"] * 60, {"name": "manager"}, "name", "ignore"),
        ([f"1381234{i:04d}" for i in range(50)], {"type": "integer"}, "contact", "ignore"),
        ([13812340000 + i for i in range(50)], {"type": "integer"}, "contact", "ignore"),
        ([f"a{i}@example.com" for i in range(50)], {"type": "text", "role": "key"}, "identifier", "key"),
        (["fine"] * 49 + ["call 138 0013 8000"], {"type": "text", "role": "fact"}, "contact", "ignore"),
        ([f"the customer number {i} called twice" for i in range(60)], {"type": "text", "role": "fact"}, "", "ignore"),
    ],
)
def test_a_column_of_personal_values_is_treated_as_marked(values, facts, kind, role):
    seen = _treated(values, **facts)
    assert (seen.personal, seen.role) == (kind, role)


@pytest.mark.parametrize(
    ("values", "facts"),
    [
        (["金卡", "白金卡", "普卡"] * 40, {}),
        (["高风险", "中风险", "低风险"] * 40, {}),
        (["management", "blue-collar", "self-employed"] * 40, {}),
        ([f"L{i:06d}" for i in range(90)], {"type": "text", "role": "key"}),
        ([True, False, False] * 20, {}),
        (pd.array([True, None, False] * 20, dtype="boolean"), {}),
        ([10_000_000_019 + 37_777_777 * i for i in range(900)], {"type": "integer"}),
        (["王小明", "李娜"] * 60, {"values": {"王小明": "a", "李娜": "b"}}),  # the contract's own word
    ],
)
def test_an_ordinary_column_stays_as_it_is(values, facts):
    given = Column(**{"name": "x", "type": "category", **facts})
    assert _treated(values, **facts) == given


def test_single_values_in_a_column_of_codes_become_missing_with_a_warning():
    contract = Contract(name="t", title="t", columns=(Column(name="x", type="category"),))
    table = pd.DataFrame({"x": ["web", "branch"] * 100 + ["13800138000", "Maria Rossi"]})
    clean, warnings = unmarked.without(table, contract)
    assert clean["x"].isna().sum() == 2 and set(clean["x"].dropna()) == {"web", "branch"}
    assert [w.line() for w in warnings] == [
        "t.x: single rows hold personal data, missing from here on; list the column's codes in `values` (2 rows)"
    ]


def test_what_was_marked_is_told_once_per_column():
    given = Contract(name="t", title="t", columns=(Column(name="x", type="integer"),))
    table = pd.DataFrame({"x": [f"1381234{i:04d}" for i in range(50)]})
    warnings = unmarked.findings(unmarked.marked(table, given), given, len(table))
    assert [w.line() for w in warnings] == [
        "t.x: holds personal data though unmarked, not kept; write `personal: contact`, or list its `values` (50 rows)"
    ]
