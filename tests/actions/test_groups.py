"""Groups add up to the bank, stages are one a customer, offers keep budget and capacity, popularity is a fair rival."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import LinearConstraint, milp

from workbench.actions import groups, next_action, next_product, profit
from workbench.customers import stages
from workbench.params import UserError
from workbench.portfolios import simulated_relationships, simulated_whole
from workbench.portfolios.simulated_customers import SimulatedCustomers
from workbench.portfolios.source import Request

P = SimulatedCustomers(n_customers=800, n_months=30, shock_month="2016-01", topic_month="2016-01")
TODAY = P.months[-1]


@pytest.fixture(scope="module")
def files() -> dict[str, pd.DataFrame]:
    source = simulated_relationships.SOURCE
    raw = simulated_whole.simulate(P)
    core = source.core({n: raw[n] for n in simulated_relationships.RAW}, source.words(Request()))
    labels = {"month": "months", "event": "events"}
    return {
        labels.get(n, n): core[f"core__{n}"][0]
        for n in ("month", "performance", "holding", "product", "event", "account")
    }


def _named(files: dict[str, pd.DataFrame], *names: str) -> dict[str, pd.DataFrame]:
    return {n: files[n] for n in names}


def test_groups_of_few_people_are_joined_and_no_loss_is_taken_off_the_page():
    groups = pd.DataFrame(
        [
            ("borrower", "in_default", 326, -3.8e6),
            ("both", "in_default", 8, -9e3),
            ("saver", "in_default", 3, 50.0),
            ("saver", "late", 4, 1.0),
            ("both", "late", 40, 2.0),
            ("borrower", "late", 90, 4.0),
            ("saver", "new", 12, 8.0),
            ("borrower", "new", 700, 16.0),
        ],
        columns=["need", "stage", "customers", "profit"],
    )
    asked = {("in_default", 2): 10, ("late", 2): 41}  # one changed his need, three did
    joined = profit.pooled(groups, lambda stage, needs: asked[stage, len(needs)]).set_index(["stage", "need"])
    assert joined.loc[("in_default", "borrower"), "profit"] == -3.8e6
    assert joined.loc[("in_default", "several")].tolist() == [10, -8950.0]
    assert joined.loc[("late", "several")].tolist() == [41, 3.0] and len(joined.loc["new"]) == 2
    assert joined["profit"].sum() == groups["profit"].sum()


def test_an_offer_is_worth_what_is_not_written_off_again():
    held = pd.DataFrame({"account_id": ["a", "b"], "product_code": "loan"})
    months = pd.DataFrame({"account_id": ["a", "b"] * 12, "balance_amt": 600.0, "fee_amt": 0.0, "written_off_amt": 0.0})
    months.loc[0, "written_off_amt"] = 300.0
    product = pd.DataFrame({"product_code": ["loan"], "margin_rate": [0.1], "service_cost_amt": [1.0]})
    files = {"performance": months, "holding": held, "product": product}
    p = groups.Params(horizon_months=12, discount_rate=0.0)
    assert groups.worth(files, ("loan",), p) == pytest.approx([12 * (600 * 0.1 / 12 - 1) - 300 / 2])


def test_the_groups_add_up_to_the_banks_accounts_and_a_lost_row_is_red(files):
    since = TODAY - pd.DateOffset(months=11)
    whole = profit.of_the_bank(_named(files, "performance", "holding", "product"), since)
    groups = profit.by_group(_named(files, "months", "performance"), since)
    assert profit.reconciled(groups, whole, "EUR").verdict == "green"
    fewer = files["months"][files["months"]["entity_id"] != files["months"]["entity_id"].iloc[-1]]
    card = profit.reconciled(profit.by_group({**_named(files, "performance"), "months": fewer}, since), whole, "EUR")
    assert card.verdict == "red" and "off the bank's accounts" in str(card.answer)


def test_everybody_is_in_one_stage_and_the_rows_of_the_migration_are_whole(files):
    months = files["months"]
    at = stages.stages(months)
    assert len(at) == len(months) and not at.duplicated(["entity_id", "month"]).any()
    assert set(at["stage"]) <= set(stages.STAGES)
    known = months.merge(at, on=["entity_id"], suffixes=("", "_stage")).query("month == month_stage")
    assert (known.loc[known["delay_months"] >= 3, "stage"] == "in_default").all()
    moved = stages.migration(months, TODAY - pd.DateOffset(months=12), TODAY)
    then = stages.stages(months, TODAY - pd.DateOffset(months=12))["stage"].value_counts().drop("gone")
    assert moved.sum(axis=1).to_dict() == then.to_dict()


def test_a_migration_tells_of_no_few_and_of_its_large_cells_what_they_are():
    names = ["steady", "late", "gone"]
    moved = pd.DataFrame([[300, 40, 60], [50, 12, 3], [20, 30, 0]], index=pd.Index(names, name="stage"), columns=names)
    card = groups.migration_evidence(moved)
    shown = card.table.set_index("stage")
    assert np.isnan(shown.at["late", "gone"]) and shown.loc["late", names].isna().sum() >= 2, "nor by its row's total"
    assert shown["gone"].isna().sum() >= 2 and shown.at["steady", "steady"] == 0.75
    assert str(card.answer) == (
        "Of no stage so many left the bank that it may be told how many. Of the steady ones 75% are still steady a year "
        "later."
    )
    moved.loc[["steady", "late"], "gone"] = [60, 30]
    assert str(groups.migration_evidence(moved).answer).startswith(
        "The stage that loses most of its customers is late: 33% of them are no longer with the bank a year later. Of"
    )
    moved = pd.concat([moved, pd.DataFrame([[20, 30, 3], [20, 30, 4]], index=["new", "quiet"], columns=names)])
    assert str(groups.migration_evidence(moved.rename_axis("stage")).answer).startswith(
        "Of the stages that may be told, the one that loses most of its customers is steady: 15% of them are no longer"
    )


def test_of_the_steady_nothing_is_told_where_there_are_none_or_few():
    names = ["late", "gone"]
    none = pd.DataFrame([[50, 30], [20, 40]], index=pd.Index(["late", "new"], name="stage"), columns=names)
    assert "steady" not in str(groups.migration_evidence(none).answer)
    few = pd.DataFrame([[4, 60, 30]] * 2, index=pd.Index(["steady", "late"], name="stage"), columns=["steady", *names])
    assert "steady" not in str(groups.migration_evidence(few).answer)


def test_one_customer_is_in_the_stage_that_all_are_asked_for(files):
    at = stages.stages(files["months"], P.months[20])
    for row in at.groupby("stage").head(2).itertuples():
        assert stages.stage_of(files["months"], row.entity_id, P.months[20]) == row.stage
    assert stages.stage_of(files["months"], "nobody", TODAY) == "gone"


def test_what_stage_one_is_in_does_not_hang_on_later_months(files):
    date = P.months[20]
    until = files["months"][files["months"]["month"] <= date]
    pd.testing.assert_frame_equal(stages.stages(until, date), stages.stages(files["months"], date))


def test_who_drew_two_arms_in_a_month_is_named_in_one_line():
    who = pd.DataFrame({"entity_id": ["a", "b"], "anchor": 24000})
    none = np.zeros((2, 1))
    before = next_product.Wanted(who, ("card",), none, none, none)
    drawn = pd.DataFrame({"entity_id": ["a", "b", "a"], "month_no": 24001, "arm": "card", "probability": 0.5})
    assert len(next_action.arms(drawn.head(2), before).arm) == 2
    with pytest.raises(UserError) as e:
        next_action.arms(drawn, before)
    assert str(e.value) == (
        "actions/groups: campaigns: 1 customers drew more than one arm in a month; name campaigns that draw one a month"
    )


def test_offers_bring_the_most_within_budget_and_capacity():
    rng = np.random.default_rng(5)
    gain = rng.normal(1, 2, (40, 3)).round(1)
    chosen = next_action.assigned(gain, 2.0, 30.0, 8)
    taken = chosen >= 0
    assert taken.sum() <= 15 and np.bincount(chosen[taken], minlength=3).max() <= 8
    value = gain[np.flatnonzero(taken), chosen[taken]].sum()
    assert value == pytest.approx(_by_integers(gain, 15, 8))
    best = _brute(gain[:6, :2], 2)
    few = next_action.assigned(gain[:6, :2], 1.0, 2.0, 6)
    at = np.flatnonzero(few >= 0)
    assert gain[at, few[at]].sum() == pytest.approx(best) and value > 0
    assert (next_action.assigned(-np.abs(gain), 2.0, 30.0, 8) == -1).all()


def _by_integers(gain: np.ndarray, most: int, capacity: int) -> float:
    n, k = gain.shape
    one = np.ones(n * k)
    a = np.vstack([np.kron(np.eye(n), np.ones(k)), np.kron(np.ones(n), np.eye(k)), one])
    limits = LinearConstraint(a, ub=np.concatenate([np.ones(n), np.full(k, capacity), [most]]))
    return -milp(-gain.ravel(), constraints=limits, integrality=one, bounds=(0, 1)).fun


def _brute(gain: np.ndarray, most: int) -> float:
    best = np.sort(gain.max(axis=1).clip(min=0))[::-1]
    return float(best[:most].sum())


def test_what_budget_and_products_allow_is_told_apart_from_what_officers_can_do():
    best = pd.DataFrame({"entity_id": range(50), "product_code": ["savings"] * 30 + ["card"] * 20, "priority": 12.5})
    listed = best.head(20).rename(columns={"priority": "expected_gain_amt"})
    card = groups.assignment(best, listed, 604, ("savings", "card"), groups.Params(), "EUR")
    assert str(card.answer) == (
        "50 of 604 customers could get an offer by budget and products: 100 of 2,000 EUR spent, 625 EUR expected. The "
        "officers' capacity leaves 20 of them, with 250 EUR expected."
    )
    assert card.table["offers"].tolist() == [30, 20] and set(card.table["currency"]) == {"EUR"}


def test_nobody_is_offered_what_he_holds_or_may_not_have(files):
    w = next_product.wanted(_named(files, "months", "holding", "product"), [TODAY - pd.DateOffset(months=3)])
    learnt = next_product.wanted(_named(files, "months", "holding", "product"), [P.months[10], P.months[14]])
    score = next_product.chances(next_product.fitted(learnt), learnt, w)
    assert (score[w.held == 1] == 0).all() and (score[~w.eligible] == 0).all() and "current_account" not in w.products
    late = w.rows["delay_months"].to_numpy() > 0
    loans = [w.products.index(c) for c in ("personal_loan", "credit_card", "mortgage")]
    assert not w.eligible[np.ix_(late, loans)].any()


def test_what_was_bought_is_what_was_opened_in_the_three_months_after(files):
    date = P.months[20]
    w = next_product.wanted(_named(files, "months", "holding", "product"), [date])
    holding = files["holding"]
    opened = holding[(holding["opened_month"] > date) & (holding["opened_month"] <= date + pd.DateOffset(months=3))]
    pairs = {(r.entity_id, r.product_code) for r in opened.itertuples()}
    for i, entity in enumerate(w.rows["entity_id"]):
        assert {w.products[k] for k in np.flatnonzero(w.bought[i])} <= {c for e, c in pairs if e == entity}
    assert 0 < w.bought.sum() <= len(pairs)


def test_a_model_that_knows_beats_popularity_and_one_that_does_not_says_so():
    rng = np.random.default_rng(2)
    n, products = 400, ("a", "b", "c", "d", "e")
    bought = np.eye(5)[rng.integers(0, 5, n)]
    w = next_product.Wanted(
        pd.DataFrame({"entity_id": range(n)}), products, np.zeros((n, 5)), np.ones((n, 5), bool), bought
    )
    popular = np.tile([0.5, 0.4, 0.3, 0.2, 0.1], (n, 1))
    knows = next_product.compared(w, bought + rng.normal(0, 0.4, (n, 5)), popular, 1)
    assert knows.verdict == "green" and knows.value > 0.2
    assert next_product.compared(w, popular + 1e-9, popular, 1).verdict == "amber"


def test_popular_is_what_those_buy_who_may_and_not_what_few_hold_yet():
    held = np.zeros((100, 2))
    held[:80, 0] = 1.0  # of the twenty who may have the first, ten buy it; of a hundred, twenty the second
    bought = np.zeros((100, 2))
    bought[80:90, 0], bought[:20, 1] = 1.0, 1.0
    rows = pd.DataFrame({"entity_id": range(100)})
    w = next_product.Wanted(rows, ("a", "b"), held, held == 0, bought)
    one = np.repeat("saver", 100)
    assert next_product.popular(w, one, w, one)[[0, 99]].tolist() == [[0.0, 0.2], [0.5, 0.2]]
    assert next_product.popular(w, one, w, np.repeat("unknown", 100))[99].tolist() == [0.5, 0.2]
    only = np.where(np.arange(100) < 80, "holder", "saver")
    assert next_product.popular(w, only, w, np.repeat("holder", 100))[99].tolist() == [0.5, 0.25]


def test_what_was_foretold_hangs_on_no_order_of_the_file():
    """Half of the customers are worth the same: which of them come first says nothing."""
    rng = np.random.default_rng(2)
    values = pd.DataFrame({"entity_id": range(200), "value": np.r_[np.full(100, 5.0), rng.uniform(0, 9, 100)]})
    came = pd.Series(rng.uniform(0, 9, 200), index=range(200))
    table, gini = profit.foretold(values, came)
    shuffled, of_shuffled = profit.foretold(values.sample(frac=1, random_state=3), came)
    pd.testing.assert_frame_equal(
        table[["tenth", "predicted", "observed"]], shuffled[["tenth", "predicted", "observed"]]
    )
    assert gini == pytest.approx(of_shuffled, abs=1e-12) and len(table) < 10
