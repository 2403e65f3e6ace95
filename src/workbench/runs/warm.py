"""Warm kernels: a study pays the imports once, and still each notebook has a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

from workbench import home

KERNEL = "workbench-warm"
PRELOAD = (
    "pandas",
    "pyarrow.parquet",
    "pyarrow.dataset",
    "duckdb",
    "sqlglot.dialects.duckdb",
    "markdown_it",
    "mplfonts",
    "babel.numbers",
    "babel.messages.pofile",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "statsmodels.api",
    "sklearn.linear_model",
    "sklearn.ensemble",
    "sklearn.model_selection",
    "sklearn.metrics",
    "pandera.pandas",
    "pandera.backends.pandas.builtin_checks",  # with the first check of a schema otherwise
    "xgboost",
    "mlflow",
    "mlflow.store.tracking.sqlalchemy_store",  # with the first model that is read otherwise
    "evidently",
)
READ = (  # files that every notebook reads, and what it makes of them
    "workbench.rules.book:shipped",
    "workbench.words.catalogue:words",
    "workbench.words.heard:patterns",
)
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "1",
    "EVIDENTLY_DISABLE_TELEMETRY": "1",
}  # a telemetry thread mustn't be forked
SPECS = Path(__file__).parent / "jupyter"
READY_SECONDS = 600.0  # a cold machine reads two gigabytes of libraries first
STOP_SECONDS = 5.0

_servers: list[ForkServer] = []


class WarmKernelError(RuntimeError):
    """The parent process of the warm kernels is gone or can't fork: what happened, and where its log is."""


@contextmanager
def warm_kernels(
    preload: Sequence[str] = (*PRELOAD, *READ), env: Mapping[str, str] | None = None, log: Path | None = None
) -> Iterator[str]:
    """Yield the kernel name under which notebooks get a kernel whose imports are already paid.

    The parent process begins to import at once and doesn't hold the caller up; the first notebook
    waits for it. `env` is the parent's on top of ours, and each kernel's unless its launch says
    otherwise. Thread limits belong here: the libraries read them once, when the parent imports them.
    Where the system can't fork (not Linux) the name is `python3`: a new interpreter per notebook.

    Parameters
    ----------
    preload: modules to import, `module:function` to call; those not installed are skipped, which the log tells.
    env: environment variables for the parent and its kernels.
    log: file for what the parent writes; without it, a temporary one, kept only if the parent failed.
    """
    if sys.platform != "linux":
        yield "python3"
        return
    server = ForkServer(preload, env or {}, log)
    _servers.append(server)
    try:
        with _findable():
            yield KERNEL
    finally:
        _servers.remove(server)
        server.stop()


def preload_of(steps: Iterable[Collection[str]]) -> list[str]:
    """Return READ, and what of PRELOAD steps may import, given the packages of each; all where a step's aren't known.

    A parent with the libraries of monitoring is ready three seconds later than one without.

    >>> preload_of([["pandas", "networkx"], ["xgboost"]])[:3]
    ['pandas', 'xgboost', 'workbench.rules.book:shipped']
    """
    each = list(steps)
    used = [m for m in PRELOAD if not all(each) or any(m.partition(".")[0] in packages for packages in each)]
    return [*used, *READ]


class ForkServer:
    """The preloaded parent process, seen from the process that started it."""

    def __init__(self, preload: Sequence[str], env: Mapping[str, str], log: Path | None = None):
        self.env = dict(env)
        self._folder = home.for_sockets()  # nobody else may ask for a kernel
        self._keep_log, self.log = log is not None, log or Path(f"{self._folder}.log")
        self.address = str(self._folder / "fork")
        command = [sys.executable, "-m", "workbench.runs.forkserver", "--preload", ",".join(preload)]
        # We listen before the parent is there, so a caller waits in the queue and needs no second try.
        with socket.socket(socket.AF_UNIX) as listener, self.log.open("ab") as out:
            listener.bind(self.address)
            listener.listen(128)
            self.process = subprocess.Popen(
                [*command, "--listen", str(listener.fileno())],
                pass_fds=[listener.fileno()],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                start_new_session=True,
                env={**QUIET, **os.environ, **self.env},
            )

    def launch(self, argv: list[str], env: Mapping[str, str], cwd: str) -> WarmKernel:
        """Fork a kernel with these `ipykernel` arguments, environment and folder; waits for the imports."""
        request = {"argv": argv, "env": {**self.env, **env}, "cwd": cwd}
        line = socket.socket(socket.AF_UNIX)
        line.settimeout(READY_SECONDS)
        try:
            line.connect(self.address)
            line.sendall(json.dumps(request).encode() + b"\n")
            return WarmKernel(line)
        except OSError as e:
            line.close()
            raise WarmKernelError(self._obituary(e)) from None

    def _obituary(self, error: OSError) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(1)
        code = self.process.returncode
        written = ""
        with contextlib.suppress(FileNotFoundError):  # somebody has cleaned /tmp
            written = self.log.read_text(errors="replace")
        lines = written.strip().splitlines() or ["it said nothing"]
        how = f"gave none ({error})" if code is None else f"ended with code {code}"
        return f"no warm kernel: its parent process {how}; last line: {lines[-1].strip()}; log: {self.log}"

    def stop(self) -> None:
        """End the parent process; it takes its kernels with it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:  # in the midst of a long import: nothing to save there
            self.process.kill()
            code = self.process.wait() and 0
        shutil.rmtree(self._folder, ignore_errors=True)
        if not self._keep_log and code == 0:
            self.log.unlink(missing_ok=True)


class WarmKernel:
    """A forked kernel with the part of `Popen`'s face that jupyter_client's local provisioner looks at."""

    stdin = stdout = stderr = None

    def __init__(self, line: socket.socket):
        self._line, self._heard = line, b""
        self.returncode: int | None = None
        answer = self._hear()
        if answer is None or "pid" not in answer:
            raise ConnectionError((answer or {}).get("error", "no answer"))
        self.pid: int = answer["pid"]
        line.setblocking(False)

    def poll(self) -> int | None:
        """Return the exit code, None while the kernel lives; a kernel whose parent has gone is dead, too."""
        if self.returncode is None and (answer := self._hear()) is not None:
            self.returncode = answer.get("exit", -signal.SIGKILL)
            self._line.close()
        return self.returncode

    def wait(self) -> int | None:
        """Return the exit code of a kernel that has ended (the provisioner polls first)."""
        return self.poll()

    def send_signal(self, signum: int) -> None:
        """Signal the kernel, if it still lives."""
        if self.poll() is None:
            os.kill(self.pid, signum)

    def kill(self) -> None:
        """End the kernel at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask the kernel to end."""
        self.send_signal(signal.SIGTERM)

    def _hear(self) -> dict[str, Any] | None:
        """Return the parent's next message: None where there is none yet, empty where it has hung up."""
        while b"\n" not in self._heard:
            try:
                more = self._line.recv(4096)
            except BlockingIOError:
                return None
            except ConnectionError:
                more = b""
            if not more:
                return {}
            self._heard += more
        first, _, self._heard = self._heard.partition(b"\n")
        return json.loads(first)


class WarmProvisioner(LocalProvisioner):
    """Launches a kernel by asking the parent process to fork; ports and signals are the local provisioner's.

    Outside `warm_kernels()` there is no parent, and the kernel is started as any other.
    """

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork a kernel that runs on the connection file named in `cmd`."""
        if not _servers:
            return await super().launch_kernel(cmd, **kwargs)
        argv = cmd[cmd.index("ipykernel_launcher") + 1 :]
        cwd = os.path.abspath(kwargs.get("cwd") or os.getcwd())
        # In a thread: the first launch waits for the imports, and other kernels share this event loop.
        self.process = await asyncio.to_thread(_servers[-1].launch, argv, kwargs["env"], cwd)
        self.pid = self.pgid = self.process.pid
        self.cwd = cwd
        return self.connection_info


@contextmanager
def _findable() -> Iterator[None]:
    """Let Jupyter find kernel spec and provisioner, also where the package's metadata is older than both."""
    entry = EntryPoint(KERNEL, f"{__name__}:{WarmProvisioner.__name__}", KernelProvisionerFactory.GROUP_NAME)
    KernelProvisionerFactory.instance().provisioners.setdefault(KERNEL, entry)
    before = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = os.pathsep.join([str(SPECS), *([before] if before else [])])
    try:
        yield
    finally:
        os.environ.pop("JUPYTER_PATH")
        if before is not None:
            os.environ["JUPYTER_PATH"] = before
