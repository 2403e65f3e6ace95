"""The panel: no feature sees past its date, outcomes are open while their window is, samples never mix accounts."""

import numpy as np
import pandas as pd
import pytest

from workbench import metrics
from workbench.contracts import Column, Contract
from workbench.panel import behaviour, build, describe, leakage
from workbench.panel.bins import Bins, quantile_bins
from workbench.panel.months import to_months
from workbench.params import UserError

MONTHS = pd.date_range("2020-01-01", periods=12, freq="MS")
ACCOUNT = Contract(
    name="core__account",
    title="t",
    columns=(
        Column(name="entity_id", type="text", role="key"),
        Column(name="limit_amt", type="number", aspect="size"),
    ),
)


def _months(n: int = 300, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    account = pd.DataFrame({"entity_id": [f"a{i}" for i in range(n)], "limit_amt": rng.integers(1, 9, n) * 1000.0})
    long = account[["entity_id"]].merge(pd.DataFrame({"month": MONTHS}), how="cross")
    long["delay_months"] = rng.choice([0.0, 1.0, 2.0, 3.0], len(long), p=[0.8, 0.1, 0.06, 0.04])
    long["balance_amt"], long["payment_amt"] = rng.integers(0, 5000, (2, len(long))).astype(float)
    return account, long


P = build.Params(
    study="t", outcome="delay", as_of_from="2020-03", as_of_to="2020-12", observation_months=3, performance_months=3,
    default_delay_months=3, monitoring_from="2020-07",
)  # fmt: skip


def test_no_feature_changes_when_the_future_does():
    account, long = _months()
    changed = long.copy()
    later = changed["month"] > "2020-05-01"
    changed.loc[later, ["delay_months", "balance_amt", "payment_amt"]] = 99.0
    for table in (long, changed):
        table.attrs["features"] = behaviour.features(
            to_months(table, account, "limit_amt"), pd.Timestamp("2020-05-01"), 3
        )[0]
    pd.testing.assert_frame_equal(long.attrs["features"], changed.attrs["features"])


def test_features_of_one_account_by_hand():
    account = pd.DataFrame({"entity_id": ["a"], "limit_amt": [1000.0]})
    long = pd.DataFrame(
        {
            "entity_id": "a",
            "month": MONTHS[:3],
            "delay_months": [0.0, 2.0, 1.0],
            "balance_amt": [500.0, 800.0, 900.0],
            "payment_amt": [100.0, 0.0, 400.0],
        }
    )
    row = behaviour.features(to_months(long, account, "limit_amt"), MONTHS[2], 3)[0].iloc[0]
    assert row["delay_now_months"] == 1 and row["delay_worst_months"] == 2 and row["n_months_late"] == 2
    assert row["delay_recent_months"] == pytest.approx((0 * 1 + 2 * 2 + 1 * 3) / 6)
    assert row["utilisation_rate"] == pytest.approx(0.9) and row["headroom_amt"] == 100
    assert row["payment_ratio_rate"] == pytest.approx(400 / 800)
    assert row["months_since_late"] == 0 and row["n_months_unpaid"] == 1


def test_outcome_is_open_while_the_performance_window_is():
    panel, _ = build.build(_months()[0], ACCOUNT, _months()[1], P)
    open_ = panel.groupby("as_of_date")["outcome"].apply(lambda s: s.isna().all())
    assert list(open_[open_].index.strftime("%Y-%m")) == ["2020-10", "2020-11", "2020-12"]


def test_outcome_is_the_worst_delay_after_the_date():
    account, long = _months()
    panel, _ = build.build(account, ACCOUNT, long, P)
    row = panel[panel["as_of_date"] == "2020-04-01"].iloc[0]
    after = long[(long["entity_id"] == row["entity_id"]) & long["month"].between("2020-05-01", "2020-07-01")]
    assert row["outcome"] == float((after["delay_months"] >= 3).any())


def test_no_account_stands_on_both_sides_and_defaulted_ones_are_out():
    panel, _ = build.build(*(_months()[0], ACCOUNT, _months()[1]), P)
    by = {s: set(panel.loc[panel["sample"] == s, "entity_id"]) for s in ("development", "holdout")}
    assert by["development"] and by["holdout"] and not by["development"] & by["holdout"]
    assert (panel["delay_now_months"] < 3).all()
    assert (panel.loc[panel["sample"] == "monitoring", "as_of_date"] >= "2020-07").all()


def test_out_of_time_holdout_is_later_than_development():
    panel, _ = build.build(_months()[0], ACCOUNT, _months()[1], P.model_copy(update={"out_of_time_from": "2020-06"}))
    dates = panel.groupby("sample")["as_of_date"]
    assert dates.max()["development"] < dates.min()["holdout"] <= dates.max()["holdout"] < dates.min()["monitoring"]


def test_sampling_weights_restore_the_base_rate_and_mean_one():
    y = pd.Series([1.0] * 500 + [0.0] * 500)
    w = build.sampling_weight(y, 0.175, 0.5)
    assert np.average(y, weights=w) == pytest.approx(0.175) and w.mean() == pytest.approx(1.0)
    assert (build.sampling_weight(y, 0.0, 0.5) == 1).all()


def test_a_window_that_starts_before_the_data_is_refused():
    account, long = _months(5)
    with pytest.raises(UserError, match=r"observation window of 6 months begins before the data do .2020-01."):
        to_months(long, account, None).window(MONTHS[2], 6)


def test_event_value_that_does_not_occur_is_named():
    contract = Contract(
        name="c", title="t", event_value="9",
        columns=(Column(name="id", type="text", role="key"), Column(name="y", type="category", role="outcome")),
    )  # fmt: skip
    with pytest.raises(UserError, match="contract 'c': event_value '9' does not stand in 'y'"):
        build.recorded_outcome(pd.DataFrame({"id": ["a"], "y": ["0"]}), contract)


def test_bins_count_missing_and_unseen_apart():
    bins = quantile_bins(pd.Series(np.arange(100.0), name="x"), 4)
    assert bins.counts(pd.Series([0.0, 30.0, 99.0, np.nan])).tolist() == [1, 1, 0, 1, 1, 0]
    category = quantile_bins(pd.Series(["a", "b", "a"], name="c"))
    assert category.counts(pd.Series(["a", "z", None])).tolist() == [1, 0, 1, 1]
    assert Bins.from_dict(bins.to_dict()) == bins


def test_a_share_of_zeros_that_changes_is_seen():
    rng = np.random.default_rng(0)
    before = pd.Series(np.where(rng.random(20_000) < 0.065, rng.integers(1, 50, 20_000), 0.0), name="previous")
    after = pd.Series(np.where(rng.random(20_000) < 0.457, rng.integers(1, 50, 20_000), 0.0), name="previous")
    bins = quantile_bins(before)
    assert metrics.psi(bins.counts(before), bins.counts(after)) > 0.9
    assert metrics.psi(bins.counts(before[:10_000]), bins.counts(before[10_000:])) < 0.01


def _leaky(n: int = 4000) -> tuple[pd.DataFrame, pd.Series, Contract]:
    rng = np.random.default_rng(4)
    y = (rng.random(n) < 0.2).astype(float)
    X = pd.DataFrame({name: rng.normal(size=n) + 0.4 * y for name in ("honest", "also", "too", "as_well")})
    X["term"] = np.where(y == 1, rng.integers(1, 120, n), rng.integers(1, 10, n) * 12).astype(
        float
    )  # cut short at default
    columns = tuple(Column(name=c, type="number") for c in X)
    return X, pd.Series(y), Contract(name="l", title="t", columns=columns)


def test_the_screen_finds_a_leak_without_order_in_it_and_refuses_it():
    X, y, contract = _leaky()
    refused, evidence = leakage.examine(X, y, contract, seed=1)
    assert set(evidence.table.loc[evidence.table["suspect"], "feature"]) == {"term"}
    assert refused["term"].known == "after" and refused["honest"].known == "before"
    assert evidence.verdict == "amber" and str(evidence.answer) == "Suspected leak and refused: term."


def test_a_reviewed_suspect_may_stay_and_honest_data_pass():
    X, y, contract = _leaky()
    columns = [
        c.model_copy(update={"reviewed": "contract term, checked"}) if c.name == "term" else c for c in contract.columns
    ]
    kept, evidence = leakage.examine(X, y, contract.replaced(columns), seed=1)
    assert kept["term"].known == "before" and str(evidence.answer) == "Suspected but reviewed: term."
    honest = contract.replaced([c for c in contract.columns if c.name != "term"])
    assert leakage.examine(X.drop(columns="term"), y, honest, seed=1)[1].verdict == "green"


def test_a_holdout_that_defaults_at_another_rate_is_amber_and_accounts_in_no_sample_are_counted():
    def rows(held_rate: float) -> pd.DataFrame:
        bad = np.concatenate([np.arange(2000) % 10 == 0, np.arange(2000) < 2000 * held_rate]).astype(float)
        frame = pd.DataFrame({"entity_id": [f"a{i}" for i in range(4000)], "outcome": bad, "weight": 1.0})
        return frame.assign(as_of_date=MONTHS[0], sample=np.repeat(["development", "holdout"], 2000))

    assert describe.samples(rows(0.11), 4000).verdict == "green"
    found = describe.samples(rows(0.2), 4100)
    assert found.verdict == "amber" and "100 of 4,100 accounts are in none" in found.answer


def test_the_book_holds_each_account_once_and_not_as_it_left():
    months = pd.to_datetime(["2020-01-01", "2020-02-01", "2020-03-01", "2020-04-01"])
    rows = pd.DataFrame(
        {
            "entity_id": ["gone", "stays", "stays", "new", "stays"],
            "as_of_date": months[[0, 0, 1, 1, 2]],
            "sample": ["development"] * 4 + ["monitoring"],
            "outcome": [1.0, 0, 0, 0, 0],
        }
    )
    assert list(describe.book(rows)["entity_id"]) == ["stays", "new"]
    once = rows.drop_duplicates("entity_id").assign(outcome=[1.0, 0, np.nan])
    assert list(describe.book(once)["entity_id"]) == ["gone", "stays"]
