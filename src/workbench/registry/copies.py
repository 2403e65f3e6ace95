"""Where copies of what a tracking server holds lie: a folder of this process, gone when it ends."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from threading import get_ident

PREFIX = "workbench-copies-"


def place(*parts: str) -> Path:
    """Return an empty folder for a copy; the next copy of the same, in the same thread, takes its place.

    Without one MLflow makes a folder in the system's temporary one at each download, and leaves it there for good.
    """
    folder = _of_process(os.getpid(), tempfile.gettempdir()).joinpath(str(get_ident()), *parts)
    shutil.rmtree(folder, ignore_errors=True)  # a file that the server has lost since must not stay in the copy
    folder.mkdir(parents=True)
    return folder


@cache
def _of_process(pid: int, where: str) -> Path:
    """Return the folder: a runner has a temporary one of its own, and what lies there is swept with it."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=where))
    atexit.register(_cleared, pid, folder)
    return folder


def _cleared(pid: int, folder: Path) -> None:
    if os.getpid() == pid:  # a forked child hasn't made it
        shutil.rmtree(folder, ignore_errors=True)
