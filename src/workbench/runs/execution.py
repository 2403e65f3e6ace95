"""Run studies: steps in dependency order, side by side, unchanged ones taken from their last good run."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

from workbench import evidence, home, tables
from workbench.params import UserError
from workbench.registry import runs, store, versions
from workbench.runs import fingerprint, notebook, outcome
from workbench.runs.notebook import StepFailed
from workbench.runs.study import Step, Study, selected

KERNEL_ENV = {  # one thread: the order of a sum, and with it a model's last digits, depends on their number
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "MPLBACKEND": "",
}


class Watcher(Protocol):
    """Who is told how the work goes on."""

    def started(self, study: str, step: str) -> None: ...
    def cell(self, study: str, step: str, at: int, of: int) -> None: ...
    def ended(self, study: str, result: Result) -> None: ...
    def note(self, line: str) -> None: ...


@dataclass(frozen=True)
class Result:
    """How a step ended: done, unchanged, failed or not run; with its verdict and one line on it."""

    step: str
    status: str
    seconds: float = 0.0
    verdict: str = ""
    message: str = ""
    by_user: bool = False


@dataclass(frozen=True)
class Options:
    """What the command line says about this run."""

    only: str = ""
    start: str = ""
    fresh: bool = False
    jobs: int = field(default_factory=lambda: max(1, min(os.cpu_count() or 1, 4)))
    warm: bool = True


def run(studies: list[Study], options: Options, watcher: Watcher) -> dict[str, list[Result]]:
    """Run the studies and return every step's result, by study.

    Runs that a killed runner left RUNNING are marked KILLED first. A failed step stops what stands
    on it and nothing else. Pages and index are brought up to date at the end.
    """
    with ExitStack() as stack:
        for study in studies:
            stack.enter_context(_only_runner_of(study.name))
        for name in runs.reconcile():
            watcher.note(f"{name}: left behind by a runner that is gone, marked KILLED")
        kernel = stack.enter_context(_kernels(options))
        flows = [_Flow(s, options, kernel, watcher) for s in studies]
        _drive(flows, options.jobs)
        for flow in flows:
            flow.close()
    return {f.study.name: list(f.results.values()) for f in flows}


def _drive(flows: list[_Flow], jobs: int) -> None:
    pool, running = ThreadPoolExecutor(jobs), {}
    try:
        while True:
            for flow in flows:
                running.update({pool.submit(flow.step, s): flow for s in flow.ready()})
            if not running:
                return
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                running.pop(done).take(done.result())
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not stop the clearing up
        for flow in flows:
            flow.stop()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class _Flow:
    """One study under way: what has ended, what may begin."""

    def __init__(self, study: Study, options: Options, kernel: Any, watcher: Watcher):
        self.study, self.options, self.kernel, self.watcher = study, options, kernel, watcher
        self.steps = selected(study, options.only, options.start)
        self.results: dict[str, Result] = {}
        self.begun: set[str] = set()
        self.open: dict[str, str] = {}
        self.stopped = False
        store.client()
        self.run_id = runs.start(study.name, study.name, {"study": study.name, "steps": [s.name for s in self.steps]})

    def ready(self) -> Iterator[Step]:
        """Yield the steps whose inputs are there; those that can no longer run are settled here."""
        chosen = {s.name for s in self.steps}
        for s in self.steps:
            needs = self.study.needs[s.name] & chosen
            if s.name in self.begun or not needs <= set(self.results):
                continue
            self.begun.add(s.name)
            if broken := [n for n in sorted(needs) if self.results[n].status in ("failed", "not run")]:
                self.take(Result(s.name, "not run", message=f"needs {broken[0]}, which failed"))
            else:
                yield s

    def take(self, result: Result) -> None:
        """Remember a result and tell who watches."""
        self.results[result.step] = result
        self.watcher.ended(self.study.name, result)

    def step(self, step: Step) -> Result:
        """Take the step from its last good run where nothing has changed, else run it."""
        began = time.monotonic()
        facts = fingerprint.facts(step)
        if not self.options.fresh and (kept := _unchanged(self.study.name, step, facts["step_key"])):
            return kept
        self.watcher.started(self.study.name, step.name)
        run_id = runs.start(self.study.name, step.name, facts | step.params.model_dump(mode="json"), self.run_id)
        self.open[step.name] = run_id
        try:
            verdict, headline = self._execute(step, run_id)
        except Exception as e:  # noqa: BLE001 - whatever befell this step, the others go on
            if self.stopped:  # its run is marked KILLED already
                return Result(step.name, "not run", message="stopped")
            return self._failed(step, run_id, _told(e), time.monotonic() - began)
        finally:
            self.open.pop(step.name, None)
        return Result(step.name, "done", time.monotonic() - began, verdict, headline)

    def _execute(self, step: Step, run_id: str) -> tuple[str, str]:
        work = _work(run_id)
        env = {
            **os.environ,
            "WORKBENCH_HOME": str(home.root()),
            "WORKBENCH_STEP_DIR": str(work / "evidence"),
            "MLFLOW_TRACKING_URI": store.uri(),
            **KERNEL_ENV,
        }
        values = step.params.model_dump(mode="json")

        def progress(at: int, of: int) -> None:
            self.watcher.cell(self.study.name, step.name, at, of)

        notebook.run(step.notebook, work / "notebook.ipynb", values, env, self.kernel(), progress)
        left = outcome.verified(step, work)
        return outcome.keep(self.study, step, run_id, work, left)

    def _failed(self, step: Step, run_id: str, error: Exception, seconds: float) -> Result:
        place = outcome.keep_failed(self.study, step, run_id, _work(run_id))
        runs.end(run_id, "FAILED", {"verdict": "error", "error": str(error)})
        where = f"; the partial notebook is {place}" if place else ""
        by_user = isinstance(error, UserError) or getattr(error, "by_user", False)
        return Result(step.name, "failed", seconds, "error", f"{error}{where}", by_user)

    def stop(self) -> None:
        """Mark the study's run and the steps under way as KILLED (Ctrl-C); their kernels go with the runner."""
        self.stopped = True
        for run_id in (*self.open.values(), self.run_id):
            runs.end(run_id, "KILLED")

    def close(self) -> None:
        """End the study's run and bring the index up to date."""
        found = list(self.results.values())
        worst = min((evidence.Verdict(r.verdict) for r in found if r.verdict), key=lambda v: v.rank, default="info")
        status = "FAILED" if any(r.status == "failed" for r in found) else "FINISHED"
        runs.end(self.run_id, status, {"verdict": str(worst)})
        outcome.index()


def _unchanged(study: str, step: Step, key: str) -> Result | None:
    """Return the step's last good result where its key is the same and what it wrote is still at rest."""
    run = runs.last_good(study, step.name, key)
    if run is None:
        return None
    left = json.loads(runs.fetch(run.info.run_id, f"evidence/{evidence.LEFT_BEHIND}").read_text())
    kept = runs.content(run.info.run_id, "kept.json")
    for name, entry in kept["pins"].items():
        if name.startswith("model__"):
            versions.pin(
                study,
                name.removeprefix("model__"),
                entry["digest"],
                {k: v for k, v in entry.items() if k != "digest"},
            )
        elif tables.exists(study, name, entry["digest"]):
            tables.pin(study, name, entry["digest"], {k: v for k, v in entry.items() if k != "digest"})
        else:
            return None
    outcome.restore_page(study, step, run.info.run_id)
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.info.start_time / 1000))
    return Result(step.name, "unchanged", 0.0, left["verdict"], f"taken from the run of {when}")


def _told(error: Exception) -> Exception:
    """An error nobody foresaw, such as a full disk, as one line; its kind stands before it."""
    if isinstance(error, (StepFailed, UserError)):
        return error
    return StepFailed(0, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")


def _work(run_id: str) -> Path:
    folder = home.mlruns() / "work" / run_id
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def _kernels(options: Options) -> Iterator[Any]:
    """Yield a function that names the kernel; the warm parent starts with the first notebook that needs it."""
    with ExitStack() as stack:
        started: list[str] = []
        lock = Lock()

        def kernel() -> str:
            with lock:
                if not started:
                    started.append(_warm(stack) if options.warm else "python3")
            return started[0]

        yield kernel


def _warm(stack: ExitStack) -> str:
    from workbench.runs.warm import warm_kernels

    return stack.enter_context(warm_kernels(env=KERNEL_ENV))


@contextmanager
def _only_runner_of(study: str) -> Iterator[None]:
    place = home.mlruns() / f".{study}.lock"
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"study '{study}' is being run by another process; wait for it to end") from None
        yield
