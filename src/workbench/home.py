"""Where runs leave what they make: `mlruns/` (tables, MLflow store, keys) and `reports/`; files put there whole."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[2]  # the repository, where the package runs from it


def root() -> Path:
    """Return the workbench's folder: `WORKBENCH_HOME`, else the nearest upward with `params/`, the repository, here."""
    if given := os.environ.get("WORKBENCH_HOME"):
        return Path(given).resolve()
    here = Path.cwd().resolve()
    return next(
        (p for p in (here, *here.parents, _CHECKOUT) if (p / "params").is_dir() and (p / "notebooks").is_dir()), here
    )


def mlruns() -> Path:
    """Return `mlruns/`: the MLflow store, its artifacts and the tables of the studies."""
    return root() / "mlruns"


def reports() -> Path:
    """Return `reports/`: the pages people read."""
    return root() / "reports"


PART = ".part-"  # a file under way: the mark, its writer's process, its name
KERNELS = "workbench-fork-"  # in the system's temporary folder: the mark, the process whose warm kernels it serves


def put(path: Path, content: bytes | Path) -> None:
    """Let a file hold this content (bytes, or another file's); a reader sees the old or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{PART}{os.getpid()}-{path.name}")
    if isinstance(content, bytes):
        part.write_bytes(content)
    else:
        shutil.copyfile(content, part)
    part.replace(path)


def scratch() -> Path:
    """Return where a notebook run by hand lays its tables: a folder of this process, swept when it is gone."""
    return mlruns() / "scratch" / me()


def me() -> str:
    """Return who runs: host, process and its start, so that a dead owner is told from one that reuses its number."""
    import psutil

    process = psutil.Process()
    return f"{socket.gethostname()}:{process.pid}:{process.create_time():.0f}"


def is_alive(owner: str) -> bool:
    """Say whether the process that `me()` named lives; another machine's is not ours to judge, and counts as alive."""
    import psutil

    host, pid, started = owner.rsplit(":", 2)
    if host != socket.gethostname():
        return True
    try:
        return abs(psutil.Process(int(pid)).create_time() - float(started)) < 2
    except psutil.NoSuchProcess:
        return False
