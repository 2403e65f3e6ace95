"""Competing ways to leave with known hazards: learned, and their shares as Aalen and Johansen count them."""

import numpy as np
import pandas as pd
import pytest

from workbench import metrics
from workbench.actions import hazards

TRUE = {"defaulted": 0.01, "settled_early": 0.02, "dormant": 0.005}


@pytest.fixture(scope="module")
def months() -> pd.DataFrame:
    """Return 40 months of 4,000 customers; who has more products settles twice as often."""
    rng = np.random.default_rng(3)
    n, rows = 4000, []
    two, alive = rng.random(n) < 0.5, np.ones(n, bool)
    for t, month in enumerate(pd.date_range("2016-01-01", periods=40, freq="MS")):
        rates = np.column_stack([np.full(n, v) * np.where((k == "settled_early") & two, 2, 1) for k, v in TRUE.items()])
        u, top = rng.random(n), np.cumsum(rates, axis=1)
        kind = np.where(alive & (t > 0), (u[:, None] < top).argmax(axis=1) + 1, 0) * (u < top[:, -1])
        base = {"entity_id": [f"c{i}" for i in range(n)], "month": month, "n_products": 1 + two.astype(int)}
        table = pd.DataFrame(base).assign(**{e: (kind == i).astype(int) for i, e in enumerate(hazards.EVENTS, 1)})
        rows.append(table[alive])
        alive = alive & ~((kind > 0) & (t > 0))
    columns = ("delay_months", "n_loans", "balance_amt", "deposit_amt", "inflow_amt", "days_since_activity", "n_logins")
    zero = dict.fromkeys((*columns, "n_complaints", "margin_amt", "service_cost_amt"), 0.0)
    return pd.concat(rows, ignore_index=True).assign(**zero)


def test_shares_by_each_way_are_those_that_the_hazards_make(months):
    state = hazards.states(months, [pd.Timestamp("2016-06-01")])
    after = hazards.followed(months, state, 12)
    counted = hazards.observed(after, 12).iloc[-1]
    h = np.tile([0.01, 0.03, 0.005], (1, 12, 1))
    true = metrics.incidence_of(h)[0, -1]
    for event, share in zip(hazards.EVENTS, true, strict=True):
        low, high = metrics.rate_interval(counted[event] * len(state), len(state), 0.999)
        assert low < share < high, event
    assert counted["naive"] > counted["defaulted"]


def test_the_model_knows_who_settles_and_its_level_holds_later(months):
    learn = hazards.states(months, [pd.Timestamp(d) for d in ("2016-06-01", "2016-12-01", "2017-03-01")])
    model = hazards.fitted(learn, hazards.followed(months, learn, 12), 12, 100_000, 42)
    test = hazards.states(months, [pd.Timestamp("2018-04-01")])
    predicted = model.incidence(test)[:, -1, 1]
    two = test["n_products"].to_numpy() == 2
    assert 1.5 < predicted[two].mean() / predicted[~two].mean() < 2.2
    card = hazards.held_against(model, test, hazards.followed(months, test, 12), 0.25)
    assert card.verdict == "green" and card.table["AUC"].notna().all()


def test_a_level_that_is_off_is_amber(months):
    learn = hazards.states(months, [pd.Timestamp("2016-06-01")])
    after = hazards.followed(months, learn, 12)
    model = hazards.fitted(learn, after, 12, 50_000, 42)
    doubled = after.assign(first=np.where(after.index % 8 == 0, 1, after["first"]))
    card = hazards.held_against(model, learn, doubled, 0.25)
    assert card.verdict == "amber" and str(card.answer).endswith("the level is off for 1 of the ways to leave.")


def test_an_event_foretold_and_never_seen_is_off(months):
    learn = hazards.states(months, [pd.Timestamp("2016-06-01")])
    after = hazards.followed(months, learn, 12)
    model = hazards.fitted(learn, after, 12, 50_000, 42)
    card = hazards.held_against(model, learn, after.assign(first=after["first"].replace(1, 0)), 0.25)
    assert card.verdict == "amber" and card.table.loc[0, "observed"] == 0


def test_months_without_data_are_no_event(months):
    state = hazards.states(months, [pd.Timestamp("2019-02-01")])
    after = hazards.followed(months, state, 12)
    assert after["after"].max() == 2
