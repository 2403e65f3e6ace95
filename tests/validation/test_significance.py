"""Beyond chance and far enough to matter: neither alone refuses; the same verdict whatever the seed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from workbench import metrics, rules
from workbench.validation import battery, challenger, reliability
from workbench.validation.significance import both, distance, milder, off

P_TESTS = ("hosmer_lemeshow", "spiegelhalter", "jeffreys", "binomial", "brier", "reliability")


def _light(name, s):
    return str(battery.tests()[name].test(s).verdict)


def _many(s, n: int, off_by: float):
    """n rows of the hold-out whose outcomes are drawn from their predictions times `off_by`."""
    rng = np.random.default_rng(1)
    h = s.holdout.sample(n, replace=True, random_state=1).reset_index(drop=True)
    true = (h["predicted"] * off_by).clip(upper=1)
    return replace(s, holdout=h.assign(parent_id=np.arange(n), outcome=(rng.random(n) < true).astype(float)))


def test_a_light_needs_both():
    book = rules.load()
    assert str(both(1e-9, 1.05, book)) == "green" and str(both(0.5, 2.0, book)) == "green"
    assert str(both(1e-9, 1.15, book)) == "amber" and str(both(0.03, 2.0, book)) == "amber"
    assert str(both(1e-9, 1.30, book)) == "red" and str(both(float("nan"), 2.0, book)) == "not_evaluated"
    assert str(milder(*(both(p, 1.3, book) for p in (1e-9, 0.9)))) == "green"


def test_45_000_rows_refuse_no_model_that_is_six_percent_off(sound):
    many = _many(sound, 45_000, 1.06)
    p = {n: battery.tests()[n].test(many).value for n in ("hosmer_lemeshow", "jeffreys")}
    assert all(v < 0.01 for v in p.values()), "beyond chance"
    assert {_light(n, many) for n in P_TESTS} <= {"green", "amber"}
    wrong = _many(sound, 45_000, 1.4)
    assert [_light(n, wrong) for n in P_TESTS if n != "brier"] == ["red"] * 5


def test_distance_by_hand():
    parts = pd.DataFrame({"share": [0.5, 0.5], "observed": [0.02, 0.06], "predicted": [0.01, 0.04]})
    assert distance(parts) == pytest.approx(1 + 0.015 / 0.025)
    assert off(0.0, 0.1) == off(-1.0, 1.0) == 1e6


def test_the_limit_of_the_calibration_error_is_what_many_draws_give():
    rng = np.random.default_rng(3)
    p, w, ids = rng.beta(2, 10, 3000), np.ones(3000), np.arange(3000)
    draws = [metrics.expected_calibration_error((rng.random(3000) < p) * 1.0, p) for _ in range(600)]
    y = (rng.random(3000) < p) * 1.0
    for level in (0.95, 0.99):
        limit = metrics.calibration_error_limit(y, p, 10, w, ids, level)
        assert limit == pytest.approx(np.quantile(draws, level), rel=0.06)


def test_the_limit_is_that_of_many_draws_where_a_parents_rows_are_in_several_bins():
    rng, parent = np.random.default_rng(5), np.repeat(np.arange(500), 6)
    p, w, errors, limits = rng.beta(2, 6, 3000), np.ones(3000), [], []
    for draw in range(400):
        y = (rng.random(500)[parent] < p) * 1.0
        errors.append(metrics.expected_calibration_error(y, p))
        if draw < 20:
            limits.append(metrics.calibration_error_limit(y, p, 10, w, parent, 0.95))
    assert np.mean(limits) == pytest.approx(np.quantile(errors, 0.95), rel=0.07)


def test_rows_of_one_parent_raise_the_limit_of_chance(sound):
    h = sound.holdout.head(500)
    copies = h.loc[h.index.repeat(8)].reset_index(drop=True)
    arrays = [copies[c].to_numpy(float) for c in ("outcome", "predicted")]
    weight = np.ones(len(copies))
    together = metrics.calibration_error_limit(*arrays, 10, weight, copies["parent_id"], 0.95)
    apart = metrics.calibration_error_limit(*arrays, 10, weight, np.arange(len(copies)), 0.95)
    assert together == pytest.approx(apart * np.sqrt(8), rel=0.15)
    once, often = (reliability.test(replace(sound, holdout=rows)) for rows in (h.reset_index(drop=True), copies))
    assert str(often.verdict) == str(once.verdict) and often.facts["amber"] == pytest.approx(
        once.facts["amber"], rel=0.1
    )


def test_copies_of_rows_change_no_calibration_test(sound):
    copies = sound.holdout.loc[sound.holdout.index.repeat(6)].reset_index(drop=True)
    low = copies["predicted"] * 0.93
    for name in ("hosmer_lemeshow", "jeffreys", "binomial", "spiegelhalter"):
        test = battery.tests()[name].test
        once = test(replace(sound, holdout=sound.holdout.assign(predicted=sound.holdout["predicted"] * 0.93)))
        often = test(replace(sound, holdout=copies.assign(predicted=low)))
        assert often.value == pytest.approx(once.value, rel=0.1, abs=0.02), name


def test_the_verdict_hangs_on_no_seed(sound, items, monkeypatch):
    monkeypatch.setattr(challenger, "ROWS", 1500)
    names = {n for n, m in battery.tests("binary").items() if "seed" in (m.__loader__.get_source(m.__name__) or "")}
    assert names == {"challenger", "sensitivity", "specification"}, "sensitivity's says that it hangs on none"
    others = [e for e in items if e.key != "challenger"]
    verdicts = {battery.verdict([*others, challenger.test(replace(sound, seed=n))], sound).value for n in range(4)}
    assert verdicts == {"pass"}


def test_deviations_of_auc_agree_with_delong_and_the_bootstrap():
    rng = np.random.default_rng(4)
    y = (rng.random(900) < 0.3).astype(float)
    score = y * 0.8 + rng.normal(size=900)
    low, high = metrics.auc_interval(y, score)
    error = metrics.clustered_error(metrics.auc_influence(y, score), np.arange(900))
    assert 2 * 1.96 * error == pytest.approx(high - low, rel=0.01)
    groups, w = np.arange(900) // 3, rng.choice([0.5, 2.0], 900)
    b_low, b_high = metrics.bootstrap_interval(metrics.auc, (y, score, w), groups, seed=1, draws=300)
    clustered = metrics.clustered_error(metrics.auc_influence(y, score, w), groups)
    assert 2 * 1.96 * clustered == pytest.approx(b_high - b_low, rel=0.15)


def test_deviations_of_r_squared_agree_with_the_bootstrap():
    rng = np.random.default_rng(5)
    x = rng.normal(size=800)
    y, w = x + rng.normal(size=800), rng.choice([0.5, 2.0], 800)
    low, high = metrics.bootstrap_interval(metrics.r_squared, (y, x, w), np.arange(800), seed=1, draws=300)
    error = metrics.clustered_error(metrics.r_squared_influence(y, x, w), np.arange(800))
    assert 2 * 1.96 * error == pytest.approx(high - low, rel=0.15)
