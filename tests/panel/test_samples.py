"""The hold-out is drawn by what is kept of the raw file: no home's key decides who is held out."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workbench import engine, metrics, pseudonyms
from workbench.contracts import Column, Contract
from workbench.metrics import auc
from workbench.models.samples import sample
from workbench.models.scorecard import Scorecard
from workbench.models.tuning import folds
from workbench.monitoring import redevelopment
from workbench.panel import build, samples
from workbench.portfolios import intake
from workbench.portfolios.draft import to_yaml

LOANS = Contract(
    name="loans",
    title="Loans",
    entity="loan",
    event_value="1",
    columns=(
        Column(name="loan_id", type="text", role="key", personal="identifier"),
        Column(name="customer_id", type="text", role="parent", personal="identifier"),
        Column(name="income_amt", type="number"),
        Column(name="limit_amt", type="number"),
        Column(name="bad", type="category", role="outcome", known="after", values={"0": "0", "1": "1"}),
    ),
)
FACTS = [
    LOANS["loan_id"],
    Column(name="period", type="date", role="as_of"),
    Column(name="delay_months", type="number", role="fact"),
    Column(name="balance_amt", type="number", role="fact"),
]
WORDS = {"account": LOANS, "month": LOANS.replaced(FACTS, name="months", entity="month", event_value="")}
EVENT = {"event": "delay_months >= 2", "eligible": "delay_months < 2", "window_months": 3}
P = build.Params(
    study="t", outcome=EVENT, as_of_from="2020-04", as_of_to="2020-08", observation_months=3, monitoring_from="2020-08"
)
IDENTIFIERS = ["entity_id", "parent_id"]


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """Raw files with their contracts: 500 loans of 300 customers, in no order, and twelve months of each."""
    folder, rng = tmp_path_factory.mktemp("files"), np.random.default_rng(3)
    loans = pd.DataFrame({"loan_id": [f"L{i:04d}" for i in rng.permutation(500)]})
    loans = loans.assign(customer_id=[f"C{i}" for i in rng.integers(0, 300, 500)], bad=rng.integers(0, 2, 500))
    loans = loans.assign(**{n: rng.uniform(1, 9, 500).round(4) for n in ("income_amt", "limit_amt")})
    months = loans[["loan_id"]].merge(
        pd.DataFrame({"period": pd.date_range("2020-01-01", periods=12, freq="MS")}), how="cross"
    )
    months["delay_months"] = rng.choice([0, 1, 2, 3], len(months), p=[0.8, 0.1, 0.06, 0.04])
    months["balance_amt"] = rng.uniform(0, 5000, len(months)).round(2)
    for name, table in {"account": loans, "month": months}.items():
        table.to_csv(folder / f"{name}.csv", index=False)
        (folder / f"{name}.yaml").write_text(to_yaml(WORDS[name]), encoding="utf-8")
    return folder


def _core(files: Path, home: Path, key: str) -> dict:
    """Return the core tables that these files are in a home of this key."""
    places = {suffix: {n: str(files / f"{n}.{suffix}") for n in WORDS} for suffix in ("csv", "yaml")}
    given = {"portfolio": "own_files", "files": places["csv"], "contracts": places["yaml"]}
    p = intake.Params(**given, today="2030-01-01", sample_rows=0)
    with pytest.MonkeyPatch.context() as here:
        here.setenv("WORKBENCH_HOME", str(home))
        here.setenv(pseudonyms.VARIABLE, key)
        raw = intake.raw_tables(p)
        checked, _ = intake.check(raw, p)
        return intake.core(intake.depersonalised(checked, raw, p)[0], raw, p)


@pytest.fixture(scope="module")
def homes(files, tmp_path_factory) -> list[dict]:
    """The core tables in two homes, each with a key of its own."""
    return [_core(files, tmp_path_factory.mktemp("home"), key * 32) for key in "ab"]


def _panel(core: dict) -> tuple[pd.DataFrame, Contract]:
    (account, contract), (months, month_contract) = core["core__account"], core["core__month"]
    return build.build(account, contract, months, P, month_contract)


@pytest.fixture(scope="module")
def panels(homes) -> list[tuple[pd.DataFrame, Contract]]:
    """The panel in each of the two homes; nobody changes it."""
    return [_panel(core) for core in homes]


def test_two_homes_with_other_keys_hold_the_same_rows_out(panels):
    (one, contract), (other, _) = panels
    assert set(one["entity_id"]).isdisjoint(other["entity_id"]) and set(one["parent_id"]).isdisjoint(other["parent_id"])
    pd.testing.assert_frame_equal(one.drop(columns=IDENTIFIERS), other.drop(columns=IDENTIFIERS))
    sides = one.groupby("parent_id")["sample"].agg(set)
    assert not any({"development", "holdout"} <= s for s in sides) and (one["sample"] == "holdout").sum() > 400
    assert contract["file_row"].role == "ignore" and "file_row" not in {c.name for c in contract.features()}


def test_what_is_learnt_and_measured_is_the_same_in_both(panels):
    def learnt(panel: pd.DataFrame, contract: Contract) -> tuple:
        learn, held = (sample(panel, contract, name) for name in ("development", "holdout"))
        names = ["income_amt", "limit_amt", "balance_lag1_amt"]
        predicted = Scorecard(dict.fromkeys(names, 0)).fit(learn.X[names], learn.y).predict_proba(held.X[names])[:, 1]
        arrays = (held.y, predicted, held.weight)
        interval = metrics.bootstrap_interval(auc, arrays, held.parent_id, 1)
        line = metrics.calibration_line(*arrays, held.parent_id)
        anew = redevelopment.recent(
            panel.sample(frac=1, random_state=1), contract.outcome, redevelopment.Params(until="2021-01")
        )
        again = anew.sort_values("file_row")["sample"].tolist()
        return predicted.tolist(), interval, line, [t.tolist() for _, t in folds(learn, 3, 1)], again

    one, other = (learnt(*made) for made in panels)
    assert one == other and len(set(one[0])) > 5


def test_a_large_panel_is_put_into_the_same_order_from_its_parts(homes, panels, monkeypatch):
    monkeypatch.setattr(build, "PART_ROWS", 700)
    for core, (expected, _) in zip(homes, panels, strict=True):
        pd.testing.assert_frame_equal(_panel(core)[0], expected)


def test_where_names_are_the_same_in_every_home_rows_go_by_them(homes):
    account, contract = homes[0]["core__account"]
    plain = contract.replaced([c for c in contract.columns if c.name != "file_row"])
    months, month_contract = homes[0]["core__month"]
    panel, described = build.build(account.drop(columns="file_row"), plain, months, P, month_contract)
    assert panel["entity_id"].is_monotonic_increasing
    assert samples.parents(panel, described).tolist() == panel["parent_id"].tolist()


def test_the_place_says_the_row_of_the_raw_file_and_nothing_else(homes, files):
    account, _ = homes[0]["core__account"]
    raw = pd.read_csv(files / "account.csv")
    placed = engine.frame("SELECT file_row, income_amt FROM accounts", {"accounts": account}).sort_values("file_row")
    assert placed["file_row"].tolist() == list(range(500))
    assert placed["income_amt"].tolist() == raw["income_amt"].tolist()
