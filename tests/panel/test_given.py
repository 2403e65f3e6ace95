"""What a bank's contract says of its rows holds: weights, samples, parents, and since when a column is known."""

import numpy as np
import pandas as pd
import pytest

from workbench.contracts import Column, Contract
from workbench.panel import build, cohort, describe
from workbench.panel.outcome import recorded_outcome
from workbench.panel.samples import Waterfall
from workbench.params import UserError

KEY = Column(name="loan_id", type="text", role="key")
BAD = Column(name="bad", type="category", role="outcome", known="after", values={"0": "0", "1": "1"})
X = Column(name="x", type="number")
LOANS = Contract(name="loans", title="t", event_value="1", columns=(KEY, X, BAD))
MONTHS = pd.date_range("2020-01-01", periods=12, freq="MS")
EVENT = {"event": "delay_months >= 3", "eligible": "delay_months < 3", "window_months": 3}
RECORDED = build.Params(study="t")


def loans(n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    bad = np.where(np.arange(n) % 4 == 0, "1", "0")
    return pd.DataFrame({"loan_id": [f"L{i}" for i in range(n)], "x": rng.normal(size=n), "bad": bad})


def with_months(**columns: object) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(1)
    account = pd.DataFrame({"entity_id": [f"a{i}" for i in range(200)], **columns})
    long = account[["entity_id"]].merge(pd.DataFrame({"month": MONTHS}), how="cross")
    long["delay_months"] = rng.choice([0.0, 1.0, 3.0], len(long), p=[0.8, 0.15, 0.05])
    return account, long


def test_a_row_counts_by_the_files_own_weight():
    table = loans().assign(w=lambda t: np.where(t["bad"] == "1", 1.0, 9.0))
    contract = LOANS.replaced([KEY, X, BAD, Column(name="w", type="number", role="weight")])
    panel, made = build.build(table, contract, None, RECORDED)
    assert panel["weight"].mean() == pytest.approx(1) and "w" not in panel
    assert np.average(panel["outcome"], weights=panel["weight"]) == pytest.approx(100 / 2800)
    answer = str(describe.base_rate(panel, 0.0, made.outcome).answer)
    assert answer == "Rows count by the file's own weight: default rate 3.57%, where each would count once 25.00%."
    true = build.build(table, contract, None, build.Params(study="t", base_rate=0.1))[0]
    assert np.average(true["outcome"], weights=true["weight"]) == pytest.approx(0.1)
    with pytest.raises(UserError) as refused:
        build.build(table.assign(w=table["w"].where(table.index > 2, 0)), contract, None, RECORDED)
    assert str(refused.value) == "panel/build: the weight of 3 rows is missing or not above 0; give each row its weight"


def test_the_banks_own_samples_are_taken():
    sample = Column(name="part", type="category", role="sample", values={"a": "development", "b": "holdout"})
    contract = LOANS.replaced([KEY, X, BAD, sample])
    table = loans().assign(part=["development"] * 300 + ["holdout"] * 100)
    panel, _ = build.build(table, contract, None, RECORDED)
    assert set(panel.loc[panel["sample"] == "holdout", "entity_id"]) == {f"L{i}" for i in range(300, 400)}
    with pytest.raises(UserError) as refused:
        build.build(table.assign(part="train"), contract, None, RECORDED)
    assert str(refused.value) == (
        "panel/build: a row's sample is 'train'; let `values` of the contract's column read it as one of development, "
        "holdout, monitoring"
    )
    with pytest.raises(UserError) as refused:
        build.build(table, contract, None, build.Params(study="t", out_of_time_from="2020-01"))
    assert str(refused.value) == (
        "panel/build: the contract's column with the role sample says who is held out and watched; leave "
        "out_of_time_from and monitoring_from empty"
    )


@pytest.mark.parametrize("seed", range(4))
def test_who_has_no_parent_is_his_own(seed):
    table = loans().assign(customer=lambda t: ("c" + (t.index // 2).astype(str)).where(t.index % 5 > 0))
    contract = LOANS.replaced([KEY, X, BAD, Column(name="customer", type="text", role="parent")])
    panel, _ = build.build(table, contract, None, build.Params(study="t", seed=seed))
    alone = panel[panel["parent_id"] == panel["entity_id"]]
    assert len(alone) == 80 and 0.1 < (alone["sample"] == "holdout").mean() < 0.5
    assert (panel.groupby("parent_id")["sample"].nunique() == 1).all()


def test_what_an_account_is_known_by_later_is_not_known_before():
    account, long = with_months(score=np.arange(200.0), bureau_score=np.arange(200.0) * 2)
    account["seen"] = pd.Timestamp("2020-06-10")
    account["pulled"] = pd.Timestamp("2020-09-01")
    columns = (
        Column(name="entity_id", type="text", role="key"),
        Column(name="seen", type="date", role="as_of"),
        Column(name="pulled", type="date", role="fact"),
        Column(name="score", type="number"),
        Column(name="bureau_score", type="number", dated_by="pulled"),
    )
    contract = Contract(name="core__account", title="t", columns=columns)
    p = build.Params(study="t", outcome=EVENT, observation_months=3, as_of_from="2020-03", as_of_to="2020-09")
    known = build.build(account, contract, long, p)[0].groupby("as_of_date")[["score", "bureau_score"]].count()
    assert list(known.index[known["score"] > 0]) == list(MONTHS[5:9])  # a month stands for its end
    assert list(known.index[known["bureau_score"] > 0]) == list(MONTHS[8:9])


def test_an_outcome_recorded_once_makes_one_row_whatever_months_are_there():
    account, long = with_months(bad=np.tile(["1", "0", "0", "0"], 50))
    account["opened"] = pd.Timestamp("2020-05-10")
    bad = Column(name="bad", type="category", role="outcome", known="after", values={"1": "1", "0": "0"})
    key, opened = Column(name="entity_id", type="text", role="key"), Column(name="opened", type="date", role="as_of")
    contract = Contract(name="loans", title="t", entity="loan", event_value="1", columns=(key, opened, bad))
    panel, _ = build.build(account, contract, long, build.Params(study="t", observation_months=3))
    assert len(panel) == 200 and panel["entity_id"].is_unique and panel["outcome"].mean() == 0.25
    assert set(panel["as_of_date"]) == {pd.Timestamp("2020-05-10")}
    of_month = {m: long[long["month"] == m].set_index("entity_id")["delay_months"] for m in MONTHS}
    now = panel.set_index("entity_id")["delay_now_months"]
    assert now.equals(of_month[MONTHS[3]].reindex(now.index).rename(now.name))  # the last that was over
    early = build.Facts(account.assign(opened=pd.Timestamp("2020-01-10")), contract, long)
    waterfall = build.make_from(early, build.Params(study="t")).waterfall
    assert waterfall.months_unseen
    samples = describe.samples(panel, waterfall, contract.outcome)
    assert "No month of the file of months lies before a row's own date: no feature is made of them." in samples.answer
    snapshot = contract.replaced((key, bad), as_of="2020-05-31")
    same = build.build(account, snapshot, long, build.Params(study="t", observation_months=3))[0]
    assert same["entity_id"].is_unique and set(same["as_of_date"]) == {pd.Timestamp("2020-05-31")}
    now = same.set_index("entity_id")["delay_now_months"]
    assert now.equals(of_month[MONTHS[4]].reindex(now.index).rename(now.name))  # over on its last day


@pytest.mark.parametrize(("out_of_time_from", "light"), [("2020-03", "red"), ("", "green")])
def test_rows_that_repeat_one_outcome_are_red_where_a_date_parts_them(out_of_time_from, light):
    rows = pd.DataFrame({"loan_id": range(1200), "loan": np.arange(1200) // 4, "x": np.arange(1200.0)})
    rows["day"] = pd.to_datetime("2020-01-15") + pd.to_timedelta(30 * (rows.index % 4), unit="D")
    rows["bad"] = np.where(rows["loan"] % 3 == 0, "1", "0")
    columns = [
        KEY,
        X,
        BAD,
        Column(name="loan", type="text", role="parent"),
        Column(name="day", type="date", role="as_of"),
    ]
    p = build.Params(study="t", out_of_time_from=out_of_time_from)
    panel, words = build.build(rows.astype({"loan_id": str}), LOANS.replaced(columns), None, p)
    e = describe.samples(panel, Waterfall(len(rows)), words.outcome)
    assert str(e.verdict) == light
    line = (
        "One recorded outcome of 300 entities stands in development and in the hold-out, which so holds what was learnt"
    )
    assert (line in e.answer) == (light == "red")


def test_an_outcome_recorded_once_is_not_told_of_every_month():
    account, long = with_months(bad=np.tile(["1", "0", "0", "0"], 50))
    bad = Column(name="bad", type="category", role="outcome", known="after", values={"1": "1", "0": "0"})
    key = Column(name="entity_id", type="text", role="key")
    undated = Contract(name="loans", title="t", entity="loan", event_value="1", columns=(key, bad))
    with pytest.raises(UserError) as e:
        build.build(account, undated, long, build.Params(study="t", observation_months=3))
    assert str(e.value) == (
        "panel/build: an outcome recorded once would stand in every month of its loan; give contract 'loans' a column "
        "`role: as_of` or its one `as_of`, give outcome an `event` of the months with `window_months`, or write one "
        "month as as_of_from and as_of_to"
    )
    one = build.Params(study="t", observation_months=3, as_of_from="2020-05", as_of_to="2020-05")
    assert build.build(account, undated, long, one)[0]["entity_id"].is_unique


def test_a_condition_may_not_ask_for_what_is_known_afterwards():
    account, long = with_months(charged_off="n")
    columns = (
        Column(name="entity_id", type="text", role="key"),
        Column(name="charged_off", type="category", known="after"),
    )
    p = build.Params(study="t", outcome=EVENT | {"eligible": "charged_off = 'n'"}, observation_months=3)
    with pytest.raises(UserError) as refused:
        build.build(account, Contract(name="core__account", title="t", columns=columns), long, p)
    assert str(refused.value) == (
        "panel/build: outcome.eligible: 'charged_off' is known only after the as-of date; name what is known before it"
    )


def test_words_of_sql_and_names_of_features_are_no_facts_names():
    account, long = with_months(n_months_late=1.0)
    key = Column(name="entity_id", type="text", role="key")
    p = build.Params(study="t", outcome=EVENT, observation_months=3)
    contract = Contract(name="core__account", title="t", columns=(key,))
    for name in ("order", "limit", "end"):
        panel, _ = build.build(account, contract, long.assign(**{name: np.arange(len(long)) % 7.0}), p)
        assert f"{name}_mean_amt" in panel or any(c.startswith(name) for c in panel), name
    taken = contract.replaced([key, Column(name="n_months_late", type="number")])
    with pytest.raises(UserError) as refused:
        build.build(account.assign(n_months_late=np.arange(200.0)), taken, long, p)
    assert str(refused.value) == (
        "panel/build: two columns would be called 'n_months_late', as a feature made from the months is; give the "
        "contract's column another name (name: n_months_late_given)"
    )


def test_an_outcome_in_numbers_is_compared_as_a_number():
    number = Column(name="bad", type="integer", role="outcome", known="after")
    table = loans().assign(bad=lambda t: t["bad"].astype(float))
    outcome = recorded_outcome(table, LOANS.replaced([KEY, X, number]))
    assert outcome.sum() == 100 and outcome.isna().sum() == 0


def test_a_file_whose_samples_leave_nothing_to_learn_from_is_refused():
    columns = [KEY, X, BAD, Column(name="part", type="category", role="sample")]
    table = loans().assign(part=lambda t: np.where(t.index % 2, "holdout", "monitoring"))
    with pytest.raises(UserError) as e:
        build.build(table, LOANS.replaced(columns), None, RECORDED)
    assert str(e.value) == (
        "panel/build: the file's column with the role sample leaves no row to develop on; let some be development"
    )


def test_a_panel_without_a_hold_out_is_red():
    account, long = with_months()
    contract = Contract(name="core__account", title="t", columns=(Column(name="entity_id", type="text", role="key"),))
    p = build.Params(study="t", outcome=EVENT, observation_months=3, out_of_time_from="2020-11")
    panel, made = build.build(account, contract, long, p)
    card = describe.samples(panel, Waterfall(200), made.outcome)
    assert card.verdict == "red" and "No row is in the hold-out" in str(card.answer).replace("holdout", "hold-out")


def test_dates_asked_for_beside_the_files_one_date_are_told():
    facts = cohort.Facts(loans(), LOANS.replaced([KEY, X, BAD], as_of="2005-09-30"))
    p = build.Params(study="t", as_of_from="2010-01", as_of_to="2012-12")
    with pytest.raises(UserError) as refused:
        build.make_from(facts, p)
    assert str(refused.value) == (
        "panel/build: nothing lies from 2010-01 to 2012-12; the data run from 2005-09 to 2005-09: set as_of_from and "
        "as_of_to"
    )
