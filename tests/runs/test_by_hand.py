"""A notebook run by hand moves nothing; the registry says what the current runs say, and follows when they change."""

import dataclasses
import hashlib
import importlib
import shutil
import sqlite3
from pathlib import Path

import papermill
import pytest

from running import undrawn
from workbench.registry import current, runs, standing, store
from workbench.runs import settling

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
STEPS = sorted(str(p.relative_to(NOTEBOOKS).with_suffix("")) for p in NOTEBOOKS.glob("*/*.ipynb") if "." not in p.stem)
DATED = {("portfolios/store", "until")}  # of its own months
OTHER = {
    "seed": 99,
    "sample_rows": 1000,
    "max_development_rows": 1000,
    "monitoring_from": "",
    "until": "2005-07",
    "folds": 2,
}


@pytest.fixture(scope="module")
def home(sample_home, tmp_path_factory):
    """A copy of the sample's home."""
    copy = tmp_path_factory.mktemp("by_hand") / "home"
    shutil.copytree(sample_home, copy, symlinks=True)
    with pytest.MonkeyPatch.context() as here:
        here.setenv("WORKBENCH_HOME", str(copy))
        store.client()  # takes the copied store into its new place
        yield copy


def _registry(home: Path) -> dict[str, list]:
    tables = ("registered_model_aliases", "model_version_tags", "model_versions", "runs", "tags", "latest_metrics")
    with sqlite3.connect(home / "mlruns" / "mlflow.db") as database:
        return {t: sorted(map(repr, database.execute(f"SELECT * FROM {t}"))) for t in tables}


def _files(home: Path) -> dict[str, str]:
    moved = [p for folder in ("mlruns", "reports") for p in (home / folder).rglob("*") if p.is_file()]
    counted = [p for p in moved if "mlflow.db" not in p.name and {"scratch", "work"}.isdisjoint(p.parts)]
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in counted}


def test_notebooks_run_by_hand_with_other_parameters_move_no_name_tag_alias_or_page(home, tmp_path, monkeypatch):
    before = _files(home), _registry(home)
    aside = tmp_path / "aside"
    aside.mkdir()
    with undrawn() as kernel:
        monkeypatch.setenv("TMPDIR", str(aside))
        for step in STEPS:
            fields = importlib.import_module(f"workbench.{step.replace('/', '.')}").Params.model_fields
            values = {name: value for name, value in OTHER.items() if name in fields and (step, name) not in DATED}
            papermill.execute_notebook(
                NOTEBOOKS / f"{step}.ipynb", tmp_path / "out.ipynb", values, kernel_name=kernel, progress_bar=False
            )
    after = _files(home), _registry(home)
    assert {name for name in before[0] | after[0] if before[0].get(name) != after[0].get(name)} == set()
    assert after[1] == before[1]
    assert list((home / "mlruns" / "scratch").rglob("*.parquet"))
    assert list(aside.iterdir()) == []  # what a notebook lays aside is swept with its scratch


def _tags(record: current.Record) -> dict[str, str]:
    tagged = record.tags["model__pd"]
    return dict(store.client().get_model_version(tagged["name"], tagged["version"]).tags)


def test_tags_and_alias_follow_the_current_run_and_an_edited_tag_is_put_right(home):
    first = next(r for r in current.everything() if r.step == "validation/battery")
    tagged = first.tags["model__pd"]
    other = {"model__pd": {**tagged, "tags": {"validation.verdict": "refuse", "validation.more": "x"}}}
    another = next(r.run_id for r in current.everything() if r.step == "panel/build")
    with current.holding("sample"):
        settling.settle(dataclasses.replace(first, run_id=another, tags=other))
        assert _tags(first)["validation.verdict"] == "refuse" and _tags(first)["validation.more"] == "x"
        settling.settle(first)
        assert {k: _tags(first)[k] for k in tagged["tags"]} == tagged["tags"] and "validation.more" not in _tags(first)
        store.client().set_model_version_tag(tagged["name"], tagged["version"], "validation.verdict", "forged")
        assert not standing.says(tagged)
        settling.settle(first)
        assert _tags(first)["validation.verdict"] == tagged["tags"]["validation.verdict"]
        development = next(r for r in current.everything() if r.step == "models/development")
        store.client().delete_registered_model_alias(tagged["name"], standing.ALIAS)
        settling.settle(development)
    assert store.client().get_model_version_by_alias(tagged["name"], standing.ALIAS).version == int(tagged["version"])


def test_a_model_whose_file_was_changed_or_version_deleted_does_not_count(home):
    record = next(r for r in current.everything() if r.step == "models/development")
    assert settling.stands(record)
    entry = record.models["model__pd"]
    file = home / "mlruns" / entry["folder"] / "artifacts" / "model.json"
    content = file.read_bytes()
    file.write_bytes(content + b" ")
    assert not settling.stands(record)
    file.write_bytes(content)
    assert settling.stands(record)
    assert not settling.stands(dataclasses.replace(record, models={"model__pd": {**entry, "version": "999"}}))


def test_figures_by_period_are_metrics_whose_step_is_the_month(home):
    record = next(r for r in current.everything() if r.step == "monitoring/through_time")
    history = store.client().get_metric_history(record.run_id, "expected")
    assert [m.step for m in history] == [runs.month_number(f"2005-0{m}") for m in (6, 7, 8)]
    table = runs.fetch(record.run_id, "series.json").read_text()
    assert '"2005-06"' in table and '"columns": ["figure", "period", "value"]' in table
