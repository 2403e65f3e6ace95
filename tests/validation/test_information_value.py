"""Information value: worked figures, an error that holds, and an input that later says nothing is named."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from workbench import metrics
from workbench.validation import battery, information_value, trends


def test_the_value_is_that_of_worked_figures():
    codes = np.repeat(
        [0, 0, 1, 1], [300, 20, 600, 80]
    )  # 300 good and 20 bad in the first bin, 600 and 80 in the second
    y = np.repeat([0.0, 1.0, 0.0, 1.0], [300, 20, 600, 80])
    value, influence, chance = metrics.information(codes, y, np.ones(1000), 3, np.arange(1000))
    by_hand = (1 / 3 - 0.2) * np.log((1 / 3) / 0.2) + (2 / 3 - 0.8) * np.log((2 / 3) / 0.8)  # Siddiqi (2017), ch. 6
    assert value == pytest.approx(by_hand - (1 / 900 + 1 / 100)) and influence.sum() == pytest.approx(0)
    assert chance == pytest.approx(np.sqrt(2) * (1 / 900 + 1 / 100))


@pytest.mark.parametrize("strength", [0.0, 0.8])
def test_the_mean_and_the_error_are_those_of_many_samples(strength):
    rng, n, out = np.random.default_rng(1), 2000, []
    share = 1 / (1 + np.exp(2 - strength * np.array([-1.0, -0.3, 0.3, 1.0])))
    for _ in range(300):
        codes = rng.integers(0, 4, n)
        y = (rng.random(n) < share[codes]) * 1.0
        value, influence, chance = metrics.information(codes, y, np.ones(n), 4, np.arange(n))
        out.append((value, np.hypot(metrics.clustered_error(influence, np.arange(n)), chance)))
    values, errors = np.array(out).T
    g, b = (1 - share) / (1 - share).sum(), share / share.sum()
    assert values.mean() == pytest.approx(((g - b) * np.log(g / b)).sum(), abs=0.006)
    assert values.std() <= 1.1 * errors.mean() and errors.mean() < 2 * values.std()


def test_what_chance_adds_is_that_of_parents():
    """Three rows in four of a bin are its parent's, whose outcomes are alike; the input says nothing."""
    rng, out = np.random.default_rng(4), []
    parent = np.repeat(np.arange(500), 8)
    for _ in range(200):
        codes = np.where(rng.random(4000) < 0.75, rng.integers(0, 4, 500)[parent], rng.integers(0, 4, 4000))
        y = ((rng.random(500) < 0.2) * 1.0)[parent]
        out.append(metrics.information(codes, y, np.ones(4000), 4, parent)[::2])
    values, chance = np.array(out).T
    assert abs(values.mean()) < 3 * values.std() / np.sqrt(200), "what chance adds is taken off"
    assert chance.mean() == pytest.approx(values.std(), rel=0.2)


def test_an_input_that_later_says_nothing_is_named_though_its_trend_has_not_turned(sound):
    rng = np.random.default_rng(2)
    h = sound.holdout.assign(as_of_date=pd.Timestamp("2021-01-01"), sample="monitoring")
    shuffled = replace(sound, later=h.assign(income=rng.permutation(h["income"])))
    e = battery._answer("information_value", battery.tests()["information_value"], shuffled)
    assert str(e.verdict) == "red" and "On the rows of 2021 income says least of what it said: IV" in e.answer
    assert str(trends.test(replace(sound, holdout=shuffled.later)).verdict) == "green"
    assert str(information_value.test(sound).verdict) == "green"


def test_what_says_nothing_and_what_says_too_much_is_named_and_nothing_can_be_lost_of_nothing(sound):
    rng = np.random.default_rng(3)
    noise = replace(sound, development=sound.development.assign(income=rng.permutation(sound.development["income"])))
    e = information_value.test(noise)
    assert "Next to nothing on development (IV below 0.02): income." in e.answer
    assert e.table.set_index("input").loc["income", "light"] == "info"
    neither = noise.development.assign(delay=rng.permutation(noise.development["delay"]))
    assert str(information_value.test(replace(noise, development=neither)).verdict) == "not_evaluated"
    leaking = sound.development.assign(delay=sound.development["outcome"] * 3)
    assert (
        "Above 0.5, so that a leak is looked for: delay"
        in information_value.test(replace(sound, development=leaking)).answer
    )


def test_a_value_of_chance_taken_off_says_so_and_what_one_below_nothing_means(sound):
    rng = np.random.default_rng(5)
    noise = replace(sound, holdout=sound.holdout.assign(income=rng.permutation(sound.holdout["income"])))
    e = information_value.test(noise)
    assert {"iv beyond chance", "now beyond chance"} <= set(e.table) and "What chance adds" in e.answer
    below = information_value._beyond_chance(pd.DataFrame({"iv beyond chance": [0.1], "now beyond chance": [-0.046]}))
    assert "An IV below 0 is less than chance alone would show: nothing." in below
