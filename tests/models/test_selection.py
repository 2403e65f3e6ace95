"""Stepwise choice of characteristics: its logistic regression is scikit-learn's, also where a whole Newton step diverges."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from workbench import contracts, metrics
from workbench.models import characteristics
from workbench.models.characteristics import fitted_bins
from workbench.models.fine_bins import fold_of
from workbench.models.samples import Sample, directions
from workbench.models.scorecard import Scorecard
from workbench.models.selection import SLIGHT, chosen, logistic, slopes
from workbench.models.tuning import fitted
from workbench.portfolios import catalog


def _rare(strong: float) -> tuple[np.ndarray, np.ndarray]:
    """2,000 rows of which 40 hold nearly half of the events: the first Newton step from there goes far too far."""
    X = np.where(np.arange(2000) < 40, -strong, 0.1)[:, None]
    y = np.zeros(2000)
    y[:36] = y[40:80] = 1
    return X, y


@pytest.mark.parametrize("strong", [2.0, 4.0, 8.0])
def test_a_rare_strong_characteristic_has_the_ridge_coefficients(strong):
    X, y = _rare(strong)
    oracle = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000).fit(X, y)
    assert logistic(X, y) == pytest.approx([*oracle.intercept_, *oracle.coef_[0]], abs=1e-4)


def test_what_stands_beside_a_rare_strong_characteristic_is_chosen_too():
    X, y = _rare(2.0)
    second = np.random.default_rng(3).normal(size=2000) - 0.8 * y
    columns, coefficients = chosen(np.column_stack([X, second[:, None]]), y, np.arange(2000) % 5)
    assert columns == [0, 1] and (coefficients[1:] < 0).all()


def test_what_speaks_the_right_way_in_most_folds_is_chosen_and_nothing_else():
    rng = np.random.default_rng(5)
    y, folds = (np.arange(3000) % 10 == 0) * 1.0, np.arange(3000) // 10 % 5
    right = rng.normal(size=3000) - 0.6 * y
    wrong, in_two_folds = rng.normal(size=3000) + 0.6 * y, rng.normal(size=3000) - y * np.where(folds < 2, 2, -0.5)
    columns, coefficients = chosen(np.column_stack([wrong, in_two_folds, right]), y, folds)
    assert columns == [2] and coefficients[1] < 0


@pytest.mark.parametrize(("apart", "columns"), [(0.2, 1), (0.5, 2)])
def test_what_repeats_the_chosen_never_enters_though_it_adds_to_them(apart, columns):
    """Standard deviations apart, which make the variance inflation 26 or 5."""
    rng = np.random.default_rng(3)
    woe = rng.normal(size=(4000, 1)) + np.array([0, apart]) * rng.normal(size=(4000, 1))
    y = (rng.random(4000) < 1 / (1 + np.exp(0.8 * woe.sum(axis=1)))).astype(float)
    assert len(chosen(woe, y, fold_of(np.arange(4000)))[0]) == columns


def test_what_says_the_opposite_out_of_fold_has_next_to_no_points():
    rng = np.random.default_rng(5)
    y = (np.arange(2000) % 4 == 0) * 1.0
    columns, coefficients = slopes(rng.normal(size=(2000, 2)) + 0.5 * y[:, None], y, 1.0)
    assert len(columns) == 1 and coefficients[1:].tolist() == [SLIGHT]


def _months_of_customers(seed: int) -> Sample:
    """400 customers of twelve months each, some worse than others; four numbers that say nothing, one that does."""
    rng = np.random.default_rng(seed)
    who, worse = np.repeat(np.arange(400), 12), rng.normal(scale=1.5, size=400) - 1.5
    X = pd.DataFrame(
        {f"noise_{i}": rng.normal(size=400)[who] for i in range(4)} | {"signal": rng.normal(size=len(who))}
    )
    y = rng.random(len(who)) < 1 / (1 + np.exp(-(worse[who] + 0.7 * X["signal"].to_numpy())))
    return Sample(X, y.astype(float), np.ones(len(y)), who)


def test_what_tells_customers_apart_is_not_taken_for_risk():
    """A customer's months stand in one fold: else any number of theirs recognises the ones who were bad."""
    learn, others = _months_of_customers(7), _months_of_customers(8)
    by_row = Scorecard().fit(learn.X, learn.y)
    by_customer = fitted(Scorecard(), learn)
    noise, fewer = (sum(n.startswith("noise") for n in card.bins_) for card in (by_row, by_customer))
    assert noise == 4 and fewer <= 1 and "signal" in by_customer.bins_
    gains = [metrics.auc(others.y, card.predict_proba(others.X)[:, 1]) for card in (by_row, by_customer)]
    assert gains[1] - gains[0] > 0.005


def _out_of_fold(X: pd.DataFrame, y: np.ndarray, signs: dict[str, int]) -> float:
    """Return the AUC of scorecards learnt without the row's fold."""
    folds = StratifiedKFold(2, shuffle=True, random_state=7)
    return metrics.auc(y, cross_val_predict(Scorecard(signs), X, y, cv=folds, method="predict_proba")[:, 1])


@pytest.mark.whole
def test_few_rows_whose_columns_all_count_make_a_card_of_all(monkeypatch):
    source = catalog.shipped()["german_credit"]
    rows, _ = contracts.check(pd.read_parquet(source.path), source.contract, pd.Timestamp("2026-01-01"))
    nothing = ("telephone_code", "residence_code", "n_dependants")  # say nothing; half the rows bear 15 columns at most
    X = rows[[c.name for c in source.contract.features() if c.name not in nothing]]
    y = (rows[source.contract.one("outcome")].astype(str) == "bad").to_numpy(float)
    signs = {n: s for n, s in directions(source.contract).items() if n in X}
    of_all = _out_of_fold(X, y, signs)
    assert len(Scorecard(signs).fit(X, y).bins_) >= 12
    monkeypatch.setattr(characteristics, "EVENTS_A_SLOPE", np.inf)
    assert len(Scorecard(signs).fit(X, y).bins_) <= 11 and of_all > _out_of_fold(X, y, signs) + 0.004


def test_another_draw_of_folds_keeps_a_parent_together_and_counts_the_same_rows():
    learn = _months_of_customers(7)
    bins = fitted_bins(learn.X, learn.y, {}, 0.02, parents=learn.parent_id)
    other = bins._redrawn(fold_of(learn.parent_id, draw=1))
    assert dict(other) == dict(bins)
    for fine, again in zip(bins.fine.values(), other.fine.values(), strict=True):
        assert (fine.folds != again.folds).any()
        assert (pd.Series(again.folds).groupby(learn.parent_id).nunique() == 1).all()
        assert all(np.array_equal(a, b) for a, b in zip(fine.total(), again.total(), strict=True))


def test_no_gain_is_surer_for_rows_that_say_it_again():
    rng, six = np.random.default_rng(0), np.repeat(np.arange(300), 6)
    X, y, gains = pd.DataFrame({"x": rng.normal(size=300)}), (rng.random(300) < 0.3) * 1.0, rng.normal(size=300)
    once = fitted_bins(X, y, {}, 0.02)
    again = fitted_bins(X.iloc[six].reset_index(drop=True), y[six], {}, 0.02, parents=six)
    assert again._rarer == once._rarer == y.sum()
    assert again._error(gains[six]) == pytest.approx(once._error(gains))
    assert once._error(gains) == pytest.approx(gains.std(ddof=1) / np.sqrt(300))


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.whole) for seed in (1, 2))])
def test_few_rows_with_columns_of_noise_make_a_card_of_few(seed):
    rng = np.random.default_rng(seed)
    signal = rng.normal(size=(800, 3))
    y = (rng.random(800) < 1 / (1 + np.exp(1.5 - 0.8 * signal.sum(axis=1)))).astype(float)
    X = pd.DataFrame(np.hstack([signal, rng.normal(size=(800, 10))])).add_prefix("x")
    bins, names, _ = (best := fitted_bins(X, y, {}, 0.02)).on_woe
    assert bins is best and {"x0", "x1", "x2"} <= set(names) and len(names) <= 8


@pytest.mark.parametrize("events", [1, 2])
def test_one_or_two_events_are_refused_rather_than_learnt_as_nan(events):
    X, y = pd.DataFrame({"a": np.arange(300.0)}), np.arange(300) < events
    with pytest.raises(ValueError, match="a scorecard is learnt from 3 rows of either class or more"):
        Scorecard().fit(X, y)
