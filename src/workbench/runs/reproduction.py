"""A registered version made again from its record alone: its commit, parameters, data by digest, and its notebook.

Re-performance as validators are asked for it (SR 26-2; EBA handbook on validation): what comes out is held against what
was registered, and where it differs, the first difference and where it arises are named.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from workbench import home
from workbench.evidence import LEFT_BEHIND
from workbench.params import UserError
from workbench.registry import proof, provenance, recorded, registered
from workbench.runs import differences, notebook
from workbench.runs import original as originals
from workbench.runs.differences import DIFFERENT, IDENTICAL, Difference
from workbench.runs.execution import KERNEL_ENV
from workbench.runs.original import Original

LOCK = "requirements.lock"
KERNEL = "workbench-reproduction"
_CODE = ("notebook_digest", "code_digest")


@dataclass(frozen=True)
class Reproduction:
    """What a re-performance came to: identical, equal (within the class the developer stated) or different.

    `arises`: record, data, code, environment or randomness, empty where nothing differs; `environment`: packages that
    differ (`-` then, `+` now); `differences`: what differs, first things first.
    """

    model: str
    version: str
    verdict: str
    tolerance: str
    commit: str
    arises: str
    differences: tuple[Difference, ...]
    environment: tuple[str, ...]
    compared: Mapping[str, int]
    figures: Mapping[str, float]
    seconds: float

    @property
    def is_same(self) -> bool:
        """Say whether it came to the same: identical, or equal within its class."""
        return self.verdict != DIFFERENT

    def to_json(self) -> dict[str, Any]:
        """Return it as evidence holds it."""
        return {**vars(self), "differences": [vars(d) for d in self.differences], "environment": [*self.environment]}

    def lines(self) -> list[str]:
        """Return it in words: the verdict, the first difference and where it arises, what was compared."""
        counts = ", ".join(f"{what} {n:,}" for what, n in self.compared.items())
        words = {
            IDENTICAL: "identical",
            DIFFERENT: f"different; it arises in the {self.arises}",
        }.get(self.verdict, f"{self.verdict} within the class '{self.tolerance}' that was stated at development")
        out = [f"{self.model} version {self.version}: {words}"]
        out += [f"first difference: {d}" for d in self.differences[:1]]
        out += [f"and {len(self.differences) - 1} more"] if len(self.differences) > 1 else []
        if self.environment:
            more = f" and {len(self.environment) - 3} more" if len(self.environment) > 3 else ""
            out.append(
                f"other packages than the run's (--locked installs those): {', '.join(self.environment[:3])}{more}"
            )
        return [*out, f"compared: {counts}; commit {self.commit[:12]}, {self.seconds:.0f} s"]


def of(model: str, version: str, progress: notebook.Progress | None = None, *, locked: bool = False) -> Reproduction:
    """Make a version again and say how what comes out compares; nothing in the store or the folder is changed.

    locked: install the commit's `requirements.lock` into an environment of its own and run there. `UserError` where the
    record lacks something, or the notebook ends in an error: both are said in one line.
    """
    began = time.monotonic()
    original = originals.of(registered.one(model, version))
    if fault := proof.altered(original.record):
        return _result(original, "record", [Difference("record", "", "as it was left", fault)], began)
    if lost := originals.lost(original):
        return _result(original, "data", lost, began)
    with TemporaryDirectory(prefix="workbench-reproduce-") as place:
        tree = Path(place) / "tree"
        provenance.check_out(home.root(), original.commit, tree)
        python = _locked(tree) if locked else sys.executable
        if changed := _code(original, tree, python):
            return _result(original, "code", changed, began)
        originals.lay_out(original, tree)
        again = partial(_run, original, tree, python, progress or (lambda at, of: None))
        first = differences.between(original.record, again(Path(place) / "first"))
        packages = () if locked else _differing(original.packages, provenance.packages().splitlines())
        verdict = first.within(str(original.values.get("tolerance", "")))
        arises = ""
        if verdict == DIFFERENT:
            arises = "environment" if packages else _beyond_record(again, Path(place))
        result = _result(original, arises, list(first.differences), began, packages)
        return replace(result, verdict=verdict, compared=first.compared, figures=first.figures)


def _beyond_record(again: Callable[[Path], Path], place: Path) -> str:
    """Run once more: where two runs here differ, it is chance; else something that the record doesn't hold."""
    second = again(place / "second")
    return "record, which holds too little" if differences.same(place / "first" / "evidence", second) else "randomness"


def _result(
    o: Original, arises: str, differing: list[Difference], began: float, packages: tuple[str, ...] = ()
) -> Reproduction:
    return Reproduction(
        model=o.registered.model,
        version=o.registered.version,
        verdict=DIFFERENT if arises else IDENTICAL,
        tolerance=str(o.values.get("tolerance", "exact")),
        commit=o.commit,
        arises=arises,
        differences=tuple(differing),
        environment=packages,
        compared={},
        figures={},
        seconds=time.monotonic() - began,
    )


def _code(o: Original, tree: Path, python: str) -> list[Difference]:
    """Return how notebook and modules of the commit differ from those that ran."""
    command = [python, "-m", "workbench.runs.fingerprint", o.step]
    done = subprocess.run(command, env=_env(tree), cwd=tree, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it does not run"])[-1]
        raise UserError(f"commit {o.commit[:12]}: {last[:300]}")
    there = json.loads(done.stdout)
    return [Difference("code", n, o.facts[n], there[n]) for n in _CODE if there[n] != o.facts.get(n)]


def _run(o: Original, tree: Path, python: str, progress: notebook.Progress, work: Path) -> Path:
    """Execute the commit's notebook on what was laid out; return the folder of what it left."""
    work.mkdir()
    env = _env(tree) | {
        "WORKBENCH_STEP_DIR": str(work / "evidence"),
        recorded.READS: "\n".join(o.read),
        "MLFLOW_TRACKING_URI": f"sqlite:///{tree}/mlruns/mlflow.db",
        "TMPDIR": str(work),
    }
    source = tree / "notebooks" / f"{o.step}.ipynb"
    with _kernel(python, work) as kernel:
        notebook.run(source, work / "notebook.ipynb", dict(o.values), env, kernel, progress)
    if not (work / "evidence" / LEFT_BEHIND).exists():
        raise UserError(f"{o.registered.name}: its notebook ended without evidence.leave(...)")
    return work / "evidence"


def _env(tree: Path) -> dict[str, str]:
    """Return the environment in which the commit's code runs: its own package, where the folder holds one."""
    source = tree / "src"
    path = {"PYTHONPATH": str(source)} if (source / "workbench").is_dir() else {}
    return {**os.environ, "WORKBENCH_HOME": str(tree), **path, **KERNEL_ENV}


def _locked(tree: Path) -> str:
    """Return the Python of an environment into which the commit's lock was installed."""
    lock = tree / LOCK
    if not lock.exists():
        raise UserError(f"the commit has no {LOCK}; without --locked the packages here are used, and compared")
    place = tree.parent / "environment"
    venv.create(place, with_pip=True)
    python = str(place / "bin" / "python")
    command = [python, "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps", "-r", str(lock)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"{LOCK} of the commit can't be installed: {done.stderr.strip().splitlines()[-1][:300]}")
    return python


@contextmanager
def _kernel(python: str, work: Path) -> Iterator[str]:
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


def _differing(then: list[str], now: list[str]) -> tuple[str, ...]:
    """Return what differs between two package lists, by name: `-` is what ran then, `+` what is here."""
    gone, new = ({f"{mark}{p}" for p in set(a) - set(b)} for mark, a, b in (("-", then, now), ("+", now, then)))
    return tuple(sorted(gone | new, key=lambda line: (line[1:].partition("==")[0], line[0] == "+")))
