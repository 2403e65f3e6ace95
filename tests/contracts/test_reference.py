"""The documents about contracts are current, and what they print is accepted."""

import re
from pathlib import Path
from typing import get_args

import pytest

from workbench import contracts
from workbench.contracts import Column, Contract, Outcome, Role, Words, reference
from workbench.runs import study

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("docs/*.md"), ROOT / "README.md"])
BLOCKS = [  # those that begin with their path are run by tests/test_extending.py
    pytest.param(block, id=f"{d.name}-{i}")
    for d in DOCUMENTS
    for i, block in enumerate(re.findall(r"^```ya?ml\n(?!# \S+/)(.*?)^```", d.read_text(encoding="utf-8"), re.M | re.S))
]


def test_the_reference_page_is_current():
    printed = (ROOT / "docs" / "contracts.md").read_text(encoding="utf-8")
    assert printed == reference.page(), "python -m workbench.contracts.reference > docs/contracts.md"


@pytest.mark.parametrize("model", [Contract, Column, Outcome, Words], ids=lambda m: m.__name__)
def test_every_field_says_what_it_means(model):
    assert [n for n in model.model_fields if not reference.meaning(model, n)] == []
    assert set(reference.ROLES) == set(get_args(Role))
    models = {m.__name__: m for m in (Contract, Column, Outcome)}
    for place in reference.MEANING:
        name, field = place.split(".")
        assert not models[name].model_fields[field].description, f"{place} says it itself"


def test_there_are_blocks_in_the_documents():
    assert len(BLOCKS) >= 2


@pytest.mark.parametrize("block", BLOCKS)
def test_what_the_documents_print_is_accepted(block, tmp_path, monkeypatch):
    """Files that a printed study names stand in `WORKBENCH_DATA`: the printed contract, and a table of its columns."""
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path))
    printed = next(b.values[0] for b in BLOCKS if "columns:" in b.values[0])
    (tmp_path / "loans.yaml").write_text(printed, encoding="utf-8")
    words = contracts.load(tmp_path / "loans.yaml")
    (tmp_path / "loans.csv").write_text(",".join(c.file_name for c in words.columns) + "\n", encoding="utf-8")
    path = tmp_path / "printed.yaml"
    path.write_text(block, encoding="utf-8")
    if "steps:" in block:
        assert study.load(path).steps
    elif "columns:" in block:
        assert contracts.load(path).with_outcome()
