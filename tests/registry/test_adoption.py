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
