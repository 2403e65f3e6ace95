"""A recorded run made once more: in a tree of its commit, on its recorded inputs, in a kernel of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from workbench import home, pseudonyms, tables
from workbench.evidence import LEFT_BEHIND
from workbench.params import UserError
from workbench.registry import provenance, recorded
from workbench.runs import notebook
from workbench.runs import original as originals
from workbench.runs.differences import Difference
from workbench.runs.execution import KERNEL_ENV
from workbench.runs.original import Original

LOCK = "requirements.lock"
KERNEL = "workbench-reproduction"
_CODE = ("notebook_digest", "code_digest")


@dataclass(frozen=True)
class Bench:
    """Where runs are made again: a folder of its own, the packages they run with, and who is told at which cell.

    `remade`: tables that came out the same, by digest.
    """

    place: Path
    locked: bool
    progress: notebook.Progress
    remade: dict[str, Path] = field(default_factory=dict)

    def tree(self, o: Original) -> Path:
        """Return the folder as the run's commit holds it, with what the run read laid out in it.

        Its `mlruns/` has the pseudonyms' key of this home, where there is one, and nothing else of the home.
        """
        tree = self.place / o.commit[:12] / "tree"
        if not tree.exists():
            provenance.check_out(home.root(), o.commit, tree)
            key = home.mlruns() / pseudonyms.FILE
            if key.exists():
                (tree / "mlruns").mkdir(exist_ok=True)
                (tree / "mlruns" / pseudonyms.FILE).symlink_to(key)
        return tree

    def python(self, tree: Path) -> str:
        """Return the Python that runs there: this one, or that of an environment of the commit's own lock."""
        return _locked(tree) if self.locked else sys.executable


def code(o: Original, bench: Bench) -> list[Difference]:
    """Return how notebook and modules of the commit differ from those that ran."""
    tree = bench.tree(o)
    command = [bench.python(tree), "-m", "workbench.runs.fingerprint", o.step]
    done = subprocess.run(command, env=_env(tree), cwd=tree, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it does not run"])[-1]
        raise UserError(f"commit {o.commit[:12]}: {last[:300]}")
    there = json.loads(done.stdout)
    return [Difference("code", n, o.facts[n], there[n]) for n in _CODE if there[n] != o.facts.get(n)]


def run(o: Original, bench: Bench, name: str, raw: Path | None = None) -> Path:
    """Execute the commit's notebook on what was laid out; return the folder of what it left.

    name: of the folder, another one for every time. raw: a folder of raw files, where the commit has none of the name.
    `UserError` where the notebook ends in an error, or without its evidence.
    """
    tree, work = bench.tree(o), bench.place / f"{name}_{o.record.slug.replace('/', '_')}"
    originals.lay_out(o, tree, bench.remade)
    work.mkdir()
    env = _env(tree) | {
        "WORKBENCH_STEP_DIR": str(work / "evidence"),
        tables.STUDY: o.record.study,
        recorded.READS: "\n".join(o.read),
        "MLFLOW_TRACKING_URI": f"sqlite:///{tree}/mlruns/mlflow.db",
        "TMPDIR": str(work),
    }
    env |= {"WORKBENCH_DATA": str(raw)} if raw else {}
    source = tree / "notebooks" / f"{o.step}.ipynb"
    try:
        with kernel(bench.python(tree), work) as its:
            notebook.run(source, work / "notebook.ipynb", dict(o.values), env, its, bench.progress)
    except notebook.StepFailed as e:
        raise UserError(f"{o.registered.name} can't be made again: {o.record.step}: {e}") from None
    if not (work / "evidence" / LEFT_BEHIND).exists():
        raise UserError(f"{o.registered.name}: its notebook ended without evidence.leave(...)")
    return work / "evidence"


def differing_packages(o: Original, bench: Bench) -> tuple[str, ...]:
    """Return the packages that aren't those of the run, by name: `-` is what ran then, `+` what is here."""
    if bench.locked:
        return ()
    then, now = o.packages, provenance.packages().splitlines()
    gone, new = ({f"{mark}{p}" for p in set(a) - set(b)} for mark, a, b in (("-", then, now), ("+", now, then)))
    return tuple(sorted(gone | new, key=lambda line: (line[1:].partition("==")[0], line[0] == "+")))


def _env(tree: Path) -> dict[str, str]:
    """Return the environment in which the commit's code runs: its own package, where the folder holds one."""
    source = tree / "src"
    path = {"PYTHONPATH": str(source)} if (source / "workbench").is_dir() else {}
    return {**os.environ, "WORKBENCH_HOME": str(tree), **path, **KERNEL_ENV}


def _locked(tree: Path) -> str:
    """Return the Python of an environment into which the commit's lock was installed, once."""
    lock = tree / LOCK
    if not lock.exists():
        raise UserError(f"the commit has no {LOCK}; without --locked the packages here are used, and compared")
    place = tree.parent / "environment"
    python = str(place / "bin" / "python")
    if place.exists():
        return python
    venv.create(place, with_pip=True)
    command = [python, "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps", "-r", str(lock)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"{LOCK} of the commit can't be installed: {done.stderr.strip().splitlines()[-1][:300]}")
    return python


@contextmanager
def kernel(python: str, work: Path) -> Iterator[str]:
    """Yield the name of a kernel that runs in this Python, new and with nothing imported."""
    argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=CRITICAL"]
    spec = {"argv": argv, "display_name": KERNEL, "language": "python"}
    home.put(work / "kernels" / KERNEL / "kernel.json", json.dumps(spec).encode())
    before = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = os.pathsep.join([str(work), *([before] if before else [])])
    try:
        yield KERNEL
    finally:
        os.environ.pop("JUPYTER_PATH") if before is None else os.environ.update(JUPYTER_PATH=before)
