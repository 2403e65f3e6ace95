"""Form: inputs that work the wrong way round, trends that turn, inputs said twice; and calibration within groups."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from workbench import metrics, rules
from workbench.models.scorer import Scorer
from workbench.validation import (
    battery,
    collinearity,
    effects,
    group_calibration,
    leakage,
    rank_ordering,
    signs,
    trends,
)


def _inverted(s, name):
    """The scorecard with the effects of one characteristic turned round, scored again on all samples."""
    card = s.model.estimator
    turned = type(card).from_dict(card.to_dict())
    turned.effects_ = {n: tuple(-v for v in e) if n == name else e for n, e in card.effects_.items()}
    return _scored(s, replace(s.model, estimator=turned))


def _scored(s, model: Scorer):
    samples = {n: getattr(s, n) for n in ("development", "holdout")}
    return replace(s, model=model, **{n: d.assign(predicted=model.predict(d)) for n, d in samples.items()})


@pytest.mark.parametrize("name", ["delay", "income"])
def test_an_inverted_characteristic_is_red_and_named(sound, name):
    e = signs.test(_inverted(sound, name))
    assert str(e.verdict) == "red" and f"Against: {name} (adjusted p < 0.0001)." in e.answer and e.value == 1
    assert str(signs.test(sound).verdict) == "green"


def test_a_weak_inverted_characteristic_is_amber_where_the_data_do_not_say_it_surely(sound):
    row = pd.Series({"model": -0.5, "spread": 0.04, "p_alone": 0.01, "p": 0.2})
    assert str(signs._light(sound, row)) == "amber"
    assert str(signs._light(sound, row.where(row.index != "spread", 0.02))) == "green"
    assert str(signs._light(sound, row.where(row.index != "p", 0.001))) == "red"
    assert str(signs._light(sound, row.where(row.index != "p_alone", 0.5))) == "green"
    tree = replace(sound, model=replace(sound.model, kind="boosted"))
    assert str(signs._light(tree, row)) == "green", "what the other inputs take over is no fault of a tree"


def test_the_effect_of_an_input_is_its_points_whatever_the_others_are(sound):
    card, bins = sound.model.estimator, sound.model.reference["delay"][0]
    made = effects.effect(sound, "delay")
    per_row = np.array(card.effects_["delay"])[card.bins_["delay"].bins.codes(pd.Series([0.0, 1.0, 2.0]))]
    at = bins.codes(pd.Series([0.0, 1.0, 2.0]))
    assert np.diff(made[at]) == pytest.approx(sound.model.calibration.slope * np.diff(per_row))
    assert np.isnan(made[-1]), "no row of development is in the bin of unseen values"


def test_a_trend_that_turns_later_is_red(sound):
    rng = np.random.default_rng(3)
    later = sound.holdout.assign(as_of_date=pd.Timestamp("2021-01-01"), sample="monitoring")
    top = later["delay"].max()
    delivered = later.assign(delay=top - later["delay"])  # the wrong way round, outcomes as they were
    s = replace(sound, later=delivered)
    e = battery._answer("trends", battery.tests()["trends"], s)
    assert str(e.verdict) == "red" and "least like development is delay" in e.answer
    assert "the hold-out green, the rows of 2021 red." in e.answer
    assert str(battery._answer("trends", battery.tests()["trends"], replace(sound, later=later)).verdict) == "green"
    noise = sound.holdout.assign(outcome=rng.permutation(sound.holdout["outcome"]))
    assert str(trends.test(replace(sound, holdout=noise)).verdict) != "red", "a trend that fades has not turned"


def test_trends_that_were_chance_on_development_cannot_turn(sound):
    rng = np.random.default_rng(0)
    chance = sound.development.assign(outcome=rng.permutation(sound.development["outcome"]))
    e = trends.test(replace(sound, development=chance))
    assert str(e.verdict) in ("not_evaluated", "green")


def test_two_inputs_that_say_the_same_are_red_where_effects_add_up_and_a_fact_elsewhere(sound):
    card = sound.model.estimator
    halves = SimpleNamespace(  # a card in which the delay stands under two names, half of its points under each
        contributions=lambda X: (parts := card.contributions(X)).assign(
            delay=parts["delay"] / 2, late=parts["delay"] / 2
        )
    )
    model = replace(
        sound.model,
        estimator=halves,
        features={**sound.model.features, "late": sound.model.features["delay"]},
        reference={**sound.model.reference, "late": sound.model.reference["delay"]},
    )
    twice = replace(sound, model=model, development=sound.development.assign(late=lambda r: r["delay"]))
    e = collinearity.test(twice)
    assert str(e.verdict) == "red" and e.value > 10 and str(collinearity.test(sound).verdict) == "green"
    tree = replace(twice, model=replace(model, kind="boosted"))
    assert str(collinearity.test(tree).verdict) == "info" and collinearity.test(tree).value > 10


def test_a_card_is_looked_at_in_its_bins_and_not_in_those_frozen_for_drift(sound):
    whole = {n: (replace(bins, edges=()), *others) for n, (bins, *others) in sound.model.reference.items()}
    model = replace(sound.model, reference=whole)  # frozen bins as coarse as these say nothing of how alike inputs are
    assert collinearity.test(replace(sound, model=model)).value == collinearity.test(sound).value < 2


def test_inflation_is_what_statsmodels_gives():
    from statsmodels.stats.outliers_influence import variance_inflation_factor

    rng = np.random.default_rng(1)
    X = rng.normal(size=(300, 3))
    X[:, 2] = X[:, 0] + 0.5 * X[:, 2]
    with_one = np.column_stack([np.ones(300), X])
    expected = [variance_inflation_factor(with_one, i) for i in (1, 2, 3)]
    assert metrics.inflation(X, np.ones(300)) == pytest.approx(expected)
    same = metrics.inflation(np.column_stack([X[:, 0], X[:, 0], np.ones(300)]), np.ones(300))
    assert same[0] == same[1] > 1e5 and same[2] == 1


def test_slopes_are_those_of_least_squares_with_errors_by_cluster():
    import statsmodels.api as sm

    rng = np.random.default_rng(2)
    X, w, groups = rng.normal(size=(400, 2)), rng.uniform(0.5, 2, 400), np.arange(400) // 4
    y = X @ [1.0, -0.5] + rng.normal(size=400)
    fit = sm.WLS(y, sm.add_constant(X), weights=w).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    beta, error = metrics.slopes(X, y, w, groups)
    assert beta == pytest.approx(fit.params[1:])
    assert error == pytest.approx(fit.bse[1:] * np.sqrt(100 / 99), rel=1e-6)


def test_a_group_charged_a_third_too_much_is_red_and_one_charged_too_little_amber(sound):
    h = sound.holdout
    charged = expit(np.log(h["predicted"] / (1 - h["predicted"])) + np.log(1.5))
    for wronged, light in ((charged, "red"), (h["predicted"] * 0.6, "amber")):
        predicted = np.where(h["sex_code"] == "F", wronged, h["predicted"])
        e = group_calibration.test(replace(sound, holdout=h.assign(predicted=predicted)))
        assert str(e.verdict) == light and "furthest is sex_code 'F'" in e.answer
    assert str(group_calibration.test(sound).verdict) == "green"
    few = group_calibration.test(replace(sound, holdout=h.head(150)))
    assert str(few.verdict) == "not_evaluated" and "Not judged: sex_code 'F'" in few.answer


def test_grades_whose_names_are_exchanged_are_red(sound):
    names = {"A": "B", "B": "A"}
    h = sound.holdout.assign(grade_code=sound.holdout["grade_code"].map(lambda g: names.get(g, g)))
    e = rank_ordering.test(replace(sound, holdout=h))
    assert str(e.verdict) == "red" and "Out of order: B-A." in e.answer
    assert str(rank_ordering.test(sound).verdict) == "green"


def test_a_model_too_good_as_a_whole_is_looked_at(sound):
    h = sound.holdout
    e = leakage.test(replace(sound, holdout=h.assign(predicted=h["predicted"] * 0.2 + 0.7 * h["outcome"])))
    assert str(e.verdict) == "amber" and e.answer.facts["model"] > 0.9


def test_a_value_that_tells_the_event_is_named_whatever_the_separation(sound):
    """A value set for a fifth of the events alone: its AUC is weak, and it is a perfect leak of those."""
    rng, columns = np.random.default_rng(3), {}
    for name in ("development", "holdout"):
        rows = getattr(sound, name)
        is_flagged = (rng.random(len(rows)) < 0.2) & (rows["outcome"] == 1)
        columns[name] = rows.assign(delay=rows["delay"].mask(is_flagged, 99.0))
    assert str(leakage.test(sound).verdict) == "green" and not len(leakage.values(sound))
    e = leakage.test(replace(sound, **columns))
    flagged = int((columns["development"]["delay"] == 99).sum())
    assert str(e.verdict) == "amber"
    assert f"Told by a value alone: delay, {flagged:,} rows with 99: {flagged:,} defaults" in e.answer
    before = leakage.test(replace(sound, rules=rules.load("2026-11-28"), **columns))
    assert "Told by a value" not in before.answer  # the rule is of a later day
