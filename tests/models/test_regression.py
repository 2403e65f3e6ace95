"""Amounts and rates: a planted truth is found, bins and grades hold their closed forms, every kind survives its file."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from workbench.contracts import Column, Contract, Outcome
from workbench.models import comparison, development, readable, scorer, strength
from workbench.models.grades import bands
from workbench.models.kinds import Kind, fitting, kinds, named, settings_of
from workbench.models.linear import LinearOnMeans
from workbench.models.mean_bins import PRIOR_ROWS, mean_bins
from workbench.models.measures import calibration_line, leading, measures
from workbench.models.regression_trees import BoostedRegression, RegressionTree
from workbench.models.samples import Sample
from workbench.models.tuning import calibrated, folds
from workbench.params import UserError
from workbench.words import speaking

N = 3000
WORDS = {"event": "loss", "events": "losses", "rate": "loss given default", "predicted": "LGD"}
RATE = Outcome(name="lgd", kind="rate", words=WORDS)
AMOUNT = Outcome(name="loss", kind="amount", words={"rate": "mean loss", "predicted": "expected loss"})
COLUMNS = (
    Column(name="delay", type="number", monotone=1, description="months past due"),
    Column(name="income", type="number", monotone=-1, description="monthly income"),
    Column(name="job", type="category", description="kind of job"),
    Column(name="noise", type="number", description="weather"),
)
SIGNS = {"delay": 1, "income": -1}


@pytest.fixture(scope="module")
def planted() -> tuple[pd.DataFrame, np.ndarray]:
    """A share that rises with `delay`, falls with `income`, depends on `job`, with noise of a beta distribution."""
    rng = np.random.default_rng(5)
    X = pd.DataFrame(
        {
            "delay": rng.poisson(0.7, N).astype(float),
            "income": rng.lognormal(8, 0.5, N),
            "job": rng.choice(["clerk", "driver", "none"], N),
            "noise": rng.normal(size=N),
        }
    )
    X.loc[rng.random(N) < 0.05, "income"] = np.nan
    z = -1 + 0.6 * X["delay"] - 0.8 * (np.log(X["income"].fillna(1500)) - 8) + 0.8 * (X["job"] == "none")
    mean = (1 / (1 + np.exp(-z))).to_numpy()
    return X, rng.beta(4 * mean, 4 * (1 - mean))


def _sample(X: pd.DataFrame, y: np.ndarray, outcome: Outcome) -> Sample:
    return Sample(X, y, np.ones(len(y)), np.arange(len(y)).astype(str), outcome=outcome)


def _contract(outcome: Outcome) -> Contract:
    return Contract(name="mart__panel", title="t", columns=COLUMNS, outcome=outcome, entity="loan")


@pytest.fixture(scope="module", params=[RATE, pytest.param(AMOUNT, marks=pytest.mark.whole)], ids=["rate", "amount"])
def developed(request, planted):
    X, y = planted
    outcome, scale = request.param, 1.0 if request.param.kind == "rate" else 25_000.0
    s = _sample(X, y * scale, outcome)
    p = development.Params(folds=2)
    return s, _contract(outcome), p, development.candidates(s, _contract(outcome), p)


def test_bins_of_means_are_the_closed_form():
    values, y = pd.Series([0.0] * 60 + [1.0] * 40, name="x"), np.array([1.0] * 60 + [5.0] * 40)
    bins = mean_bins(values, y)
    assert bins.bins.edges == (0.5,) and bins.mean[:2] == (1.0, 5.0) and bins.overall == pytest.approx(2.6)
    assert bins.shrunk[0] == pytest.approx((60 * 1 + PRIOR_ROWS * 2.6) / (60 + PRIOR_ROWS))
    assert bins.shrunk[2] == bins.shrunk[3] == pytest.approx(2.6), "missing and unseen were never seen: the mean"
    assert bins.explained == pytest.approx(1.0)


def test_bins_keep_the_direction_and_floors(planted):
    X, y = planted
    bins = mean_bins(X["income"], y, -1)
    used = np.array(bins.n[:-2])
    assert np.all(np.diff(bins.mean[:-2]) < 0) and used.min() >= 0.02 * N and bins.n[-2] > 0
    assert mean_bins(pd.Series([np.nan] * 50, name="x"), np.arange(50.0)).explained == pytest.approx(0)


def test_rare_categories_share_a_bin():
    values = pd.Series(["a"] * 500 + ["b"] * 498 + ["c", "d"], name="x")
    assert mean_bins(values, np.arange(1000.0)).bins.groups == (("a",), ("b",), ("c", "d"))


def test_the_linear_model_finds_what_was_planted(planted):
    X, y = planted
    model = LinearOnMeans(SIGNS, bounded=True).fit(X, y)
    spread = model.contributions(X).std()
    assert spread.drop("noise", errors="ignore").min() > 3 * spread.get("noise", 0)
    assert all(c >= 0 for c in model.coefficients_.values())
    table = model.effects_table().set_index("characteristic")
    assert np.all(np.diff(table.loc["delay", "effect"]) > 0)


def test_one_column_gives_back_its_means():
    X, y = pd.DataFrame({"x": [0.0, 1.0] * 2000}), np.array([0.2, 0.7] * 2000)
    for bounded in (True, False):
        predicted = LinearOnMeans(bounded=bounded).fit(X, y).predict(X.head(2))
        assert predicted == pytest.approx([0.2, 0.7], abs=0.005)


def test_the_tree_scores_as_scikit_learn_does_and_its_rules_cover_everybody(planted):
    from sklearn.tree import DecisionTreeRegressor

    X, y = planted
    ours = RegressionTree(4).fit(X, y)
    theirs = DecisionTreeRegressor(max_depth=4, min_samples_leaf=30, random_state=42).fit(ours.numbers(X), y)
    assert np.allclose(ours.predict(X), theirs.predict(ours.numbers(X)), atol=1e-12)
    rules = ours.rules()
    assert sum(n for _, n, _ in rules) == N and any("job in {" in rule for rule, _, _ in rules)
    parts = ours.contributions(X).sum(axis=1) + ours.nodes_.value[0]
    assert np.allclose(parts, ours.predict(X))


def test_boosted_regression_never_goes_against_its_constraint(planted):
    X, y = planted
    model = BoostedRegression(SIGNS, bounded=True, n_trees=80).fit(X, y)
    grid = pd.concat([X.iloc[[0]]] * 6, ignore_index=True).assign(delay=np.arange(6.0))
    assert np.all(np.diff(model.predict(grid)) >= 0)


def test_candidates_of_a_planted_truth_are_good_and_calibrated(developed):
    s, _, p, tuned = developed
    assert [c.kind for c in tuned] == ["linear", "regression_tree", "boosted_regression"]
    compared = development.compare(tuned, s, p).set_index("candidate")
    assert compared["r_squared"].min() > 0.3 and compared["spearman"].min() > 0.5
    assert (compared["rmse"] >= compared["mae"]).all() and ((compared["slope"] - 1).abs() < 0.2).all()
    assert (compared["r_squared_low"] < compared["r_squared"]).all()
    chosen, why = development.choose(tuned, s, p)
    loss = why.table.set_index("candidate")
    bearable = (loss["loss"] <= 0.01) | (loss["loss_low"] <= 0)
    assert chosen.kind == bearable.idxmax(), "the simplest that loses nothing sure and material"


def test_the_whole_model_survives_saving_and_speaks_of_its_outcome(developed, tmp_path):
    s, contract, p, tuned = developed
    for candidate in tuned:
        model = development.assemble(candidate, s, contract, p, {})
        back = scorer.load(model.save(tmp_path / candidate.kind))
        assert back.estimator.get_params() == model.estimator.get_params()
        assert back == model or back.to_dict() == json.loads(json.dumps(model.to_dict()))
        assert np.array_equal(back.predict(s.X), model.predict(s.X)) and back.outcome == s.outcome
        scored = back.scored(s.X)
        assert list(scored) == ["predicted", "grade_code"] and "predicted" in back.reference
        rates = pd.Series(s.y).groupby(scored["grade_code"]).mean()
        assert len(rates) > 2 and np.all(np.diff(rates) > 0), "A is the lowest of an adverse outcome"
        with pytest.raises(ValueError, match="it has no odds, and no score"):
            model.score(s.X)


def test_pages_say_the_outcomes_words_and_nothing_of_default(developed):
    s, contract, p, tuned = developed
    model = development.assemble(tuned[0], s, contract, p, {})
    compared = development.compare(tuned, s, p)
    cards = [
        development.tuning(tuned),
        comparison.paired(tuned, s, compared, p.seed),
        comparison.grades(model, s),
        comparison.calibration(s, model),
        comparison.on_holdout(compared, "linear", s),
        readable.inputs(model),
        readable.reasons(model, s, contract),
        *readable.readable(tuned, s, contract),
        strength.strengths(s, contract)[1],
    ]
    text = " ".join(str(t) for e in cards for t in (e.question, e.answer, e.threshold, list(e.table.columns)))
    assert str(s.outcome.rate) in text and str(s.outcome.predicted) in text and "R²" in text
    for word in (" PD", "bad rate", "good and bad", "AUC", "default rate"):
        assert word not in text.replace("loss given default", ""), word
    assert {e.key for e in cards} >= {"effects", "rules", "explained_variance"}


def test_a_bin_of_an_amount_holds_its_share_of_the_book_and_its_mean(planted):
    X, y = planted
    s = _sample(X, 25_000 * y, AMOUNT)
    table = strength.by_bin(s, mean_bins(X["delay"], s.y, 1))
    assert list(table) == ["group", "share", "rate", "low", "high"] and table["share"].sum() == pytest.approx(1)
    assert table["rate"].is_monotonic_increasing and (table["low"] < table["rate"]).all()
    assert float(table["share"] @ table["rate"]) == pytest.approx(s.y.mean())


def test_a_measure_of_an_amount_is_said_in_its_own_numbers():
    rmse = measures(AMOUNT)["rmse"]
    row = pd.Series({rmse.name: 1234.5, f"{rmse.name}_low": 1100.0, f"{rmse.name}_high": 1400.0})
    assert str(comparison._measured(rmse, row)) == "RMSE 1,234 (1,100 to 1,400)"


def test_rates_stay_between_0_and_1_and_amounts_do_not():
    X = pd.DataFrame({"x": [0.0, 1.0]})
    raw = type("Fixed", (), {"predict": lambda self, X: np.array([-0.3, 1.4])})()
    line = scorer.Calibration(1.0, 0.0, "identity")
    assert scorer.predicted(raw, line, X, RATE).tolist() == [0.0, 1.0]
    assert scorer.predicted(raw, line, X, AMOUNT).tolist() == [-0.3, 1.4]


def test_calibration_is_the_least_squares_line_and_never_falls():
    raw = np.linspace(0, 1, 50)
    line = calibrated(raw, 0.1 + 0.5 * raw, np.ones(50), RATE)
    assert (line.slope, line.intercept) == (pytest.approx(0.5), pytest.approx(0.1))
    against = calibrated(raw, 1 - raw, np.ones(50), RATE)
    assert against.slope == 0 and against.apply(raw) == pytest.approx(0.5)


def test_the_line_of_perfect_predictions_is_one_and_zero():
    rng = np.random.default_rng(1)
    truth = rng.uniform(0, 100, 400)
    line = calibration_line(truth + rng.normal(0, 1e-9, 400), truth, np.ones(400), np.arange(400), AMOUNT)
    assert line["slope"][0] == pytest.approx(1) and line["intercept"][0] == pytest.approx(0, abs=1e-6)
    off = calibration_line(truth, truth - 5, np.ones(400), np.arange(400), AMOUNT)
    assert off["intercept"][0] == pytest.approx(5), "the mean of y less what was predicted"


def test_bands_of_a_rate_rise_and_noise_has_one_band():
    rng = np.random.default_rng(2)
    predicted = rng.uniform(0, 1, 5000)
    each = np.arange(5000)
    edges = bands(predicted, predicted + rng.normal(0, 0.2, 5000), each, 0.05, RATE).edges
    codes = np.searchsorted(edges, predicted, side="right")
    assert 3 <= len(edges) <= 9 and np.bincount(codes).min() >= 0.05 * 5000
    assert bands(predicted, rng.normal(size=5000), each, 0.05, RATE).edges == ()


def test_copies_of_rows_make_no_more_bands_of_a_rate():
    rng, parent = np.random.default_rng(3), np.repeat(np.arange(600), 12)
    predicted = rng.uniform(0, 1, 600)
    y = predicted / 5 + rng.beta(1, 4, 600)
    once = bands(predicted, y, np.arange(600), 0.05, RATE).edges
    assert bands(predicted[parent], y[parent], parent, 0.05, RATE).edges == pytest.approx(once, abs=0.02)
    assert len(bands(predicted[parent], y[parent], np.arange(7200), 0.05, RATE).edges) > len(once) >= 1


def test_rows_of_one_parent_set_no_grades_apart_that_their_parents_do_not():
    """A prediction that says nothing, of 300 customers with 12 rows each that end alike."""
    graded = 0
    for seed in range(20):
        rng, parent = np.random.default_rng(seed), np.repeat(np.arange(300), 12)
        predicted = rng.uniform(0, 1, 300)[parent] + rng.normal(0, 0.02, 3600)
        y = (rng.random(300) < 0.2) * 1.0
        graded += len(bands(predicted, y[parent], parent, 0.05, Outcome()).edges) > 0
    assert graded <= 3


def test_folds_keep_parents_together(planted):
    X, y = planted
    parent = np.repeat(np.arange(N // 3), 3).astype(str)
    s = Sample(X, y, np.ones(N), parent, outcome=RATE)
    for train, test in folds(s, 3, seed=1):
        assert not set(parent[train]) & set(parent[test])


def test_measures_fit_the_outcome():
    assert leading(Outcome()).name == "auc" and leading(RATE).name == "r_squared"
    assert {n for n, m in measures(AMOUNT).items() if m.higher_is_better} == {"r_squared", "spearman"}
    y = np.array([1.0, 2.0, 4.0])
    assert measures(RATE)["mae"].gain(y, y, y + 1) == 1.0, "the better prediction leads, though its error is lower"


def test_kinds_are_found_and_ordered_from_simple_to_complex():
    assert list(fitting(RATE)) == ["linear", "regression_tree", "boosted_regression"]
    assert next(iter(fitting(Outcome()))) == "scorecard" and {"tree", "boosted"} <= set(fitting(Outcome()))
    assert all(isinstance(c.KIND, Kind) and c.KIND.name == name for name, c in kinds().items())
    assert list(fitting(Outcome(name="months_to_default", kind="time"))) == list(fitting(AMOUNT))


def test_every_kind_of_model_is_named_in_every_language():
    with speaking("zh_CN"):
        assert all(not re.search("[a-z]", str(named(kind)).split("（")[0]) for kind in kinds())


def test_settings_get_what_their_constructor_names():
    tried = settings_of(LinearOnMeans, monotone=SIGNS, bounded=True, seed=7)
    assert [e.penalty for e in tried] == [1.0, 10.0, 100.0] and all(e.bounded and e.monotone == SIGNS for e in tried)


def test_a_choice_that_is_no_kind_or_does_not_fit_is_refused(developed):
    s, _, p, tuned = developed
    with pytest.raises(UserError) as e:
        development.Params(choice="boosted_").verify()
    assert str(e.value) == "models/development: choice 'boosted_' is no kind of model; did you mean 'boosted'?"
    with pytest.raises(UserError) as e:
        development.Params(choice="lightgbm").verify()
    assert str(e.value).endswith(
        "; write rule, or one that fits the outcome (amount or rate: linear, regression_tree, boosted_regression; "
        "binary: scorecard, tree, boosted)"
    )
    with pytest.raises(UserError, match="is no kind of model"):
        development.Params(choice="foreign_xgboost").verify()
    with pytest.raises(UserError) as e:
        development.choose(tuned, s, p.model_copy(update={"choice": "scorecard"}))
    assert str(e.value) == (
        f"models/development: choice 'scorecard' does not fit outcome '{s.outcome.name}'; "
        "these do: linear, regression_tree, boosted_regression"
    )


def test_a_file_of_an_unknown_kind_is_refused(developed, tmp_path):
    s, contract, p, tuned = developed
    path = development.assemble(tuned[0], s, contract, p, {}).save(tmp_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "kind": "oracle"}))
    with pytest.raises(UserError, match=r"model model.json: kind 'oracle' is unknown here; known: linear, scorecard"):
        scorer.load(path)


def test_an_outcome_that_does_not_vary_is_refused():
    panel = pd.DataFrame(
        {"sample": "development", "outcome": 0.4, "weight": 1.0, "entity_id": ["a", "b"]}
        | {c.name: ["x", "x"] if c.type == "category" else [1.0, 1.0] for c in COLUMNS}
    )
    with pytest.raises(UserError) as e:
        development.sample(panel, _contract(RATE), "development")
    assert str(e.value) == (
        "panel 'mart__panel': sample 'development' has 2 rows whose outcome is the same in all of them; widen its dates"
    )


def test_fewer_parents_than_folds_are_refused():
    n = 400
    columns = {c.name: "x" if c.type == "category" else 1.0 for c in COLUMNS}
    columns |= {"entity_id": np.arange(n), "parent_id": np.arange(n) % 4, "outcome": np.linspace(0, 1, n)}
    panel = pd.DataFrame({"sample": "development", "weight": 1.0, **columns})
    with pytest.raises(UserError) as e:
        development.sample(panel, _contract(RATE), "development")
    assert str(e.value) == (
        "panel 'mart__panel': sample 'development' has 400 rows, all of 4 parents, and at least 10 are needed, as a "
        "parent's rows stay together; widen its dates"
    )
