"""The command line in tests: here, with warm kernels that all tests share, or in a process of its own."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from workbench.runs import execution

_session = ExitStack()  # closed by conftest at the session's end


@cache
def _kernel() -> str:
    from workbench.runs.warm import warm_kernels

    return _session.enter_context(warm_kernels(env=execution.KERNEL_ENV))


def stop() -> None:
    """Stop the shared parent of the warm kernels."""
    _session.close()
    _kernel.cache_clear()


def workbench(home: Path, *words: str) -> subprocess.CompletedProcess:
    """Run a command in this process, as if `home` were the folder it was started in."""
    from workbench.cli import main

    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as here, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        here.setenv("WORKBENCH_HOME", str(home))
        here.chdir(home)
        here.setattr(execution, "_warm", lambda stack: _kernel())
        try:
            code = main(list(words))
        except SystemExit as e:
            code = int(e.code or 0)
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


def process(home: Path, *words: str, **more: str) -> subprocess.CompletedProcess:
    """Run a command in a process of its own, with more variables in its environment."""
    env = {**os.environ, "WORKBENCH_HOME": str(home), **more}
    command = [sys.executable, "-m", "workbench.cli", *words]
    return subprocess.run(command, cwd=home, env=env, capture_output=True, text=True, timeout=900)
