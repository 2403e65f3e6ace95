"""A version made again from its raw files: intake and panel, in the home that made it and under another home's key."""

import json
import os
import shutil
import subprocess
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import running
from running import workbench
from short import shortened
from workbench import tables
from workbench.params import Key
from workbench.registry import registered, runs
from workbench.runs import again, reproduction, upstream

STUDY = """
title: Small
steps:
  portfolios/intake:
    {portfolio: own_files, files: {account: data/loans.csv}, contracts: {account: params/loans.contract.yaml},
     sample_rows: 0, today: "2030-01-01"}
  panel/build:
  models/development: {folds: 2}
"""
CONTRACT = """
name: loans
title: Loans
entity: loan
event_value: "1"
columns:
  - {name: loan_id, type: text, role: key, personal: identifier}
  - {name: customer_id, type: text, role: parent, personal: identifier}
  - {name: income_amt, type: number, monotone: -1}
  - {name: limit_amt, type: number, monotone: 1}
  - {name: bad, type: category, role: outcome, known: after, values: {"0": "0", "1": "1"}}
"""
KEY = Key("small")
IDENTIFIERS = ["entity_id", "parent_id"]


def _loans() -> pd.DataFrame:
    rng, n = np.random.default_rng(5), 1500
    loans = {"loan_id": [f"L{i:05d}" for i in rng.permutation(n)]}
    loans |= {"customer_id": [f"C{i:04d}" for i in rng.integers(0, 900, n)]}
    loans |= {name: rng.uniform(1, 9, n).round(3) for name in ("income_amt", "limit_amt")}
    odds = np.exp(-1 - 0.4 * loans["income_amt"] + 0.5 * loans["limit_amt"] - 1)
    return pd.DataFrame({**loans, "bad": (rng.uniform(size=n) < odds / (1 + odds)).astype(int)})


def _home(folder: Path, empty_store: Path) -> Path:
    """Return a home under version control that ran the study; its raw file is in no commit."""
    shortened(folder / "notebooks")
    for name, text in {"small.yaml": STUDY, "loans.contract.yaml": CONTRACT}.items():
        (folder / "params" / name).parent.mkdir(exist_ok=True)
        (folder / "params" / name).write_text(text)
    for name in ("data", "mlruns"):
        (folder / name).mkdir()
    shutil.copy(empty_store, folder / "mlruns")
    _loans().to_csv(folder / "data" / "loans.csv", index=False)
    (folder / ".gitignore").write_text("mlruns/\nreports/\ndata/\n")
    who = ("-c", "user.name=d001", "-c", "user.email=d001@bank.example")
    for command in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "-m", "as it stands")):
        subprocess.run(["git", "-C", folder, *who, *command], check=True, capture_output=True)
    done = workbench(folder, "run", "params/small.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def bank(tmp_path_factory, empty_store) -> Path:
    return _home(tmp_path_factory.mktemp("upstream") / "home", empty_store)


@pytest.fixture(autouse=True)
def here(bank, monkeypatch):
    """In the bank's folder, with kernels that are warm already."""
    monkeypatch.setenv("WORKBENCH_HOME", str(bank))
    monkeypatch.delenv("WORKBENCH_DATA", raising=False)
    monkeypatch.setattr(again, "kernel", lambda python, work: nullcontext(running._kernel()))


def _lines(result: reproduction.Reproduction) -> list[str]:
    return result.lines()[:-1]


def test_under_another_key_the_same_rows_are_there_under_other_names(bank):
    key = bank / "mlruns" / "pseudonym.key"
    before = key.read_bytes()
    key.chmod(0o600)
    key.write_bytes(os.urandom(32))
    try:
        result = reproduction.of("small.pd", "1")
    finally:
        key.write_bytes(before)
    assert _lines(result) == [
        "small.pd version 1: identical",
        "portfolios/intake: core__account identical but for pseudonyms, which another key has made",
        "panel/build: mart__panel identical",
    ]
    assert json.loads(json.dumps(result.to_json()))["behind"][0]["tables"] == {"core__account": upstream.ALIKE}


@pytest.mark.whole
def test_another_home_holds_out_the_same_rows_and_comes_to_the_same_figures(bank, tmp_path, monkeypatch, empty_store):
    def learnt() -> tuple[dict, pd.DataFrame, set]:
        record = registered.one("small.pd", "1").record
        scores = tables.read(KEY, "mart__scores_pd")
        return dict(record.figures), scores.drop(columns=IDENTIFIERS), set(scores["entity_id"])

    figures, scores, names = learnt()
    other = _home(tmp_path / "other", empty_store)
    monkeypatch.setenv("WORKBENCH_HOME", str(other))
    their_figures, their_scores, their_names = learnt()
    assert figures == their_figures and names.isdisjoint(their_names)
    pd.testing.assert_frame_equal(scores, their_scores)
    assert (scores["sample"] == "holdout").sum() > 300


def test_a_raw_file_that_is_gone_leaves_out_its_intake_alone(bank):
    file = bank / "data" / "loans.csv"
    aside = shutil.move(file, bank / "aside.csv")
    try:
        done = workbench(bank, "reproduce", "small.pd/1")
    finally:
        shutil.move(aside, file)
    assert done.returncode == 0, done.stdout + done.stderr
    words = "file 'data/loans.csv' is not there (looked from the workbench's folder; or set WORKBENCH_DATA)"
    assert done.stdout.splitlines()[-4:-1] == [
        "small.pd version 1: identical",
        f"portfolios/intake: not made again: {words}",
        "panel/build: mart__panel identical",
    ]


def test_a_raw_file_that_is_another_one_is_where_it_arises(bank):
    file = bank / "data" / "loans.csv"
    whole = file.read_bytes()
    digest = runs.params(_record("portfolios/intake").run_id)["input.file.1"]
    file.write_bytes(whole + b"L99999,C0001,1,1,0\n")
    try:
        done = workbench(bank, "reproduce", "small.pd/1")
    finally:
        file.write_bytes(whole)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[-4] == "small.pd version 1: different; it arises in the source"
    assert lines[-3].startswith(f"first difference: raw file loans.csv: {digest[:16]} then, ")
    assert lines[-2] == "portfolios/intake: different"


def test_tables_that_are_gone_are_stood_for_by_what_the_raw_files_give(bank, tmp_path):
    at_rest = bank / "mlruns" / "tables" / "small" / "once"
    for name in ("core__account", "mart__panel"):
        shutil.move(at_rest / name, tmp_path / name)
    try:
        result, without = (reproduction.of("small.pd", "1", from_source=source) for source in (True, False))
    finally:
        for name in ("core__account", "mart__panel"):
            shutil.move(tmp_path / name, at_rest / name)
    assert _lines(result) == [
        "small.pd version 1: identical",
        f"portfolios/intake: core__account {upstream.RESTORED}",
        f"panel/build: mart__panel {upstream.RESTORED}",
    ]
    assert result.compared["figures"] > 0
    assert without.lines()[0] == "small.pd version 1: different; it arises in the data"


def _record(step: str):
    return next(r for r in reproduction.originals.behind(_original()) if r.step == step)


def _original():
    return reproduction.originals.of(registered.one("small.pd", "1"))


def test_parameters_that_are_not_those_of_the_run_are_where_it_arises(monkeypatch):
    run_id, params = _record("panel/build").run_id, runs.params
    monkeypatch.setattr(runs, "params", lambda r: params(r) | ({"params_digest": "0" * 64} if r == run_id else {}))
    result = reproduction.of("small.pd", "1")
    assert result.lines()[0] == "small.pd version 1: different; it arises in the parameters"
    assert str(result.differences[0]).startswith("parameters panel/build: 0000000000000000 then, ")


def test_a_panel_that_other_rows_come_out_of_is_where_it_arises(monkeypatch):
    run, calls = again.run, []

    def other(o, bench, name, raw=None):
        folder = run(o, bench, name, raw)
        if o.record.step == "panel/build":
            calls.append(name)
            file = folder / tables.STAGED / "mart__panel.parquet"
            table = pd.read_parquet(file)
            table.assign(income_amt=table["income_amt"] + 1).to_parquet(file)
        return folder

    monkeypatch.setattr(again, "run", other)
    result = reproduction.of("small.pd", "1")
    words = "small.pd version 1: different; it arises in the record of panel/build, which holds too little"
    assert result.lines()[0] == words and calls == ["first", "second"]
    assert [str(m) for m in result.behind] == [
        "portfolios/intake: core__account identical",
        "panel/build: mart__panel different",
    ]
