"""Tests work in a home of their own; notebooks run on the sample study, in warm kernels."""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # as in a study's kernels
    os.environ.setdefault(_name, "1")  # before the libraries are imported: more threads than cores wait for each other

import workbench  # first: it keeps MLflow from loading Spark's client in the tests

workbench.collect_seldom()

REPOSITORY = Path(__file__).parent
_session = ExitStack()
_open: dict[str, ExitStack] = {}

LONGEST = (  # modules that run whole studies, begun first: at the end no core waits for one of them
    "tests/test_studies.py",
    "tests/runs/test_execution.py",
    "tests/test_outcomes.py",
    "tests/runs/test_by_hand.py",
    "tests/test_extending.py",
    "tests/runs/test_reproduction.py",
    "tests/runs/test_schedule.py",
    "notebooks/",
    "tests/runs/",
    "tests/registry/",
    "tests/adversity/",
    "tests/reporting/test_pdf.py",
    "tests/portfolios/",
    "tests/actions/",
)

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.pop("MLFLOW_TRACKING_URI", None)
os.environ.pop("COLUMNS", None)  # xdist's workers hold one, and what commands log would be wrapped at it


def pytest_configure(config: pytest.Config) -> None:
    """Make the home and open the warm kernels' parent before xdist's workers start, so that they share both."""
    if not hasattr(config, "workerinput"):
        home = Path(tempfile.mkdtemp(prefix="workbench-test-"))
        for name in ("params", "notebooks"):
            (home / name).symlink_to(REPOSITORY / name)
        os.environ["WORKBENCH_HOME"] = str(home)
        _session.callback(shutil.rmtree, home, ignore_errors=True)
        from running import warm_parent

        _session.enter_context(warm_parent())


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the warm kernels and their parent, remove the home."""
    if running := sys.modules.get("running"):
        running.stop()
    _session.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest modules come first; xdist gives whole modules to its workers in this order."""
    items.sort(key=lambda i: next((n for n, path in enumerate(LONGEST) if i.nodeid.startswith(path)), len(LONGEST)))


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what is imported by now."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before a notebook's first cell: the sample study is there, and kernels that draw nothing."""
    if _is_cell(item) and "notebooks" not in _open:
        ensure_sample()
        from running import undrawn

        stack = _open["notebooks"] = _session.enter_context(ExitStack())
        stack.enter_context(undrawn())


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """After the last notebook in a row: no study gets kernels that draw nothing."""
    yield
    if _is_cell(item) and not _is_cell(nextitem):
        _open.pop("notebooks").close()


def _is_cell(item: pytest.Item | None) -> bool:
    return type(item).__name__ == "IPyNbCell"


def ensure_sample() -> Path:
    """Run the sample studies once per session, whichever worker comes first, and return the home."""
    import running

    home = Path(os.environ["WORKBENCH_HOME"])
    with (home / ".sample.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / ".sample.done").exists():
            (home / "mlruns").mkdir(exist_ok=True)
            shutil.copy(_empty_store(), home / "mlruns")
            done = running.workbench(home, "run", "params/sample.yaml", "params/sample_customers.yaml")
            assert done.returncode == 0, done.stdout + done.stderr
            (home / ".sample.done").write_text(done.stdout)
    return home


@pytest.fixture(scope="session")
def empty_store() -> Path:
    """A file that holds an empty MLflow store, made once per session; copied, it saves a home the seconds of its making."""
    return _empty_store()


def _empty_store() -> Path:
    from workbench.registry import store

    path = Path(os.environ["WORKBENCH_HOME"]) / "empty" / store.DATABASE
    store.create(path)  # of two workers at once one makes it
    return path


@pytest.fixture(scope="session")
def bank_files() -> Path:
    """The folder of other banks' files, which the repository doesn't hold: `WORKBENCH_DATA`, else beside it."""
    return Path(os.environ.get("WORKBENCH_DATA", REPOSITORY.parent / "shared" / "data" / "try"))


@pytest.fixture(scope="session")
def bank_file(bank_files: Path) -> Callable[[str], Path]:
    """Give one of these files by name; the test is skipped where it isn't."""

    def find(name: str) -> Path:
        if not (bank_files / name).exists():
            pytest.skip(f"{name} is not in {bank_files.name}/ (WORKBENCH_DATA)")
        return bank_files / name

    return find


@pytest.fixture(scope="session")
def sample_home() -> Path:
    """The home in which the sample study has run."""
    return ensure_sample()
