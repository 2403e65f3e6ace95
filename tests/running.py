"""The command line in tests: here, with warm kernels that all tests share, or in a process of its own."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from workbench import home
from workbench.runs import execution, warm

MONTHLY_STUDY = """
title: Small
defaults: {sample_rows: 600}
steps:
  portfolios/intake: {portfolio: taiwan_cards}
  panel/build:
    outcome: {event: delay_months >= 2, eligible: delay_months < 2, window_months: 1}
    as_of_from: "{period_from}"
    as_of_to: "{period_to}"
    observation_months: 2
"""  # of seconds, made anew for each period
NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
_session = ExitStack()  # closed by conftest at the session's end
WARM = "WORKBENCH_TEST_WARM"  # where the session's parent of warm kernels listens
AWAITED = """
import os, select, sys
listener = int(sys.argv[1])
ready = select.select([0, listener], [], [])[0]
os.execv(sys.executable, [sys.executable, *sys.argv[2:]]) if listener in ready else None
"""  # stands for the parent until the first kernel is asked for: most sessions of a few tests need none


class _Shared(warm.ForkServer):
    """The parent that the session's first process has opened, seen from one of its workers."""

    def __init__(self, address: str):
        self.env, self.address = dict(execution.KERNEL_ENV), address

    def _obituary(self, error: OSError) -> str:
        log = Path(self.address).with_name("log")
        last = (log.read_text().splitlines() if log.exists() else [])[-1:]
        return f"no warm kernel: the session's parent gave none ({error}); its last line: {last}"


@contextlib.contextmanager
def warm_parent() -> Iterator[None]:
    """Let all workers of the session have their kernels from one parent, which imports everything once."""
    if sys.platform != "linux":
        yield
        return
    folder = home.for_sockets()
    steps = [f"workbench.{p.parent.name}.{p.stem}" for p in sorted(NOTEBOOKS.glob("*/*.ipynb"))]
    modules = ",".join([*warm.PRELOAD, *steps, "workbench.monitoring.second_view", *warm.READ])
    with socket.socket(socket.AF_UNIX) as listener, (folder / "log").open("ab") as log:
        listener.bind(str(folder / "fork"))
        listener.listen(128)
        number = str(listener.fileno())
        command = ["-m", "workbench.runs.forkserver", "--preload", modules, "--listen", number]
        parent = subprocess.Popen(
            [sys.executable, "-c", AWAITED, number, *command],
            pass_fds=[listener.fileno()],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**warm.QUIET, **os.environ, **execution.KERNEL_ENV},
        )
    os.environ[WARM] = str(folder / "fork")
    try:
        yield
    finally:
        parent.stdin.close()
        parent.wait()
        shutil.rmtree(folder, ignore_errors=True)


def awake() -> None:
    """Let the session's parent of warm kernels import before a kernel is asked for: a caller without a request is none."""
    with contextlib.suppress(OSError, KeyError), socket.socket(socket.AF_UNIX) as caller:
        caller.connect(os.environ[WARM])


@cache
def _kernel() -> str:
    if sys.platform != "linux":
        return "python3"
    warm._servers.append(_Shared(os.environ[WARM]))
    return _session.enter_context(warm._findable()) or warm.KERNEL


@contextlib.contextmanager
def undrawn() -> Iterator[str]:
    """Yield the name of warm kernels that show all as plain text and draw no picture nor page, half of a notebook's time.

    For notebooks run by hand with no look at what they show; the sample study shows and draws all of it.
    """
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as here:
        profile = Path(folder) / "profile_default"
        shutil.copytree(_sketches() / profile.name, profile)
        (profile / "ipython_kernel_config.py").write_text("c.MimeBundleFormatter.enabled = False\n")
        here.setenv("IPYTHONDIR", folder)  # a kernel is given its environment when it is forked
        yield _kernel()


SKETCHED = """
import os, sys
from workbench.evidence import picture

view = sys.modules.get("workbench.monitoring.second_view")
if view:
    view._shown = lambda lights, ours: {str(ours["period"].max())}

def _sketch():
    picture._svg = lambda figure: "<svg>" + "-" * 1000 + "</svg>"
    if view:
        report = view.drift_report

        def _pageless(*given, run=report.run, snapshot=report.SNAPSHOT):
            *asked, page = given
            page.write_text("<head></head>")
            page.with_suffix(snapshot).write_text("{}")
            return run(*asked, None)

        report.run = _pageless

if os.environ.get("WORKBENCH_STEP_STUDY", "by hand") != os.environ.get("WORKBENCH_TEST_DRAWN"):
    picture.LANGUAGES = ("en",)
    _sketch()
elif "mart__panel" in os.environ["WORKBENCH_STEP_READS"].split():
    _sketch()
"""


def sketched(drawn: str = "") -> dict[str, str]:
    """Return variables with which kernels, but those of the study `drawn`, compose pictures and lay out and print none.

    Each is composed once, in English: its axes and words are there, its image is empty; Evidently's page is empty, too,
    and the latest period is all it compares in any study. For studies in whose pages nobody looks at a picture; those of
    the study `sample` are composed in all languages, and drawn but for the steps on its first model.
    """
    return {"IPYTHONDIR": str(_sketches()), "WORKBENCH_TEST_DRAWN": drawn}


@cache
def _sketches() -> Path:
    folder = Path(_session.enter_context(tempfile.TemporaryDirectory()))
    startup = folder / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "sketched.py").write_text(SKETCHED)
    return folder


def stop() -> None:
    """Ask for no more kernels."""
    _session.close()
    warm._servers[:] = [s for s in warm._servers if not isinstance(s, _Shared)]
    _kernel.cache_clear()
    _sketches.cache_clear()


def workbench(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess:
    """Run a command in this process, as if `folder` were the one it was started in and more variables were set."""
    from workbench.cli import main

    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as here, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        for name, value in {"WORKBENCH_HOME": str(folder), **more}.items():
            here.setenv(name, value)
        here.chdir(folder)
        here.setattr(execution, "_warm", lambda stack, steps: _kernel())
        try:
            code = main(list(words))
        except SystemExit as e:
            code = int(e.code or 0)
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


def process(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess:
    """Run a command in a process of its own, with more variables in its environment."""
    env = {**os.environ, "WORKBENCH_HOME": str(folder), **more}
    command = [sys.executable, "-m", "workbench.cli", *words]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=900)


def runner(folder: Path, *words: str, first: str = "") -> subprocess.Popen:
    """Begin a command in a process of its own that may die, its kernels warm as all others are; `first` it does before."""
    code = (
        f"import sys; from pathlib import Path; sys.path.insert(0, {str(Path(__file__).parent)!r}); import running\n"
        f"{first}\n"
        "sys.exit(running.workbench(Path.cwd(), *sys.argv[1:]).returncode)"
    )
    return subprocess.Popen([sys.executable, "-c", code, *words], cwd=folder)


COPY = "as_it_ran"  # of the sample's home, in it: to be copied, for in the home itself tests run steps anew


def ensure_sample() -> Path:
    """Run the sample studies once per session, whichever worker comes first, copy the home, and return it."""
    folder = Path(os.environ["WORKBENCH_HOME"])
    with (folder / ".sample.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / ".sample.done").exists():
            (folder / "mlruns").mkdir(exist_ok=True)
            shutil.copy(empty_store(), folder / "mlruns")
            studies = ("params/sample.yaml", "params/sample_customers.yaml")
            done = workbench(folder, "run", *studies, **sketched(drawn="sample"))
            assert done.returncode == 0, done.stdout + done.stderr
            copied(folder, folder / COPY)
            (folder / ".sample.done").write_text(done.stdout)
    return folder


def copied(folder: Path, copy: Path) -> Path:
    """Copy a home with its store.

    By another process: one that has the store open and closes its files after copying loses SQLite's locks on them,
    and the next that opens the store may break it. https://www.sqlite.org/howtocorrupt.html, 2.2
    """
    code = "import shutil, sys; shutil.copytree(sys.argv[1], sys.argv[2], symlinks=True)"
    subprocess.run([sys.executable, "-S", "-c", code, str(folder), str(copy)], check=True)
    return copy


def home_of(folder: Path, study: str, changes: Mapping[str, str] | None = None) -> Path:
    """Make `folder` a home of one of the repository's studies, its text changed."""
    text = (NOTEBOOKS.parent / "params" / f"{study}.yaml").read_text(encoding="utf-8")
    for whole, part in (changes or {}).items():
        assert whole in text
        text = text.replace(whole, part)
    for name in ("params", "mlruns"):
        (folder / name).mkdir()
    (folder / "params" / f"{study}.yaml").write_text(text, encoding="utf-8")
    for name in ("params/contracts", "notebooks"):
        (folder / name).symlink_to(NOTEBOOKS.parent / name)
    shutil.copy(empty_store(), folder / "mlruns")
    return folder


def empty_store() -> Path:
    """Return a file that holds an empty MLflow store, made once per session."""
    from workbench.registry import store

    path = Path(os.environ["WORKBENCH_HOME"]) / "empty" / store.DATABASE
    store.create(path)  # of two workers at once one makes it
    return path
