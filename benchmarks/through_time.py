"""The whole notebook of monitoring on a million rows x 30 over 24 periods: seconds and peak memory of its kernel.

    python benchmarks/through_time.py

A simulated book in a temporary home: 60,000 rows of development and hold-out, 1,000,000 of monitoring, 27 numbers and
3 columns of categories; a scorecard learnt and registered as in a study; the notebook run through Papermill in a kernel
of its own, imports included. Exit code 1 beyond 60 s or 4 GiB.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

ROWS, LEARNT, FEATURES, PERIODS = 1_000_000, 60_000, 30, 24
GOAL_SECONDS, GOAL_GIB = 60, 4


def book(rng: np.random.Generator) -> pd.DataFrame:
    """Return the panel: features, outcome, as-of dates; the third category is rarer from the middle on."""
    n = ROWS + LEARNT
    columns: dict[str, np.ndarray] = {f"n{i:02d}": rng.lognormal(0, 0.7, n) for i in range(FEATURES - 3)}
    for name in list(columns)[::5]:
        columns[name][rng.random(n) < 0.1] = np.nan
    columns |= {f"c{i}": rng.choice(["red", "green", "blue", "grey"], n) for i in range(3)}
    z = sum(0.3 * np.log(np.nan_to_num(columns[f"n{i:02d}"], nan=1.0)) for i in range(10)) - 3
    months = pd.period_range("2018-01", periods=PERIODS, freq="M").to_timestamp(how="end").normalize()
    sample = np.repeat(["development", "holdout", "monitoring"], [LEARNT * 2 // 3, LEARNT // 3, ROWS])
    as_of = np.concatenate([np.repeat(np.datetime64("2017-06-30"), LEARNT), rng.choice(months, ROWS)])
    return pd.DataFrame(columns).assign(
        entity_id=[f"e{i:07d}" for i in range(n)],
        as_of_date=pd.to_datetime(as_of),
        sample=sample,
        weight=1.0,
        outcome=(rng.random(n) < expit(z)).astype(float),
    )


def prepare(home: Path) -> dict[str, object]:
    """Write the panel, register the model, and return the notebook's parameters."""
    from sound_models import scorecard

    from workbench import tables
    from workbench.contracts import Column, Contract, Outcome
    from workbench.params import Key
    from workbench.registry import current, runs, versions

    panel = book(np.random.default_rng(1))
    identifying = {"entity_id", "as_of_date", "sample", "weight", "outcome"}
    kinds = {c: "category" if c.startswith("c") else "number" for c in panel if c not in identifying}
    columns = tuple(Column(name=n, type=kind) for n, kind in kinds.items())
    contract = Contract(name="mart__panel", title="million", columns=columns, outcome=Outcome(window_months=6))
    model = scorecard(panel, contract, 1)
    key = Key("million", "once")
    file = model.save(home / "model")
    run_id = runs.start(key, "models/development", {"step_key": "0"}, "0" * 32)
    with current.holding("million"):
        entry = versions.register(run_id, file, "million", "pd", {"holdout_auc": 0.7})
        tables.pin(key, "model__pd", entry)
        tables.write(key, "mart__panel", panel, contract)
        staged = next(home.rglob("mart__panel.parquet")).parent
        tables.pin(key, "mart__panel", tables.keep(key, "mart__panel", staged))
    runs.end(run_id, "FINISHED", {})
    return {"study": "million", "panel": "mart__panel", "model": "pd", "until": "2019-12"}


def main() -> int:
    """Prepare in a process of its own, run, and print."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WORKBENCH_HOME"] = folder
        home = Path(folder)
        (home / "params").mkdir()
        child = os.fork()
        if not child:
            os.environ["WORKBENCH_STEP_DIR"] = str(home / "prepared")
            prepare(home)
            os._exit(0)
        if os.waitpid(child, 0)[1]:
            raise SystemExit("the book could not be prepared")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        return _run(home, before.ru_utime + before.ru_stime)


def _run(home: Path, before: float) -> int:
    from workbench.registry import store
    from workbench.runs import notebook
    from workbench.runs.execution import KERNEL_ENV

    path = Path(__file__).parents[1] / "notebooks" / "monitoring" / "through_time.ipynb"
    values = {"study": "million", "panel": "mart__panel", "model": "pd", "until": "2019-12"}
    env = {**os.environ, **KERNEL_ENV, "WORKBENCH_STEP_DIR": str(home / "step"), "MLFLOW_TRACKING_URI": store.uri()}
    (home / "step").mkdir()
    began = time.monotonic()
    peak = _watched(lambda: notebook.run(path, home / "out.ipynb", values, env, "python3", lambda at, of: None))
    seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before
    print(f"monitoring/through_time, {ROWS:,} rows x {FEATURES} over {PERIODS} periods: {seconds:.0f} s wall")
    print(f"{cpu:.0f} CPU s, peak {peak:.2f} GiB (goals {GOAL_SECONDS} s, {GOAL_GIB} GiB)")
    return int(seconds > GOAL_SECONDS or peak > GOAL_GIB)


def _watched(call) -> float:
    """Return the largest resident size of the kernel (GiB) while a call lasts."""
    from threading import Event, Thread

    import psutil

    done, peak = Event(), [0.0]

    def look() -> None:
        while not done.wait(0.2):
            for process in psutil.Process().children(recursive=True):
                try:
                    peak[0] = max(peak[0], process.memory_info().rss / 2**30)
                except psutil.Error:
                    continue

    watcher = Thread(target=look, daemon=True)
    watcher.start()
    call()
    done.set()
    return peak[0]


if __name__ == "__main__":
    sys.exit(main())
