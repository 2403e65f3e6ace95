"""Conversion: steps and ends of applications, a change taken apart, a propensity through time, a list within budget."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from workbench import metrics
from workbench.actions import action_list, applications, changes, contacts, conversion, propensity
from workbench.contracts import Contract, Outcome
from workbench.panel import leakage
from workbench.params import UserError
from workbench.portfolios import catalog
from workbench.portfolios.source import Request

STEPS = ("application_started", "approved", "first_use")
OUTCOME = Outcome(name="conversion", direction="favourable")


def _events() -> pd.DataFrame:
    """Five applications, the window 30 days: used, declined, given up, without a word, and one too young to tell."""
    rows = [
        ("used", "application_started", "2020-01-01"),
        ("used", "approved", "2020-01-03"),
        ("used", "first_use", "2020-01-11"),
        ("refused", "application_started", "2020-01-02"),
        ("refused", "declined", "2020-01-08"),
        ("given_up", "application_started", "2020-01-02"),
        ("given_up", "approved", "2020-01-04"),
        ("given_up", "abandoned", "2020-01-20"),
        ("quiet", "application_started", "2020-02-01"),
        ("quiet", "approved", "2020-03-20"),  # beyond the window
        ("young", "application_started", "2020-04-20"),
        ("young", "approved", "2020-04-22"),
        (None, "campaign_touch", "2020-05-01"),  # up to which all is known
    ]
    table = pd.DataFrame(rows, columns=["case_id", "event_kind", "happened_at"])
    table["happened_at"] = pd.to_datetime(table["happened_at"])
    return table.assign(entity_id=table["case_id"].fillna("somebody"), channel_code="web")


def test_each_application_ends_in_its_own_way_and_an_open_one_is_not_lost():
    rows = applications.progress(_events(), STEPS, 30).set_index("case_id")
    assert rows["state"].to_dict() == {
        "used": "converted",
        "refused": "declined",
        "given_up": "abandoned",
        "quiet": "silent",
        "young": "open",
    }
    assert rows["reached"].to_dict() == {"used": 3, "refused": 1, "given_up": 2, "quiet": 1, "young": 2}
    assert rows["cohort"]["young"] == "2020-Q2" and rows["is_open"].sum() == 1


def test_the_losses_of_a_step_and_the_next_steps_rows_are_the_step():
    answer = applications.funnel(applications.progress(_events(), STEPS, 30), STEPS)
    table = applications.steps_table(applications.progress(_events(), STEPS, 30), STEPS)
    lost = table[["declined", "abandoned", "silent"]].sum(axis=1)
    assert list(table["n"]) == [4, 2, 1] and list(table["n"] - lost) == [2, 1, 1]
    assert table["days_median"].tolist()[1:] == [2.0, 8.0]
    low, high = metrics.wilson(1, 4)
    assert (table["first_low"].iloc[-1], table["first_high"].iloc[-1]) == (float(low), float(high))
    assert "1 were declined, 1 were given up by the customer, 1 took no further step" in str(answer.answer)
    assert "1 are open" in str(answer.answer)
    assert answer.table[["n", "declined", "of_first"]].isna().all(axis=None), "a page doesn't tell of so few"


def test_where_no_window_is_over_nothing_is_evaluated():
    young = _events().query("case_id == 'young' or case_id.isna()")
    rows = applications.progress(young, STEPS, 30)
    card = applications.funnel(rows, STEPS)
    assert (card.verdict, str(card.answer)) == ("not_evaluated", "No window is over; 1 are open.")
    assert applications.time_to_convert(rows, 30).verdict == "info" and len(card.table) == 3
    called = pd.DataFrame(
        {"entity_id": ["a"], "event_kind": ["officer_call"], "happened_at": [pd.Timestamp("2020-05-01")]}
    )
    for kinds, n_open in ((["officer_call"], 1), (["login"], 0)):
        card = applications.from_contact(called, kinds, 30)
        assert (card.verdict, str(card.answer)) == ("not_evaluated", f"No window is over; {n_open} are open.")


def test_the_curve_counts_open_ones_as_long_as_they_are_seen():
    start = pd.Timestamp("2020-01-01")
    done = pd.DataFrame({"at_1": start, "at_2": [start + pd.Timedelta(days=10)] * 6, "followed_days": 30.0})
    young = pd.DataFrame({"at_1": start, "at_2": [pd.NaT] * 6, "followed_days": 5.0})
    refused = pd.DataFrame({"at_1": start, "at_2": [pd.NaT] * 2, "followed_days": 30.0})
    curve = applications.curve(pd.concat([done, young, refused], ignore_index=True), 30)["converted"]
    assert curve[9] == 0 and curve[10] == pytest.approx(6 / 8) and curve[30] == pytest.approx(6 / 8)


def test_customers_count_once_from_their_first_contact_on():
    events = _events()
    touch = pd.DataFrame(
        {
            "entity_id": ["used", "used", "refused"],
            "event_kind": "officer_call",
            "happened_at": pd.to_datetime(["2019-12-30", "2019-12-31", "2019-12-30"]),
            "case_id": None,
            "channel_code": "phone",
        }
    )
    some = pd.concat([events, touch])
    many = [some.assign(entity_id=some["entity_id"] + f"_{i}") for i in range(5)]
    answer = applications.from_contact(pd.concat(many), ["officer_call"], 30)
    reached = answer.table.set_index("event_kind")["reached"]
    assert (
        reached["first_contact"] == 10 and reached["application_started"] == 10 and reached["documents_complete"] == 0
    )


def test_who_drew_the_control_arm_was_not_contacted():
    day = pd.Timestamp("2020-01-01")
    rows = pd.DataFrame({"entity_id": [f"c{i}" for i in range(40)], "event_kind": "campaign_touch", "happened_at": day})
    rows["arm_code"] = ["control", "offer", None, "call"] * 10
    known = pd.DataFrame({"entity_id": ["c0"], "event_kind": ["login"], "happened_at": [day + pd.Timedelta(days=40)]})
    answer = applications.from_contact(pd.concat([rows, known]), ["campaign_touch"], 30)
    assert answer.table["reached"].iloc[0] == 30


@pytest.mark.parametrize("seed", range(5))
def test_mix_and_rate_add_up_to_the_whole_change_exactly(seed):
    rng = np.random.default_rng(seed)
    tables = []
    for _ in range(2):
        n = rng.integers(1, 200, 5)
        table = pd.DataFrame({"n": n, "events": rng.binomial(n, rng.random(5))}, index=list("abcde"))
        tables.append(table.drop(index=rng.choice(list("abcde"))))  # a segment that is there once only
    parts = metrics.mix_and_rate(*tables)
    whole = [t["events"].sum() / t["n"].sum() for t in tables]
    assert parts["change"].sum() == pytest.approx(whole[1] - whole[0], abs=1e-12)
    assert (parts["mix"] + parts["rate"]).to_numpy() == pytest.approx(parts["change"].to_numpy(), abs=1e-15)


def _units(web: tuple[int, int], branch: tuple[int, int]) -> pd.DataFrame:
    rows = [("web", 1)] * web[1] + [("web", 0)] * (web[0] - web[1])
    rows += [("branch", 1)] * branch[1] + [("branch", 0)] * (branch[0] - branch[1])
    return pd.DataFrame(rows, columns=["segment", "converted"]).assign(open=False)


def test_a_whole_that_moves_against_every_segment_is_named_a_paradox():
    before, after = _units((800, 400), (200, 20)), _units((200, 120), (800, 160))  # both rise, the whole falls
    units = pd.concat([before, after], ignore_index=True)
    answer = changes.change(units, pd.Series(np.arange(2000) >= 1000))
    assert answer.verdict == "amber" and "Simpson's paradox" in str(answer.answer)
    assert answer.value == pytest.approx(0.28 - 0.42)
    same = pd.concat([before, before], ignore_index=True)
    assert changes.change(same, pd.Series(np.arange(2000) >= 1000)).verdict == "info"


def test_where_others_come_and_no_rate_changes_there_is_no_paradox():
    rng, named = np.random.default_rng(6), 0
    for _ in range(40):
        web, branch = rng.binomial([800, 200], 0.5), rng.binomial([200, 800], 0.1)
        units = pd.concat([_units((800, web[0]), (200, branch[0])), _units((200, web[1]), (800, branch[1]))])
        after = pd.Series(np.arange(2000) >= 1000)
        named += changes.change(units.reset_index(drop=True), after).verdict == "amber"
    assert named <= 3


def test_segments_add_up_and_open_units_are_apart():
    units = _units((80, 40), (20, 2))
    units.loc[:9, "open"] = True
    table = changes.counted(units, "segment").set_index("segment")
    assert table.at["all", "n"] == 90 and table.at["all", "events"] == 32 and table.at["all", "open"] == 10
    assert table.drop(index="all")[["n", "events", "open"]].sum().tolist() == [90, 32, 10]


def _known(shift: float, n: int = 4000) -> propensity.Known:
    """Two years of rows, the first learnt from; in the second the odds are higher by e to the shift."""
    rng = np.random.default_rng(7)
    z = rng.normal(-2, 1, n)
    dates = pd.Timestamp("2019-01-01") + pd.to_timedelta(np.arange(n) * 720 // n, unit="D")
    later = np.arange(n) >= n // 2
    y = (rng.random(n) < 1 / (1 + np.exp(-(z + shift * later)))).astype(float)
    panel = pd.DataFrame({"entity_id": [f"c{i}" for i in range(n)], "as_of_date": dates, "outcome": y, "weight": 1.0})
    panel = panel.assign(parent_id=panel["entity_id"], sample=np.where(later, "holdout", "development"))
    return propensity.known(panel, panel.assign(predicted=1 / (1 + np.exp(-z))), OUTCOME)


def test_a_level_that_moved_is_seen_and_put_right_by_the_quarter_before():
    k = _known(shift=2.0)
    assert k.is_later
    answer = propensity.level(k, propensity.recalibrated(k))
    table = answer.table.iloc[1:]  # of the first quarter nothing was known yet
    assert answer.verdict == "amber" and (answer.table["low"] > answer.table.iloc[:, 5]).all()
    inside = (table["low"] <= table["recalibrated"]) & (table["recalibrated"] <= table["high"])
    assert inside.sum() >= len(table) - 1
    still = _known(shift=0.0)
    assert propensity.level(still, propensity.recalibrated(still)).verdict == "green"


def test_how_many_quarters_were_recalibrated_is_told():
    k = _known(shift=2.0)
    rows = k.rows[k.rows["sample"] == "holdout"]
    half = propensity.Known(rows, Outcome(name="conversion", direction="favourable", event="x", window_months=6))
    answer = str(propensity.level(half, propensity.recalibrated(half)).answer)
    assert "recalibrated by the latest quarter known by then, as 1 of the 4 could be, in " in answer


def test_rows_of_one_customer_put_no_quarter_off():
    k = _known(shift=0.3)
    few = k.rows.groupby("quarter", as_index=False).head(130)
    fourfold = propensity.Known(pd.concat([few] * 4, ignore_index=True), OUTCOME)
    assert propensity.level(fourfold, propensity.recalibrated(fourfold)).verdict == "green"


@pytest.mark.whole
def test_quarters_that_are_as_predicted_are_off_by_chance_in_a_twentieth_of_runs():
    rng, off = np.random.default_rng(3), 0
    dates = pd.Timestamp("2019-01-01") + pd.to_timedelta(np.arange(1600) * 8 * 365 // 4 // 1600, unit="D")
    panel = pd.DataFrame({"entity_id": np.arange(1600), "as_of_date": dates, "weight": 1.0, "sample": "holdout"})
    panel = panel.assign(parent_id=panel["entity_id"])
    for _ in range(20):
        outcome = (rng.random(1600) < 0.2) * 1.0
        known = propensity.known(panel.assign(outcome=outcome), panel.assign(predicted=0.2), OUTCOME)
        off += propensity.level(known, known.rows.assign(updated=0.2)).verdict == "amber"
    assert off <= 3


def test_too_few_rows_a_quarter_are_told_and_no_level_is_judged():
    k = _known(shift=2.0, n=400)
    answer = propensity.level(k, propensity.recalibrated(k))
    assert answer.verdict == "not_evaluated" and "No quarter of later rows has 100 rows" in str(answer.answer)


def test_ranking_tells_the_auc_of_later_rows_and_by_how_much_a_random_split_flatters():
    later, random = _known(0.0), _known(0.0)
    noise = np.random.default_rng(1).random(len(later.rows))
    worse = propensity.Known(later.rows.assign(predicted=noise), OUTCOME)
    answer = propensity.ranking(worse, random)
    auc = metrics.auc(worse.tested["outcome"], worse.tested["predicted"])
    assert answer.value == pytest.approx(auc) and "A random hold-out of the same rows says" in str(answer.answer)


def test_rows_of_one_customer_make_an_auc_no_surer_and_weights_count_in_its_interval():
    k = _known(0.0)
    once = propensity.ranking(k).table.iloc[0]
    fourfold = propensity.Known(pd.concat([k.rows] * 4).sort_values("as_of_date", ignore_index=True), OUTCOME)
    assert propensity.ranking(fourfold).table.iloc[0][["low", "high"]].tolist() == pytest.approx(
        once[["low", "high"]].tolist(), abs=1e-4
    )
    few = k.rows["weight"].where(np.arange(len(k.rows)) % 10 > 0, 50.0)
    uneven = propensity.ranking(propensity.Known(k.rows.assign(weight=few), OUTCOME)).table.iloc[0]
    assert uneven["high"] - uneven["low"] > 2 * (once["high"] - once["low"])


def test_the_top_half_of_a_perfect_order_holds_everything_and_of_a_random_one_half():
    k = _known(0.0)
    perfect = propensity.Known(k.rows.assign(predicted=k.rows["outcome"]), OUTCOME)
    assert propensity.gains(perfect, 1).value == 1.0
    noise = np.random.default_rng(3).random(len(k.rows))
    assert propensity.gains(propensity.Known(k.rows.assign(predicted=noise), OUTCOME), 1).value == pytest.approx(
        0.5, abs=0.06
    )


def test_an_order_that_tells_nothing_holds_what_it_is_long_however_its_rows_stand():
    k = _known(0.0)
    rows = k.rows.sort_values("outcome", ascending=False, kind="stable").assign(
        predicted=0.1, as_of_date=k.rows["as_of_date"].max()
    )
    rows["sample"] = "holdout"
    alike = propensity.Known(rows, OUTCOME)
    gains = propensity.gains(alike, 1)
    assert gains.value == pytest.approx(0.5) and gains.table["lift"].to_numpy() == pytest.approx(1.0)
    cost = contacts.back_test(alike, contacts.Means(100, 5, 1000, 10), "EUR").table["cost_per_conversion"]
    assert cost[0] == pytest.approx(cost[1], rel=0.05)


class _Model:
    explains, outcome, features = True, OUTCOME, {"balance_amt": {"description": "balance"}}

    def reasons(self, X, top):
        value = X["balance_amt"].to_numpy()
        return pd.DataFrame({"row": X.index, "feature": "balance_amt", "words": "average balance", "value": value})


def _candidates() -> pd.DataFrame:
    chance = np.linspace(0.02, 0.4, 20)
    rows = {"entity_id": [f"c{i:02d}" for i in range(20)], "chance": chance, "balance_amt": 1000 * chance}
    return pd.DataFrame({**rows, "officer_code": ["O1", "O2"] * 10})


def _listed(means: contacts.Means, barred: dict) -> action_list.ActionList:
    rows = contacts.worth(_candidates(), means)
    made = action_list.action_list(rows, capacity=means.capacity, barred=barred, most=means.most)
    return contacts.explained(made, _candidates(), _Model())


def test_the_list_holds_budget_capacity_and_opt_outs_and_only_who_is_worth_it():
    means = contacts.Means(value=100, cost=10, budget=50, capacity=4)
    made = _listed(means, dict.fromkeys(("c19", "c18"), action_list.OPTED_OUT))
    assert list(made.rows["entity_id"]) == ["c16", "c14", "c17", "c15", "c13"]  # five are paid for, by officer
    assert made.aside == {"opted_out": 2} and made.candidates == int((_candidates()["chance"] > 0.1).sum())
    assert made.beyond_capacity == made.candidates - 2 - 5
    assert made.as_table()["reason"].tolist()[:2] == ["average balance is high: 340", "average balance is high: 300"]
    few = _listed(contacts.Means(100, 10, 500, 2), {})
    assert few.rows.groupby("officer_code").size().to_dict() == {"O1": 2, "O2": 2}


def test_a_conversion_costs_the_contact_over_its_rate_with_wilsons_interval():
    k = _known(0.0)
    answer = contacts.back_test(k, contacts.Means(100, 5, 1000, 10), "EUR")
    first = answer.table.iloc[0]
    assert first["cost_per_conversion"] == pytest.approx(5 * first["n"] / first["conversions"])
    low, high = metrics.wilson(first["conversions"], first["n"])
    assert (first["low"], first["high"]) == (pytest.approx(5 / high), pytest.approx(5 / low))
    assert first["cost_per_conversion"] < answer.table.iloc[1]["cost_per_conversion"]


@pytest.mark.parametrize(
    ("known", "others"),
    [
        ("after", ("housing_code",)),
        pytest.param("before", ("contact_code", "earlier_outcome_code", "housing_code"), marks=pytest.mark.whole),
    ],
)
def test_the_length_of_the_call_is_refused_even_where_the_contract_forgets_when_it_is_known(known, others):
    source = catalog.source("bank_marketing")
    raw, contract = source.raw(Request())["bank_marketing"], source.words(Request())["bank_marketing"]
    names = ("call_seconds", *others, "is_subscribed")
    columns = [c for c in contract.columns if c.name in names]
    columns = [c.model_copy(update={"known": known}) if c.name == "call_seconds" else c for c in columns]
    account = raw.rename(columns={c.source or c.name: c.name for c in columns})
    account = account.sample(2000, random_state=1, ignore_index=True)
    outcome = (account["is_subscribed"] == "yes").astype(float)
    screened, answer = leakage.examine(account, outcome, contract.replaced(columns), seed=1)
    assert screened["call_seconds"].known == "after"  # and what is known after is no feature
    assert "call_seconds" not in [c.name for c in screened.features()]
    treatment = answer.table.set_index("column")["treatment"]["call_seconds"]
    assert treatment == ("refused: known only afterwards" if known == "after" else "refused: suspected leak")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"budget": 3, "cost": 4}, "actions/conversion: budget 3 pays no contact at 4 each; raise it"),
        (
            {"random_panel": "mart__random"},
            "actions/conversion: random_panel and random_scores belong together; name both or none",
        ),
    ],
)
def test_what_cannot_be_spent_is_told_in_one_line(given, words):
    with pytest.raises(UserError) as e:
        conversion.Params(**given).verify()
    assert str(e.value) == words


def test_a_split_by_no_column_is_told_in_one_line():
    with pytest.raises(UserError) as e:
        conversion.units_of_contacts(_known(0.0), "wieght")
    assert str(e.value) == "actions/conversion: split_by 'wieght' is no column of the panel; did you mean 'weight'?"


def test_contacts_alone_say_how_many_converted_and_what_they_cannot_tell():
    k = _known(0.0, n=400)
    units = conversion.units_of_contacts(replace(k, rows=k.rows.assign(channel_code="web")), "channel_code")
    assert set(units["segment"]) == {"web"} and not units["open"].any()
    e = conversion.contacts_only(units, OUTCOME)
    rate = k.rows["outcome"].mean()
    assert str(e.verdict) == "not_evaluated" and e.value == pytest.approx(rate)
    assert str(e.answer).startswith(f"Of 400 contacts {rate:.1%} (") and str(e.answer).endswith("can't be told.")


def test_a_list_made_in_hindsight_says_what_it_brought():
    p = conversion.Params(budget=40, capacity=10, cost=10, value=100)
    candidates = _candidates().assign(outcome=np.where(np.arange(20) < 19, np.arange(20) % 2, np.nan))
    made = _listed(p.means, {})
    panel = Contract(name="mart__panel", title="t", columns=())
    answer = str(conversion.expected(made, candidates, p, panel).answer)
    assert list(made.rows["entity_id"]) == ["c18", "c16", "c19", "c17"], "of c19 it isn't known yet"
    assert answer.endswith(" Of the 3 among them whose outcome is known by now, 1 converted: a list made in hindsight.")
