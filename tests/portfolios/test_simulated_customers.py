"""The simulated bank of whole relationships: what is planted is there, known exactly, and in no table a notebook reads."""

import numpy as np
import pandas as pd
import pytest

from workbench import metrics
from workbench.params import UserError
from workbench.portfolios import grain, simulated_customers, simulated_relationships, simulated_truth, simulated_whole
from workbench.portfolios.simulated_customers import SimulatedCustomers
from workbench.portfolios.source import Request

P = SimulatedCustomers(
    n_customers=1500, n_months=36, start_month="2016-01", shock_month="2018-01", topic_month="2018-03"
)


LARGE = SimulatedCustomers(n_customers=6000, n_months=24, shock_month="2016-01", topic_month="2016-01")


@pytest.fixture(scope="module")
def both() -> tuple[dict[str, pd.DataFrame], dict]:
    return simulated_truth.with_tables(P)


@pytest.fixture(scope="module")
def bank(both) -> dict[str, pd.DataFrame]:
    return both[0]


@pytest.fixture(scope="module")
def truth(both) -> dict:
    return both[1]


@pytest.fixture(scope="module")
def large() -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    tables, known = simulated_truth.with_tables(LARGE)
    return tables, known["campaign"]


@pytest.fixture(scope="module")
def core(bank):
    source = simulated_relationships.SOURCE
    words = source.words(Request(portfolio="simulated_customers"))
    return source.core({name: bank[name] for name in simulated_relationships.RAW}, words)


def test_each_table_says_what_its_row_is(bank):
    words = simulated_relationships.SOURCE.words(Request(portfolio="simulated_customers"))
    chosen = {n: words[n] for n in ("product", "macro", "feedback")}
    words_of_rows = str(grain.examine({n: bank[n] for n in chosen}, chosen).answer)
    assert words_of_rows.startswith(
        "Of 3 tables: a row of product is one product, a row of macro is one month of a region, "
        "a row of feedback is one reply of a customer."
    )


def test_the_same_seed_makes_the_same_bank_and_another_another():
    few = LARGE.model_copy(update={"n_customers": 100})
    again = simulated_whole.simulate(few)
    for name, table in simulated_truth.with_tables(few)[0].items():
        pd.testing.assert_frame_equal(table, again[name])
    other = simulated_whole.simulate(few.model_copy(update={"seed": few.seed + 1}))
    assert not other["customer"]["declared_income_amt"].equals(again["customer"]["declared_income_amt"])


def test_files_hold_what_memory_holds_whatever_the_number_of_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(simulated_whole, "BLOCK_CUSTOMERS", 250)
    small = SimulatedCustomers(n_customers=500, n_months=24, shock_month="2016-01", topic_month="2016-01")
    rows = simulated_whole.write(small, tmp_path)
    held = simulated_whole.simulate(small)
    assert rows == {name: len(table) for name, table in held.items()}
    first = simulated_whole.simulate(small.model_copy(update={"n_customers": 250}))
    one = held["monthly"]["customer_id"] < "C0000250"
    pd.testing.assert_frame_equal(held["monthly"][one].reset_index(drop=True), first["monthly"])


def test_balances_roll_forward_to_the_cent(bank):
    m = bank["monthly"]
    closing = m["opening_balance_amt"] + m["disbursed_amt"] - m["principal_paid_amt"] - m["written_off_amt"]
    assert (closing - m["balance_amt"]).abs().max() < 0.011
    before = m.sort_values("month").groupby("account_id")["balance_amt"].shift()
    assert (before - m["opening_balance_amt"]).abs().max() < 0.011


def test_as_many_leave_as_their_hazards_say(bank, truth):
    gone = (bank["event"]["event_kind"] == "settled_early").sum()
    ended = bank["account"]
    dormant = ((ended["product_code"] == "current_account") & (ended["close_reason_code"] == "closed")).sum()
    at_peace = truth["hazards"][truth["hazards"]["roll"] == 0]
    for happened, name in ((gone, "settle"), (dormant, "dormant")):
        expected = at_peace[name].sum()
        assert abs(happened - expected) < 4 * np.sqrt(expected), name


def test_as_many_default_and_cure_as_their_hazards_say(bank, truth):
    for kind, name in (("defaulted", "default"), ("cured", "cure")):
        happened, expected = (bank["event"]["event_kind"] == kind).sum(), truth["hazards"][name].sum()
        assert expected > 20 and abs(happened - expected) < 4 * np.sqrt(expected), name


@pytest.mark.whole
def test_an_offer_of_a_product_changes_its_purchase_by_what_the_truth_says(large):
    tables, known = large
    events = tables["event"]
    touched = events.query("campaign_code == 'next_1'").assign(month=lambda t: t["happened_at"].dt.to_period("M"))
    for product in ("credit_card", "savings"):
        opened = tables["account"].query("product_code == @product").groupby("customer_id")["opened_month"].max()
        after = touched["customer_id"].map(opened).dt.to_period("M").astype("period[M]")
        bought = ((after >= touched["month"]) & (after <= touched["month"] + 2)).to_numpy(float)
        p = touched["assignment_probability"].to_numpy(float)
        gain = bought * ((touched["arm_code"] == product).to_numpy(float) - (touched["arm_code"] == "control")) / p
        true = known.query("campaign_code == 'next_1' and arm_code == @product")["uplift"]
        assert len(true) == len(touched) and 0 < true.mean() < 0.2
        assert abs(gain.mean() - true.mean()) < 4 * gain.std() / np.sqrt(len(gain)), product


@pytest.mark.whole
def test_an_offer_changes_what_the_truth_says(large):
    tables, known = large[0], large[1].query("arm_code == 'offer'").drop(columns="arm_code")
    assert (known["uplift"] < -0.01).mean() > 0.2 and (known["uplift"] > 0.01).mean() > 0.2
    touched = tables["event"].query("campaign_code == 'save_1'").merge(known, on=["customer_id", "campaign_code"])
    touched["month"] = touched["happened_at"].dt.to_period("M")
    ended = tables["account"].query(
        "product_code == 'current_account' and close_reason_code in ('closed', 'settled_early')"
    )
    touched = touched.merge(ended[["customer_id", "closed_month"]], on="customer_id", how="left")
    after = (touched["closed_month"].dt.to_period("M") - touched["month"]).map(lambda d: getattr(d, "n", np.nan))
    went = after.between(0, 2).to_numpy(float)
    mean, low, high = metrics.average_effect(went, (touched["arm_code"] == "offer").to_numpy(int), 0.5)
    assert low < known["uplift"].mean() < high and abs(mean) < 0.1
    first = touched["uplift"] < touched["uplift"].quantile(0.3)
    drawn = (touched["arm_code"] == "offer").to_numpy(int)
    saved, rest = (metrics.average_effect(went[at], drawn[at], 0.5)[0] for at in (first, ~first))
    assert saved < rest - 0.03


def test_a_shock_is_where_and_when_it_was_planted(truth, bank):
    hazards, shock = truth["hazards"], truth["shock"]
    hit = bank["customer"].query("region_code == @shock['region_code'] or employer_code == @shock['employer_code']")
    at = hazards["customer_id"].isin(hit["customer_id"])
    after = hazards["month"] >= shock["month"]
    rate = hazards[hazards["late"] > 0].groupby([at, after])["late"].mean().unstack()
    assert rate.loc[True, True] > 2.5 * rate.loc[True, False] and rate.loc[False, True] < 1.3 * rate.loc[False, False]


def test_the_topic_begins_in_its_month(bank, truth):
    topic = truth["topic"]
    about = bank["feedback"][bank["feedback"]["text"].fillna("").map(lambda t: any(w in t for w in topic["words"]))]
    assert about["invited_at"].min() >= pd.Timestamp(topic["month"]) and set(about["product_code"]) == {
        topic["product_code"]
    }
    assert len(about) >= 5


def test_people_who_stand_twice_are_written_differently(bank, truth):
    assert len(truth["duplicates"]) == 30
    people = bank["customer"].set_index("customer_id")
    one = people.loc[truth["duplicates"]["customer_id"]].reset_index(drop=True)
    again = people.loc[truth["duplicates"]["again_id"]].reset_index(drop=True)
    columns = ["name", "national_id", "birth_date", "phone_number"]
    assert ((one[columns] != again[columns]).sum(axis=1) <= 1).all()


def test_the_satisfied_answer_more_often(bank, truth):
    satisfaction = truth["satisfaction"]
    answered = np.average(satisfaction["score"], weights=satisfaction["responds"])
    assert answered > satisfaction["score"].mean() + 0.25


def test_core_tables_have_the_columns_of_their_contracts_and_no_truth(core, truth):
    assert sorted(core) == sorted(simulated_relationships.SOURCE.writes(Request()))
    for table, contract in core.values():
        assert list(table.columns) == [c.name for c in contract.columns] or set(table) == {
            c.name for c in contract.columns
        }
    columns = {c for table, _ in core.values() for c in table}
    assert not columns & {"uplift", "responds", "settle", "late", "income_amt", "again_id", "quality", "engagement"}


def test_a_month_of_a_customer_sums_his_accounts_and_counts_his_events(core, bank):
    months, events = core["core__month"][0], bank["event"]
    assert not months.duplicated(["entity_id", "month"]).any()
    logins = (
        events[events["event_kind"] == "login"].groupby(["customer_id", events["happened_at"].dt.to_period("M")]).size()
    )
    asked = months.set_index([months["entity_id"], months["month"].dt.to_period("M")])["n_logins"]
    assert asked.sum() == logins.reindex(asked.index).fillna(0).sum() and asked.sum() > 0.95 * logins.sum()
    assert ((months["settled_early"] + months["dormant"] > 0) == (months["left_bank"] == 1)).all()
    last = months.groupby("entity_id")["month"].transform("max")
    assert (months.loc[months["left_bank"] == 1, "month"] == last[months["left_bank"] == 1]).all()


def test_a_wrong_parameter_is_told_in_one_line():
    with pytest.raises(UserError) as e:
        simulated_relationships.SOURCE.verify(Request(simulation={"shock_month": "2031-01"}))
    assert str(e.value).startswith("portfolios/intake: simulation: shock_month 2031-01 lies outside")
    assert simulated_customers.CODES[0] == "current_account"
