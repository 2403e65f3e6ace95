"""Tests work in a home of their own; notebooks run on the sample study, in warm kernels."""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from _pytest.doctest import DoctestModule

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # as in a study's kernels
    os.environ.setdefault(_name, "1")  # before the libraries are imported: more threads than cores wait for each other

import workbench  # first: it keeps others from loading what no test needs: Spark's client, a second's grammars

from workbench.words import names

workbench.collect_seldom()

pytest_plugins = ["nbval.plugin", "by_hand"]
REPOSITORY = Path(__file__).parent
MEMORY = Path("/dev/shm")
MANY = 1000  # tests, of which some run notebooks for sure
_session = ExitStack()

LONGEST = (  # begun first, so that at the end no core waits for one; notebooks after what needs no sample study
    "tests/test_studies.py",
    "tests/runs/test_execution.py",
    "tests/test_outcomes.py",
    "tests/runs/test_reproduction.py",
    "tests/runs/test_schedule.py",
    "tests/runs/test_settling.py",
    "tests/runs/test_upstream.py",
    "tests/panel/test_leakage.py",
    "tests/portfolios/test_store.py",
    "tests/figures/",
    "notebooks/",
    "tests/reporting/test_browser.py",
    "tests/runs/",
    "tests/registry/",
    "tests/adversity/",
    "tests/validation/",
    "tests/portfolios/",
    "tests/actions/",
)
TOGETHER = ("tests/adversity/", "tests/validation/")  # what a folder's modules share is dear: one worker has them all

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.pop("MLFLOW_TRACKING_URI", None)
os.environ.pop("COLUMNS", None)  # xdist's workers hold one, and what commands log would be wrapped at it


@pytest.fixture(autouse=True)
def _no_names() -> Iterator[None]:
    """What one test learnt of columns' names is said in no other's sentences."""
    with names.knowing({}):
        yield


def pytest_configure(config: pytest.Config) -> None:
    """Make the home and open the warm kernels' parent before xdist's workers start, so that they share both."""
    if not hasattr(config, "workerinput"):
        _session.enter_context(_in_memory())
        home = Path(tempfile.mkdtemp(prefix="workbench-test-"))
        for name in ("params", "notebooks"):
            (home / name).symlink_to(REPOSITORY / name)
        os.environ["WORKBENCH_HOME"] = str(home)
        _session.callback(shutil.rmtree, home, ignore_errors=True)
        from running import warm_parent

        _session.enter_context(warm_parent())


@contextlib.contextmanager
def _in_memory() -> Iterator[None]:
    """Let temporary files live in memory where that is large enough: a good part of the suite's time goes to the disk."""
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < 4 * 2**30:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="workbench-tests-", dir=MEMORY, ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o711)  # PostgreSQL, which doesn't run as root, passes through
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        yield


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the warm kernels and their parent, remove the home; pytest's own collections of garbage pass over ours."""
    if running := sys.modules.get("running"):
        running.stop()
    _session.close()
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path) -> Iterator[None]:
    """Look for examples where there are some: to look means to import, and to go through all that a module holds."""
    collectors = yield
    if file_path.suffix != ".py" or b">>>" in file_path.read_bytes():
        return collectors
    return [c for c in collectors if not isinstance(c, DoctestModule)]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest modules come first; xdist gives whole modules to its workers in this order."""
    items.sort(key=lambda i: next((n for n, path in enumerate(LONGEST) if i.nodeid.startswith(path)), len(LONGEST)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Give whole modules to workers, and of some folders all modules to one."""
    from xdist.scheduler import LoadScopeScheduling

    class Scopes(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            folder = next((t for t in TOGETHER if nodeid.startswith(t)), "")
            return folder or super()._split_scope(nodeid)

    return Scopes(config, log)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let the garbage collector pass over what is imported by now, and the kernels' parent of many tests import already."""
    gc.collect()
    gc.freeze()
    if len(session.items) > MANY:
        from running import awake

        awake()


@pytest.fixture(scope="session")
def empty_store() -> Path:
    """A file that holds an empty MLflow store, made once per session; copied, it saves a home the seconds of its making."""
    from running import empty_store

    return empty_store()


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
    from running import ensure_sample

    return ensure_sample()
