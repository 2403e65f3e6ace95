"""A small bank of its own: 500 loans in a CSV, a study of three steps on it, and a nursery that runs it in seconds."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from short import shortened

REPOSITORY = Path(__file__).parents[2]
MARK = "WORKBENCH_NURSERY"
STEPS = ("portfolios/intake", "panel/build", "models/development")
CONTRACT = """
name: loans
title: Loans
event_value: "1"
columns:
  - {name: id, type: text, role: key}
  - {name: made, type: date, role: as_of, format: "%Y-%m-%d"}
  - {name: amount, type: number, minimum: 0}
  - {name: term, type: integer, minimum: 0}
  - {name: kind, type: category, values: {A: a, B: b, C: c}}
  - {name: bad, type: category, role: outcome, known: after, values: {"0": paid, "1": not paid}}
"""
INTAKE = "{portfolio: own_files, files: {account: loans.csv}, contracts: {account: params/loans.contract.yaml}}"
STUDY = f"""
title: Small
owner: risk
defaults: {{sample_rows: 0}}
steps:
  portfolios/intake: {INTAKE}
"""
MODEL = """  panel/build: {as_of_from: "", as_of_to: ""}
  models/development: {folds: 2, choice: scorecard}
"""


def loans(rows: int = 500, seed: int = 7) -> str:
    """Return the CSV: large and long loans are more often not paid."""
    rng, lines = random.Random(seed), ["id,made,amount,term,kind,bad"]
    for i in range(rows):
        amount, term = rng.randrange(100, 5000), rng.choice((12, 24, 36))
        bad = rng.random() < 0.12 + 0.25 * (amount > 3000) + 0.1 * (term == 36)
        lines.append(f"L{i:04},2020-{1 + i % 12:02}-15,{amount},{term},{rng.choice('ABC')},{int(bad)}")
    return "\n".join(lines) + "\n"


def furnish(place: Path, studies: tuple[str, ...] = (), short: bool = False) -> Path:
    """Make a home at this place: file, contract, the study `small` of three steps, and others of the intake alone.

    `short` takes shortened notebooks: a model of one candidate, no picture.
    """
    (place / "params").mkdir(parents=True)
    if short:
        shortened(place / "notebooks")
    else:
        (place / "notebooks").symlink_to(REPOSITORY / "notebooks")
    (place / "loans.csv").write_text(loans())
    (place / "params" / "loans.contract.yaml").write_text(CONTRACT)
    (place / "params" / "small.yaml").write_text(STUDY + MODEL)
    for name in studies:
        (place / "params" / f"{name}.yaml").write_text(STUDY)
    return place


@dataclass
class Run:
    """A command under way: its process, and what it has printed."""

    pid: int
    home: Path
    out: Path
    code: int | None = None

    @property
    def text(self) -> str:
        """What it has printed so far."""
        return self.out.read_text(errors="replace") if self.out.exists() else ""


@dataclass
class Nursery:
    """Starts `workbench` commands as forks of a process that has paid the imports."""

    process: subprocess.Popen
    tmp: Path
    runs: dict[int, Run] = field(default_factory=dict)

    def start(self, home: Path, *words: str) -> Run:
        """Start a command in this home."""
        out = self.tmp / f"{len(self.runs)}-{time.monotonic_ns()}.out"
        asked = {"argv": list(words), "home": str(home), "tmp": str(self.tmp / "tmp"), "out": str(out)}
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        while True:
            answer = self._hear()
            if "pid" in answer:
                run = self.runs[answer["pid"]] = Run(answer["pid"], home, out)
                return run

    def end(self, run: Run) -> Run:
        """Wait for its end."""
        while run.code is None:
            self._hear()
        return run

    def workbench(self, home: Path, *words: str) -> Run:
        """Run a command to its end."""
        return self.end(self.start(home, *words))

    def _hear(self) -> dict[str, int]:
        line = self.process.stdout.readline()
        assert line, "the nursery has died"
        answer = json.loads(line)
        if "ended" in answer:
            self.runs.pop(answer["ended"]).code = answer["code"]
        return answer


def opened() -> Nursery:
    """Start a nursery with a temporary folder of its own."""
    tmp = Path(tempfile.mkdtemp(prefix="workbench-nursery-"))
    (tmp / "tmp").mkdir()
    paths = [str(REPOSITORY / "src"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in paths if p), MARK: str(tmp)}
    command = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("nursery.py"))]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=tmp
    )
    nursery = Nursery(process, tmp)
    assert "pid" in nursery._hear()
    return nursery


def closed(nursery: Nursery) -> None:
    """End it and remove its folder."""
    nursery.process.stdin.close()
    nursery.process.wait(30)
    shutil.rmtree(nursery.tmp, ignore_errors=True)


def ask(home: Path, question: str, *values: object) -> list[tuple]:
    """Return what the home's store answers; what the question changes is committed."""
    database = sqlite3.connect(home / "mlruns" / "mlflow.db", timeout=30)
    try:
        with database:
            return database.execute(question, values).fetchall()
    finally:
        database.close()


def processes(nursery: Nursery) -> list[int]:
    """Return what this nursery's commands have left running: runners, parents of warm kernels, kernels."""
    out = []
    for process in psutil.process_iter():
        try:
            is_ours = process.environ().get(MARK) == str(nursery.tmp) and process.pid != nursery.process.pid
            if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                out.append(process.pid)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return out


def orphans(nursery: Nursery, seconds: float = 10) -> list[int]:
    """Return what still runs after this time."""
    until = time.monotonic() + seconds
    while (running := processes(nursery)) and time.monotonic() < until:
        time.sleep(0.05)
    return running


def leftovers(home: Path, nursery: Nursery) -> list[str]:
    """Return files and folders that only a command under way may have."""
    patterns = ("work/*", ".store-*", "**/.part-*", "current/**/*.settling")
    paths = [p for pattern in patterns for p in (home / "mlruns").glob(pattern) if not p.name.startswith(".clock")]
    paths += [*(home / "reports").rglob(".part-*"), *(home / "reports").rglob("*.failed.ipynb")]
    return [str(p.relative_to(home)) for p in paths] + [p.name for p in (nursery.tmp / "tmp").iterdir()]


def wrong_in_store(home: Path) -> list[str]:
    """Return what is broken, lost, doubled or stuck in the store: runs without their record, two versions of one model."""
    (whole,) = ask(home, "PRAGMA integrity_check")
    runs = ask(home, "SELECT run_uuid, name, status FROM runs")
    steps = {run for (run,) in ask(home, "SELECT run_uuid FROM tags WHERE key = 'step' AND value != ''")}
    bound = {run for (run,) in ask(home, "SELECT run_uuid FROM params WHERE key = 'record_sha256'")}
    versions = ask(
        home,
        "SELECT t.value FROM model_version_tags t JOIN model_versions v ON v.name = t.name AND v.version = t.version"
        " WHERE t.key = 'sha256' AND v.current_stage != 'Deleted_Internal'",
    )
    out = [] if whole == ("ok",) else [f"integrity: {whole}"]
    out += [f"{name} is {status}" for _, name, status in runs if status not in ("FINISHED", "FAILED", "KILLED")]
    out += [f"{name} {run[:8]} has no record" for run, name, s in runs if s == "FINISHED" and run in steps - bound]
    return out + (["a model is registered twice"] if len(versions) != len(set(versions)) else [])


def current_runs(home: Path) -> dict[str, str]:
    """Return step → run of what the home says now."""
    paths = sorted((home / "mlruns" / "current").glob("*/*/*/*.json"))
    return {f"{p.parts[-4]} {p.parent.name}/{p.stem}": json.loads(p.read_text())["run_id"] for p in paths}
