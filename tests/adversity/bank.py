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

REPOSITORY = Path(__file__).parents[2]
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


def furnish(place: Path, studies: tuple[str, ...] = ()) -> Path:
    """Make a home at this place: file, contract, the study `small` of three steps, and others of the intake alone."""
    (place / "params").mkdir(parents=True)
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
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY / "src"), os.environ.get("PYTHONPATH", "")])}
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


def processes(home: Path) -> list[int]:
    """Return the processes that work in this home: runners, parents of warm kernels, kernels."""
    out = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("WORKBENCH_HOME") == str(home) and process.status() != psutil.STATUS_ZOMBIE:
                out.append(process.pid)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return out
