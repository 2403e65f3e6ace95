"""A study is checked whole before a kernel starts: one line says what, where and what to do."""

import re
from pathlib import Path

import pytest

from workbench.params import UserError
from workbench.runs import study

GOOD = """
title: A study
defaults: {seed: 7}
steps:
  portfolios/intake: {portfolio: taiwan_cards}
  panel/build:
  models/development:
"""


@pytest.fixture
def load(tmp_path):
    def _load(text: str, *overrides: str) -> study.Study:
        path = tmp_path / "mine.yaml"
        path.write_text(text)
        return study.load(path, overrides)

    return _load


def _line(load, text: str, *overrides: str) -> str:
    with pytest.raises(UserError) as e:
        load(text, *overrides)
    assert "\n" not in str(e.value)
    return str(e.value)


def test_steps_come_in_the_order_of_what_they_read_and_write(load):
    backwards = GOOD.replace("  portfolios/intake: {portfolio: taiwan_cards}\n", "") + "  portfolios/intake:\n"
    found = load(backwards)
    assert [s.name for s in found.steps] == ["portfolios/intake", "panel/build", "models/development"]
    assert found.needs["models/development"] == {"panel/build"}


def test_defaults_and_overrides_reach_the_steps_that_know_them(load):
    steps = {s.name: s.params for s in load(GOOD, "models/development.choice=tree").steps}
    assert steps["models/development"].choice == "tree"
    assert {p.seed for p in steps.values()} == {7}
    assert {p.study for p in steps.values()} == {"mine"}


def test_one_step_and_all_that_stand_on_it(load):
    found = load(GOOD)
    assert [s.name for s in study.selected(found, start="panel/build")] == [
        "panel/build",
        "models/development",
    ]
    assert [s.name for s in study.selected(found, only="panel/build")] == ["panel/build"]


def test_unknown_step(load):
    said = _line(load, GOOD.replace("models/development", "models/developmnt"))
    assert said == "mine.yaml: unknown step 'models/developmnt'; did you mean 'models/development'?"


def test_unknown_parameter(load):
    said = _line(load, GOOD.replace("{portfolio: taiwan_cards}", "{portfolo: taiwan_cards}"))
    assert said == "mine.yaml: portfolios/intake: unknown parameter 'portfolo'; did you mean 'portfolio'?"


def test_wrong_type_and_range(load):
    said = _line(load, GOOD, "models/development.folds=many")
    assert said.startswith("mine.yaml: models/development: 'folds' = 'many': Input should be a valid integer")
    said = _line(load, GOOD, "models/development.folds=1")
    assert said == "mine.yaml: models/development: 'folds' = 1: Input should be greater than or equal to 2"


def test_unknown_default(load):
    assert _line(load, GOOD.replace("seed: 7", "sed: 7")) == (
        "mine.yaml: defaults: no step has a parameter 'sed'; did you mean 'seed'?"
    )


def test_a_table_nobody_writes(load):
    said = _line(load, "title: t\nsteps:\n  models/development:\n")
    assert re.match(r"mine.yaml: 'models/development' reads 'mart__panel', which no step writes", said)


def test_two_steps_that_write_the_same_table(load):
    assert "both write 'mart__panel'; rename one" in _line(load, GOOD + "  panel/build@again:\n")


def test_cycle(load, monkeypatch):
    from workbench.panel import build

    monkeypatch.setattr(build, "reads", lambda p: ["core__account", "mart__scores_pd"])
    assert "mine.yaml: steps wait for one another: " in _line(load, GOOD)


def test_missing_files(load):
    with pytest.raises(UserError, match=r"is not there; did you mean 'params/sample.yaml'"):
        study.load(Path("params/sampel.yaml"))
    own = "{portfolio: own_file, file: nowhere.csv, contract: nowhere.yaml}"
    said = _line(load, GOOD.replace("{portfolio: taiwan_cards}", own))
    assert said.startswith("portfolios/intake: file 'nowhere.csv' is not there")


def test_not_yaml_and_unknown_key(load):
    assert _line(load, "title: [").startswith("mine.yaml: not YAML: ")
    assert _line(load, GOOD + "stepz: {}\n").endswith("did you mean 'steps'?")


def test_set_that_names_nothing(load):
    assert _line(load, GOOD, "folds=3") == "--set folds=3: write step.param=value"
    assert _line(load, GOOD, "panel/bild.seed=3") == (
        "--set panel/bild.seed=3: mine.yaml has no step 'panel/bild'; did you mean 'panel/build'?"
    )
