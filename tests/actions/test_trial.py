"""A randomised trial with a planted effect: learned, told too small where it is, never trusted when arms are wrong."""

import numpy as np
import pandas as pd
import pytest

from workbench import metrics
from workbench.actions import retention, trial
from workbench.actions.trial import Trial
from workbench.params import UserError


def _planted(n: int, seed: int = 1) -> tuple[Trial, np.ndarray]:
    """Return a trial of n customers and what the offer truly changes: it keeps the active, and drives the idle away."""
    rng = np.random.default_rng(seed)
    active, risk = rng.normal(size=n), rng.normal(size=n)
    stays = 1 / (1 + np.exp(-(1.2 - 0.8 * risk)))
    effect = np.clip(0.06 + 0.10 * active, -0.15, 0.9 - stays.clip(0, 0.89))
    drawn = rng.random(n) < 0.5
    stayed = rng.random(n) < np.clip(stays + drawn * effect, 0, 1)
    rows = pd.DataFrame(
        {
            "entity_id": [f"c{i}" for i in range(n)],
            "campaign_code": "save_1",
            "arm_code": np.where(drawn, "offer", "control"),
            "assignment_probability": 0.5,
            "outcome": 1.0 - stayed,
            "active": active,
            "risk": risk,
        }
    )
    return Trial(rows, ("active", "risk")), effect


@pytest.fixture(scope="module")
def large() -> tuple[Trial, np.ndarray]:
    return _planted(12_000)


def test_equal_scores_are_in_one_tenth_whatever_the_order_of_the_file(large):
    known, effect = large
    score = np.where(effect > np.median(effect), 0.2, 0.0)
    turned = Trial(known.rows[::-1].reset_index(drop=True), known.inputs)
    tables = [trial.by_tenth(known, score), trial.by_tenth(turned, score[::-1])]
    assert len(tables[0]) == 2 and tables[0]["predicted"].is_monotonic_decreasing
    pd.testing.assert_frame_equal(*tables)


def test_the_mean_effect_is_within_its_interval(large):
    known, effect = large
    _, low, high = metrics.average_effect(known.benefit, known.treated, known.probability)
    assert low < effect.mean() < high


def test_the_first_of_the_list_are_those_whom_the_offer_keeps_and_not_those_at_risk(large):
    known, effect = large
    score = trial.held_out_effects(known, "logistic", 42)
    first = np.argsort(-score)[: len(score) * 3 // 10]
    at_risk = np.argsort(-known.rows["risk"].to_numpy())[: len(score) * 3 // 10]
    best = np.sort(effect)[::-1][: len(score) * 3 // 10]
    assert effect[first].sum() >= 0.8 * best.sum() and effect[at_risk].sum() < 0.6 * effect[first].sum()
    assert trial.tells(known, score).verdict == "green"
    assert metrics.qini_area(trial.curve(known, score)) > 0.01


def test_whom_the_offer_drives_away_has_an_effect_below_zero(large):
    known, effect = large
    score = trial.held_out_effects(known, "logistic", 42)
    assert effect[score < -0.03].mean() < 0 < effect[score > 0.03].mean()


def test_who_was_in_two_trials_is_learnt_from_in_neither_when_his_effect_is_asked_for(monkeypatch):
    once, _ = _planted(400)
    twice = Trial(pd.concat([once.rows, once.rows.assign(campaign_code="save_2")], ignore_index=True), once.inputs)
    asked: list[int] = []

    class Learner(trial.SLearner):
        def fit(self, X, treated, benefit):
            self.known = set(twice.rows["entity_id"][X.index])
            return self

        def effect(self, X):
            asked.extend(X.index)
            assert not self.known & set(twice.rows["entity_id"][X.index])
            return np.zeros(len(X))

    monkeypatch.setattr(trial, "SLearner", Learner)
    trial.held_out_effects(twice, "logistic", 42)
    assert sorted(asked) == list(range(800))


def test_a_trial_too_small_says_so():
    known, _ = _planted(300)
    card = trial.tells(known, trial.held_out_effects(known, "logistic", 42))
    assert card.verdict == "amber" and str(card.answer).startswith("The trial is too small: on the first 30% ")


def test_arms_that_were_not_drawn_as_logged_are_red(large):
    known, _ = large
    assert trial.drawn_as_logged(known).verdict == "green"
    fewer = known.rows.drop(known.rows[known.rows["arm_code"] == "offer"].index[:500])
    assert trial.drawn_as_logged(Trial(fewer, known.inputs)).verdict == "red"


def test_wrong_arms_of_two_campaigns_do_not_make_up_for_each_other(large):
    known, _ = large
    by_arm = known.rows.sort_values("arm_code", ignore_index=True)
    n = (by_arm["arm_code"] == "control").sum()
    first = by_arm.index.isin([*range(2 * n // 5), *range(n, n + 3 * (len(by_arm) - n) // 5)])  # 40 and 60 %
    rows = by_arm.assign(campaign_code=np.where(first, "save_1", "save_2"))
    assert trial.drawn_as_logged(Trial(rows, known.inputs)).verdict == "red"


def test_a_policy_is_worth_what_its_customers_got(large):
    known, effect = large
    chosen = np.where(effect > 0, "offer", "control")
    drawn = known.rows["arm_code"].to_numpy()
    value, low, high = metrics.policy_value(known.benefit, drawn, chosen, np.full(len(drawn), 0.5))
    everybody, _, _ = metrics.policy_value(known.benefit, drawn, np.full(len(drawn), "offer"), np.full(len(drawn), 0.5))
    nobody = known.benefit[drawn == "control"].mean()
    assert low < nobody + np.clip(effect, 0, None).mean() < high and value > everybody


def test_rows_come_from_the_month_before_the_touch():
    events = pd.DataFrame(
        {
            "entity_id": ["a", "b"],
            "event_kind": "campaign_touch",
            "campaign_code": "save_1",
            "arm_code": ["offer", "control"],
            "assignment_probability": 0.5,
            "happened_at": pd.Timestamp("2019-04-10"),
        }
    )
    panel = pd.DataFrame(
        {
            "entity_id": ["a", "a", "b"],
            "as_of_date": pd.to_datetime(["2019-03-01", "2019-04-01", "2019-03-01"]),
            "outcome": [1.0, 0.0, 0.0],
        }
    )
    made = trial.rows(events, panel, ["save_1"])
    assert made[["entity_id", "outcome"]].to_numpy().tolist() == [["a", 1.0], ["b", 0.0]]
    with pytest.raises(UserError) as e:
        trial.rows(events, panel, ["spring"])
    assert str(e.value) == (
        "no row of a trial: no customer of the panel was touched by spring in the month after an as-of date; name "
        "campaigns of the events, and let the panel's dates reach them"
    )


def _drawn(*arms: tuple[str, str, str]) -> pd.DataFrame:
    """Return touches of April 2019, or May's of save_2: customer, campaign, arm."""
    rows = pd.DataFrame(arms, columns=["entity_id", "campaign_code", "arm_code"])
    at = np.where(rows["campaign_code"] == "save_2", "2019-05-10", "2019-04-10")
    return rows.assign(event_kind="campaign_touch", assignment_probability=0.25, happened_at=pd.to_datetime(at))


def test_a_campaign_before_which_the_panel_has_no_month_and_one_of_several_offers_are_refused():
    panel = pd.DataFrame({"entity_id": ["a", "b"], "as_of_date": pd.Timestamp("2019-03-01"), "outcome": [1.0, 0.0]})
    with pytest.raises(UserError) as e:
        trial.rows(_drawn(("a", "save_1", "offer"), ("b", "save_2", "offer")), panel, ["save_1", "save_2"])
    assert str(e.value).startswith("no row of a trial: no customer of the panel was touched by save_2 in the month")
    with pytest.raises(UserError) as e:
        trial.rows(_drawn(("a", "save_1", "gift"), ("b", "save_1", "call")), panel, ["save_1"])
    assert str(e.value) == (
        "campaign save_1: arms call, gift are several offers, and a trial here is of one against 'control'; name "
        "campaigns of one offer"
    )


def test_customers_who_drew_twice_are_counted_once(large):
    known, _ = large
    twice = pd.concat([known.rows, known.rows.assign(campaign_code="save_2")], ignore_index=True)
    answer = str(trial.drawn_as_logged(Trial(twice, known.inputs)).answer)
    assert answer.startswith("12,000 customers drew an arm, 24,000 times in all;")


def test_a_row_without_a_chance_of_both_arms_says_nothing():
    with pytest.raises(ValueError) as e:
        metrics.effects([1, 0], [1, 0], [1.0, 0.5])
    assert str(e.value) == "a row without a chance of each arm says nothing of the action's effect"


def _asked(n: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(5)
    now = pd.DataFrame({"entity_id": [f"n{i}" for i in range(n)], "active": rng.normal(size=n), "product_code": None})
    now = now.assign(risk=rng.normal(size=n), predicted=rng.random(n))
    return now, now[["entity_id"]].assign(at_risk=300.0, leaving=0.3, value=1000.0)


@pytest.mark.parametrize(("shift", "on_list"), [(0.0, False), (0.12, True)])
def test_where_the_trial_tells_nobody_apart_everybody_has_its_mean_effect(shift, on_list):
    rng = np.random.default_rng(2)
    known, _ = _planted(3000)
    stays = rng.random(3000) < 0.6 + shift * known.treated
    known = Trial(known.rows.assign(outcome=1.0 - stays), known.inputs)
    score = rng.normal(0, 0.05, 3000)
    uplift, (now, values) = trial.tells(known, score), _asked(400)
    assert uplift.verdict == "amber"
    out, card = retention.candidates(known, score, uplift, now, values, retention.Params(offer_cost=20))
    assert (len(out) == 400) == on_list and (len(out) == 0) == (not on_list)
    assert "everybody is given its mean effect" in card.answer and card.value == 0
    assert ("nobody is on the save list" in card.answer) == (not on_list)


def test_whom_the_learner_puts_below_zero_is_let_alone_and_the_trial_says_what_it_shows_of_such(large):
    known, _ = large
    score = trial.held_out_effects(known, "logistic", 42)
    now, values = _asked(400)
    p = retention.Params(offer_cost=5, learner="logistic")
    out, card = retention.candidates(known, score, trial.tells(known, score), now, values, p)
    active = now.set_index("entity_id")["active"]
    assert active[out["entity_id"]].mean() > 0.2 > active.drop(out["entity_id"]).mean()
    assert "In the trial an offer changed the share of such customers that stays by -" in card.answer
