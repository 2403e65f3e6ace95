"""Metrics against closed forms, limits and planted truths."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from workbench import metrics
from workbench.metrics.intervals import wilson

RNG = np.random.default_rng(1)


def test_auc_of_a_perfect_score_is_one_and_of_its_reverse_zero():
    y = np.array([0, 0, 1, 1])
    assert metrics.auc(y, y) == 1.0
    assert metrics.auc(y, -y) == 0.0


def test_auc_counts_ties_half_as_scikit_learn_does():
    y, score, w = RNG.integers(0, 2, 500), RNG.integers(0, 10, 500), RNG.random(500)
    assert metrics.auc(y, score, w) == pytest.approx(roc_auc_score(y, score, sample_weight=w), abs=1e-12)


def test_auc_of_one_class_is_nan():
    assert np.isnan(metrics.auc([1, 1], [0.1, 0.2]))


def test_ks_is_scipys():
    y, score = RNG.integers(0, 2, 400), RNG.normal(size=400)
    expected = stats.ks_2samp(score[y == 1], score[y == 0]).statistic
    assert metrics.ks(y, score) == pytest.approx(expected, abs=1e-12)


def test_delong_interval_covers_the_truth():
    true = stats.norm.cdf(1 / np.sqrt(2))
    covered = 0
    for _ in range(200):
        y = np.repeat([0, 1], [300, 100])
        low, high = metrics.auc_interval(y, RNG.normal(size=400) + y)
        covered += low <= true <= high
    assert 0.90 <= covered / 200 <= 0.99


def test_psi_of_identical_samples_is_zero_and_of_an_emptied_bin_is_finite():
    assert metrics.psi([5, 5], [50, 50]) == 0.0
    expected = np.full(10, 2000)
    gone = np.array([0, 0, 0, 2000, 2000, 2000, 2000, 2000, 2000, 2000])
    assert metrics.psi(expected, gone * 10 / 7) == pytest.approx(2.4877, abs=0.15)


def test_psi_critical_value_is_exceeded_as_often_as_it_says():
    p, n, m = np.full(10, 0.1), 2000, 2000
    over = np.mean(
        [
            metrics.psi(RNG.multinomial(n, p), RNG.multinomial(m, p)) > metrics.psi_critical(n, m, 10, 0.95)
            for _ in range(1000)
        ]
    )
    assert over == pytest.approx(0.05, abs=0.025)


def test_rate_interval_is_jeffreys():
    low, high = metrics.rate_interval(3, 60)
    assert (low, high) == pytest.approx(tuple(stats.beta.ppf([0.025, 0.975], 3.5, 57.5)))


def test_calibration_line_finds_the_planted_slope_and_intercept():
    z = RNG.normal(-2, 1, 40_000)
    y = (RNG.random(40_000) < 1 / (1 + np.exp(-(0.3 + 0.8 * z)))).astype(int)
    line = metrics.calibration_line(y, 1 / (1 + np.exp(-z)))
    assert line["slope"][1] < 0.8 < line["slope"][2]


def test_weighted_calibration_interval_agrees_with_the_bootstrap():
    n = 2000
    z, w = RNG.normal(-1, 1, n), RNG.choice([0.5, 2.0], n)
    y = (RNG.random(n) < 1 / (1 + np.exp(-z))).astype(float)
    pd_ = 1 / (1 + np.exp(-z))
    _, low, high = metrics.calibration_line(y, pd_, w)["slope"]

    def slope(y, pd_, w):
        return metrics.calibration_line(y, pd_, w)["slope"][0]

    b_low, b_high = metrics.bootstrap_interval(slope, (y, pd_, w), np.arange(n), seed=3, draws=100)
    assert (high - low) == pytest.approx(b_high - b_low, rel=0.3)


def test_bootstrap_of_clusters_is_wider_than_of_rows():
    accounts = np.repeat(np.arange(200), 10)
    values = np.repeat(RNG.normal(size=200), 10)
    by_account = metrics.bootstrap_interval(np.mean, (values,), accounts, seed=1)
    by_row = metrics.bootstrap_interval(np.mean, (values,), np.arange(2000), seed=1)
    assert by_account[1] - by_account[0] > 2 * (by_row[1] - by_row[0])


def test_rows_of_the_same_pd_are_one_part_whatever_their_order():
    pd_ = np.repeat([0.1, 0.1, 0.1, 0.4], 500)
    y = (RNG.random(2000) < pd_).astype(float)
    order = np.argsort(y)  # a file sorted by its outcome must not look badly calibrated
    whole = metrics.expected_calibration_error(y, pd_)
    assert metrics.expected_calibration_error(y[order], pd_[order]) == pytest.approx(whole) and whole < 0.05


def test_lengths_that_differ_are_named():
    with pytest.raises(ValueError, match="lengths differ: 2 outcomes, 3 scores, 2 weights"):
        metrics.auc([0, 1], [1, 2, 3])


def test_predictions_that_are_all_alike_have_a_level_and_no_slope():
    line = metrics.calibration_line(np.array([0.0, 1, 0, 1]), np.full(4, 0.5), np.ones(4))
    assert np.isnan(line["slope"]).all() and line["intercept"][0] == pytest.approx(0.0, abs=1e-9)


def test_wilsons_interval_holds_the_rate_at_its_ends_too():
    events, n = np.array([0, 7, 33, 564]), np.array([9, 7, 33, 564])
    low, high = wilson(events, n)
    assert (low <= events / n).all() and (events / n <= high).all()


def test_an_intercept_is_there_though_most_predictions_are_zero():
    """Scoring that begins at the outcomes ran away to -4e15 here."""
    rng, n = np.random.default_rng(0), 9000
    is_zero = rng.random(n) < 0.9
    y = np.where(is_zero, 0, rng.random(n) < 0.02).astype(float)
    predicted = np.where(is_zero, 0.0, 0.02 * rng.choice([0.5, 1, 1.5], n))
    estimate, low, high = metrics.calibration_line(y, predicted)["intercept"]
    assert estimate == pytest.approx(0.211, abs=0.001) and low < 0 < high


def test_columns_that_say_the_same_up_to_rounding_share_one_slope():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, 5000).astype(float)
    X = np.column_stack([0.58 * x - 6.13, 0.82 * x - 6.15, rng.normal(size=5000)])
    y = 0.58 * x + 0.82 * x + X[:, 2] + rng.normal(size=5000)
    beta, error = metrics.slopes(X, y, np.ones(5000), np.arange(5000))
    assert (error < 0.1).all() and 0.58 * beta[0] + 0.82 * beta[1] == pytest.approx(1.4, abs=0.1)
