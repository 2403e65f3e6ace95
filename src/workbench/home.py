"""Where runs leave what they make: `mlruns/` (tables, MLflow store, keys) and `reports/`; files put there whole."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
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


SOCKET_BYTES = 100  # longest path of a socket: 108 bytes on Linux, 104 elsewhere, the last one a zero
_SOCKET_NAME = 16  # of them for a socket's own name in its folder


def for_sockets() -> Path:
    """Return a new folder that only its owner may enter, with a path short enough for sockets; swept when he dies.

    It lies in the system's temporary folder, or in `/tmp` where that one's path is too long.
    """
    for place in socket_places():
        folder = Path(tempfile.mkdtemp(prefix=f"{KERNELS}{os.getpid()}-", dir=place))  # its mode is 0700
        if len(os.fsencode(folder)) <= SOCKET_BYTES - _SOCKET_NAME:
            return folder
        folder.rmdir()
    raise OSError(errno.ENAMETOOLONG, "too long a path for sockets; let TMPDIR name a shorter folder", str(folder))


def socket_places() -> tuple[str, str]:
    """Return where folders for sockets lie: the system's temporary folder, not one this process has set for itself."""
    return os.environ.get("TMPDIR") or "/tmp", "/tmp"


def put(path: Path, content: bytes | Path) -> None:
    """Let a file hold this content (bytes, or another file's); a reader sees the old or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{PART}{os.getpid()}-{path.name}")
    try:
        if isinstance(content, bytes):
            part.write_bytes(content)
        else:
            shutil.copyfile(content, part)
        part.replace(path)
    except OSError:  # a full disk
        part.unlink(missing_ok=True)
        raise


@contextmanager
def locked(name: str) -> Iterator[bool]:
    """Yield whether nobody else has `mlruns/.NAME.lock`; it is ours within the block, and goes with the process."""
    place = mlruns() / f".{name}.lock"
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def scratch() -> Path:
    """Return where a notebook run by hand lays its tables: a folder of this process, swept when it is gone."""
    return mlruns() / "scratch" / me()


def aside(prefix: str = "aside-") -> Path:
    """Return a new folder for files on their way, such as those a notebook makes and then leaves as evidence.

    In a step it lies in its runner's work folder, elsewhere in this process's own: either is swept when they die.
    """
    place = Path(tempfile.gettempdir()) if os.environ.get("WORKBENCH_STEP_DIR") else scratch()
    place.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=place, prefix=prefix))


def me() -> str:
    """Return who runs: machine, process and its start, so that a dead owner is told from one that reuses its number."""
    import psutil

    process = psutil.Process()
    return f"{machine()}:{process.pid}:{process.create_time():.0f}"


@cache
def machine() -> str:
    """Return where process numbers mean what they mean here: host, its start, container (a namespace of numbers)."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
        space = os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        return socket.gethostname()
    return f"{socket.gethostname()}-{boot}-{space}"


def is_alive(owner: str) -> bool | None:
    """Say whether the process that `me()` named lives; None where it is another machine's or container's.

    A name that `me()` never gave is nobody's.
    """
    import psutil

    if owner.count(":") < 2:
        return False
    where, pid, started = owner.rsplit(":", 2)
    if where != machine():
        return None
    try:
        return abs(psutil.Process(int(pid)).create_time() - float(started)) < 2
    except psutil.NoSuchProcess:
        return False
