"""Value ahead: loans run off by their schedule, a loss comes when it is written off, nothing later is used."""

import numpy as np
import pandas as pd
import pytest

from workbench.actions import hazards, lifetime, run_off
from workbench.actions.run_off import Ahead, Learnt
from workbench.portfolios import simulated_relationships, simulated_whole
from workbench.portfolios.simulated_customers import SimulatedCustomers
from workbench.portfolios.source import Request

P = SimulatedCustomers(n_customers=600, n_months=27, shock_month="2016-01", topic_month="2016-01", seed=3)
TEST = P.months[20]


@pytest.fixture(scope="module")
def files() -> dict[str, pd.DataFrame]:
    source = simulated_relationships.SOURCE
    raw = simulated_whole.simulate(P)
    core = source.core({n: raw[n] for n in simulated_relationships.RAW}, source.words(Request()))
    return {n: core[f"core__{n.removesuffix('s')}"][0] for n in ("months", "performance", "holding", "product")}


@pytest.fixture(scope="module")
def life(files) -> lifetime.Lifetime:
    return lifetime.learnt(files, TEST, 6, 0.08, most_rows=20_000, seed=42)


def test_a_loan_runs_off_by_its_schedule_and_a_card_stands():
    accounts = pd.DataFrame(
        {"open_amt": [1000.0, 1000.0, 400.0], "rate": [0.01, 0.0, 0.015], "instalment_amt": [340.0221, 250.0, 0.0]}
    )
    plan = run_off._schedule(accounts, np.arange(1, 6))
    np.testing.assert_allclose(plan[0], [669.98, 336.66, 0.0, 0.0, 0.0], atol=0.01)
    np.testing.assert_allclose(plan[1], [750, 500, 250, 0, 0])
    np.testing.assert_allclose(plan[2], 400)


def test_the_schedule_of_sql_is_that_of_the_account(files, life):
    growth = life.accounts.growth
    assert growth.loc[["mortgage", "auto_loan", "personal_loan"]].sub(1).abs().to_numpy().max() < 0.06
    assert (growth.loc["savings"].diff().iloc[1:] > 0).all()  # what is saved grows


def test_a_product_with_few_write_offs_takes_what_those_like_it_lost(files):
    lost = run_off.loss_given_default(files, TEST)
    assert lost["credit_card"] == pytest.approx(0.8, abs=0.06)  # a fifth is recovered
    assert lost["mortgage"] < lost["auto_loan"] < lost["personal_loan"]
    none = files["performance"].assign(opening_balance_amt=0.0)
    assert (run_off.loss_given_default({**files, "performance": none}, TEST) == 1.0).all()


def test_nothing_after_the_date_is_used(files, life):
    number = files["performance"]["month"]
    later = files["performance"].assign(
        written_off_amt=files["performance"]["written_off_amt"].where(number <= TEST, 0.0),
        balance_amt=files["performance"]["balance_amt"].where(number <= TEST, 9e9),
    )
    happened = files["months"]["month"] > TEST
    months = files["months"].assign(**{e: files["months"][e].where(~happened, 1.0) for e in hazards.EVENTS})
    again = lifetime.learnt({**files, "performance": later, "months": months}, TEST, 6, 0.08, most_rows=20_000, seed=42)
    pd.testing.assert_frame_equal(again.accounts.growth, life.accounts.growth)
    pd.testing.assert_frame_equal(again.accounts.bought, life.accounts.bought)
    pd.testing.assert_series_equal(again.accounts.lost, life.accounts.lost)
    np.testing.assert_allclose(again.hazards.level, life.hazards.level)


def test_a_loss_comes_when_it_is_written_off_and_margin_until_then(life):
    h = np.zeros((1, 6, 3))
    h[0, 0, lifetime.DEFAULTED] = 1.0  # defaults in the first month
    empty = pd.DataFrame(np.ones((1, 6)))
    accounts = Learnt(empty, empty, pd.Series(dtype=float), wait=2, ends=1.0)
    plain = lifetime.Lifetime(hazards.Hazards(life.hazards.model, ("a", "b", "c"), 6, np.ones(3)), accounts, 0.0)
    ahead = Ahead(np.full((1, 6), 10.0), np.full((1, 6), 7.0), np.full((1, 6), 500.0))
    assert plain._worth(h, ahead)[0] == pytest.approx(2 * 10 - 500)
    assert plain._worth(np.zeros((1, 6, 3)), ahead)[0] == pytest.approx(6 * 17)


def test_value_is_what_came_within_its_chance_and_leaving_costs(files, life):
    state = hazards.states(files["months"], [TEST])
    assert (state["delay_months"] < hazards.IN_DEFAULT).all()
    values = life.value(files, state)
    assert values["leaving"].between(0, 1).all() and (values["at_risk"] >= 0).all()
    assert values["value"].notna().all() and values["value"].mean() > 0
