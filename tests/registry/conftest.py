"""A governed bank, made once: two versions, the first of them champion; put back after each test."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

import governed
from workbench.registry import moves

DATABASE = "mlruns/mlflow.db"


@pytest.fixture(scope="session")
def ruled(tmp_path_factory, empty_store) -> Path:
    """The bank's home: version 1 of bank.pd is champion with one condition, version 2 a candidate."""
    place = tmp_path_factory.mktemp("bank") / "home"
    (place / "mlruns").mkdir(parents=True)
    shutil.copy(empty_store, place / "mlruns")
    with pytest.MonkeyPatch.context() as here:
        here.setenv("WORKBENCH_HOME", str(place))
        here.setenv("XDG_CONFIG_HOME", str(place.parent / "config"))
        governed.keys()
        governed.write_policy(governed.policy())
        governed.registered(1)
        governed.registered(2)
        moves.adopt("app")
        for verb, person in (("submit", "dev"), ("validate", "val")):
            governed.move(verb, person)
        governed.move("approve", "app", conditions=("2027-06-30 dev: look at the segments monthly",))
        governed.move("promote", "own")
        shutil.copytree(place, place.parent / "pristine", ignore=shutil.ignore_patterns("mlflow.db*"))
        _copy(place / DATABASE, place.parent / "pristine" / DATABASE)
    return place


@pytest.fixture
def bank(ruled, monkeypatch) -> Iterator[Path]:
    """The bank's home, in which this test may do what it likes; put back as it was before the next.

    The store's content is put back into the same file: opening another would take MLflow longer than the test.
    """
    monkeypatch.setenv("WORKBENCH_HOME", str(ruled))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(ruled.parent / "config"))
    yield ruled
    pristine = ruled.parent / "pristine"
    for path in ruled.iterdir():
        if path.name != "mlruns":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in (ruled / "mlruns").iterdir():
        if path.is_dir():
            shutil.rmtree(path)
    shutil.copytree(pristine, ruled, dirs_exist_ok=True, ignore=shutil.ignore_patterns("mlflow.db*"))
    _copy(pristine / DATABASE, ruled / DATABASE)


def _copy(source: Path, target: Path) -> None:
    with sqlite3.connect(source) as before, sqlite3.connect(target) as now:
        before.backup(now)
    before.close()
    now.close()
