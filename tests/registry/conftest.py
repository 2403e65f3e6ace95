"""A governed bank, made once: two versions, the first of them champion; each test has a copy of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import governed
import pytest

from workbench.registry import moves


@pytest.fixture(scope="session")
def ruled(tmp_path_factory) -> Path:
    """The bank's home: version 1 of bank.pd is champion with one condition, version 2 a candidate."""
    place = tmp_path_factory.mktemp("bank") / "home"
    place.mkdir()
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
        governed.move("approve", "app", conditions=("look at the segments monthly",))
        governed.move("promote", "own")
    return place


@pytest.fixture
def bank(ruled, tmp_path, monkeypatch) -> Path:
    """A copy of the bank's home, in which this test may do what it likes."""
    place = tmp_path / "home"
    shutil.copytree(ruled, place)
    monkeypatch.setenv("WORKBENCH_HOME", str(place))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(ruled.parent / "config"))
    return place
