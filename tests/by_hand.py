"""nbval's notebooks: each run by hand with other parameters than its own, in a copy of the sample's home that none may move."""

from __future__ import annotations

import ast
import fcntl
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from running import COPY, copied, ensure_sample, undrawn
from workbench.registry import store

WRITES = "portfolios/intake"  # a step whose tables must lie in scratch
OF_STEP = {  # the faster of the sample's models; the first months to watch, or of a bank's own; a part of a panel
    "validation/battery": {"panel": "mart__behaviour", "model": "behaviour"},
    "monitoring/through_time": {"until": "2005-06"},
    "portfolios/store": {"until": "2018-03"},
    "actions/events": {"max_rows": 5000},
    "actions/early_warning": {"until": "2018-09"},
}
OTHER = {
    "seed": 99,
    "sample_rows": 1000,
    "max_development_rows": 1000,
    "monitoring_from": "",
    "until": "2005-07",
    "folds": 2,
}
_open: list[Desk] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each `parameters` cell end with other values of the parameters that it has, as somebody would type them."""
    for item in filter(_is_cell, items):
        if "parameters" in item.cell.metadata.get("tags", ()):
            names = {node.target.id for node in ast.parse(item.cell.source).body}
            values = {n: v for n, v in (OTHER | OF_STEP.get(_step(item), {})).items() if n in names}
            item.cell.source = "\n".join([item.cell.source, *(f"{n} = {v!r}" for n, v in values.items())])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before a worker's first notebook: the sample studies are there, and a copy of their home to work in."""
    if _is_cell(item) and not _open:
        _open.append(Desk(ensure_sample()))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """After a notebook's last cell: it is closed, and has moved nothing; after the last in a row, leave the copy."""
    if not _is_cell(item) or (nextitem and nextitem.path == item.path):
        return (yield)
    item.parent.kernel.km.shutdown_kernel()  # as a person closes it; nbval would kill it
    result = yield
    desk = _open[0]
    if not _is_cell(nextitem):
        _open.pop().close()
    desk.check(_step(item))
    return result


def _is_cell(item: pytest.Item | None) -> bool:
    return type(item).__name__ == "IPyNbCell"


def _step(item: pytest.Item) -> str:
    return f"{item.path.parent.name}/{item.path.stem}"


class Desk:
    """One worker's place for notebooks: the copied home, kernels that draw nothing, a folder for what is laid aside."""

    def __init__(self, sample_home: Path):
        self._stack = ExitStack()
        here = self._stack.enter_context(pytest.MonkeyPatch.context())
        self.home, self._before = sample_home / "by_hand", sample_home / "by_hand.json"
        here.setenv("WORKBENCH_HOME", str(self.home))
        with self._before.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self._before.exists():
                copied(sample_home / COPY, self.home)
                store.client()  # takes the copied store into its new place
                self._before.write_text(json.dumps(self._state()))
        self.aside = self.home / "aside" / str(os.getpid())
        self.aside.mkdir(parents=True, exist_ok=True)
        here.setenv("TMPDIR", str(self.aside))
        self._stack.enter_context(undrawn())

    def close(self) -> None:
        """Let what runs next have its home, its kernels and its temporary folder again."""
        self._stack.close()

    def check(self, step: str) -> None:
        """Hold all tables, pages, tags and aliases to what they were before the first notebook.

        Raises:
            AssertionError: something moved, what the notebook laid aside is still there, or scratch has no table.
        """
        before, after = json.loads(self._before.read_text()), self._state()
        for kind in before:
            names = before[kind] | after[kind]
            moved = sorted(n for n in names if before[kind].get(n) != after[kind].get(n))
            assert not moved, f"{step} run by hand, or a notebook beside it, moved {kind}: {moved}"
        assert not list(self.aside.iterdir()), f"{step} run by hand leaves what it laid aside"
        scratch = self.home / "mlruns" / "scratch"
        assert step != WRITES or any(n.endswith(".parquet") for *_, names in os.walk(scratch) for n in names), (
            f"{step} run by hand writes no table to scratch"
        )

    def _state(self) -> dict[str, dict[str, str]]:
        return {"files": _files(self.home), "registry": _registry(self.home)}


def _registry(home: Path) -> dict[str, str]:
    tables = ("registered_model_aliases", "model_version_tags", "model_versions", "runs", "tags", "latest_metrics")
    with sqlite3.connect(home / "mlruns" / "mlflow.db") as database:
        return {t: str(sorted(map(repr, database.execute(f"SELECT * FROM {t}")))) for t in tables}


def _files(home: Path) -> dict[str, str]:
    moved = [p for folder in ("mlruns", "reports") for p in _walked(home / folder)]
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in moved if "mlflow.db" not in p.name}


def _walked(folder: Path) -> Iterator[Path]:
    """Yield a folder's files, but not what notebooks beside this one lay aside: it comes and goes meanwhile."""
    for place, folders, names in os.walk(folder):
        folders[:] = [f for f in folders if f not in ("scratch", "work")]
        yield from (Path(place, n) for n in names)
