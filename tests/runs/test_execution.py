"""Running studies: unchanged steps, failures that stay where they are, crashes put right, personal data refused."""

import json
import re
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import nbformat
import psutil
import pytest

from running import COPY, copied, process, runner, sketched, workbench
from short import NOTEBOOKS, shortened
from workbench.runs import outcome
from workbench.runs.notebook import StepFailed

SMALL = """
title: Small
defaults: {sample_rows: 1500}
steps:
  portfolios/intake: {portfolio: taiwan_cards}
  panel/build:
"""


@pytest.fixture
def own_home(tmp_path, empty_store) -> Path:
    shortened(tmp_path / "notebooks")
    (tmp_path / "mlruns").mkdir()
    shutil.copy(empty_store, tmp_path / "mlruns")
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "small.yaml").write_text(SMALL)
    return tmp_path


def _append(home: Path, step: str, source: str) -> None:
    """Put a cell before the notebook's last one."""
    path = home / "notebooks" / f"{step}.ipynb"
    notebook = nbformat.read(path, 4)
    notebook.cells.insert(-1, nbformat.v4.new_code_cell(source))
    nbformat.write(notebook, path)


def _statuses(home: Path) -> dict[str, str]:
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{home}/mlruns/mlflow.db")
    ids = [e.experiment_id for e in client.search_experiments()]
    return {r.info.run_name: r.info.status for r in client.search_runs(ids, order_by=["attributes.start_time ASC"])}


def test_unchanged_steps_are_taken_from_their_last_good_run(sample_home):
    began = time.monotonic()
    again = process(sample_home, "run", "params/sample.yaml")
    assert again.returncode == 0, again.stderr
    steps = len([line for line in again.stdout.splitlines() if line.startswith("= sample ")])
    assert f"{steps} unchanged; pages: reports/index.html" in again.stdout and steps >= 3
    assert time.monotonic() - began < 20


@pytest.mark.whole
def test_same_seed_same_model_to_the_last_byte(sample_home, tmp_path):
    home = copied(sample_home / COPY, tmp_path / "home")  # the sample's page stays as it was drawn
    pin = home / "mlruns" / "tables" / "sample" / "once" / "model__behaviour.json"
    before = json.loads(pin.read_text())
    step = ("--step", "models/development@behaviour", "--jobs", "1")
    cold = ("--fresh", "--cold")  # a kernel that no warm parent was before
    again = workbench(home, "run", "params/sample.yaml", *cold, *step, **sketched())
    assert again.returncode == 0, again.stdout + again.stderr
    assert json.loads(pin.read_text()) == before  # the same bytes are the same version, with its validation


def test_validation_stands_on_the_version_in_use(sample_home):
    from workbench.registry import standing, store

    for model in ("pd", "behaviour"):
        version = store.client().get_model_version_by_alias(f"sample.{model}", standing.ALIAS)
        assert version.tags["validation.verdict"] in ("pass", "refer", "refuse")


def test_a_failed_cell_is_named_and_stops_only_what_stands_on_it(own_home):
    _append(own_home, "portfolios/intake", "1 / 0")
    done = workbench(own_home, "run", "params/small.yaml")
    assert done.returncode == 1
    assert (
        "ZeroDivisionError: division by zero; the partial notebook is reports/small/once/portfolios/intake.failed.ipynb"
        in done.stdout
    )
    assert "needs portfolios/intake, which failed" in done.stdout
    assert (own_home / "reports/small/once/portfolios/intake.failed.ipynb").exists()
    assert not (own_home / "reports/small/once/portfolios/intake.html").exists()
    assert _statuses(own_home) == {"small": "FAILED", "portfolios/intake": "FAILED"}


def test_personal_data_in_an_output_is_refused_and_nothing_is_kept(own_home):
    _append(own_home, "portfolios/intake", "'call ' + '138' + '0013' + '8000'")
    done = workbench(own_home, "run", "params/small.yaml", "--step", "portfolios/intake")
    assert done.returncode == 2
    assert "shows personal data (phone number" in done.stdout and "13800138000" not in done.stdout
    assert not list((own_home / "reports").rglob("*.ipynb"))
    holding = [p for p in (own_home / "mlruns").rglob("*") if p.is_file() and b"13800138000" in p.read_bytes()]
    assert holding == []


def test_personal_data_in_an_error_are_masked_wherever_it_stands(own_home):
    _append(own_home, "portfolios/intake", "raise ValueError('of ' + '138' + '0013' + '8000')")
    done = workbench(own_home, "run", "params/small.yaml", "--step", "portfolios/intake")
    assert done.returncode == 1 and "ValueError: of 13*******00" in done.stdout
    assert "13800138000" not in done.stdout + done.stderr
    holding = [p for p in own_home.rglob("*") if p.is_file() and b"13800138000" in p.read_bytes()]
    assert holding == []


@pytest.mark.whole
def test_a_killed_runner_leaves_nothing_running_for_ever(own_home):
    begun = own_home / "begun"
    cell = (
        f"import os, time; from pathlib import Path; Path({str(begun)!r}).write_text(str(os.getpid())); time.sleep(600)"
    )
    _append(own_home, "portfolios/intake", cell)
    killed = runner(own_home, "run", "params/small.yaml")
    while killed.poll() is None and not (begun.exists() and begun.read_text()):
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL and set(_statuses(own_home).values()) == {"RUNNING"}
    with suppress(psutil.NoSuchProcess):  # its kernel ends with it
        psutil.Process(int(begun.read_text())).wait(20)
    shutil.rmtree(own_home / "notebooks")
    shortened(own_home / "notebooks")
    again = workbench(own_home, "run", "params/small.yaml", "--step", "portfolios/intake")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "portfolios/intake: left behind by a runner that is gone, marked KILLED" in again.stdout
    assert "RUNNING" not in _statuses(own_home).values()


def test_a_notebook_without_end_marker_has_failed(own_home):
    path = own_home / "notebooks/portfolios/intake.ipynb"
    notebook = nbformat.read(path, 4)
    notebook.cells = notebook.cells[:-1]
    nbformat.write(notebook, path)
    done = workbench(own_home, "run", "params/small.yaml", "--step", "portfolios/intake")
    assert done.returncode == 1 and "the notebook ended without evidence.leave(...)" in done.stdout


def _own_study(home: Path, content: bytes) -> subprocess.CompletedProcess:
    (home / "loans.csv").write_bytes(content)
    columns = "  - {name: id, type: text, role: key}\n  - {name: amt, type: number, minimum: 0}\n  - {name: bad, type: category, role: outcome}\n"
    (home / "loans.yaml").write_text(f"name: loans\ntitle: t\nevent_value: '1'\ncolumns:\n{columns}")
    step = "portfolios/intake: {portfolio: own_files, files: {account: loans.csv}, contracts: {account: loans.yaml}, sample_rows: 0}"
    (home / "params" / "own.yaml").write_text(f"title: Own\nsteps:\n  {step}\n")
    return workbench(home, "run", "params/own.yaml")


def test_bad_input_is_one_line_and_exit_2_and_the_good_snapshot_stays(own_home):
    shutil.copy(NOTEBOOKS / "portfolios/intake.ipynb", own_home / "notebooks/portfolios/intake.ipynb")
    good = "id,amt,bad\n" + "".join(f"a{i},{i},{i % 2}\n" for i in range(300))
    first = _own_study(own_home, good.encode())
    assert first.returncode == 0, first.stdout + first.stderr
    pin = own_home / "mlruns/tables/own/once/core__account.json"
    page = own_home / "reports/own/once/portfolios/intake.html"
    before = pin.read_bytes(), page.read_bytes()
    for content, words in (
        (good.replace("a7,7", "a7,-7").encode(), "loans.amt: below 0 (1 row, e.g. '-7.0')"),
        ("id,amt,bad\n王,1,0\n".encode("gbk"), "loans.csv: not utf-8-sig; set `encoding: gb18030` in the contract"),
    ):
        bad = _own_study(own_home, content)
        assert bad.returncode == 2 and "Traceback" not in bad.stdout + bad.stderr
        assert re.search(rf" cell \d+: {re.escape(words)}", bad.stdout)
        assert (pin.read_bytes(), page.read_bytes()) == before


WRONG = {
    "run params/smal.yaml": "study 'params/smal.yaml' is not there; did you mean 'params/small.yaml'?",
    "steps params/smal.yaml": "study 'params/smal.yaml' is not there; did you mean 'params/small.yaml'?",
    "run params": "study 'params' is a folder; name a file in it",
    "run params/small.yaml --set panel/build.seed=[1": (
        "--set panel/build.seed=[1: not YAML: line 1: expected ',' or ']', but got '<stream end>'"
    ),
    "run params/small.yaml --jobs 0": (
        "argument --jobs: '0' is no whole number from 1 to 64; see `workbench run --help`"
    ),
    "run params/small.yaml --step panel/build --from panel/build": (
        "argument --from: not allowed with argument --step; see `workbench run --help`"
    ),
    "ui --port 99999": "argument --port: '99999' is no whole number from 1 to 65535; see `workbench ui --help`",
    "intake params": "params: is a folder; name the file in it",
    "intake params/small.yaml --out /proc/none/x.yaml": (
        "small.yaml: '.yaml' is not read here; give .csv, .tsv, .txt, .csv.gz, .tsv.gz, .parquet or .pq"
    ),
}


@pytest.mark.parametrize("words", WRONG)
def test_what_a_user_gets_wrong_is_one_line_and_exit_2(own_home, words):
    done = workbench(own_home, *words.split())
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.endswith(WRONG[words] + "\n") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("writes", [("?model__pd_challenger",), ("?mart__more",), ()])
def test_what_a_step_may_write_it_need_not(writes):
    step = SimpleNamespace(writes=writes)
    outcome._as_declared(step, set())
    outcome._as_declared(step, {w.lstrip("?").replace("pd_challenger", "") for w in writes})
    with pytest.raises(StepFailed, match=r"the notebook wrote mart__other, which"):
        outcome._as_declared(step, {"mart__other"})
    with pytest.raises(StepFailed, match=r"did not write model/model.json \(model__pd\), which"):
        outcome._as_declared(SimpleNamespace(writes=("model__pd", *writes)), set())
