"""Coefficients: an input without a say flips its sign and is red, one that has its say is green, the step is right."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from workbench import metrics
from workbench.validation import coefficients, information_value, signs, trends


def _without_say(s, name):
    """The input's values exchanged among the rows of every sample, and all scored again: the model hears noise."""
    rng = np.random.default_rng(4)
    samples = {n: getattr(s, n) for n in ("development", "holdout")}
    changed = {n: d.assign(**{name: rng.permutation(d[name])}) for n, d in samples.items()}
    return replace(s, **{n: d.assign(predicted=s.model.predict(d)) for n, d in changed.items()})


def test_an_input_that_says_nothing_anywhere_is_red_though_no_trend_has_turned(sound):
    s = _without_say(sound, "income")
    e = coefficients.test(s)
    row = e.table.set_index("input").loc["income"]
    assert str(e.verdict) == "red" and "the sign of income flips in" in e.answer
    assert row["flips"] > 0.25 and row["slope"] == pytest.approx(0, abs=0.15)
    assert e.table.set_index("input").loc["delay", "light"] == "green"
    assert {str(t.test(s).verdict) for t in (signs, trends, information_value)} <= {"green", "amber"}


def test_a_sound_model_has_slopes_of_one_and_no_sign_flips(sound, loss):
    for s in (sound, loss):
        e = coefficients.test(s)
        assert str(e.verdict) == "green" and (e.table["flips"] < 1e-6).all()
        assert (abs(e.table["slope"] - 1) < 4 * e.table["standard_error"]).all()


def test_the_step_is_that_of_a_fitted_logistic_near_the_truth():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(5)
    X = rng.normal(size=(20_000, 2))
    y = (rng.random(20_000) < expit(-2 + X @ [0.9, 1.1])) * 1.0
    p = expit(-2 + X.sum(axis=1))
    step, _ = metrics.slopes(X, (y - p) / (p * (1 - p)), p * (1 - p), np.arange(len(y)))
    fitted = LogisticRegression(C=1e9).fit(X, y).coef_[0]
    assert 1 + step == pytest.approx(fitted, abs=0.02)


def test_flips_are_those_of_redrawn_parents():
    rng, parents = np.random.default_rng(6), np.arange(800) // 2
    X = rng.normal(size=(400, 1))[parents]
    residual = X[:, 0] * -0.9 + rng.normal(size=400)[parents]
    step, error = metrics.slopes(X, residual, np.ones(800), parents)
    below = 0
    for _ in range(2000):
        drawn = np.bincount(rng.integers(0, 400, 400), minlength=400)[parents]
        below += 1 + metrics.slopes(X, residual, drawn, parents)[0][0] <= 0
    assert (
        coefficients.flips(1 + step, error)[0] == pytest.approx(below / 2000, abs=0.03) and 0.001 < below / 2000 < 0.3
    )


def test_where_no_input_moves_predictions_it_is_not_evaluated(sound):
    flat = replace(
        sound, development=sound.development.assign(predicted=0.5 + 0.4 * (np.arange(len(sound.development)) % 2))
    )
    names = {n: v for n, v in sound.model.features.items() if n == "sex_code"}
    e = coefficients.test(replace(flat, model=replace(sound.model, features=names)))
    assert str(e.verdict) == "not_evaluated"
