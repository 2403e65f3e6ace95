"""Bins that a user would sign: planted shapes, floors for every bin, rare categories, special codes, weights."""

import json

import numpy as np
import pandas as pd
import pytest

from workbench import metrics
from workbench.models.binning import WoeBins, grade_bins, woe_bins
from workbench.models.characteristics import fitted_bins
from workbench.models.fine_bins import COARSE, FINE, Fine
from workbench.models.scorecard import Scorecard
from workbench.models.shapes import shape_of

N = 20_000


def _drawn(rate: np.ndarray, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).random(len(rate)) < rate).astype(float)


@pytest.fixture(scope="module")
def x() -> pd.Series:
    return pd.Series(np.random.default_rng(1).normal(size=N), name="x")


@pytest.mark.parametrize(
    ("rate", "shape"),
    [
        (lambda v: 0.2 + 0.15 * np.tanh(v), "ascending"),
        (lambda v: 0.2 - 0.15 * np.tanh(v), "descending"),
        (lambda v: 0.4 * np.exp(-(v**2)), "peak"),
        (lambda v: 0.45 - 0.4 * np.exp(-(v**2)), "valley"),
        (lambda v: 0.25 + 0.2 * np.sin(3 * v), "free"),
    ],
)
def test_the_planted_shape_is_seen(x, rate, shape):
    y = _drawn(rate(x.to_numpy()))
    assert shape_of(Fine.of(x, y), 0, 0.02) == shape
    assert shape_of(Fine.of(x, y), -1, 0.02) == "descending"


def test_a_shape_that_one_row_each_does_not_show_is_not_shown_by_the_same_customers_six_times():
    x = pd.DataFrame({"x": np.random.default_rng(1).normal(size=2000)})
    y, six = _drawn(0.25 + 0.1 * np.sin(3 * x["x"].to_numpy())), np.repeat(np.arange(len(x)), 6)
    again = x.iloc[six].reset_index(drop=True)
    assert fitted_bins(x, y, {}, 0.02).shapes["x"] != "free"
    assert fitted_bins(again, y[six], {}, 0.02, parents=six).shapes["x"] != "free"
    assert fitted_bins(again, y[six], {}, 0.02).shapes["x"] == "free"


def test_a_direction_is_kept_whatever_the_data_say(x):
    y = _drawn(0.2 + 0.15 * np.tanh(x.to_numpy()))
    assert np.all(np.diff(woe_bins(x, y, 1).woe[:-2]) < 0)
    assert woe_bins(x, y, -1).bins.edges == ()


@pytest.mark.parametrize("rows", [1, 12])
def test_a_missing_bin_of_a_few_rows_gets_no_points(x, rows):
    y = _drawn(0.2 + 0.15 * np.tanh(x.to_numpy()))
    values = x.copy()
    values.iloc[:rows] = np.nan
    y[:rows] = 1.0
    bins = woe_bins(values, y)
    assert bins.bins.labels[-2] == "missing" and bins.n_bad[-2] == rows and bins.woe[-2] == 0.0
    card = Scorecard().fit(pd.DataFrame({"x": values}), y)
    assert card.effects_["x"][-2] == 0.0


def test_a_missing_bin_that_says_something_has_its_own_points(x):
    values = x.mask(np.arange(N) < 300)
    y = _drawn(np.where(values.isna(), 0.6, 0.2))
    bins = woe_bins(values, y)
    assert bins.woe[-2] == pytest.approx(np.log(0.2 / 0.6 * 0.4 / 0.8), abs=0.3)
    assert Scorecard().fit(pd.DataFrame({"x": values}), y).effects_["x"][-2] > 1


def test_no_bin_is_below_the_floor(x):
    y = _drawn(0.02 + 0.01 * np.tanh(x.to_numpy()))
    bins = woe_bins(x, y, 1, 0.001)
    bad = np.array(bins.n_bad)[: bins.bins.inner]
    n = np.array(bins.n_good)[: bins.bins.inner] + bad
    assert (n >= 20).all() and ((n >= 5 / y.mean() - 1) | (bad >= 5)).all()


def test_a_sparse_but_strong_bin_is_not_swallowed_by_the_share():
    delay = pd.Series(np.repeat([0.0, 1.0, 2.0, 3.0], [18_700, 1_000, 200, 100]), name="delay")
    rate = np.repeat([0.02, 0.15, 0.4, 0.8], [18_700, 1_000, 200, 100])
    bins = woe_bins(delay, _drawn(rate), 1, min_bin_size=0.05)
    assert bins.bins.edges == (1.0, 2.0, 3.0)
    same = woe_bins(delay, _drawn(np.where(delay == 0, 0.02, 0.2)), 1, min_bin_size=0.05)
    assert same.bins.edges == (1.0,)


def test_281_categories_become_a_few_and_rare_ones_have_a_place():
    rng = np.random.default_rng(8)
    names = np.array([f"c{i:03d}" for i in range(281)])
    drawn = rng.choice(281, N, p=(p := 1 / np.arange(1, 282)) / p.sum())
    rate = np.where(drawn % 3 == 0, 0.3, 0.1)
    values = pd.Series(names[drawn], name="code")
    bins = woe_bins(values, _drawn(rate))
    assert 2 <= bins.bins.inner <= 12
    assert set().union(*bins.bins.groups) == set(values)
    assert bins.transform(pd.Series(["never seen"]))[0] == 0.0
    n = np.array(bins.n_good) + np.array(bins.n_bad)
    assert n[: bins.bins.inner].min() >= 20


def test_special_codes_have_bins_of_their_own():
    rng = np.random.default_rng(3)
    values = pd.Series(rng.uniform(0, 100, N).round(1), name="years")
    values[:900], values[900:905], values[905:1500] = -9, -8, np.nan
    rate = np.where(values == -9, 0.5, 0.1)
    special = {"-9": "no answer", "-8": "not asked"}
    bins = woe_bins(values, _drawn(rate), 0, special=special)
    assert bins.bins.labels[-4:] == ["no answer", "not asked", "missing", "unseen"]
    assert bins.woe[-4] < -1 and bins.woe[-3] == 0.0
    back = WoeBins.from_dict(json.loads(json.dumps(bins.to_dict())))
    assert back == bins and back.bins.codes(pd.Series([-9.0, -8.0, np.nan])).tolist() == [
        bins.bins.inner,
        bins.bins.inner + 1,
        bins.bins.inner + 2,
    ]
    card = Scorecard(special={"years": special}).fit(pd.DataFrame({"years": values}), _drawn(rate))
    assert card.predict_proba(pd.DataFrame({"years": [-9.0]}))[0, 1] == pytest.approx(0.5, abs=0.05)


def test_constant_and_missing_columns_say_nothing():
    y = np.array([0.0, 1.0] * 200)
    for values in ([np.nan] * 400, [7.0] * 400, [None] * 400, ["a"] * 400):
        bins = woe_bins(pd.Series(values, name="x", dtype=object if values[0] in (None, "a") else float), y)
        assert bins.iv == pytest.approx(0.0) and bins.bins.inner == 1


def test_weights_count_as_rows_do():
    rng = np.random.default_rng(5)
    values, y = pd.Series(rng.integers(0, 6, 4000) * 1.0, name="x"), rng.integers(0, 2, 4000) * 1.0
    y = np.where(values > 3, y, 0.0)
    even = woe_bins(values, y, 1)
    assert woe_bins(values, y, 1, weight=np.full(4000, 7.0)).woe == pytest.approx(even.woe)
    heavy = woe_bins(values, y, 1, weight=np.where(y == 1, 1.0, 3.0))
    shift = heavy.n_bad[0] / sum(heavy.n_bad), sum(heavy.n_good) / sum(heavy.n_bad)
    assert shift[1] == pytest.approx(3 * (1 - y.mean()) / y.mean())


def test_the_same_rows_give_the_same_bins_and_edges_are_round(x):
    y = _drawn(0.2 + 0.15 * np.tanh(x.to_numpy()))
    income = pd.Series(np.exp(8 + x.to_numpy()), name="income")
    bins = woe_bins(income, y, 1)
    assert bins == woe_bins(income, y, 1)
    assert Fine.of(income, y).m <= FINE + 10
    assert all(len(f"{e:g}".strip("0")) <= 3 for e in bins.bins.edges), bins.bins.edges


def test_grades_rise_and_stand_apart():
    rng = np.random.default_rng(2)
    pd_ = rng.beta(1, 9, N)
    y = _drawn(pd_)
    bins = grade_bins(pd_, y, 0.05)
    codes = bins.codes(pd.Series(pd_))
    n, bad = np.bincount(codes, minlength=len(bins.edges) + 1), np.bincount(codes, y)
    rate = bad / n
    pooled = (bad[1:] + bad[:-1]) / (n[1:] + n[:-1])
    z = np.diff(rate) / np.sqrt(pooled * (1 - pooled) * (1 / n[1:] + 1 / n[:-1]))
    assert z.min() > 2.3 and n.min() >= 0.05 * N and 4 <= len(n) <= 10


def test_points_say_what_a_bin_adds_given_the_others():
    """`copy` repeats `delay` with noise: alone it looks strong, given `delay` it adds nothing."""
    rng = np.random.default_rng(6)
    delay = rng.integers(0, 4, N) * 1.0
    X = pd.DataFrame({"delay": delay, "copy": delay + rng.normal(0, 0.5, N), "own": rng.normal(size=N)})
    y = _drawn(1 / (1 + np.exp(2.5 - 0.9 * delay - 0.5 * X["own"])))
    card = Scorecard({"delay": 1, "copy": 1, "own": 1}).fit(X, y)
    spread = {n: np.ptp(v[: card.bins_[n].bins.inner]) for n, v in card.effects_.items()}
    assert spread["delay"] > 2 and spread.get("copy", 0.0) < 0.4
    assert all(c < 0 for c in card.coefficients_.values())
    assert metrics.auc(y, card.predict_proba(X)[:, 1]) > 0.76


def test_settings_come_back_with_the_card(x):
    y = _drawn(0.2 + 0.15 * np.tanh(x.to_numpy()))
    card = Scorecard({"x": 1}, C=0.01, min_bin_size=0.05).fit(x.to_frame(), y)
    back = Scorecard.from_dict(json.loads(json.dumps(card.to_dict())))
    assert back.get_params() == card.get_params() and back.C == 0.01


def test_several_c_share_what_was_fitted_to_the_same_rows(x):
    y = _drawn(0.2 + 0.15 * np.tanh(x.to_numpy()))
    X = x.to_frame()
    shared = fitted_bins(X, y, {"x": 1}, 0.02)
    assert Scorecard({"x": 1}).fit(X, y, shared).effects_ == Scorecard({"x": 1}).fit(X, y).effects_


def test_coarser_bins_hold_the_same_rows_between_edges_of_the_fine_ones():
    rng = np.random.default_rng(4)
    values = pd.Series(np.where(rng.random(5_000) < 0.6, rng.normal(size=5_000), 0.0), name="x")
    values[:300], values[300:500] = np.nan, -9.0
    y = _drawn(np.full(5_000, 0.2))
    fine = Fine.of(values, y, special={"-9": "not asked"})
    coarser = fine.coarser()
    assert fine.m > COARSE and 2 <= coarser.m <= COARSE and set(coarser.bins.edges) < set(fine.bins.edges)
    assert np.array_equal(coarser.codes, coarser.bins.codes(values))
    assert np.array_equal(coarser.total()[2], np.bincount(coarser.codes, minlength=len(coarser.bins.labels)))
    assert np.array_equal(coarser.total()[1], np.bincount(coarser.codes, y, len(coarser.bins.labels)))
