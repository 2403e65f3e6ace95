"""Every column has a class by which it is protected, those of every shipped contract included."""

from pathlib import Path

import pytest

from workbench import contracts
from workbench.contracts import Column, Contract, classed, inventory
from workbench.portfolios.source import DATA

ROOT = Path(__file__).parents[2]
SHIPPED = sorted({*DATA.glob("*.yaml"), *(ROOT / "params" / "contracts").glob("*.yaml")})


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_every_column_of_every_shipped_contract_has_a_class(path):
    contract = contracts.load(path)
    table = inventory({contract.name: contract}).table
    assert len(table) == len(contract.columns) and table["class"].isin(["C1", "C2", "C3"]).all()
    assert {"C2", "C3"} & set(table.loc[table["column"].isin(contract.named("key")), "class"]) or not any(
        contract[n].type != "date" for n in contract.named("key")
    )


def _class(**column) -> str:
    c = Column(**{"name": "x", "type": "text", **column})
    return classed(c, Contract(name="t", title="T", currency="CNY", columns=(c,)))[0]


def test_the_rule_goes_by_secret_person_standing_and_amount():
    assert _class(name="login_password") == "C3" and _class(description="客户密码") == "C3"
    assert _class(name="spin") == "C1", "a word within a word is no secret"
    assert _class(personal="name") == "C2" and _class(role="key") == "C2" and _class(fairness=True) == "C2"
    assert _class(role="key", type="date") == "C1"
    assert _class(type="number", unit="CNY") == "C2" and _class(aspect="capacity") == "C2"
    assert _class() == "C1"


def test_the_contract_has_the_last_word():
    assert _class(personal="name", privacy="C3") == "C3" and _class(role="key", privacy="C1") == "C1"


def test_the_inventory_counts_each_class_and_shows_the_strictest_first():
    columns = (
        Column(name="a", type="text"),
        Column(name="pin", type="text"),
        Column(name="k", type="text", role="key"),
    )
    shown = inventory({"t": Contract(name="t", title="T", columns=columns)})
    assert str(shown.answer) == "3 columns: 1 of class C3, 1 of class C2, 1 of class C1."
    assert shown.table["class"].tolist() == ["C3", "C2", "C1"]
