"""The command line in tests: here, with warm kernels that all tests share, or in a process of its own."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from workbench.runs import execution

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


@cache
def _kernel() -> str:
    from workbench.runs.warm import PRELOAD, warm_kernels

    steps = [f"workbench.{p.parent.name}.{p.stem}" for p in sorted(NOTEBOOKS.glob("*/*.ipynb"))]
    return _session.enter_context(warm_kernels([*PRELOAD, *steps], env=execution.KERNEL_ENV))


@contextlib.contextmanager
def undrawn() -> Iterator[str]:
    """Yield the name of warm kernels that show everything as plain text and draw no picture, half of a notebook's time.

    For notebooks run by hand with no look at what they show; the sample study shows and draws all of it.
    """
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as here:
        profile = Path(folder) / "profile_default"
        profile.mkdir()
        (profile / "ipython_kernel_config.py").write_text("c.MimeBundleFormatter.enabled = False\n")
        here.setenv("IPYTHONDIR", folder)  # a kernel is given its environment when it is forked
        yield _kernel()


@cache
def in_english() -> dict[str, str]:
    """Return variables with which kernels draw each picture once, in English, in place of once a language.

    For studies whose pages are looked at in English; every picture of the sample study is drawn in all languages.
    """
    folder = Path(_session.enter_context(tempfile.TemporaryDirectory()))
    startup = folder / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "english.py").write_text("from workbench.evidence import picture\npicture.LANGUAGES = ('en',)\n")
    return {"IPYTHONDIR": str(folder)}


def stop() -> None:
    """Stop the shared parent of the warm kernels."""
    _session.close()
    _kernel.cache_clear()
    in_english.cache_clear()


def workbench(home: Path, *words: str, **more: str) -> subprocess.CompletedProcess:
    """Run a command in this process, as if `home` were the folder it was started in and more variables were set."""
    from workbench.cli import main

    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as here, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        for name, value in {"WORKBENCH_HOME": str(home), **more}.items():
            here.setenv(name, value)
        here.chdir(home)
        here.setattr(execution, "_warm", lambda stack, steps: _kernel())
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
