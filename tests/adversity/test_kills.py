"""Killed at any moment, runner, kernel or the kernels' parent: the next run loses, doubles and leaves nothing."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from pathlib import Path

import psutil
import pytest

SEED = 20261127
WORDS = (  # what is being done when the blow falls; what is run afterwards says the same parameters
    ("--fresh", "--step", "portfolios/intake"),
    ("--fresh", "--step", "panel/build"),
    ("--fresh", "--step", "models/development"),
    ("--set", "panel/build.seed={n}"),
    ("--set", "models/development.seed={n}"),
)
FEW = 600  # seconds that a stuck runner is waited for


def _victim(bank, run, kind: str) -> int | None:
    """Return the process to kill, waiting until it is there; None where the run has ended before."""
    while _is_running(run.pid):
        parents = _children(run.pid)
        kernels = [k for p in parents for k in _children(p)]
        candidates = {"runner": [run.pid], "kernels' parent": parents, "kernel": kernels}[kind]
        if candidates:
            return candidates[-1]
        time.sleep(0.01)
    return None


def _is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _children(pid: int) -> list[int]:
    try:
        return [c.pid for c in psutil.Process(pid).children()]
    except psutil.NoSuchProcess:
        return []


def _kill(bank, home: Path, words: tuple[str, ...], kind: str, delay: float) -> tuple[bool, str]:
    """Start the words, kill the victim after the delay; return whether it was hit, and what went wrong then."""
    run = bank.start(home, "run", "small", *words)
    victim = _victim(bank, run, kind)
    time.sleep(delay)
    if victim is None or not _is_running(victim):
        bank.end(run)
        return False, ""
    os.kill(victim, signal.SIGKILL)
    began = time.monotonic()
    bank.end(run)
    stuck = time.monotonic() - began > FEW
    orphans = bank.orphans(bank.nursery)
    for pid in orphans:
        os.kill(pid, signal.SIGKILL)
    return True, "stuck" if stuck else f"{len(orphans)} orphans" if orphans else _traceback(run.text)


def _traceback(text: str) -> str:
    return f"a traceback: {text[-400:]}" if "Traceback" in text else ""


def _after(bank, home: Path, words: tuple[str, ...], before: dict[str, str]) -> str:
    """Run again; return what is lost, doubled, stuck or left then; empty where nothing is."""
    given = words if words[0] == "--set" else ()
    again = bank.run(home, "run", "small", *given)
    if again.code != 0 or "Traceback" in again.text:
        return f"the next run ended with {again.code}: {again.text[-600:]}"
    present = {run for (run,) in bank.ask(home, "SELECT run_uuid FROM runs")}
    current = bank.current_runs(home)
    lost = [step for step, run in {**before, **current}.items() if run not in present or step not in current]
    settled = bank.run(home, "run", "small", *given)
    calm = [] if "3 unchanged" in settled.text and "by hand" not in settled.text else [settled.text[-400:]]
    wrong = [*(f"lost: {s}" for s in lost), *bank.wrong_in_store(home), *bank.leftovers(home, bank.nursery), *calm]
    return "; ".join(wrong)


def _trials(bank, home: Path, kinds: list[str], seed: int) -> tuple[int, list[str]]:
    """Kill once per kind in the list, at moments drawn from how long such a command takes; return hits and failures."""
    rng, failures, hits, takes = random.Random(seed), [], 0, 6.0
    for n, kind in enumerate(kinds):
        words = tuple(w.format(n=1000 + n) for w in rng.choice(WORDS))
        before, began = bank.current_runs(home), time.monotonic()
        hit, wrong = _kill(bank, home, words, kind, rng.uniform(0, takes if kind == "runner" else takes / 2))
        if not hit:
            takes = 0.5 * takes + 0.5 * (time.monotonic() - began)
        hits += hit
        wrong = wrong or _after(bank, home, words, before)
        failures += [f"{kind}, {' '.join(words)}: {wrong}"] if wrong else []
    return hits, failures


@pytest.fixture
def home(bank, tmp_path) -> Path:
    """A home in which the study, its development cut short, has run once."""
    home = bank.furnish(tmp_path / "home", short=True)
    done = bank.run(home, "run", "small")
    assert done.code == 0, done.text
    return home


def _born(bank, place: Path, delay: float) -> tuple[bool, str]:
    """Kill a runner while it makes the store for the first time; return whether it was hit, and what went wrong."""
    home = bank.furnish(place, ("alone",))
    run = bank.start(home, "run", "alone")
    time.sleep(delay)
    if hit := _is_running(run.pid):
        os.kill(run.pid, signal.SIGKILL)
    bank.end(run)
    orphans = bank.orphans(bank.nursery)
    again = bank.run(home, "run", "alone")
    wrong = [f"{len(orphans)} orphans"] if orphans else []
    wrong += [again.text[-600:]] if again.code != 0 else []
    wrong += [*bank.wrong_in_store(home), *bank.leftovers(home, bank.nursery)]
    shutil.rmtree(home)
    return hit, "; ".join(wrong)


@pytest.mark.whole
@pytest.mark.parametrize(("kind", "n"), [("runner", 110), ("kernel", 40), ("kernels' parent", 30)])
def test_killed_at_any_moment_nothing_is_lost_doubled_stuck_or_orphaned(bank, home, measured, kind, n):
    hits, tried, failures = 0, 0, []
    while hits < n and tried < 3 * n:
        more = min(10, n - hits)
        hit, wrong = _trials(bank, home, [kind] * more, SEED + tried)
        hits, tried, failures = hits + hit, tried + more, failures + wrong
    measured(f"killed: {kind}", hits, failures, SEED)
    assert hits == n


@pytest.mark.whole
def test_killed_while_the_store_is_made_for_the_first_time(bank, tmp_path, measured):
    rng, hits, failures = random.Random(SEED), 0, []
    for n in range(60):
        hit, wrong = _born(bank, tmp_path / str(n), rng.uniform(0, 5))
        hits += hit
        failures += [wrong] if wrong else []
        if hits == 30:
            break
    measured("killed: runner that makes the store for the first time", hits, failures, SEED)
    assert hits == 30
