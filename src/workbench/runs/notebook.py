"""Run one notebook through Papermill in a kernel of its own, telling which cell it is at."""

from __future__ import annotations

import logging
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import papermill
from nbclient.exceptions import DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from traitlets.config import Config

from workbench import home

LESS = "run fewer steps side by side (--jobs 1), on fewer rows (sample_rows), or on a machine with more memory"
NO_SPACE = "No space left on device"
_OUT_OF_MEMORY = ("MemoryError", "_ArrayMemoryError", "ArrowMemoryError", "OutOfMemoryException")
Progress = Callable[[int, int], None]
SAVE_SECONDS = 10.0
START_TIMEOUT_SECONDS = 180  # a cold machine reads two gigabytes of libraries first


class StepFailed(Exception):
    """A notebook that did not end: which cell, which error, and whether the user can mend it."""

    def __init__(self, cell: int, error: str, *, by_user: bool = False):
        super().__init__(f"cell {cell}: {error}" if cell else error)
        self.by_user = by_user


class _Client(PapermillNotebookClient):
    """Papermill's own client, which keeps what a kernel that died ended with."""

    exit_code: int | None = None

    async def _async_check_alive(self) -> None:
        provisioner = self.km.provisioner if self.km else None
        if provisioner is not None and (code := await provisioner.poll()) is not None:
            self.exit_code = code
        await super()._async_check_alive()


class _Engine(NBClientEngine):
    """Papermill's own engine, with an environment per kernel and a call at every cell."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **kwargs: Any) -> Any:
        env, cwd, progress = kwargs.pop("env"), kwargs.pop("kernel_cwd"), kwargs.pop("progress")
        sockets = kwargs.pop("sockets")
        total, start = len(nb_man.nb.cells), nb_man.cell_start

        def cell_start(cell: Any, cell_index: int | None = None, **more: Any) -> None:
            progress((cell_index or 0) + 1, total)
            start(cell, cell_index, **more)

        nb_man.cell_start = cell_start
        nb_man.save = _seldom(nb_man.save)
        client = _Client(
            nb_man,
            kernel_name=kernel_name,
            startup_timeout=kwargs["start_timeout"],
            timeout=None,
            resources={"metadata": {"path": str(cwd)}},
            config=_sockets(sockets) if sockets else Config(),
        )
        try:
            result = client.execute(env=env)
        except BaseException as e:
            del nb_man.save  # at its end Papermill saves what there is
            if not isinstance(e, DeadKernelError):
                raise
            code = client.exit_code
            raise StepFailed(0, f"kernel: {obituary(code)}", by_user=code == -signal.SIGKILL) from None
        nb_man.save = lambda **_: None  # a notebook that has ended Papermill writes once more in any case
        return result


def _seldom(save: Callable[..., None]) -> Callable[..., None]:
    """Save at most every ten seconds; Papermill does twice a cell, each time all pictures so far."""
    last = time.monotonic()

    def saved(**more: Any) -> None:
        nonlocal last
        if time.monotonic() - last >= SAVE_SECONDS:
            save(**more)
            last = time.monotonic()

    return saved


def obituary(code: int | None) -> str:
    """Return what a kernel died of, by its exit code (negative: a signal).

    >>> obituary(3)
    'it ended by itself with code 3'
    """
    if code == -signal.SIGKILL:
        return f"it was killed, as the system does to who takes the last of the memory; {LESS}"
    if code is not None and code < 0:
        return f"it died of {signal.Signals(-code).name}"
    return "it died" if code is None else f"it ended by itself with code {code}"


def _sockets(folder: Path) -> Config:
    """Let kernel and runner talk over sockets in this folder instead of ports, which every local process can reach."""
    talk = {"transport": "ipc", "ip": str(folder / "k"), "connection_file": str(folder / "kernel.json")}
    return Config(KernelManager=talk)


@contextmanager
def _talking() -> Iterator[Path | None]:
    if sys.platform == "win32":  # ZeroMQ has no such sockets there
        yield None
        return
    folder = home.for_sockets()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


papermill_engines.register("workbench", _Engine)
logging.getLogger("papermill").setLevel(logging.ERROR)  # parameters are checked before, and better


def run(
    source: Path,
    target: Path,
    values: Mapping[str, Any],
    env: Mapping[str, str],
    kernel: str,
    progress: Progress,
) -> None:
    """Execute `source` with these parameters and write it to `target`; `StepFailed` where it doesn't end.

    The half-run notebook is at `target` then, with a mark at the cell that failed.
    """
    try:
        with _talking() as sockets:
            papermill.execute_notebook(
                source,
                target,
                dict(values),
                engine_name="workbench",
                kernel_name=kernel,
                language="python",  # a notebook that no editor has saved names none
                progress_bar=False,
                start_timeout=START_TIMEOUT_SECONDS,
                env=dict(env),
                kernel_cwd=source.parent,
                progress=progress,
                sockets=sockets,
            )
    except papermill.PapermillExecutionError as e:
        first = (e.evalue or "").strip().splitlines()
        by_user = e.ename == "UserError"  # whose line says all; of another error its kind says most
        error = (first[0] if first else "") if by_user else f"{e.ename}: {first[0] if first else ''}"
        if NO_SPACE in error:
            raise StepFailed(
                e.cell_index + 1, f"the disk is full ({error}); make room and run again", by_user=True
            ) from None
        if e.ename in _OUT_OF_MEMORY:
            raise StepFailed(e.cell_index + 1, f"out of memory ({error}); {LESS}", by_user=True) from None
        raise StepFailed(e.cell_index + 1, error, by_user=by_user) from None
    except RuntimeError as e:  # nbclient: the kernel never came up
        raise StepFailed(0, f"kernel: {' '.join(str(e).split())}") from None
