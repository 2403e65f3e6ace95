"""The candidates are scikit-learn estimators: they pass its checks, and take columns by name."""

import numpy as np
import pandas as pd
import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

from workbench.models.scorecard import Scorecard
from workbench.models.trees import BoostedTrees, RuleTree

ESTIMATORS = [Scorecard(), RuleTree(), BoostedTrees(n_trees=20)]
CHECKS = [(e, check) for e in ESTIMATORS for _, check in estimator_checks_generator(e)]


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
