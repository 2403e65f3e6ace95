"""Models made elsewhere: read without running code, refused or isolated where they are code, joined to a study."""

import os
import shutil
import socket
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
import yaml
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from workbench.contracts import Outcome
from workbench.models.foreign import ForeignCode, ForeignSklearn, ForeignXgboost
from workbench.models.isolated import without_network
from workbench.models.samples import Sample
from workbench.params import UserError
from workbench.registry import adoption, registered
from workbench.registry.registered import Registered
from workbench.runs import adopting

DRAW = np.random.default_rng(0)
X = pd.DataFrame(DRAW.normal(size=(200, 3)), columns=["a", "b", "c"])
Y = (X["a"] + DRAW.normal(size=200) > 0.5).astype(int)
SAMPLE = Sample(X, Y.to_numpy(), np.ones(200), np.arange(200), np.arange(200), Outcome())
SIGNATURE = {"inputs": '[{"type": "double", "name": "a"}, {"type": "double", "name": "b"}]'}
CODE = """
import os, socket, sys
import mlflow
import pandas as pd

class Said(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input: pd.DataFrame):
        print("a model that prints")
        if (model_input["a"] > 100).any():
            socket.create_connection(("127.0.0.1", int(model_input["b"].iloc[0])), timeout=2)
        if os.environ.get("SECRET"):
            raise ValueError("it sees our environment")
        return (1 / (1 + 2.718281828 ** -model_input["a"])).to_numpy()

mlflow.models.set_model(Said())
"""


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """A registry with one version, whose folder a test fills."""
    folder = tmp_path / "version"
    folder.mkdir()
    monkeypatch.setattr(registered, "one", lambda name, version: Registered(name, version, "", 0, {}))
    monkeypatch.setattr(registered, "folder", lambda r: folder)
    return folder


def _described(folder: Path, flavor: str, **facts: str) -> None:
    content = {"flavors": {flavor: facts, "python_function": {}}, "signature": SIGNATURE}
    (folder / "MLmodel").write_text(yaml.safe_dump(content))


def _pipeline(*before: object):
    return make_pipeline(*before, SimpleImputer(), LogisticRegression()).fit(X[["a", "b"]], Y)


def _params(**values: str) -> adoption.Params:
    return adoption.Params(source="models:/theirs/1", **values)


def test_a_pipeline_in_skops_predicts_as_it_did_and_is_carried_in_json(registry):
    model = _pipeline()
    (registry / "model.skops").write_bytes(skops.io.dumps(model))
    _described(registry, "sklearn", serialization_format="skops", pickled_model="model.skops")
    adopted = adoption.take(_params())
    candidate = adoption.candidate(adopted, SAMPLE)
    assert np.array_equal(candidate.estimator.predict(X), model.predict_proba(X[["a", "b"]])[:, 1])
    assert np.allclose(candidate.out_of_fold, candidate.estimator.predict(X), atol=1e-12)
    again = ForeignSklearn.from_dict(candidate.estimator.to_dict())
    assert np.array_equal(again.predict(X), candidate.estimator.predict(X))
    card = adoption.fitting(adopted, SAMPLE)
    assert str(card.answer) == "theirs version 1 as scikit-learn (skops); inputs: 2. Reading it runs no code."


def test_a_skops_file_with_a_function_is_refused_and_runs_nothing(registry, tmp_path):
    trap = _pipeline(FunctionTransformer(np.negative)).set_params(functiontransformer__func=os.system)
    (registry / "model.skops").write_bytes(skops.io.dumps(trap))
    _described(registry, "sklearn", serialization_format="skops", pickled_model="model.skops")
    with pytest.raises(UserError) as e:
        adoption.candidate(adoption.take(_params()), SAMPLE)
    assert str(e.value) == ("the skops file holds posix.system, which is no class of scikit-learn: it could run code")


def test_xgboost_predicts_as_it_did(registry):
    import xgboost

    model = xgboost.XGBClassifier(n_estimators=5, max_depth=2).fit(X[["a", "b"]], Y)
    model.save_model(registry / "model.ubj")
    _described(registry, "xgboost", data="model.ubj", model_format="ubj")
    adopted = adoption.take(_params())
    again = ForeignXgboost.from_dict(adopted.estimator.to_dict())
    assert adopted.form == "XGBoost (ubj)"
    assert np.allclose(again.predict(X), model.predict_proba(X[["a", "b"]])[:, 1], atol=1e-7)


def _boosted(folder: Path, columns: list[str], **settings: object):
    """Leave a booster that was fitted to these columns beside a signature of a and b."""
    import xgboost

    data = xgboost.DMatrix(X[columns], Y, enable_categorical=True)
    model = xgboost.train({"objective": "binary:logistic", "max_depth": 2, **settings}, data, 5)
    model.save_model(folder / "model.json")
    _described(folder, "xgboost", data="model.json", model_format="json")
    return model.predict(data)


def _skops(folder: Path, model: object) -> None:
    (folder / "model.skops").write_bytes(skops.io.dumps(model))
    _described(folder, "sklearn", serialization_format="skops", pickled_model="model.skops")


def test_columns_come_in_the_order_a_model_was_fitted_to_whatever_its_signature_says(registry):
    expected = _boosted(registry, ["b", "a"])
    adopted = adoption.take(_params())
    assert adopted.inputs == ("b", "a")
    assert np.allclose(adoption.candidate(adopted, SAMPLE).out_of_fold, expected, atol=1e-6)
    assert np.array_equal(ForeignXgboost(adopted.estimator.payload, ["a", "b"]).predict(X), expected)  # as kept before
    model = LogisticRegression().fit(X[["b", "a"]], Y)
    _skops(registry, model)
    predicted = adoption.candidate(adoption.take(_params()), SAMPLE).estimator.predict(X)
    assert np.array_equal(predicted, model.predict_proba(X[["b", "a"]])[:, 1])


def test_xgboost_that_was_stopped_early_takes_the_trees_it_took(registry):
    import xgboost

    inputs, last = X[["a", "b"]], slice(100, None)
    model = xgboost.XGBClassifier(n_estimators=60, early_stopping_rounds=20)
    model.fit(inputs[:100], Y[:100], eval_set=[(inputs[last], Y[last])], verbose=False)
    model.save_model(registry / "model.json")
    _described(registry, "xgboost", data="model.json", model_format="json")
    expected = model.predict_proba(inputs)[:, 1]
    assert np.abs(model.get_booster().predict(xgboost.DMatrix(inputs)) - expected).max() > 0.05, "all trees say else"
    assert np.allclose(adoption.take(_params()).estimator.predict(X), expected, atol=1e-6)


def test_a_signature_of_other_inputs_than_the_model_has_is_refused(registry):
    _boosted(registry, ["a", "c"])
    with pytest.raises(UserError) as e:
        adoption.take(_params())
    assert str(e.value) == (
        "registry/adoption: of theirs version 1, signature and model name different inputs: 'b' stands in one only; "
        "log it with the signature of what it was fitted to"
    )


def test_inputs_without_a_signature_are_those_the_model_names(registry):
    bare = {"flavors": {"sklearn": {"serialization_format": "skops", "pickled_model": "model.skops"}}}
    _skops(registry, _pipeline())
    (registry / "MLmodel").write_text(yaml.safe_dump(bare))
    assert adoption.take(_params()).inputs == ("a", "b")
    _skops(registry, LogisticRegression().fit(X[["a", "b"]].to_numpy(), Y))
    (registry / "MLmodel").write_text(yaml.safe_dump(bare))
    with pytest.raises(UserError) as e:
        adoption.take(_params())
    assert str(e.value) == (
        "registry/adoption: theirs version 1 has no signature that names its inputs; log it with one"
    )


def test_xgboost_gets_numbers_only(registry):
    _boosted(registry, ["a", "b"])
    texts = replace(SAMPLE, X=X.assign(b=pd.Series(["x"] * len(X), dtype=object)))
    for step in (adoption.fitting, adoption.candidate):
        with pytest.raises(UserError) as e:
            step(adoption.take(_params()), texts)
        assert str(e.value) == (
            "registry/adoption: the model reads 'b' as a number, which is object in the panel; make numbers of it in a "
            "feature of the panel, or adopt a pipeline that does"
        )


def test_codes_of_categories_are_refused(registry, monkeypatch):
    monkeypatch.setitem(globals(), "X", X.assign(b=pd.Categorical(np.where(X["b"] > 0, 20, 10))))
    _boosted(registry, ["a", "b"])
    with pytest.raises(UserError) as e:
        adoption.take(_params())
    assert str(e.value) == (
        "the XGBoost file reads 'b' as codes of categories, which the panel doesn't have; fit it to one column of 0 "
        "and 1 per category"
    )


def test_a_model_whose_event_is_not_known_or_that_gives_no_probabilities_is_refused(registry):
    inputs, names = X[["a", "b"]], np.where(Y == 1, "default", "paid")
    classes = {
        "'default', 'paid'": LogisticRegression().fit(inputs, names),
        "0, 1, 2": LogisticRegression().fit(inputs, Y + (X["b"] > 0)),
    }
    for shown, model in classes.items():
        _skops(registry, model)
        with pytest.raises(UserError) as e:
            adoption.candidate(adoption.take(_params()), SAMPLE)
        assert str(e.value) == (
            f"registry/adoption: theirs version 1 was fitted to classes {shown}, and which is the event can't be "
            "known; fit it to 0 and 1, the event is 1"
        )
    _skops(registry, LinearSVC().fit(inputs, Y))
    with pytest.raises(UserError) as e:
        adoption.candidate(adoption.take(_params()), SAMPLE)
    assert str(e.value) == (
        "registry/adoption: theirs version 1 predicts nothing but 0 and 1, which are classes and no probabilities; "
        "adopt a model that gives probabilities"
    )
    _boosted(registry, ["a", "b"], objective="multi:softprob", num_class=2)
    with pytest.raises(UserError) as e:
        adoption.candidate(adoption.take(_params()), SAMPLE)
    assert str(e.value) == (
        "registry/adoption: theirs version 1 predicts 2 values per row; one is taken, the probability of the event"
    )
    _skops(registry, LogisticRegression().fit(inputs, Y == 1))
    assert adoption.candidate(adoption.take(_params()), SAMPLE).out_of_fold.shape == (200,)


def _code(folder: Path) -> None:
    import mlflow

    (folder.parent / "theirs.py").write_text(CODE)
    shutil.rmtree(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # MLflow would like type hints
        mlflow.pyfunc.save_model(str(folder), python_model=str(folder.parent / "theirs.py"), pip_requirements=[])
    content = yaml.safe_load((folder / "MLmodel").read_text())
    (folder / "MLmodel").write_text(yaml.safe_dump({**content, "signature": SIGNATURE}))


def test_code_is_refused_unless_somebody_says_why(registry):
    _code(registry)
    with pytest.raises(UserError) as e:
        adoption.take(_params())
    assert str(e.value) == (
        "registry/adoption: models:/theirs/1 is kept in a format that runs code when it is read (python_function); "
        "save it as skops, ubj or json, or say in runs_code why it may"
    )


def test_code_that_is_let_in_has_no_network_and_none_of_our_environment(registry, monkeypatch):
    try:
        without_network()
    except UserError as e:
        pytest.skip(str(e))
    _code(registry)
    monkeypatch.setenv("SECRET", "a password")
    adopted = adoption.take(_params(runs_code="from before skops"))
    estimator = ForeignCode.from_dict(adopted.estimator.to_dict())
    assert np.allclose(estimator.predict(X), 1 / (1 + np.exp(-X["a"])), atol=1e-6)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        calling = pd.DataFrame({"a": [200.0], "b": [float(listening.getsockname()[1])], "c": [0.0]})
        with pytest.raises(ValueError, match=r"^the model says: (OSError|TimeoutError|ConnectionRefusedError): "):
            estimator.predict(calling)
    assert adoption.fitting(adopted, SAMPLE).verdict == "amber"


def test_what_does_not_fit_the_panel_is_one_line(registry):
    (registry / "model.skops").write_bytes(skops.io.dumps(_pipeline()))
    _described(registry, "sklearn", serialization_format="skops", pickled_model="model.skops")
    adopted, other = adoption.take(_params()), replace(SAMPLE, X=X.rename(columns={"b": "balance"}))
    with pytest.raises(UserError) as e:
        adoption.fitting(adopted, other)
    assert str(e.value) == (
        "registry/adoption: the model reads 'b', which is no feature of the panel; known: a, balance, c"
    )


def test_a_study_gets_two_steps_at_its_end(registry, tmp_path):
    study = tmp_path / "leasing.yaml"
    study.write_text("title: Leasing\nsteps:\n  portfolios/intake: {portfolio: german_credit}\n  panel/build:\n")
    steps = adopting.add(study, "models:/theirs/1", "mart__panel", "theirs")
    assert steps == ["registry/adoption@theirs", "validation/battery@theirs"]
    assert study.read_text().endswith(
        '  registry/adoption@theirs: {"source": "models:/theirs/1", "panel": "mart__panel", "model": "theirs"}\n'
        '  validation/battery@theirs: {"panel": "mart__panel", "model": "theirs"}\n'
    )
    with pytest.raises(UserError) as e:
        adopting.add(study, "models:/theirs/1", "mart__panel", "theirs")
    assert str(e.value) == (
        "leasing.yaml: 'registry/adoption@theirs' makes model 'theirs' already; name another with --model"
    )
    with pytest.raises(UserError) as e:
        adopting.add(study, "theirs", "mart__panel", "more")
    assert str(e.value) == "registry/adoption: 'theirs' names no version; write models:/NAME/VERSION"
    renamed = study.rename(tmp_path / "Leasing.yaml")
    with pytest.raises(UserError) as e:
        adopting.add(renamed, "models:/theirs/1", "mart__panel", "more")
    words = "its file's name is the study's: a-z, 0-9 and _, then .yaml; rename the file"
    assert str(e.value) == f"study '{renamed}': {words}"
