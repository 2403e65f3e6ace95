"""Run studies: steps in dependency order, side by side, unchanged ones taken from their last good run."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

from workbench import evidence, home, personal, tables
from workbench.params import ONCE, Key, UserError, no_space
from workbench.registry import current, provenance, recorded, runs, store
from workbench.registry.current import Record
from workbench.reporting import site
from workbench.runs import fingerprint, following, settling, sweep
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

    What killed runners have left is put right first. A failed step stops what stands on it and nothing else. Where
    nothing has changed, MLflow is not opened and no run begun. Pages and index are brought up to date at the end.
    """
    with ExitStack() as stack:
        for study in studies:
            stack.enter_context(current.holding(study.name))
        stack.enter_context(store.named_if_damaged())
        store.whole([s.name for s in studies])
        for line in sweep.mend([s.name for s in studies]):
            watcher.note(line)
        for study in studies:
            once = {s.name for s in study.steps if s.key.period == ONCE}
            settling.retire_undated(study.name, study.period, once)
        work = stack.enter_context(sweep.working())
        steps = [s for study in studies for s in selected(study, options.only, options.start)]
        kernel = stack.enter_context(_kernels(options, steps))
        flows = [_Flow(s, options, kernel, work, watcher) for s in studies]
        reworded = {study.name: following.take_up(study) for study in studies}
        _drive(flows, options.jobs)
        for flow in flows:
            flow.close()
        for name, is_reworded in reworded.items():
            following.follow(name, is_reworded)
        if places := site.changed():
            more = f" and {len(places) - 1} more pages of the site were" if len(places) > 1 else " was"
            watcher.note(f"reports/{places[0]}{more} changed by hand, put right")
        site.write()
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

    def __init__(self, study: Study, options: Options, kernel: Any, work: Path, watcher: Watcher):
        self.study, self.options, self.kernel, self.work, self.watcher = study, options, kernel, work, watcher
        self.steps = selected(study, options.only, options.start)
        self.results: dict[str, Result] = {}
        self.begun: set[str] = set()
        self.open: dict[str, str] = {}
        self.stopped = False
        self.run_id, self.lock = "", Lock()

    def study_run(self) -> str:
        """Return the study's own run in MLflow, begun with the first step that has to run."""
        with self.lock:
            if not self.run_id:
                key = Key(self.study.name, self.study.period)
                words = following.words(self.study)
                runs.describe(self.study.name, words.note)
                steps = {"steps": [s.name for s in self.steps]}
                self.run_id = runs.start(key, self.study.name, steps, note=words.note)
            return self.run_id

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
        facts = fingerprint.facts(step, self.study.language)
        if not self.options.fresh and (record := self._last_good(step, facts["step_key"])):
            return _taken(step, record)
        self.watcher.started(self.study.name, step.name)
        note = f"Page: reports/{step.key.place}/{step.slug}.html"
        values = facts | provenance.facts() | step.params.model_dump(mode="json")
        run_id = runs.start(step.key, step.name, values, self.study_run(), note)
        self.open[step.name] = run_id
        try:
            return self._run(step, run_id, facts["step_key"], began)
        finally:
            self.open.pop(step.name, None)

    def _last_good(self, step: Step, step_key: str) -> Record | None:
        """Return a run of the step with this key of which everything still stands: the current one, else the latest.

        The store is asked only where the current run is another's, or not as it was left: that is told.
        """
        record = current.read(step.key, step.slug)
        if record is not None and record.step_key == step_key:
            if not (fault := settling.fault(record)):
                return record
            self.watcher.note(f"{self.study.name} {step.name}: {fault}; the run of {_when(record)} does not count")
        earlier = runs.last_good(step.key, step.name, step_key)
        return earlier if earlier is not None and settling.stands(earlier) else None

    def _run(self, step: Step, run_id: str, step_key: str, began: float) -> Result:
        from workbench.runs import outcome

        record, work = outcome.begun(self.study, step, run_id, step_key), self.work / run_id
        try:
            self._execute(step, work)
            record = outcome.keep(self.study, step, record, work, outcome.verified(step, work))
        except Exception as e:  # noqa: BLE001 - whatever befell this step, the others go on
            if self.stopped:  # its run is marked KILLED already
                return Result(step.name, "not run", message="stopped")
            return self._failed(step, record, _one_line(e), time.monotonic() - began)
        for line in outcome.rung(record):
            self.watcher.note(line)
        return Result(step.name, "done", time.monotonic() - began, record.verdict, record.headline)

    def _execute(self, step: Step, work: Path) -> None:
        from workbench.runs import notebook

        temporary = self.work / "tmp" / work.name  # what a kernel lays aside goes with the runner
        for folder in (work, temporary):
            folder.mkdir(parents=True, exist_ok=True)
        env = {
            **os.environ,
            "WORKBENCH_HOME": str(home.root()),
            "WORKBENCH_STEP_DIR": str(work / "evidence"),
            tables.STUDY: step.key.study,
            recorded.READS: "\n".join(n.lstrip("?") for n in step.reads),
            "MLFLOW_TRACKING_URI": store.uri(),
            "TMPDIR": str(temporary),
            **KERNEL_ENV,
        }
        values = step.params.model_dump(mode="json")

        def progress(at: int, of: int) -> None:
            self.watcher.cell(self.study.name, step.name, at, of)

        notebook.run(step.notebook, work / "notebook.ipynb", values, env, self.kernel(), progress)

    def _failed(self, step: Step, record: Record, error: Exception, seconds: float) -> Result:
        from workbench.runs import outcome

        by_user = isinstance(error, UserError) or getattr(error, "by_user", False)
        text = personal.masked(str(error), foreign=not by_user)  # what a file held may stand in it
        place = outcome.keep_failed(self.study, step, record, self.work / record.run_id, text)
        runs.end(record.run_id, "FAILED", {"verdict": "error", "error": text})
        where = f"; the partial notebook is {place}" if place else ""
        return Result(step.name, "failed", seconds, "error", f"{text}{where}", by_user)

    def stop(self) -> None:
        """Mark the study's run and the steps under way as KILLED (Ctrl-C); their kernels go with the runner."""
        self.stopped = True
        for run_id in (*self.open.values(), *([self.run_id] if self.run_id else [])):
            runs.end(run_id, "KILLED")

    def close(self) -> None:
        """End the study's run, if one was begun, with figures of its own; steps it no longer has say nothing more."""
        if len(self.steps) == len(self.study.steps):
            periods = {s.key.period for s in self.steps}
            settling.retire(self.study.name, periods, {s.name for s in self.steps})
        if not self.run_id:
            return
        results = list(self.results.values())
        worst = min((evidence.Verdict(r.verdict) for r in results if r.verdict), key=lambda v: v.rank, default="info")
        status = "FAILED" if any(r.status == "failed" for r in results) else "FINISHED"
        counts = Counter(r.status.replace(" ", "_") for r in results) + Counter(r.verdict for r in results if r.verdict)
        runs.log_figures(self.run_id, {"steps": len(results), "seconds": sum(r.seconds for r in results), **counts})
        runs.end(self.run_id, status, {"verdict": str(worst)})


def _taken(step: Step, record: Record) -> Result:
    """Let names, tags and pages say what this earlier run says, and tell what somebody had changed in them."""
    mended = settling.settle(record)
    message = f"taken from the run of {_when(record)}"
    message += f"; changed by hand, put right: {', '.join(mended)}" if mended else ""
    return Result(step.name, "unchanged", 0.0, record.verdict, message)


def _when(record: Record) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(record.start))


def _one_line(error: Exception) -> Exception:
    """An error nobody foresaw, such as a full disk, as one line; its kind stands before it."""
    from workbench.runs.notebook import StepFailed

    if isinstance(error, (StepFailed, UserError)):
        return error
    if isinstance(error, OSError) and (full := no_space(error)):
        return full
    return store.damage(error) or StepFailed(0, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")


@contextmanager
def _kernels(options: Options, steps: Sequence[Step]) -> Iterator[Any]:
    """Yield a function that names the kernel; the warm parent starts with the first notebook that needs it."""
    with ExitStack() as stack:
        started: list[str] = []
        lock = Lock()

        def kernel() -> str:
            with lock:
                if not started:
                    started.append(_warm(stack, steps) if options.warm else "python3")
            return started[0]

        yield kernel


def _warm(stack: ExitStack, steps: Sequence[Step]) -> str:
    """Return the name of warm kernels that have the steps' modules, too, as they are when the first notebook begins."""
    from workbench.runs.warm import preload_of, warm_kernels

    modules = sorted({s.module for s in steps})
    return stack.enter_context(warm_kernels([*preload_of(s.packages for s in steps), *modules], env=KERNEL_ENV))
