"""What lies in `mlruns/` damaged, a disk that fills, a kernel that dies of memory: one line that says so."""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest

from workbench import rules, tables
from workbench.cli import main
from workbench.params import Key, UserError
from workbench.registry import current, store
from workbench.runs import closure, doctor, notebook

KEY = Key("loans")
GARBAGE = {
    "nothing": b"",
    "words": b"garbage",
    "no UTF-8": b"\xff\xfe\x00",
    "a list": b"[1, 2]",
    "a number": b"3",
    "nested": b"[" * 100_000,
    "half": b'{"study": "loans", "per',
    "other fields": b'{"a": 1}',
    "digits": b"9" * 10_000,
    "chance": np.random.default_rng(0).bytes(500),
}


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """An empty home of its own."""
    for name in ("params", "notebooks", "mlruns"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    return tmp_path


def _put(place: Path, content: bytes) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return place


def _line(use, *given: object) -> str:
    with pytest.raises(UserError) as e:
        use(*given)
    assert "\n" not in str(e.value)
    return str(e.value)


def test_garbage_in_what_runs_have_left_counts_as_nothing_or_is_named(home, measured):
    failures = []
    for what, content in GARBAGE.items():
        _put(home / "mlruns/current/loans/once/panel/build.json", content)
        _put(home / "mlruns/tables/loans/once/mart__panel.json", content)
        _put(home / "notebooks/panel/build.ipynb", content)
        _put(home / "params/rules/own.yaml", content or b"- a")
        try:
            assert current.everything() == [] and current.read(KEY, "panel/build") is None
            assert tables.pinned(KEY, "mart__panel") is None
            assert "mart__panel.json is damaged; `workbench run params/loans.yaml` mends it" in _line(
                tables.scan, KEY, "mart__panel"
            )
            assert "notebooks/panel/build.ipynb: is no notebook any more" in _line(
                closure.cells, home / "notebooks/panel/build.ipynb"
            )
            assert _line(rules.load).startswith("own.yaml: ")
        except Exception as e:  # noqa: BLE001 - a failure of this kind, the others go on
            failures.append((what, f"{type(e).__name__}: {e}"))
    measured("garbage in records, pointers, notebooks, rules", 4 * len(GARBAGE), failures)


def _store(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE runs (run_uuid TEXT, note TEXT)")
        database.executemany("INSERT INTO runs VALUES (?, ?)", [(f"{i:032d}", "x" * 500) for i in range(200)])
    database.close()


DAMAGES = {
    "no database": lambda content: b"garbage" * 1000,
    "cut": lambda content: content[:5000],
    "its first bytes changed": lambda content: b"\x00" * 16 + content[16:],
    "pages overwritten": lambda content: content[:4096] + b"\xff" * 8192 + content[12288:],
    "pages of chance": lambda content: content[:8192] + np.random.default_rng(0).bytes(len(content) - 8192),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_store_is_named_by_doctor_and_by_a_run(home, damage, capsys):
    path = home / "mlruns/mlflow.db"
    _store(path)
    store.sound()
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    damage_line = _line(store.sound)
    assert damage_line.startswith("mlruns/mlflow.db can't be read (") and damage_line.endswith(
        "; bring it back from a copy of mlruns/"
    )
    ok, line = doctor._store()
    assert not ok and line.startswith(f"MLflow store: {damage_line[:60]}")
    if damage in ("no database", "its first bytes changed"):
        store._client.cache_clear()
        assert main(["ui"]) == 2
        assert capsys.readouterr().err.startswith("workbench: mlruns/mlflow.db can't be read (file is not a database)")


@pytest.mark.parametrize(
    ("met", "free", "says"),
    [
        ("database or disk is full", 10**9, "can't be written (database or disk is full): the disk is full; make room and run again"),
        ("disk I/O error", 0, "can't be written (disk I/O error): the disk is full; make room and run again"),
        ("disk I/O error", 10**9, "can't be read (disk I/O error); bring it back from a copy of mlruns/"),
        ("unable to open database file", 10**9, "can't be opened (unable to open database file); look at its permissions and those of mlruns/"),
        ("attempt to write a readonly database", 10**9, "can't be opened (attempt to write a readonly database); look at its permissions and those of mlruns/"),
    ],
)  # fmt: skip
def test_the_advice_on_a_store_is_that_of_its_trouble(home, monkeypatch, met, free, says):
    monkeypatch.setattr(store.shutil, "disk_usage", lambda place: SimpleNamespace(free=free))
    assert str(store.damage(sqlite3.OperationalError(met))) == f"mlruns/mlflow.db {says}"


def test_a_full_disk_is_called_so_by_every_command(monkeypatch, capsys):
    def full(*_: object) -> None:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT), "mlruns/x")

    monkeypatch.setattr(doctor, "examine", full)
    assert main(["doctor"]) == 2
    assert capsys.readouterr().err == "workbench: the disk is full (mlruns/x); make room and run again\n"


def test_what_mlflow_says_of_a_damaged_store_is_one_line():
    error = RuntimeError("(sqlite3.DatabaseError) database disk image is malformed\n[SQL: SELECT 1]")

    def met() -> None:
        with store.named_if_damaged():
            raise error

    assert (
        _line(met)
        == "mlruns/mlflow.db can't be read (database disk image is malformed); bring it back from a copy of mlruns/"
    )
    assert store.damage(RuntimeError("another")) is None


FULL = """
import resource, signal, sys
from pathlib import Path
import mlflow
from workbench.params import UserError
from workbench.registry import store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))  # a file can't grow beyond it, as on a full disk
try:
    store.create(Path(sys.argv[1]) / "mlflow.db")
except UserError as e:
    print(e)
"""


@pytest.mark.whole
@pytest.mark.parametrize("size", [20_000, 100_000, 400_000])
def test_a_disk_that_fills_while_the_store_is_made_leaves_no_half_of_it(home, size):
    command = [sys.executable, "-c", FULL.format(size=size), str(home / "mlruns")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.startswith("mlruns/mlflow.db can't be made (") and "make room and run again" in done.stdout
    assert done.stdout.count("\n") == 1
    assert not (home / "mlruns/mlflow.db").exists() and list((home / "mlruns").glob(".store-*")) == []


def test_a_draft_for_which_there_is_no_room_leaves_no_half_of_it(tmp_path):
    columns = ",".join(f"column_{i}" for i in range(40))
    (tmp_path / "loans.csv").write_text(columns + "\n" + ",".join(map(str, range(40))) + "\n")
    limited = "import resource, signal, sys; from workbench.cli import main; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); sys.exit(main(['intake', 'loans.csv']))"
    command, env = [sys.executable, "-c", limited], {**os.environ, "WORKBENCH_HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (2, "") and done.stderr == "workbench: system: File too large\n"
    assert list((tmp_path / "params" / "contracts").iterdir()) == []


DEATHS = {
    "import os; os.kill(os.getpid(), 9)": (
        "kernel: it was killed, as the system does to who takes the last of the memory; run fewer",
        True,
    ),
    "b = bytearray(2**62)": ("cell 1: out of memory (MemoryError: ); run fewer", True),
    "import numpy; numpy.zeros(2**50)": ("cell 1: out of memory (MemoryError: Unable to allocate", True),
    "raise OSError(28, 'No space left on device')": (
        "cell 1: the disk is full (OSError: [Errno 28] No space left on device)",
        True,
    ),
    "import os; os._exit(3)": ("kernel: it ended by itself with code 3", False),
    "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)": ("kernel: it died of SIGSEGV", False),
}


@pytest.mark.whole
@pytest.mark.parametrize("cell", DEATHS)
def test_a_kernel_that_dies_of_memory_says_so(cell, tmp_path):
    meta = {"kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}}
    nbformat.write(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)], metadata=meta), tmp_path / "a.ipynb"
    )
    with pytest.raises(notebook.StepFailed) as e:
        notebook.run(tmp_path / "a.ipynb", tmp_path / "b.ipynb", {}, dict(os.environ), "python3", lambda at, of: None)
    says, by_user = DEATHS[cell]
    assert str(e.value).startswith(says) and e.value.by_user is by_user


def test_what_a_kernel_died_of_is_told_by_its_code():
    assert notebook.obituary(-signal.SIGKILL).startswith(
        "it was killed, as the system does to who takes the last of the memory"
    )
    assert notebook.obituary(-signal.SIGBUS) == "it died of SIGBUS" and notebook.obituary(None) == "it died"
