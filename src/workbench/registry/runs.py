"""Study runs and step runs in MLflow: begun, ended, found again, and put right after a crash."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from workbench.registry import store

if TYPE_CHECKING:
    from mlflow.entities import Run

_ENDS = {"KILLED": "stopped before its end", "FAILED": "failed"}
PARAM_LENGTH = 500  # longer ones are cut silently by some stores: the whole is in params.json


def start(study: str, name: str, facts: Mapping[str, Any], parent: str = "") -> str:
    """Begin a run and return its id. Facts become parameters, which MLflow lets nobody change later."""
    tags = {"mlflow.runName": name, "study": study, "step": name if parent else "", "runner": runner()}
    if parent:
        tags["mlflow.parentRunId"] = parent
    run = store.client().create_run(store.experiment(study), run_name=name, tags=tags)
    log_params(run.info.run_id, facts)
    return run.info.run_id


def log_params(run_id: str, facts: Mapping[str, Any]) -> None:
    """Write facts as parameters (write-once in MLflow); long ones shortened with a mark."""
    from mlflow.entities import Param

    def shown(v: Any) -> str:
        text = v if isinstance(v, str) else json.dumps(v, ensure_ascii=False)
        return text if len(text) <= PARAM_LENGTH else text[: PARAM_LENGTH - 1] + "…"

    store.client().log_batch(run_id, params=[Param(k, shown(v)) for k, v in facts.items()])


def end(run_id: str, status: str, tags: Mapping[str, str] | None = None) -> None:
    """End a run as FINISHED, FAILED or KILLED."""
    for key, value in (tags or {}).items():
        store.client().set_tag(run_id, key, value[:5000])
    store.client().set_terminated(run_id, status)


def keep(run_id: str, folder: Path, figures: Mapping[str, float]) -> None:
    """Log a step's folder (evidence, tables, pictures, notebook, page) and its key figures."""
    import time

    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    store.client().log_batch(run_id, metrics=[Metric(k, v, now, 0) for k, v in figures.items() if v == v])
    store.client().log_artifacts(run_id, str(folder))


def runner() -> str:
    """Return who runs: host, process and its start, so that a dead runner is told from one that reuses its number."""
    me = psutil.Process()
    return f"{socket.gethostname()}:{me.pid}:{me.create_time():.0f}"


def _is_alive(runner_: str) -> bool:
    host, pid, started = runner_.rsplit(":", 2)
    if host != socket.gethostname():
        return True  # another machine's runner is not ours to judge
    try:
        return abs(psutil.Process(int(pid)).create_time() - float(started)) < 2
    except psutil.NoSuchProcess:
        return False


def reconcile() -> list[str]:
    """Mark runs whose runner is dead as KILLED and return their names."""
    c = store.client()
    experiments = [e.experiment_id for e in c.search_experiments()]
    left = c.search_runs(experiments, "attributes.status = 'RUNNING'", max_results=1000) if experiments else []
    dead = [r for r in left if "runner" in r.data.tags and not _is_alive(r.data.tags["runner"])]
    for r in dead:
        c.set_terminated(r.info.run_id, "KILLED")
    return [r.info.run_name for r in dead]


def last_good(study: str, step: str, key: str) -> Run | None:
    """Return the latest finished run of the step with this key (same parameters, data, code), None if none."""
    query = f"params.step_key = '{key}' and tags.step = '{step}' and attributes.status = 'FINISHED'"
    found = store.client().search_runs(
        [store.experiment(study)], query, max_results=1, order_by=["attributes.start_time DESC"]
    )
    return found[0] if found else None


def content(run_id: str, name: str) -> dict[str, Any]:
    """Return a JSON artifact of a run."""
    return json.loads(Path(store.client().download_artifacts(run_id, name)).read_text())


def fetch(run_id: str, name: str) -> Path:
    """Return a local path of an artifact of a run."""
    return Path(store.client().download_artifacts(run_id, name))


def latest(study: str) -> list[dict[str, Any]]:
    """Return the latest run of every step of the study: step, status, start, seconds, verdict, figures, link."""
    c = store.client()
    found = c.get_experiment_by_name(study)
    rows: dict[str, dict[str, Any]] = {}
    if found is None:
        return []
    for r in c.search_runs(
        [found.experiment_id], "tags.step != ''", max_results=500, order_by=["attributes.start_time DESC"]
    ):
        step = r.data.tags["step"]
        if step not in rows and r.info.status != "RUNNING":
            rows[step] = _row(r, step)
    return list(rows.values())


def _row(r: Run, step: str) -> dict[str, Any]:
    ended = r.info.end_time or r.info.start_time
    return {
        "step": step,
        "status": r.info.status,
        "start": r.info.start_time / 1000,
        "seconds": (ended - r.info.start_time) / 1000,
        "verdict": r.data.tags.get("verdict", "info" if r.info.status == "FINISHED" else "error"),
        "headline": r.data.tags.get("headline") or r.data.tags.get("error") or _ENDS.get(r.info.status, ""),
        "figures": dict(r.data.metrics),
        "link": link(r.info.experiment_id, r.info.run_id),
        "run_id": r.info.run_id,
    }


def link(experiment_id: str, run_id: str) -> str:
    """Return where the MLflow UI shows a run (`make ui`)."""
    address = store.uri() if store.uri().startswith("http") else "http://127.0.0.1:5000"
    return f"{address}/#/experiments/{experiment_id}/runs/{run_id}"


def studies() -> list[str]:
    """Return the studies that have runs."""
    return sorted(e.name for e in store.client().search_experiments() if e.name != "Default")
