"""What a check says: which tables were asked, and for each breach what to do about it."""

import json
from pathlib import Path

from workbench.contracts import to_evidence

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
