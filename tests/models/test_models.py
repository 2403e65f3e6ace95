"""Estimators, calibration and the saved model: planted truths, monotony, round trips to the last digit."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from workbench import metrics
from workbench.contracts import Column, Contract
from workbench.models import comparison, development, readable, scorer
from workbench.models.binning import woe_bins
from workbench.models.development import Sample
from workbench.models.nodes import Bounds
from workbench.models.scorecard import FACTOR, Scorecard
from workbench.models.trees import BoostedTrees, RuleTree
from workbench.models.tuning import ALIKE
from workbench.params import UserError

N = 6000


@pytest.fixture(scope="module")
def planted() -> tuple[pd.DataFrame, np.ndarray]:
    """Risk rises with `delay`, falls with `income`, depends on `job`; `noise` says nothing."""
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
    z = -2.5 + 0.9 * X["delay"] - 0.8 * (np.log(X["income"].fillna(1500)) - 8) + 0.8 * (X["job"] == "none")
    return X, (rng.random(N) < 1 / (1 + np.exp(-z))).astype(float).to_numpy()


CONTRACT = Contract(
    name="t",
    title="t",
    columns=(
        Column(name="delay", type="number", monotone=1, description="months past due"),
        Column(name="income", type="number", monotone=-1, description="monthly income"),
        Column(name="job", type="category"),
        Column(name="noise", type="number"),
    ),
)
SIGNS = {"delay": 1, "income": -1}


def test_woe_of_two_bins_is_the_closed_form():
    values = pd.Series([0.0] * 100 + [1.0] * 100, name="x")
    y = np.array([0] * 90 + [1] * 10 + [0] * 60 + [1] * 40, float)
    bins = woe_bins(values, y)
    assert bins.woe[:2] == pytest.approx([np.log((90 / 150) / (10 / 50)), np.log((60 / 150) / (40 / 50))])
    assert bins.iv == pytest.approx((0.6 - 0.2) * bins.woe[0] + (0.4 - 0.8) * bins.woe[1])


def test_missing_and_unseen_have_bins_of_their_own(planted):
    X, y = planted
    bins = woe_bins(X["income"], y, -1)
    assert bins.bins.labels[-2:] == ["missing", "unseen"] and bins.n_bad[-2] > 0
    job = woe_bins(X["job"], y)
    assert job.bins.codes(pd.Series(["astronaut", None])).tolist() == [
        len(job.bins.labels) - 1,
        len(job.bins.labels) - 2,
    ]
    assert job.transform(pd.Series(["astronaut"]))[0] == 0.0


def test_a_column_without_values_gets_no_edge():
    bins = woe_bins(pd.Series([np.nan] * 50, name="x"), np.array([0.0, 1.0] * 25))
    assert bins.iv == pytest.approx(0.0) and bins.bins.edges == ()


def test_bins_keep_the_direction_the_business_expects(planted):
    X, y = planted
    assert np.all(np.diff(woe_bins(X["delay"], y, 1).woe[:-2]) < 0)
    assert np.all(np.diff(woe_bins(X["income"], y, -1).woe[:-2]) > 0)


def test_scorecard_finds_what_was_planted_and_hears_little_noise(planted):
    X, y = planted
    noise = pd.DataFrame(np.random.default_rng(6).normal(size=(N, 10)), columns=[f"noise_{i}" for i in range(10)])
    card, new = Scorecard(SIGNS).fit(X.join(noise)[: N // 2], y[: N // 2]), slice(N // 2, N)
    alone = Scorecard(SIGNS).fit(X.drop(columns="noise")[: N // 2], y[: N // 2])
    assert set(alone.bins_) == {"delay", "income", "job"} and set(alone.bins_) <= set(card.bins_)
    assert all(c < 0 for c in card.coefficients_.values())
    spread = {n: np.std(values) for n, values in card.contributions(X.join(noise)).items()}
    heard = [v for n, v in spread.items() if n not in alone.bins_]
    assert len(heard) <= 5 and max(heard, default=0.0) < min(spread[n] for n in alone.bins_) / 2
    on_new = [metrics.auc(y[new], m.predict_proba(X.join(noise)[new])[:, 1]) for m in (card, alone)]
    assert on_new[1] > 0.72 and on_new[0] > on_new[1] - 0.01


def test_points_add_up_to_the_score(planted):
    X, y = planted
    card = Scorecard(SIGNS).fit(X, y)
    assert list(card.points_table())[-1] == "points"
    points = card.points_table().set_index(["characteristic", "bin"])["points"]
    row = X.iloc[[3]]
    total = sum(points[n, b.bins.labelled(row[n]).iloc[0]] for n, b in card.bins_.items())
    exact = 600 - FACTOR * (np.log(20) + card.log_odds(row)[0])
    assert total == pytest.approx(exact, abs=0.05 * len(card.bins_) + 1e-9)


def test_boosted_trees_never_go_against_their_constraint(planted):
    X, y = planted
    model = BoostedTrees(SIGNS, 3, 100).fit(X, y)
    grid = pd.concat([X.iloc[[0]]] * 6, ignore_index=True).assign(delay=np.arange(6.0))
    assert np.all(np.diff(model.predict_proba(grid)[:, 1]) >= 0)


@pytest.mark.parametrize(
    "estimator", [Scorecard(SIGNS), RuleTree(4), BoostedTrees(SIGNS, 3, 60)], ids=lambda e: type(e).__name__
)
def test_what_is_saved_is_what_was_fitted(planted, estimator):
    X, y = planted
    fitted = estimator.fit(X, y)
    back = type(estimator).from_dict(json.loads(json.dumps(fitted.to_dict())))
    assert np.array_equal(fitted.predict_proba(X), back.predict_proba(X))
    assert back.get_params() == fitted.get_params()
    again = type(estimator)(**estimator.get_params()).fit(X, y)
    assert json.dumps(again.to_dict(), sort_keys=True) == json.dumps(fitted.to_dict(), sort_keys=True)


def test_tree_scores_as_scikit_learn_does(planted):
    from sklearn.tree import DecisionTreeClassifier

    X, y = planted
    ours = RuleTree(4).fit(X, y)
    theirs = DecisionTreeClassifier(max_depth=4, min_samples_leaf=0.01, random_state=42).fit(ours.numbers(X), y)
    assert np.allclose(ours.predict_proba(X), theirs.predict_proba(ours.numbers(X)), atol=1e-12)


def test_rules_are_the_leaves_and_cover_everybody(planted):
    X, y = planted
    tree = RuleTree(3).fit(X, y)
    rules = tree.rules()
    assert sum(n for _, n, _ in rules) == len(X) and len(rules) == len(np.unique(tree.leaves(X)))
    assert any("delay > " in rule for rule, _, _ in rules)


def _following(rule: str, numbers: pd.DataFrame) -> np.ndarray:
    """Say which rows a printed rule describes, read as anybody would read it."""
    rows = np.ones(len(numbers), dtype=bool)
    for name, sign, cut, missing in re.findall(r"(\w+)(?: \(WOE\))? (<=|>) (\S+)( \(or missing\))?", rule):
        v, at = numbers[name].to_numpy(), float(cut.replace(",", ""))
        rows &= (v <= at if sign == "<=" else v > at) | (np.isnan(v) & bool(missing))
    return rows


def test_a_printed_rule_describes_the_rows_of_its_leaf():
    """Missing values, cuts that four digits don't tell apart, whole numbers that single precision doesn't hold."""
    rng, n = np.random.default_rng(2), 4000
    income = np.where(rng.random(n) < 0.25, np.nan, rng.uniform(12_000, 13_000, n))
    code = 20_180_300.0 + rng.integers(0, 9, n)
    X = pd.DataFrame({"income": income, "code": code, "job": rng.choice(list("abcdef"), n)})
    risk = np.select([np.isnan(income), income > 12_345.6], [0.5, 0.05], 0.2) + 0.15 * (code > 20_180_304)
    y = (rng.random(n) < risk + 0.2 * X["job"].isin(["a", "b"])).astype(int)
    tree = RuleTree(6).fit(X, y)
    numbers, rules = pd.DataFrame(tree.numbers(X), columns=tree.names_), tree.rules(X)
    assert {"income", "code", "job"} <= {name for name in X if any(f"{name} " in rule for rule, _, _ in rules)}
    assert [int(_following(rule, numbers).sum()) for rule, _, _ in rules] == [n for _, n, _ in rules]
    assert any("job (WOE) > -0.1" in rule for rule, _, _ in rules)  # of six values: one digit parts them


def test_a_rule_asks_of_a_column_once_from_below_and_above_in_short_numbers():
    rng, n = np.random.default_rng(4), 3000
    X = pd.DataFrame({"use": rng.random(n), "job": rng.choice(list("abcdef"), n)})
    risk = 0.05 + 0.3 * ((X["use"] > 0.2) & (X["use"] < 0.6)) + 0.1 * X["use"] + 0.05 * X["job"].isin(["a", "b"])
    tree = RuleTree(6).fit(X, (rng.random(n) < risk).astype(int))
    numbers, rules = pd.DataFrame(tree.numbers(X), columns=tree.names_), tree.rules(X)
    asked = [re.findall(r"(\w+)(?: \(WOE\))? (<=|>) (\S+)", rule) for rule, _, _ in rules]
    assert all(len({(name, sign) for name, sign, _ in rule}) == len(rule) for rule in asked)
    assert any([name for name, _, _ in rule].count("use") == 2 for rule in asked)
    assert max(len(cut) for rule in asked for name, _, cut in rule if name == "use") <= len("0.12345")
    assert [int(_following(rule, numbers).sum()) for rule, _, _ in rules] == [n for _, n, _ in rules]
    exact = re.findall(r"use (?:<=|>) ([\d.]+)", " ".join(rule for rule, _, _ in tree.rules()))
    cuts = tree.nodes_.threshold[(tree.nodes_.left >= 0) & (tree.nodes_.feature == tree.names_.index("use"))]
    assert exact and all(np.isclose(float(cut), cuts, rtol=1e-6).any() for cut in exact)


def test_missing_values_go_where_every_split_of_their_column_sends_them():
    bounds = Bounds().below(5.0, missing=True).below(3.0, missing=False).beyond(1.5, missing=True)
    assert bounds.said("x", str) == "x > 1.5 and x <= 3.0"
    assert Bounds().beyond(0.5, missing=True).beyond(2.5, missing=True).said("x", str) == "x > 2.5 (or missing)"


def test_a_split_of_missing_values_from_all_others_is_told():
    """Else two leaves would stand under one rule, and a study ended in an error (three of four rows had no value)."""
    rng, n = np.random.default_rng(5), 4000
    X = pd.DataFrame({"late": np.where(rng.random(n) < 0.7, rng.integers(0, 2, n), np.nan)})
    y = (rng.random(n) < np.where(X["late"].isna(), 0.5, 0.05)).astype(int)
    rules = {rule: n for rule, n, _ in RuleTree(1).fit(X, y).rules()}
    assert rules == {"late is missing": X["late"].isna().sum(), "late is known": X["late"].notna().sum()}
    cut_first = Bounds().beyond(0.5, missing=True)
    assert cut_first.beyond(np.inf, missing=True).said("x", str) == "x is missing"
    assert cut_first.below(np.inf, missing=False).said("x", str) == "x > 0.5"


def test_contributions_explain_the_whole_difference(planted):
    X, y = planted
    tree = RuleTree(4).fit(X, y)
    assert np.allclose(tree.contributions(X).sum(axis=1) + tree.nodes_.value[0], tree.predict_proba(X)[:, 1])
    card = Scorecard(SIGNS).fit(X, y)
    assert np.allclose(card.contributions(X).sum(axis=1) + card.intercept_, card.log_odds(X))


def test_calibration_brings_a_case_control_sample_back_to_its_base_rate():
    rng = np.random.default_rng(3)
    z = rng.normal(-2, 1, 200_000)
    y = (rng.random(200_000) < 1 / (1 + np.exp(-z))).astype(float)
    bad, good = np.flatnonzero(y), np.flatnonzero(y == 0)
    rows = np.concatenate([bad, rng.choice(good, len(bad), replace=False)])
    weight = np.where(y[rows] == 1, y.mean() / 0.5, (1 - y.mean()) / 0.5)
    raw = 1 / (1 + np.exp(-(z[rows] + 2)))  # a model of the balanced sample
    pd_ = development.calibrated(raw, y[rows], weight).apply(raw)
    assert np.average(pd_, weights=weight) == pytest.approx(y.mean(), rel=0.02)


def test_calibration_never_turns_the_order_of_probabilities_round():
    rng = np.random.default_rng(1)
    raw = rng.uniform(0.05, 0.4, 2000)
    y, weight = (rng.uniform(size=2000) < 0.5 - raw).astype(float), rng.uniform(1, 3, 2000)
    flat = development.calibrated(raw, y, weight)
    assert flat.slope == 0
    assert flat.apply(raw) == pytest.approx(np.average(y, weights=weight))
    assert development.calibrated(raw, y, weight, falls=True).slope < -0.5  # how monitoring sees that it ranks wrongly


@pytest.fixture(scope="module")
def developed(planted):
    X, y, n = planted[0][: N // 2], planted[1][: N // 2], N // 2
    s = Sample(X, y, np.ones(n), np.arange(n).astype(str))
    p = development.Params()
    candidates = development.candidates(s, CONTRACT, p)
    return s, p, candidates


@pytest.mark.whole
def test_the_lead_on_the_same_rows_is_told_apart_where_intervals_overlap(developed):
    s, p, candidates = developed
    compared = development.compare(candidates, s, p).set_index("candidate")
    table = comparison.paired(candidates, s, compared.reset_index(), p.seed).table.set_index("against")
    best = compared["auc"].idxmax()
    assert set(table["best"]) == {best} and best not in table.index
    assert table["lead"].to_dict() == pytest.approx((compared.at[best, "auc"] - compared["auc"].drop(best)).to_dict())
    assert (table["low"] < table["lead"]).all() and (table["lead"] < table["high"]).all()
    width = (compared["auc_high"] - compared["auc_low"]).min()
    assert (table["high"] - table["low"]).max() < width


def test_the_simplest_of_settings_that_are_alike_is_taken(developed):
    for candidate in developed[2]:
        aucs, marks = candidate.tuning["cross-validated AUC"], candidate.tuning[""]
        at = int(np.argmax(marks == "chosen"))
        assert (marks == "chosen").sum() == 1 and aucs[at] >= aucs.max() - ALIKE
        assert (aucs[:at] < aucs.max() - ALIKE).all()


def test_rates_on_the_page_are_those_of_the_book_not_of_the_case_control_sample(developed):
    s, _, candidates = developed
    drawn = np.sort(np.concatenate([np.flatnonzero(s.y == 1), np.flatnonzero(s.y == 0)[: int(s.y.sum())]]))
    weight = np.where(s.y[drawn] == 1, s.y.mean() / 0.5, (1 - s.y.mean()) / 0.5)
    half = Sample(s.X.iloc[drawn].reset_index(drop=True), s.y[drawn], weight, s.parent_id[drawn])
    for table in (e.table for e in readable.readable(candidates, half, CONTRACT)):
        assert table["share"].sum() == pytest.approx(table.get("characteristic", pd.Series("all")).nunique())
    plain, share = s.y.mean(), np.array([0.5])
    counted = half.as_book(share * len(drawn), np.array([0.5]))
    assert counted[0] == pytest.approx([1.0]) and counted[1] == pytest.approx([plain])


def test_reasons_name_the_account_and_each_customer_once(developed):
    s, p, candidates = developed
    model = development.assemble(candidates[0], s, CONTRACT, p, {})
    table = readable.reasons(model, s, CONTRACT, most=3).table
    assert (
        table["account"].nunique() == 3
        and set(table["account"]) <= set(s.parent_id)
        and not table.isna().any(axis=None)
    )


def test_the_whole_model_survives_saving_and_refuses_changed_bytes(developed, tmp_path):
    s, p, candidates = developed
    for candidate in candidates:
        model = development.assemble(candidate, s, CONTRACT, p, {})
        path = model.save(tmp_path / candidate.kind)
        back = scorer.load(path)
        assert np.array_equal(model.predict(s.X), back.predict(s.X))
        reasons = back.reasons(s.X.head(3), top=2)
        assert (reasons["contribution"] > 0).all() and reasons.groupby("row").size().max() <= 2
        path.write_text(path.read_text().replace("0", "1", 1))
        with pytest.raises(UserError, match="its bytes are not those that were registered"):
            scorer.load(path, "0" * 64)


def test_a_sample_of_one_class_is_refused():
    panel = pd.DataFrame(
        {
            "sample": "development",
            "outcome": 0.0,
            "weight": 1.0,
            "entity_id": ["a", "b"],
            "delay": 1.0,
            "income": 1.0,
            "job": "x",
            "noise": 0.0,
        }
    )
    with pytest.raises(UserError) as e:
        development.sample(panel, CONTRACT, "development")
    assert str(e.value) == "panel 't': sample 'development' has 2 rows of one class only; widen its dates"
    many = pd.concat([panel] * 200, ignore_index=True)
    with pytest.raises(UserError) as e:
        development.sample(many.assign(entity_id=[str(i) for i in range(400)]), CONTRACT, "development", 100)
    assert str(e.value) == (
        "panel 't': sample 'development' has 100 rows of one class only; raise max_development_rows"
    )
    with pytest.raises(UserError) as e:
        development.sample(
            panel, CONTRACT.replaced([c for c in CONTRACT.columns if c.role != "feature"]), "development"
        )
    assert str(e.value) == (
        "panel 't': no feature to learn from; each was known only after the date, refused as a leak, personal or the "
        "same in all rows: look at panel/build and portfolios/intake"
    )


@pytest.mark.parametrize("n_parents", [1, 9])
def test_events_of_few_parents_are_refused(n_parents):
    n = 400
    parent = np.arange(n) // 4
    panel = pd.DataFrame({"sample": "development", "weight": 1.0, "entity_id": np.arange(n), "parent_id": parent})
    panel = panel.assign(outcome=(parent < n_parents).astype(float), delay=1.0, income=1.0, job="x", noise=0.0)
    panel = pd.concat([panel, panel.head(4 * n_parents)] * 3, ignore_index=True)  # rows enough
    with pytest.raises(UserError) as e:
        development.sample(panel, CONTRACT, "development")
    assert str(e.value) == (
        f"panel 't': sample 'development' has {len(panel)} rows, those of one class of {n_parents} "
        f"parent{'s' if n_parents > 1 else ''}, and at least 10 are needed, as a parent's rows stay together; widen its "
        "dates"
    )


def test_rows_that_lack_inputs_are_told_with_the_panel_the_model_was_learnt_from():
    features = {name: {} for name in ("delay", *(f"use_{i}" for i in range(6)))}
    facts = {"panel": "mart__panel"}
    model = scorer.Scorer("tree", None, scorer.Calibration(1.0, 0.0), None, features, {}, facts)
    for ask in (model.predict, model.scored):
        with pytest.raises(UserError) as e:
            ask(pd.DataFrame({"delay": [1.0]}))
        assert str(e.value) == (
            "the panel lacks inputs of the model: use_0, use_1, use_2, use_3, use_4 and 1 more; the model was learnt "
            "from mart__panel: name that, or a panel with the same inputs"
        )
