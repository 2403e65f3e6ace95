"""The battery on a rate, and on an event that is wanted: what fits runs, planted faults are found, words are the outcome's."""

from dataclasses import replace

import numpy as np
import pytest

from workbench.contracts import Outcome, Words
from workbench.validation import battery, calibration_parts, challengers, fairness, jeffreys, periods, shown
from workbench.words import speaking

WANTED = Outcome(
    name="subscription",
    direction="favourable",
    words=Words(
        event="subscription",
        events="subscriptions",
        rate="share subscribed",
        predicted="chance of subscribing",
        positive="subscriber",
        negative="other",
    ),
)


def _light(name, s):
    return str(battery.tests()[name].test(s).verdict)


def _changed(s, change):
    return replace(s, holdout=s.holdout.assign(predicted=change(s.holdout["predicted"])))


def _said(items):
    return " ".join(f"{e.question} {e.answer} {e.threshold} {e.blind_to}" for e in items)


def test_a_sound_model_of_a_rate_passes(loss, loss_items):
    lights = {e.key: str(e.verdict) for e in loss_items}
    assert set(lights) == {
        *battery.mandatory("rate"),
        "specification",
        "migrations",
        "representativeness",
        "reason_codes",
        "implementation_parity",
    }
    assert lights.pop("migrations") == "not_evaluated", "every customer is rated once"
    assert lights.pop("implementation_parity") == "not_evaluated", "nothing is served"
    assert lights.pop("representativeness") == "not_evaluated", "no row is later"
    assert not {k for k, v in lights.items() if v in ("red", "error", "not_evaluated")}, lights
    overall = battery.verdict(loss_items, loss)
    assert overall.value == "pass"
    assert "made for other outcomes than a rate see: answered, auc, auc initial," in overall.blind_to
    assert set(shown.figures(loss_items, loss)) == {"tests", "red", "r_squared", "spearman"}


def test_the_page_shows_grades_of_an_event_and_tenths_of_a_rate(sound, loss, items):
    assert list(shown.steps(loss)["grade"]) == list(range(1, 11))
    for s in (sound, loss):
        table = shown.steps(s)
        assert ((table["low"] <= table["observed"]) & (table["observed"] <= table["high"])).all()
    without = [e for e in items if e.key != "challenger"]
    assert "The battery holds no test 'challenger'" in shown.conclusion(battery.verdict(items, sound), without)


def test_every_mandatory_test_of_a_kind_fits_it():
    for kind in ("binary", "rate", "amount"):
        assert set(battery.mandatory(kind)) <= set(battery.tests(kind))


def test_nothing_is_said_of_defaults_where_losses_are_predicted(loss_items, items):
    for word in ("default", "PD", "account", "bads", "goods"):
        assert word not in _said(loss_items), word
    assert "default" in _said(items) and "PD" in _said(items)


def test_losses_predicted_too_low_are_red_and_too_high_amber(loss):
    for name in ("mean_backtest", "calibration_parts"):
        assert _light(name, _changed(loss, lambda p: p * 0.7)) == "red"
        assert _light(name, _changed(loss, lambda p: p * 1.4)) == "amber"
    low = battery.tests()["mean_backtest"].test(_changed(loss, lambda p: p * 0.7))
    assert "too low, adjusted p < 0.0001" in low.answer


def test_a_tenth_that_is_wrong_is_named(loss):
    top = loss.holdout["predicted"].rank(pct=True) > 0.9
    higher = loss.holdout["outcome"].where(~top, (loss.holdout["outcome"] * 1.5).clip(upper=1))
    table = calibration_parts.test(replace(loss, holdout=loss.holdout.assign(outcome=higher))).table
    assert list(table.loc[table["light"] == "red", "part"]) == [10]


def test_predictions_that_say_nothing_save_nothing(loss):
    rng = np.random.default_rng(0)
    random = _changed(loss, lambda p: rng.permutation(p))
    for name in ("rmse_saved", "r_squared", "rank_correlation", "challenger"):
        assert _light(name, random) == "red", name


def test_many_rows_of_one_parent_are_not_many_rows(loss):
    h = loss.holdout.head(400).assign(predicted=lambda r: r["predicted"] * 0.9)
    alone = calibration_parts.parts(h)
    copies = h.loc[h.index.repeat(10)].reset_index(drop=True)
    together = calibration_parts.parts(copies)
    assert together["p"].to_numpy() == pytest.approx(alone["p"].to_numpy(), abs=0.02)
    apart = calibration_parts.parts(copies.assign(parent_id=np.arange(len(copies))))
    assert apart["p"].mean() < alone["p"].mean() / 2


def test_a_wanted_event_costs_where_it_is_predicted_too_often(sound):
    wanted = replace(sound, contract=sound.contract.model_copy(update={"outcome": WANTED}))
    high = jeffreys.test(_changed(wanted, lambda p: (p + 0.1).clip(upper=0.99)))
    assert str(high.verdict) == "red" and "Is the chance of subscribing of a grade too high?" in high.question
    assert str(jeffreys.test(_changed(wanted, lambda p: p * 0.6)).verdict) == "green"
    assert "the half of the hold-out with the highest predictions" in fairness.test(wanted).answer


def test_facts_are_apart_from_words(items):
    with speaking("zh_CN"):
        answers = {e.key: str(e.answer) for e in items}
    auc = next(e for e in items if e.key == "auc")
    assert isinstance(auc.facts["gini"], float) and answers["auc"]


def test_a_straight_line_of_a_rate_knows_missing_numbers_and_categories(loss):
    features = {**loss.model.features, "sex_code": {"description": "sex", "type": "category"}}

    def without_incomes(rows):
        return rows.assign(income=rows["income"].mask(np.arange(len(rows)) % 5 == 0), learnt=True)

    s = replace(loss, model=replace(loss.model, features=features), development=without_incomes(loss.development))
    predicted = challengers.plain(replace(s, holdout=without_incomes(loss.holdout)))
    assert len(predicted) == len(loss.holdout) and np.isfinite(predicted).all()
    assert np.corrcoef(predicted, loss.holdout["outcome"])[0, 1] > 0.3


def test_periods_of_a_rate_need_rows_that_differ(loss):
    two_years = np.where(np.arange(len(loss.holdout)) % 2 == 0, "2021-03-01", "2022-03-01")
    later = loss.holdout.assign(as_of_date=two_years.astype("datetime64[ns]"))
    assert len(periods.periods(replace(loss, later=later))) == 2
    assert len(periods.periods(replace(loss, later=later.assign(outcome=0.5)))) == 0
