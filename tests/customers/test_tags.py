"""Tags as of a date: the same whatever comes later, documented, by the reader's class; incomes within their interval."""

import numpy as np
import pandas as pd
import pytest

from workbench import tables
from workbench.customers import capacity, catalogue, lists, stages
from workbench.customers import tags as page
from workbench.params import UserError
from workbench.portfolios import simulated_relationships, simulated_truth
from workbench.portfolios.simulated_customers import SimulatedCustomers
from workbench.portfolios.source import Request

P = SimulatedCustomers(n_customers=1500, n_months=30, shock_month="2016-01", topic_month="2016-01")
DATE = P.months[20]


@pytest.fixture(scope="module")
def bank() -> tuple[dict[str, pd.DataFrame], dict]:
    return simulated_truth.with_tables(P)


@pytest.fixture(scope="module")
def files(bank) -> dict[str, pd.DataFrame]:
    source, raw = simulated_relationships.SOURCE, bank[0]
    core = source.core({n: raw[n] for n in simulated_relationships.RAW}, source.words(Request()))
    labels = {"account": "customers", "month": "months", "event": "events", "holding": "holdings"}
    return {label: core[f"core__{name}"][0] for name, label in labels.items()}


@pytest.fixture(scope="module")
def tagged(files) -> pd.DataFrame:
    return catalogue.tagged(files, DATE).table


@pytest.fixture(scope="module")
def earned(tagged) -> capacity.Income:
    return capacity.income(tagged, 42)


def test_there_are_sixty_tags_or_more_each_documented_once():
    tags = catalogue.tags()
    assert len(tags) >= 60 and len({t.name for t in tags}) == len(tags)
    assert all(t.description and t.owner and t.window and t.sql for t in tags)
    assert {t.block for t in tags} == {
        "basics",
        "credit_record",
        "income",
        "capacity",
        "behaviour",
        "products_and_value",
    }


def test_what_comes_later_changes_no_tag(files, tagged):
    end = DATE + pd.offsets.MonthEnd(0) + pd.Timedelta(days=1)
    cut = {
        "customers": files["customers"],
        "months": files["months"][files["months"]["month"] <= DATE],
        "events": files["events"][(files["events"]["happened_at"] < end) & (files["events"]["recorded_at"] < end)],
        "holdings": files["holdings"][files["holdings"]["opened_month"] <= DATE],
    }
    pd.testing.assert_frame_equal(catalogue.tagged(cut, DATE).table, tagged)
    pd.testing.assert_frame_equal(catalogue.tagged(files, DATE).table, tagged)


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("in_default", "On no list: he is in default and belongs to collections, which this workbench doesn't list."),
        ("late", "On no list: he is late and belongs to collections, which this workbench doesn't list."),
        ("steady", "On no list: nothing is to be done now."),
    ],
)
def test_who_does_not_pay_is_for_collections_where_he_is_on_no_list(files, tmp_path, monkeypatch, stage, words):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    p = page.Params(study="bank", as_of=f"{DATE:%Y-%m}")
    tables.write(p.key, "core__month", files["months"])
    at = stages.stages(files["months"], DATE)
    one = at.loc[at["stage"] == stage, "entity_id"].iloc[0]
    assert str(page.next_step(p, one).answer) == words
    watched = {"entity_id": [one], "reason": "late", "measure": "call", "rank": 1}
    tables.write(p.key, lists.WATCH, pd.DataFrame(watched))
    assert str(page.next_step(p, one).answer) == "On the watch list."


def test_an_event_recorded_later_is_not_known_yet(files):
    late = files["events"].assign(recorded_at=files["events"]["happened_at"] + pd.Timedelta(days=4000))
    assert catalogue.tagged({**files, "events": late}, DATE).table["n_rate_views_3"].sum() == 0


def test_a_story_tells_no_event_that_was_recorded_later():
    day = pd.Timestamp("2015-01-01")
    months = pd.DataFrame({"entity_id": ["a"], "month": [day]})
    events = {"entity_id": "a", "happened_at": day, "event_kind": ["login", "complaint"], "channel_code": "web"}
    log = pd.DataFrame(events).assign(recorded_at=[pd.Timestamp("2015-02-01"), pd.Timestamp("2015-01-31")])
    assert page.story({"months": months, "events": log}, "a", day)[1]["event_kind"].tolist() == ["complaint"]
    unrecorded = {"months": months, "events": log.drop(columns="recorded_at")}
    assert len(page.story(unrecorded, "a", day)[1]) == 2


def test_tags_are_what_a_hand_counts(files, tagged):
    one = tagged["entity_id"].iloc[7]
    months = files["months"].query("entity_id == @one and month <= @DATE").sort_values("month").tail(6)
    row = tagged.set_index("entity_id").loc[one]
    assert (
        row["n_logins_6"] == months["n_logins"].sum() and row["worst_delay_3"] == months["delay_months"].tail(3).max()
    )
    assert row["inflow_6"] == pytest.approx(months["inflow_amt"].mean())
    assert row["paid_short_6"] == (months["payment_amt"] < 0.999 * months["due_amt"]).sum()


def test_a_reader_of_a_lower_class_sees_no_tag_above_it(files):
    seen = catalogue.tagged(files, DATE, "C1").table
    assert set(seen) - {"entity_id"} == {t.name for t in catalogue.tags() if t.privacy_class == "C1"}


def test_everybody_who_is_there_has_the_core_tags(tagged):
    assert catalogue.coverage(tagged).verdict == "green"
    assert catalogue.coverage(tagged.assign(n_products=np.nan)).verdict == "amber"


def test_incomes_that_nobody_told_lie_in_their_interval_four_times_of_five(bank, earned):
    known_incomes = bank[1]["income"]
    truth = known_incomes[["customer_id", "income_amt"]].rename(columns={"customer_id": "entity_id"})
    known = earned.table.merge(truth, on="entity_id")
    at = known["basis"] == "estimated"
    inside = known["income_amt"].between(known["low"], known["high"])
    assert 0.7 < inside[at].mean() < 0.9 and at.sum() > 200
    error = (known["income"] / known["income_amt"] - 1).abs()
    assert error[~at].median() < 0.1 and error[at].median() < 0.25


def test_a_salary_is_that_of_the_months_it_came_in_and_coverage_is_counted_on_others(tagged):
    """With five months on record, of which four bring the salary, the mean over six would be another income."""
    few = tagged.assign(salary_income_6=2500.0, salary_months_6=4.0, inflow_6=2000.0)
    income = capacity.income(few, 42).table
    assert (income["basis"] == "salary").all() and income["income"].tolist() == [2500.0] * len(income)
    odd = tagged[tagged["salary_months_6"] >= 4].head(60)
    assert capacity.income(odd, 42).covers != 0.8, "a width taken of these very errors would cover four of five"
    with pytest.raises(UserError, match="the salary of 20 customers is known"):
        capacity.income(odd.head(20), 42)


def test_what_can_be_afforded_rises_with_income_and_falls_with_what_is_due(tagged, earned):
    more = capacity.Income(earned.table.assign(low=earned.table["low"] * 1.1), earned.covers)
    assert (capacity.afforded(tagged, more)["free"] >= capacity.afforded(tagged, earned)["free"]).all()
    owing = tagged.assign(due_now=tagged["due_now"] + 100)
    assert (capacity.afforded(owing, earned)["free"] <= capacity.afforded(tagged, earned)["free"]).all()
    can = capacity.afforded(tagged, earned)
    assert (can["free under stress"] <= can["free"]).all() and (can["burden under stress"] >= can["burden"]).all()
