"""A version made again from its record: identical where nothing changed, and each planted change named where it arises."""

import json
import shutil
import sqlite3
import subprocess
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

import running
from running import workbench
from short import shortened
from workbench.registry import provenance, registered, runs, store
from workbench.runs import again, reproduction

COLD = again.kernel
STUDY = """
title: Small
defaults: {sample_rows: 600}
steps:
  portfolios/intake: {portfolio: taiwan_cards}
  panel/build:
  models/development: {seed: SEED}
"""
CELLS = (  # a development of seconds: a scorecard of two inputs; what a seed says is what goes wrong with it
    """
import os
from pathlib import Path
from tempfile import mkdtemp
import numpy as np
from workbench import evidence, tables
from workbench.models import comparison, development
from workbench.models.scorecard import Scorecard
from workbench.models.scorer import Calibration, Scorer
from workbench.panel.bins import Bins, quantile_bins
p = development.Params.of(globals())
table, contract = tables.read(p.key, p.panel), tables.contract(p.key, p.panel)
learn = development.sample(table, contract, "development", 0, p.seed)
""",
    """
names = [n for n in learn.X.columns if learn.X[n].dtype.kind == "f"][:2]
card = Scorecard(dict.fromkeys(names, 0)).fit(learn.X[names], learn.y)
slope = {3: 1 + np.random.default_rng().uniform(), 4: float(os.environ.get("SLOPE", "1"))}.get(p.seed, 1.0)
slope += 1e-13 * (p.seed == 5) * float(os.environ.get("SLOPE", "1"))
bins = {n: quantile_bins(learn.X[n]) for n in names}
reference = {n: (b, tuple(b.counts(learn.X[n], learn.weight))) for n, b in bins.items()}
features = {n: contract[n].model_dump(include={"description", "monotone", "type"}) for n in names}
facts = comparison.facts(p, table, learn)
model = Scorer("scorecard", card, Calibration(slope, 0.0), Bins("predicted", (0.1, 0.3)), features, reference, facts)
tables.write(p.key, f"mart__scores_{p.model}", development.scores(table, model))
answer = development.learnt_rows(table, learn)
evidence.leave([answer], figures={"slope": slope}, files={"model/model.json": model.save(Path(mkdtemp()))})
""",
)


def _git(home: Path, *command: str) -> str:
    who = ("-c", "user.name=d001", "-c", "user.email=d001@bank.example")
    return subprocess.run(["git", "-C", home, *who, *command], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def bank(tmp_path_factory, empty_store):
    """A folder under version control: version 1 is sound; 2 draws by chance; 3 and 4 hang on a variable."""
    home = tmp_path_factory.mktemp("reproduce") / "home"
    shortened(home / "notebooks")
    path = home / "notebooks" / "models" / "development.ipynb"
    notebook = nbformat.read(path, 4)
    notebook.cells = [notebook.cells[1], *map(nbformat.v4.new_code_cell, CELLS)]
    nbformat.write(notebook, path)
    for name in ("params", "mlruns"):
        (home / name).mkdir()
    shutil.copy(empty_store, home / "mlruns")
    (home / ".gitignore").write_text("mlruns/\nreports/\n")
    _git(home, "init", "--quiet")
    for seed in (42, 3, 4, 5):
        tolerance = ", tolerance: close" if seed == 5 else ""
        (home / "params" / "small.yaml").write_text(STUDY.replace("SEED", f"{seed}{tolerance}"))
        _git(home, "add", ".")
        _git(home, "commit", "--quiet", "-m", f"seed {seed}")
        done = workbench(home, "run", "params/small.yaml")
        assert done.returncode == 0, done.stdout + done.stderr
    return home


@pytest.fixture(autouse=True)
def here(bank, monkeypatch):
    """In the bank's folder, with kernels that are warm already."""
    monkeypatch.setenv("WORKBENCH_HOME", str(bank))
    monkeypatch.setattr(again, "kernel", lambda python, work: nullcontext(running._kernel()))


def _record(version: str):
    return registered.one("small.pd", version).record


def test_a_version_is_made_again_to_the_last_byte(bank):
    before = sorted(str(p) for p in bank.rglob("*") if p.is_file())
    done = workbench(bank, "reproduce", "models:/small.pd/1")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[-4:-1] == [
        "small.pd version 1: identical",
        "portfolios/intake: core__account identical, core__month identical",
        "panel/build: mart__panel identical",
    ]
    head = _git(bank, "rev-list", "--reverse", "HEAD").split()[0]
    assert (
        lines[-1].startswith("compared: models 1, tables 1, predictions 600, ") and f"commit {head[:12]}" in lines[-1]
    )
    assert sorted(str(p) for p in bank.rglob("*") if p.is_file()) == before
    assert _git(bank, "status", "--porcelain") == ""


def test_it_is_made_again_in_a_new_kernel(monkeypatch):
    monkeypatch.setattr(again, "kernel", COLD)
    assert reproduction.of("small.pd", "1", from_source=False).verdict == "identical"


def test_a_version_that_is_not_there_is_said_and_nothing_begins(bank):
    done = workbench(bank, "reproduce", "small.pd/7")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "workbench: small.pd version 7 is not in the registry; there are 1, 2, 3, 4\n"


def test_what_a_record_lacks_is_said(bank, monkeypatch):
    monkeypatch.setattr(runs, "params", lambda run_id: {"commit": "0" * 40 + ", changed: 2 files"})
    done = workbench(bank, "reproduce", "small.pd/1", "--from-panel")
    assert done.returncode == 2
    assert done.stderr == (
        "workbench: small.pd version 1 can't be made again: its record lacks a commit that holds its code (it has: "
        f"{'0' * 40}, changed: 2 files; commit, and run it again)\n"
    )


def test_a_commit_that_is_not_in_the_folder_is_said(bank, monkeypatch):
    monkeypatch.setattr(runs, "params", lambda run_id: {"commit": "0" * 40})
    done = workbench(bank, "reproduce", "small.pd/1", "--from-panel")
    assert (done.returncode, done.stderr) == (
        2,
        "workbench: commit 000000000000 is not in the workbench's folder; fetch it (`git fetch`)\n",
    )


def test_an_edited_metric_is_a_record_that_was_changed(bank):
    run_id = _record("1").run_id
    store.client().log_metric(run_id, "slope", 2.0)
    try:
        result = reproduction.of("small.pd", "1", from_source=False)
    finally:
        with sqlite3.connect(bank / "mlruns" / "mlflow.db") as database:
            for table in ("metrics", "latest_metrics"):
                database.execute(f"DELETE FROM {table} WHERE run_uuid = ? AND key = 'slope'", (run_id,))
            for table in ("metrics", "latest_metrics"):
                columns = "key, value, timestamp, run_uuid, step, is_nan"
                values = ("slope", 1.0, 1, run_id, 0, 0)
                database.execute(f"INSERT INTO {table} ({columns}) VALUES (?, ?, ?, ?, ?, ?)", values)
    assert (result.verdict, result.arises) == ("different", "record")
    assert str(result.differences[0]) == "record: as it was left then, metric slope of its run was changed now"


def test_a_panel_that_was_changed_is_named(bank):
    record = _record("1")
    digest = runs.params(record.run_id)["input.mart__panel"]
    file = bank / "mlruns/tables/small/once/mart__panel" / f"{digest[:16]}.parquet"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    try:
        done = workbench(bank, "reproduce", "small.pd/1", "--from-panel")
    finally:
        file.write_bytes(whole)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-3:-1] == [
        "small.pd version 1: different; it arises in the data",
        f"first difference: data mart__panel: {digest[:16]} then, its file was changed or lost now",
    ]


def test_code_that_no_commit_holds_is_named(bank):
    path = bank / "notebooks" / "models" / "development.ipynb"
    before = path.read_text()
    _git(bank, "update-index", "--assume-unchanged", "notebooks/models/development.ipynb")
    path.write_text(before.replace("(0.1, 0.3)", "(0.1, 0.4)"))
    done = workbench(bank, "run", "params/small.yaml", "--set", "models/development.seed=6")
    path.write_text(before)
    _git(bank, "update-index", "--no-assume-unchanged", "notebooks/models/development.ipynb")
    assert done.returncode == 0, done.stdout
    latest = str(max(int(r.version) for r in registered.everything("small.pd")))
    result = reproduction.of("small.pd", latest, from_source=False)
    assert (result.verdict, result.arises) == ("different", "code")
    assert result.differences[0].place == "notebook_digest"


def test_chance_is_told_and_which_packages_are_others():
    by_chance = reproduction.of("small.pd", "2", from_source=False)
    assert (by_chance.verdict, by_chance.arises) == ("different", "randomness")
    assert str(by_chance.differences[0]).startswith("model pd calibration.slope: 1.")
    assert json.loads(json.dumps(by_chance.to_json()))["differences"][0] == vars(by_chance.differences[0])
    others = replace(by_chance, environment=("-a==1", "+a==2", "-b==1", "+b==2"))
    words = "other packages than the run's (--locked installs those): -a==1, +a==2, -b==1 and 1 more"
    assert words in others.lines()


def test_the_same_model_again_is_the_same_version(bank):
    study, before = bank / "params" / "small.yaml", len(registered.everything("small.pd"))
    now = study.read_text()
    study.write_text(STUDY.replace("SEED", "42"))
    try:
        done = workbench(bank, "run", "params/small.yaml", "--fresh", "--step", "models/development")
    finally:
        study.write_text(now)
    assert done.returncode == 0 and "1 done" in done.stdout, done.stdout
    assert len(registered.everything("small.pd")) == before


@pytest.mark.whole
def test_chance_is_told_from_what_the_record_does_not_hold_and_from_other_packages(monkeypatch):
    monkeypatch.setenv("SLOPE", "1.5")
    unrecorded = reproduction.of("small.pd", "3", from_source=False)
    assert unrecorded.arises == "record, which holds too little"
    assert str(unrecorded.differences[0]) == "model pd calibration.slope: 1.0 then, 1.5 now"
    monkeypatch.setattr(provenance, "packages", lambda: "python 3.11.7\nscipy==0.1\n")
    packages = reproduction.of("small.pd", "3", from_source=False)
    assert packages.arises == "environment" and "+scipy==0.1" in packages.environment
    same = reproduction.of("small.pd", "1", from_source=False)
    assert same.verdict == "identical"
    assert any(line.startswith("other packages than the run's (--locked installs those): -") for line in same.lines())


def test_what_differs_within_the_class_stated_at_development_is_equal(monkeypatch):
    monkeypatch.setenv("SLOPE", "2")
    result = reproduction.of("small.pd", "4", from_source=False)
    assert (result.verdict, result.arises, result.is_same) == ("equal", "", True)
    assert 0 < result.figures["largest_relative_difference"] < 1e-12 and result.figures["rank_correlation"] == 1.0
    words = "small.pd version 4: equal within the class 'close' that was stated at development"
    assert result.lines()[0] == words
