"""The candidates are scikit-learn estimators: they pass its checks, and take columns by name."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import estimator_checks_generator

from workbench.models.linear import LinearOnMeans
from workbench.models.regression_trees import BoostedRegression, RegressionTree
from workbench.models.scorecard import Scorecard
from workbench.models.trees import BoostedTrees, RuleTree

ESTIMATORS = [Scorecard(), RuleTree(), BoostedTrees(n_trees=20)]
REGRESSORS = [LinearOnMeans(), RegressionTree(), BoostedRegression(n_trees=60, columns=1.0, penalty=1.0)]
CHECKS = [
    pytest.param(e, check, marks=() if e in (ESTIMATORS[0], REGRESSORS[0]) else pytest.mark.whole)
    for e in [*ESTIMATORS, *REGRESSORS]
    for _, check in estimator_checks_generator(e)
]


def _name(value: object) -> str:
    return str(getattr(value, "func", type(value)).__name__)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("estimator", "check"), CHECKS, ids=_name)
def test_scikit_learns_checks_pass(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def table() -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(3)
    X = pd.DataFrame({"delay": rng.poisson(1, 800) * 1.0, "job": rng.choice(["clerk", "driver"], 800)})
    return X, np.where(rng.random(800) < 0.1 + 0.15 * X["delay"].clip(upper=4), "bad", "a good one")


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=_name)
def test_columns_are_taken_by_name_and_labels_come_back(estimator, table):
    X, y = table
    fitted = estimator.fit(X, y)
    assert list(fitted.classes_) == ["a good one", "bad"] and set(fitted.predict(X)) <= {"a good one", "bad"}
    more = X.assign(other="x")[["other", "job", "delay"]]
    assert (fitted.predict_proba(more) == fitted.predict_proba(X)).all()
    with pytest.raises(ValueError, match="columns missing: delay"):
        fitted.predict_proba(X[["job"]])
    read = type(estimator).from_dict(fitted.to_dict())
    assert (read.predict_proba(more) == fitted.predict_proba(X)).all()


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=_name)
def test_one_class_is_refused(estimator, table):
    with pytest.raises(ValueError, match="holds 1 class"):
        estimator.fit(table[0], np.zeros(800))


@pytest.mark.parametrize("bounded", [False, True])
@pytest.mark.parametrize("estimator", REGRESSORS, ids=_name)
def test_regressors_take_columns_by_name_and_survive_json(estimator, bounded, table):
    X, labels = table
    y = np.where(labels == "bad", 0.8, 0.1) * (1 if bounded else 900)
    fitted = clone(estimator).set_params(bounded=bounded).fit(X, y)
    more = X.assign(other="x")[["other", "job", "delay"]]
    assert (fitted.predict(more) == fitted.predict(X)).all()
    read = type(estimator).from_dict(json.loads(json.dumps(fitted.to_dict())))
    assert (read.predict(more) == fitted.predict(X)).all()
    with pytest.raises(ValueError, match="columns missing: delay"):
        fitted.predict(X[["job"]])
    assert not bounded or (fitted.predict(X).min() >= 0 and fitted.predict(X).max() <= 1)


def test_a_share_beyond_its_bounds_is_learnt_as_the_bound(table):
    X, labels = table
    y = np.where(labels == "bad", 1.7, -0.2)
    inside = RegressionTree(bounded=True).fit(X, np.clip(y, 0, 1)).predict(X)
    assert (RegressionTree(bounded=True).fit(X, y).predict(X) == inside).all()
