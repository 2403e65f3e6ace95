"""At a runner's start: what dead ones have left is ended, settled, or swept away."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench import home
from workbench.registry import current, heartbeat, runs
from workbench.runs import settling

DAY = 86_400


@contextmanager
def working() -> Iterator[Path]:
    """Yield the folder this runner works in. Where it stays behind, its owner was killed.

    What this process and the libraries in it lay aside goes there, too, and is swept with it.
    """
    with heartbeat.beating(runs.beat) as folder:
        before, tempfile.tempdir = tempfile.tempdir, str(folder / "aside")
        (folder / "aside").mkdir()
        try:
            yield folder
        finally:
            tempfile.tempdir = before
            shutil.rmtree(folder, ignore_errors=True)


def mend(studies: list[str]) -> list[str]:
    """Put right what dead runners have left and return a line for each run that was touched.

    Their runs are marked KILLED; a step that had ended, but whose end was not published, is published now. The
    caller holds the studies.
    """
    lines, dead = [], heartbeat.dead()
    if dead or runs.under_way():
        lines += [f"{name}: left behind by a runner that is gone, marked KILLED" for name in runs.reconcile()]
    for study in studies:
        lines += [_settled(r) for r in current.everything(current.SETTLING, study)]
    for folder in (*dead, *(p for p in _scratch() if home.is_alive(p.name) is False or _age(p) > DAY)):
        shutil.rmtree(folder, ignore_errors=True)
    _parts()
    _stores()
    _kernels()
    return [line for line in lines if line]


def _settled(record: current.Record) -> str:
    """Publish a step that had ended when its runner died; one that had not is forgotten."""
    if runs.status(record.run_id) == "FINISHED" and settling.stands(record):
        settling.settle(record)
        return f"{record.step}: had ended, but its runner died before publishing it; published now"
    current.drop(record.key, record.slug, current.SETTLING)
    return ""


def _scratch() -> list[Path]:
    return sorted(p for p in (home.mlruns() / "scratch").glob("*") if p.is_dir())


def _age(path: Path) -> float:
    """Return how many seconds old a file is; 0 where it has gone meanwhile."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _parts() -> None:
    """Sweep files that a dead process was writing."""
    for folder in (home.mlruns() / "tables", home.mlruns() / "current", home.reports()):
        for part in folder.rglob(f"{home.PART}*"):
            if not _runs(part.name.removeprefix(home.PART).partition("-")[0]):
                part.unlink(missing_ok=True)


def _stores() -> None:
    """Sweep stores that were never finished; who is making one holds the lock."""
    for folder in home.mlruns().glob(".store-*"):
        with home.locked("mlflow.db") as mine:
            if not mine:
                return
            shutil.rmtree(folder, ignore_errors=True)


def _kernels() -> None:
    """Sweep what the warm kernels' parents of dead runners have left in the system's temporary folder."""
    places = {p for folder in home.socket_places() for p in Path(folder).glob(f"{home.KERNELS}*")}
    for place in places:
        pid = place.name.removeprefix(home.KERNELS).partition("-")[0]
        with contextlib.suppress(FileNotFoundError):  # its runner has ended meanwhile, and taken it along
            if place.stat().st_uid == os.getuid() and not _runs(pid):
                shutil.rmtree(place, ignore_errors=True) if place.is_dir() else place.unlink()


def _runs(pid: str) -> bool:
    return pid.isdecimal() and Path(f"/proc/{pid}").exists() if os.path.isdir("/proc") else True
