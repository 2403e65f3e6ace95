"""Model versions: loaded only if the bytes match, served by MLflow with the same PDs, no code in what is saved."""

import json
from dataclasses import replace

import numpy as np
import pytest

from workbench import tables
from workbench.params import Key, UserError
from workbench.registry import about, current, standing, store, versions
from workbench.runs import settling


@pytest.fixture
def version(sample_home):
    store.client()  # points MLflow's own functions to the store; loading a version doesn't
    return versions.load(Key("sample"), "pd")


def test_the_registered_model_is_the_served_one(version):
    import mlflow

    panel = tables.read(Key("sample"), "mart__panel")
    served = mlflow.pyfunc.load_model(f"models:/{version.name}@{standing.ALIAS}").predict(
        panel[list(version.model.features)]
    )
    assert np.abs(served["predicted"].to_numpy() - version.model.predict(panel)).max() <= 1e-12


def test_what_development_claimed_comes_with_the_version(version):
    assert 0.5 < version.figures["holdout_auc"] < 1
    assert version.facts["panel"] == "mart__panel" and "table.mart__panel" in version.facts


def test_the_saved_model_holds_no_code(version, tmp_path):
    import mlflow

    folder = mlflow.artifacts.download_artifacts(f"models:/{version.name}/{version.version}", dst_path=str(tmp_path))
    from pathlib import Path

    files = {p.name for p in Path(folder).rglob("*") if p.is_file()}
    assert not any(name.endswith((".pkl", ".pickle", ".joblib", ".skops")) for name in files)
    json.loads((Path(folder) / "artifacts" / "model.json").read_text())


def test_a_study_without_a_model_is_named(sample_home):
    with pytest.raises(UserError) as e:
        versions.load(Key("sample"), "nothing")
    assert str(e.value) == "study 'sample' has no registered model 'nothing': `workbench run params/sample.yaml`"


def test_loading_changes_nothing(sample_home):
    def content():
        places = [p for p in (sample_home / "mlruns").rglob("*") if p.is_file() and "mlflow.db" not in p.name]
        return {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in places}

    before = content()
    versions.load(Key("sample"), "pd")
    assert content() == before


def test_only_the_runner_tags_a_version_and_what_it_no_longer_says_goes(version):
    tagged = {"name": version.name, "version": version.version, "tags": {"validation.note": "a"}}
    with pytest.raises(UserError) as e:
        standing.tag("sample", tagged)
    assert str(e.value) == (
        "only `workbench run` changes what study 'sample' says; leave tags with evidence.leave(...)"
    )
    assert not standing.says(tagged)
    with current.holding("sample"):
        standing.tag("sample", tagged)
        assert standing.says(tagged)
        standing.tag("sample", {**tagged, "tags": {}}, tagged)
    tags = store.client().get_model_version(version.name, version.version).tags
    assert "validation.note" not in tags and tags["sha256"] == version.digest


def test_the_registry_calls_a_model_as_its_study_is_called_now(version):
    record = current.read(Key("sample"), "models/development")
    before = about.of(record)
    description = lambda: store.client().get_registered_model(version.name).description  # noqa: E731
    with current.holding("sample"):
        about.put("sample", replace(before, title="Renamed *now*"))
        settling.describe(record)
        renamed = description()
        about.put("sample", before)
        settling.describe(record)
    assert renamed == r"Renamed \*now\*. Page: reports/sample/once/models/development.html"
    assert description().endswith(renamed.partition(".")[2]) and "Renamed" not in description()


def test_a_tracking_server_that_does_not_answer_is_one_line(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(UserError) as e:
        store.client()
    assert str(e.value).startswith("MLflow at http://127.0.0.1:9 does not answer (")
    assert str(e.value).endswith("; start it, or unset MLFLOW_TRACKING_URI")


def test_the_store_follows_the_home_and_leaves_no_variable_behind(sample_home, tmp_path, monkeypatch):
    import os

    import mlflow

    here = store.client().tracking_uri
    assert "MLFLOW_TRACKING_URI" not in os.environ
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("WORKBENCH_HOME", str(tmp_path))
        assert store.client().tracking_uri == mlflow.get_tracking_uri() == f"sqlite:///{tmp_path}/mlruns/mlflow.db"
        assert "MLFLOW_TRACKING_URI" not in os.environ
    assert store.client().tracking_uri == mlflow.get_tracking_uri() == here


def test_creating_the_store_from_several_processes_at_once_makes_one(tmp_path):
    import multiprocessing

    warm = multiprocessing.get_context("forkserver")  # its children import MLflow once
    warm.set_forkserver_preload(["mlflow", "mlflow.store.tracking.sqlalchemy_store"])
    running = [warm.Process(target=store.create, args=(tmp_path / "m.db",)) for _ in range(3)]
    for p in running:
        p.start()
    for p in running:
        p.join()
    assert [p.exitcode for p in running] == [0, 0, 0]
    assert (tmp_path / "m.db").exists() and not list(tmp_path.glob(".store-*"))
