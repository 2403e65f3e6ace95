"""Drafted contracts: roles guessed and marked, and the draft holds for its own file."""

import os
from pathlib import Path

import pandas as pd
import pytest

from workbench import contracts
from workbench.portfolios import draft
from workbench.portfolios.files import read_raw

TRY = Path(os.environ.get("WORKBENCH_DATA", Path(__file__).parents[3] / "shared" / "data" / "try"))


@pytest.fixture
def own_file(tmp_path) -> Path:
    n = 200
    table = pd.DataFrame(
        {
            "Loan ID": [f"{110101199003070000 + i}" for i in range(n)],
            "customer_name": ["Ada Adler", "Bo Novak"] * (n // 2),
            "Gender": ["F", "M"] * (n // 2),
            "income": [f"{i + 1},{i % 10}00" for i in range(n)],
            "open_date": [f"{d:%Y-%m-%d}" for d in pd.date_range("2020-01-01", periods=n)],
            "recovered_amount": range(n),
            "default": ["N"] * (n - 20) + ["Y"] * 20,
        }
    )
    table.to_csv(tmp_path / "Our Loans.csv", index=False)
    return tmp_path / "Our Loans.csv"


def test_roles_types_and_personal_data_are_guessed_and_marked(own_file):
    found = {c.name: c for c in draft.draft(own_file).columns}
    assert (
        found["loan_id"].role == "key" and found["loan_id"].type == "text" and found["loan_id"].personal == "identifier"
    )
    assert found["customer_name"].personal == "name" and found["customer_name"].role == "ignore"
    assert found["gender"].fairness and found["recovered_amount"].known == "after" and found["open_date"].type == "date"
    assert found["default"].role == "outcome" and draft.draft(own_file).bad_value == "Y"
    assert all(c.guessed for c in found.values())


def test_the_draft_is_a_contract_that_can_be_read_again(own_file, tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(draft.to_yaml(draft.draft(own_file)))
    again = contracts.load(path)
    assert [c.name for c in again.columns] == [c.name for c in draft.draft(own_file).columns]
    _, findings = contracts.check(read_raw(own_file, again), again, pd.Timestamp("2026-01-01"))
    errors = [f.line() for f in findings if f.severity == "error"]
    assert len(errors) == 1 and "set `thousands` in the contract" in errors[0]


@pytest.mark.parametrize(
    ("name", "key", "outcome"),
    [
        ("card_applications", "id", None),
        ("bank_churners", "clientnum", "attrition_flag"),
        ("sba_loans", "loan_nr_chk_dgt", "mis_status"),
    ],
)
def test_files_of_other_banks(name, key, outcome, tmp_path):
    path = TRY / f"{name}.parquet"
    if not path.exists():
        pytest.skip(f"{name}.parquet is not in WORKBENCH_DATA")
    drafted = draft.draft(path)
    assert drafted.named("key") == [key] and drafted.named("outcome") == ([outcome] if outcome else [])
    (tmp_path / "c.yaml").write_text(draft.to_yaml(drafted))
    again = contracts.load(tmp_path / "c.yaml")
    _, findings = contracts.check(read_raw(path, again), again, pd.Timestamp("2026-01-01"))
    assert [f.line() for f in findings if f.severity == "error"] == []
