"""A table too large for memory, taken column by column: the same findings, tables and digests as in memory."""

import numpy as np
import pandas as pd
import pytest
import yaml

from workbench import contracts, tables
from workbench.contracts import checks
from workbench.portfolios import grain, intake, large, quality

ACCOUNT = {
    "name": "loans",
    "title": "loans",
    "columns": [
        {"name": "loan_id", "source": "LoanNo", "type": "text", "role": "key", "personal": "identifier"},
        {"name": "original_amt", "type": "number", "exposure": True},
    ],
}
MONTH = {
    "name": "loan_months",
    "title": "months of loans",
    "entity": "month",
    "columns": [
        {"name": "loan_id", "source": "LOAN", "type": "text", "role": "key", "personal": "identifier"},
        {"name": "period", "type": "date", "role": "as_of"},
        {"name": "delay_months", "type": "integer", "sql": "COALESCE(TRY_CAST(STATUS AS INTEGER), 0)"},
        {"name": "status_code", "source": "STATUS", "type": "category", "role": "fact", "undocumented": {"X": "x"}},
        {"name": "balance_amt", "type": "number", "minimum": 0, "breach": "warning"},
        {"name": "clerk", "type": "category", "role": "fact"},
    ],
}


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Write 300 loans and their months, with doubles, orphans, bad values, an unmarked e-mail; return the intake's."""
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    rng = np.random.default_rng(7)
    loans = pd.DataFrame({"LoanNo": [f"L{i}" for i in range(300)], "original_amt": rng.integers(1, 900, 300)})
    months = pd.DataFrame(
        {
            "LOAN": np.repeat([f"L{i}" for i in range(5, 305)], 12),
            "period": np.tile(pd.date_range("2020-01-31", periods=12, freq="ME"), 300),
            "STATUS": rng.choice(["0", "1", "C", "X"], 3600),
            "balance_amt": rng.normal(50, 20, 3600).round(2),
            "clerk": rng.choice(["a", "b"], 3600),
        }
    )
    months.loc[9, "clerk"] = "ann.lee@example.com"
    months.loc[11, "balance_amt"] = np.nan
    months = pd.concat([months.sample(frac=1, random_state=7), months.iloc[:3]], ignore_index=True)
    loans.to_csv(tmp_path / "account.csv", index=False)
    months.to_parquet(tmp_path / "month.parquet", index=False, row_group_size=500)
    months.to_csv(tmp_path / "month.csv", index=False)
    for name, contract in (("account", ACCOUNT), ("month", MONTH)):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(contract))

    def ask(month: str, **params) -> intake.Params:
        files = {"account": "account.csv", "month": month}
        words = {"account": "account.yaml", "month": "month.yaml"}
        params = {"today": "2030-01-01", "sample_rows": 0, **params}
        return intake.Params(portfolio="own_files", files=files, contracts=words, **params)

    return ask


def _taken(p: intake.Params) -> tuple[list, list, dict, bool]:
    """Return findings, figures, the staged tables, and whether the months were taken column by column."""
    raw = intake.raw_tables(p)
    is_large = isinstance(raw["month"][0], large.LargeTable)
    assert [str(t) for t in intake.came_in(raw)][1].startswith("**months of loans**")
    checked, findings = intake.check(raw, p)
    words = {name: contract for name, (_, contract) in raw.items()}
    shares = quality.measure(checked, words, findings)
    grains = grain.examine(checked, words).table
    clean, _ = intake.depersonalised(checked, raw, p)
    core = intake.core(clean, raw, p)
    staged = intake.snapshot(core, p).table
    rows = {n: tables.read(p.key, n) for n in core}
    return [f.line() for f in findings], [shares, grains, staged[["table", "rows", "columns"]]], rows, is_large


@pytest.mark.parametrize("month", ["month.parquet", "month.csv"])
@pytest.mark.parametrize("params", [{}, {"sample_rows": 40}])
def test_by_column_is_as_in_memory(asked, monkeypatch, month, params):
    findings, figures, rows, was_large = _taken(asked(month, **params))
    monkeypatch.setattr(large, "CELLS_IN_MEMORY", 3000)
    monkeypatch.setattr(large, "BATCH_ROWS", 700)
    monkeypatch.setattr(checks, "CELLS_AT_ONCE", 1)
    findings_l, figures_l, rows_l, is_large = _taken(asked(month, **params))
    assert (was_large, is_large) == (False, not params)
    assert findings == findings_l
    for a, b in zip(figures, figures_l, strict=True):
        pd.testing.assert_frame_equal(a, b)
    for name in ("core__account", "core__month"):
        pd.testing.assert_frame_equal(rows[name], rows_l[name], check_dtype=True)


def test_what_is_wrong_is_found_by_column(asked, monkeypatch):
    monkeypatch.setattr(large, "CELLS_IN_MEMORY", 3000)
    findings, _, rows, _ = _taken(asked("month.parquet"))
    assert "loan_months.*: the same row twice, one is kept (3 rows)" in findings
    assert any("below 0" in f for f in findings)
    assert any("names a loan_id that is not in 'account'; the row is left out (60 rows" in f for f in findings)
    assert any("single rows hold personal data" in f for f in findings)
    assert len(rows["core__month"]) == 295 * 12


def test_its_files_go_with_it(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    table = large.LargeTable.of_columns([("a", pd.Series([1, 2])), ("b", pd.Series(["x", None], dtype="str"))])
    longer = table.assign(c=table["a"] * 2)
    files = list(tmp_path.rglob("*.parquet"))
    assert len(files) == 3 and longer.whole().to_dict("list")["c"] == [2, 4]
    assert contracts.as_text(longer["b"]).tolist() == ["x", pd.NA]
    del table, longer
    assert not [f for f in files if f.exists()]
