"""Predictions are estimates: red is beyond development's own error, amber is as the prediction stands; rows of a parent."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from workbench import metrics, rules
from workbench.validation import central_tendency, jeffreys
from workbench.validation.estimated import both, inflation, of_both, sure


def _drawn(rate: float, n: int, rng) -> pd.DataFrame:
    y = (rng.random(n) < rate).astype(float)
    return pd.DataFrame({"outcome": y, "weight": 1.0, "parent_id": np.arange(n), "predicted": rate})


def test_red_needs_both_variances_and_amber_one():
    rule, book = rules.load()["p_value"], rules.load()
    assert [str(sure(p, q, rule)) for p, q in ((1e-6, 1e-4), (1e-6, 0.02), (0.03, 0.2), (0.2, 0.5))] == [
        "red",
        "amber",
        "amber",
        "green",
    ]
    assert str(both(1e-6, 0.02, 1.5, book)) == "amber" and str(both(1e-6, 1e-6, 1.15, book)) == "amber"
    assert str(both(float("nan"), 0.1, 1.5, book)) == "not_evaluated"


@pytest.mark.whole
def test_predictions_taken_as_known_reject_too_often_and_as_estimates_do_not():
    rng, rejected = np.random.default_rng(1), np.zeros((500, 2))
    for i in range(500):
        development, held = _drawn(0.1, 1500, rng), _drawn(0.1, 1500, rng)
        rate = development["outcome"].mean()  # what a calibrated model predicts
        development, held = development.assign(predicted=rate), held.assign(predicted=rate)
        factor = inflation(held, development)
        z = (held["outcome"].mean() - rate) / np.sqrt(rate * (1 - rate) / 1500)
        rejected[i] = 2 * stats.norm.sf(abs(z) / np.sqrt([1.0, factor])) < 0.05
        assert factor == pytest.approx(2, abs=0.35)
    assert rejected[:, 0].mean() > 0.12 and rejected[:, 1].mean() == pytest.approx(0.05, abs=0.025)
    assert of_both(1000.0, 3000.0) == 750 and of_both(10.0, 0.0) < 1


def test_an_unlucky_development_sample_is_amber_and_a_wrong_model_red(sound):
    few = sound.development.groupby("outcome", group_keys=False).head(300)
    h = sound.holdout.assign(predicted=sound.holdout["predicted"] * 0.8)
    many, unlucky = (replace(sound, holdout=h, development=d) for d in (sound.development, few))
    assert str(jeffreys.test(many).verdict) == "red" and str(jeffreys.test(unlucky).verdict) in ("amber", "red")
    tiny = replace(unlucky, development=few.groupby("grade_code", group_keys=False).head(5))
    assert str(jeffreys.test(tiny).verdict) == "amber", "five rows a grade explain any error"
    assert str(central_tendency.test(tiny).verdict) == "amber"


def test_how_alike_rows_of_a_parent_are_is_taken_over_all_groups():
    rng, n = np.random.default_rng(2), 4000
    parent, group = np.repeat(np.arange(n), 3), np.repeat(rng.integers(0, 6, n), 3)
    alike = 0.4
    common, alone = rng.random(n)[parent], rng.random(3 * n)
    draw = np.where(rng.random(3 * n) < np.sqrt(alike), common, alone)
    y = (draw < 0.05 * (1 + group)).astype(float)
    ones = np.ones(3 * n)
    assert metrics.likeness(y, ones, parent, group) == pytest.approx(alike, abs=0.05)
    assert metrics.likeness(y, ones, np.arange(3 * n), group) == 0.0
    events, size = metrics.effective_alike(y, ones, parent, alike)
    assert size == pytest.approx(3 * n / (1 + 2 * alike)) and events / size == pytest.approx(y.mean())
