"""A process that has paid the imports and forks a `workbench` command per request: hundreds of runs in minutes.

Started as `python nursery.py`, one JSON request a line (`argv`, `home`, `out`), one JSON answer a line: `{"pid": …}`
at once, `{"ended": pid, "code": …}` when it has ended. What a command does is untouched, but that its warm kernels'
parent is forked from here, too, in place of a new interpreter.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

os.environ.update({"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1"})
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

PRELOAD = (
    "pandas pyarrow.parquet duckdb matplotlib.pyplot matplotlib.backends.backend_agg statsmodels.api"
    " sklearn.linear_model sklearn.ensemble sklearn.model_selection sklearn.metrics pandera.pandas xgboost mlflow"
    " IPython.core.interactiveshell ipykernel.ipkernel ipykernel.debugger matplotlib_inline.backend_inline comm"
    " mlflow.pyfunc mlflow.store.tracking.sqlalchemy_store alembic.command papermill nbconvert ipykernel.kernelapp"
    " workbench.cli workbench.runs.execution workbench.runs.outcome workbench.runs.plan workbench.runs.progress"
    " workbench.runs.warm workbench.runs.forkserver workbench.runs.notebook workbench.portfolios.intake"
    " workbench.panel.build workbench.models.development workbench.registry.versions"
)


class ForkedParent:
    """The parent of warm kernels as `subprocess.Popen` would start it, forked from this warm process instead."""

    def __init__(self, command: list[str], *, pass_fds: list[int], stdout, env: dict[str, str], **_: object):
        ours, theirs = os.pipe()
        self.pid, self.returncode = os.fork(), None
        if self.pid == 0:
            self._become(command, pass_fds, stdout, env, ours, theirs)
        os.close(ours)
        self.stdin = os.fdopen(theirs, "wb", buffering=0)

    def _become(self, command, pass_fds, stdout, env, ours, theirs) -> None:
        os.setsid()
        os.close(theirs)
        for there, here in ((ours, 0), (stdout.fileno(), 1), (stdout.fileno(), 2)):
            os.dup2(there, here)
        for open_fd in map(int, os.listdir("/proc/self/fd")):
            if open_fd > 2 and open_fd not in pass_fds:
                _closed(open_fd)
        os.environ.clear()
        os.environ.update(env)
        sys.argv = command[2:]
        sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
        from workbench.runs import forkserver

        code = 1
        try:
            forkserver.main()
        except SystemExit as e:
            code = int(e.code or 0)
        finally:
            os._exit(code)

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code."""
        import time

        until = time.monotonic() + (timeout or 1e9)
        while self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > until:
                raise subprocess.TimeoutExpired("forkserver", timeout or 0)
            else:
                time.sleep(0.01)
        return self.returncode

    def kill(self) -> None:
        """End it at once."""
        os.kill(self.pid, signal.SIGKILL)


def _closed(fd: int) -> None:
    with contextlib.suppress(OSError):
        os.close(fd)


def serve() -> None:
    """Answer requests until our input is closed."""
    alive: set[int] = set()
    while True:
        ready = select.select([0], [], [], 0.01)[0]
        if ready:
            line = sys.stdin.readline()
            if not line:
                return
            pid = _command(json.loads(line))
            alive.add(pid)
            _tell(pid=pid)
        for pid in list(alive):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                alive.discard(pid)
                _tell(ended=pid, code=os.waitstatus_to_exitcode(status))


def _read_code() -> None:
    """Read once the code that the small bank's steps stand on, and what is installed; each command would do it anew."""
    from workbench.runs import closure, fingerprint

    closure.version("sklearn")
    for step in ("portfolios/intake", "panel/build", "models/development"):
        fingerprint.of(step)


def _tell(**message: int) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _command(request: dict) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        os.setsid()
        os.environ.update({"WORKBENCH_HOME": request["home"], "TMPDIR": request["tmp"]})
        import tempfile

        tempfile.tempdir = None
        os.chdir(request["home"])
        nothing, out = os.open(os.devnull, os.O_RDONLY), os.open(request["out"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for there, here in ((nothing, 0), (out, 1), (out, 2)):
            os.dup2(there, here)
        sys.stdout, sys.stderr = os.fdopen(1, "w", buffering=1), os.fdopen(2, "w", buffering=1)
        from workbench import cli
        from workbench.runs import warm

        warm.subprocess = SimpleNamespace(**{**vars(subprocess), "Popen": ForkedParent})  # git is run as ever
        warm.PRELOAD = warm.READ = ()  # paid already
        code = cli.main(request["argv"])
        sys.stdout.flush()
    except SystemExit as e:
        code = int(e.code or 0)
    except BaseException:  # noqa: BLE001 - what escapes a command is what the tests look for
        import traceback

        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    sys.path[:] = [p for p in sys.path if Path(p or ".").resolve() != Path(__file__).parent.resolve()]
    importlib.import_module("workbench").collect_seldom()
    for name in PRELOAD.split():
        importlib.import_module(name)
    _read_code()
    import gc

    gc.freeze()
    _tell(pid=os.getpid())
    serve()
