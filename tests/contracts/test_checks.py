"""What a check says: which tables were asked, and for each breach what to do about it."""

import json
from pathlib import Path

import pandas as pd
import pytest

from workbench import contracts
from workbench.contracts import Column, Contract, to_evidence
from workbench.params import UserError
from workbench.words import heard, speaking

DAYS, TODAY = [f"2023-01-0{i}" for i in range(1, 9)], pd.Timestamp("2026-01-01")
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def _code(notebook: str) -> str:
    cells = json.loads((NOTEBOOKS / notebook).read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")


def test_the_question_names_the_tables_and_not_the_portfolio():
    one, more = (to_evidence([], "own_files", tables) for tables in (["account"], ["account", "month"]))
    assert str(one.question) == "Does table 'account' keep its contract?" and one.key == "contract.own_files"
    assert str(more.question) == "Do the tables account, month keep their contracts?"
    assert "to_evidence(findings, p.portfolio, raw)" in _code("portfolios/intake.ipynb")


def test_a_source_without_months_is_told_so_once():
    assert _code("customers/profile.ipynb").count("else no_months") == 1


def _findings(values: list[str | None], header: str = "x", **facts: object) -> list[contracts.Finding]:
    words = Contract(name="c", title="t", columns=(Column(name="x", **facts),))
    return contracts.check(pd.DataFrame({header: values}), words, TODAY)[1]


NUMBER, FORMAT = {"type": "number"}, {"type": "date", "format": "%d.%m.%Y"}
BY_FORMAT = 'not a date in the contract\'s `format: "%d.%m.%Y"`; '


@pytest.mark.parametrize(
    ("values", "facts", "rule"),
    [
        (
            ["1", "2", "n.a."],
            NUMBER | {"missing": ("-",)},
            'not a number; correct it, or write `missing: ["-", "n.a."]` in the contract where it stands for none',
        ),
        (
            ["1", "2", "Ólafsdóttir"],
            NUMBER,
            "not a number; correct it, or name in `missing` of the contract what stands for none",
        ),
        (DAYS, FORMAT, BY_FORMAT + "all are read without one: leave `format` out"),
        (["1 Jan", "2 Feb"], FORMAT, BY_FORMAT + "write there how the file's dates are written"),
        (
            ["01.02.2023", "01.03.2023", "open"],
            FORMAT,
            "not a date; correct it, or name in `missing` of the contract what stands for none",
        ),
        (
            ["1", None, "2"],
            NUMBER | {"nullable": False},
            "value is missing; fill it in, or set `nullable: true` in the contract",
        ),
    ],
)
def test_a_breach_says_what_to_do_and_is_said_in_chinese(values, facts, rule):
    rules = [f.rule for f in _findings(values, **facts) if f.rule != "column is empty"]
    assert rules == [rule]
    with speaking("zh_CN"):
        assert heard(rule)[0] in "不值" and "契约" in heard(rule)


@pytest.mark.parametrize(
    ("header", "hint"),
    [
        ("score", "if 'score' is meant, write `source: score` in the contract"),
        ("a: b", "if 'a: b' is meant, write `source: \"a: b\"` in the contract"),
    ],
)
def test_a_missing_column_is_looked_for_among_the_headers(header, hint):
    assert f"column is missing; {hint}" in [f.rule for f in _findings(["1", "2"], header, **NUMBER)]


def test_more_errors_are_named_with_what_they_are():
    words = Contract(name="c", title="t", columns=(Column(name="x", type="number"), Column(name="start", type="date")))
    raw = pd.DataFrame({"x": ["1", "n.a."], "start": ["2023-01-01", "2023-13-01"]})
    with pytest.raises(UserError, match=r"; and 1 more error: c\.start \(not a date\)$"):
        contracts.stop_on_errors(contracts.check(raw, words, TODAY)[1])
