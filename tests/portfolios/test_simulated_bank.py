"""The simulated bank: the planted truth is there, with its sign and size, and nothing else moves."""

import numpy as np
import pandas as pd
import pytest

from workbench import metrics
from workbench.panel.bins import quantile_bins
from workbench.params import UserError
from workbench.portfolios import intake, simulated_bank, simulated_core
from workbench.portfolios.simulated_bank import DRIFT_FEATURE, SimulatedBank, simulate, truth
from workbench.reporting import privacy

CLEAN, FEW = SimulatedBank(dirt=False), SimulatedBank(n_customers=2_000)


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return simulate(CLEAN)


@pytest.fixture(scope="module")
def performing(tables) -> pd.DataFrame:
    months = tables["performance"]
    return months[months["days_past_due"] < 90]


def test_same_parameters_same_bank():
    few = SimulatedBank(n_customers=1_000, dirt=False)
    tables = simulate(few)
    for name, again in simulate(few).items():
        pd.testing.assert_frame_equal(again, tables[name])


def test_blocks_make_one_bank_and_the_files_hold_it(tmp_path, monkeypatch):
    monkeypatch.setattr(simulated_bank, "BLOCK_CUSTOMERS", 700)
    tables = simulate(FEW)
    assert len(tables["customer"]) == tables["customer"]["customer_id"].nunique() == 2_000
    assert tables["loan"]["loan_id"].is_unique and len(tables["macro"]) == 60
    assert set(tables["performance"]["loan_id"]) == set(tables["loan"]["loan_id"])
    owners = tables["loan"]["customer_id"].str[1:].astype(int)
    assert (owners < 700).any() and owners.between(1_400, 1_999).any()
    assert simulated_bank.write(FEW, tmp_path) == {name: len(table) for name, table in tables.items()}
    for name, table in tables.items():
        pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / f"{name}.parquet"), table, check_dtype=False)


def _psi(performing: pd.DataFrame, name: str) -> pd.Series:
    reference = performing[performing["month"].between("2015-07-01", "2016-06-01")]
    bins = quantile_bins(reference[name])
    expected = bins.counts(reference[name])
    later = performing[performing["month"] >= "2017-01-01"]
    return later.groupby("month")[name].apply(lambda v: metrics.psi(expected, bins.counts(v)))


@pytest.mark.parametrize("name", ["balance_amt", "due_amt", "account_balance_amt", DRIFT_FEATURE])
def test_the_book_is_stationary_until_the_planted_drift(performing, name):
    assert _psi(performing, name)[:"2018-02"].max() < 0.05


def test_only_the_drifting_feature_moves_and_at_once(performing):
    assert _psi(performing, DRIFT_FEATURE)["2018-03":].min() > 0.25
    assert _psi(performing, "account_balance_amt")["2018-03":"2018-12"].max() < 0.05


def _realised(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    wide = tables["performance"].pivot(index="loan_id", columns="month", values="days_past_due")
    after = pd.concat([wide.shift(-k, axis=1) for k in range(1, 7)]).groupby(level=0).max()
    long = (after >= 90).where(wide.notna()).stack().rename("bad").reset_index()
    known = long[long["month"] <= wide.columns[-7]]
    return tables["truth"].merge(known, on=["loan_id", "month"]).astype({"bad": float})


def test_the_true_pd_is_the_rate_that_comes_about(tables):
    rows = _realised(tables)
    for year, part in rows.groupby(rows["month"].dt.year):
        expected, observed = part["true_pd_rate"].mean(), part["bad"].mean()
        n_accounts = part["loan_id"].nunique()
        assert observed == pytest.approx(expected, abs=4 * np.sqrt(expected / n_accounts)), year
    tenths = pd.qcut(rows["true_pd_rate"], 10, duplicates="drop")
    by = rows.groupby(tenths, observed=True)[["true_pd_rate", "bad"]].mean()
    assert np.corrcoef(by["true_pd_rate"], by["bad"])[0, 1] > 0.99


def test_the_crisis_begins_in_its_month(tables):
    rate = tables["truth"].groupby("month")["true_pd_rate"].mean()
    before, within = rate[:"2018-06-01"].mean(), rate["2019-03-01":].mean()
    assert within > 2 * before
    unemployment = tables["macro"].set_index("month")["unemployment_rate"]
    assert unemployment["2019-03-01"] - unemployment["2018-12-01"] == pytest.approx(0.05, abs=0.005)


@pytest.fixture(scope="module")
def taken_in():
    """A small bank with dirt: parameters of its intake, raw tables, checked ones, and what was found in them."""
    p = intake.Params(
        portfolio="simulated_bank", today="2026-01-01", sample_rows=0, simulation={"n_customers": FEW.n_customers}
    )
    raw = intake.raw_tables(p)
    return p, raw, *intake.check(raw, p)


def test_dirt_is_found_exactly_as_planted(taken_in):
    *_, findings = taken_in
    planted = truth(FEW)["dirt"]
    rows = {(f.column, f.rule.split(";")[0].split(" (")[0]): f.rows for f in findings}
    assert rows["birth_date", "date is in the future"] == planted["future birth_date"]
    assert rows["employment_code", "value is not among the allowed ones"] == planted["unknown employment_code"]
    assert rows["customer_id", "names a customer_id that is not in 'customer'"] == planted["loan without customer"]
    assert rows["*", "the same row twice, one is kept"] == planted["row twice"]
    assert rows["paid_amt", "below 0 EUR"] == planted["negative paid_amt"]


def test_resident_numbers_are_valid_and_personal_data_do_not_leave_the_intake(taken_in, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    p, raw, checked, _ = taken_in
    assert privacy.scan(str(raw["customer"][0]["national_id"].iloc[0]))[0].kind == "identity number"
    clean, evidence = intake.depersonalised(checked, raw, p)
    assert not {"name", "national_id", "phone_number"} & set(clean["customer"].columns)
    assert clean["customer"]["customer_id"].str.fullmatch(r"customer_[0-9a-f]{16}").all()
    assert set(clean["loan"]["customer_id"]) & set(clean["customer"]["customer_id"])
    assert evidence.value == 5
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "another"))  # with a key of its own, and yet the same people
    again, _ = intake.depersonalised(checked, raw, p)
    assert again["customer"]["customer_id"].equals(clean["customer"]["customer_id"])


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (
            {"n_customers": 10},
            "portfolios/intake: simulation.n_customers: write 1000 or more",
        ),
        (
            {"crisis_month": "2031-01"},
            "portfolios/intake: simulation: crisis_month 2031-01 lies outside 2015-01 to 2019-12",
        ),
        ({"crisis": "2019-01"}, "portfolios/intake: simulation.crisis: unknown; did you mean 'crisis_month'?"),
    ],
)
def test_parameters_out_of_range_are_one_line(given, line):
    with pytest.raises(UserError) as e:
        simulated_core.parameters(given, 42)
    assert str(e.value) == line
