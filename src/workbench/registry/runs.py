"""Study runs and step runs in MLflow: begun, ended, found again, and put right after a crash."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from workbench import home
from workbench.params import Key
from workbench.registry import copies, current, heartbeat, looking, store
from workbench.registry.current import Record

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.entities import Run

RECORD = "record.json"
PARAM_LENGTH = 500  # longer ones are cut silently by some stores: the whole is in params.json
DATASET_DIGEST = 32  # of our 64 characters: MLflow has room for 36
TAG_LENGTH = 5000  # MLflow cuts from 8,000 on without a word
_NOTE = "mlflow.note.content"
_naming = Lock()  # MLflow looks for a dataset, then makes it: of two steps that read one table at once, one would fail
_open: set[str] = set()  # runs that this process has begun and not ended


def start(
    key: Key,
    name: str,
    facts: Mapping[str, Any],
    parent: str = "",
    note: str = "",
    tags: Mapping[str, str] | None = None,
) -> str:
    """Begin a run and return its id. Facts become parameters, which MLflow lets nobody change later."""
    tags = {**(tags or {}), "study": key.study, "period": key.period, "step": name if parent else ""}
    tags |= {"runner": home.me(), "mlflow.runName": name, _NOTE: note}
    if user := os.environ.get(store.USER):  # as whom a server knows who runs it
        tags["mlflow.user"] = user
    if parent:
        tags["mlflow.parentRunId"] = parent
    run = store.client().create_run(store.experiment(key.study), run_name=name, tags=tags)
    _open.add(run.info.run_id)
    log_params(run.info.run_id, facts)
    return run.info.run_id


def beat() -> None:
    """Renew the heartbeat of this process's runs where the store is a server; elsewhere its work folder has it."""
    if store.is_server():
        for run_id in list(_open):
            store.client().set_tag(run_id, heartbeat.BEAT, f"{time.time():.0f}")


def describe(study: str, note: str) -> None:
    """Say on the experiment what the study is."""
    store.client().set_experiment_tag(store.experiment(study), _NOTE, note)


def is_described(study: str, note: str) -> bool:
    """Say whether the experiment says this of the study; of a server it isn't asked, and taken to."""
    query = (
        "SELECT t.value FROM experiment_tags t JOIN experiments e USING (experiment_id) WHERE e.name = ? AND t.key = ?"
    )
    rows = store.ask(query, study, _NOTE)
    return rows is None or [str(value) for (value,) in rows] == [note]


def log_params(run_id: str, facts: Mapping[str, Any]) -> None:
    """Write facts as parameters (write-once in MLflow); long ones shortened with a mark."""
    from mlflow.entities import Param

    def shown(v: Any) -> str:
        text = v if isinstance(v, str) else json.dumps(v, ensure_ascii=False)
        return text if len(text) <= PARAM_LENGTH else text[: PARAM_LENGTH - 1] + "…"

    store.client().log_batch(run_id, params=[Param(k, shown(v)) for k, v in facts.items()])


def log_inputs(run_id: str, read: Iterable[tuple[str, str]], kind: str = "table") -> None:
    """Name what a step has read (name, digest of all bytes) as MLflow's datasets, whose digest has room for 36.

    kind: `table`; `file` of a raw file, by its name alone; `simulation`, by the digest of its parameters.
    """
    from mlflow.entities import Dataset, DatasetInput, InputTag

    inputs = [
        DatasetInput(
            Dataset(name, digest[:DATASET_DIGEST], kind, json.dumps({kind: name, "sha256": digest})),
            [InputTag("mlflow.data.context", "read")],
        )
        for name, digest in read
    ]
    if inputs:
        with _naming:
            store.client().log_inputs(run_id, inputs)


def log_series(run_id: str, series: Mapping[str, Mapping[str, float]]) -> None:
    """Log figures by period as metrics whose step is the months since January 1970."""
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    points = [(n, month_number(p), v) for n, values in series.items() for p, v in values.items() if v == v]
    for at in range(0, len(points), 1000):
        store.client().log_batch(run_id, metrics=[Metric(n, v, now, m) for n, m, v in points[at : at + 1000]])


def month_number(period: str) -> int:
    """Return the months from January 1970 to the first month of a period.

    >>> month_number("1970-02"), month_number("2018-Q2"), month_number("2018Q2"), month_number("2018")
    (1, 579, 579, 576)
    """
    year, part = int(period[:4]), period[4:].lstrip("-")
    month = 3 * int(part[1]) - 2 if part.startswith("Q") else int(part or 1)
    return (year - 1970) * 12 + month - 1


def end(run_id: str, status: str, tags: Mapping[str, str] | None = None) -> None:
    """End a run as FINISHED, FAILED or KILLED."""
    for key, value in (tags or {}).items():
        store.client().set_tag(run_id, key, value[:TAG_LENGTH])
    store.client().set_terminated(run_id, status)
    _open.discard(run_id)


def ended_with(verdict: str, headline: str) -> dict[str, str]:
    """Return the tags of a run that has ended well."""
    return {"verdict": verdict, "headline": headline[:TAG_LENGTH]}


def log_figures(
    run_id: str, figures: Mapping[str, float], model_id: str = "", data: tuple[str, str] = ("", "")
) -> None:
    """Log key figures; what is not a number has none.

    model_id: the logged model they are of: MLflow shows them on its page, too; data: name and digest of the table read.
    """
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    of = {"model_id": model_id} if model_id else {}
    if model_id and data[0]:
        of |= {"dataset_name": data[0], "dataset_digest": data[1][:DATASET_DIGEST]}
    metrics = [Metric(k, v, now, 0, **of) for k, v in figures.items() if v == v]
    store.client().log_batch(run_id, metrics=metrics)


def figures(run_id: str) -> dict[str, float]:
    """Return a run's key figures as the store shows them."""
    return dict(store.client().get_run(run_id).data.metrics)


def params(run_id: str) -> dict[str, str]:
    """Return a run's parameters as the store shows them; long ones are shortened there."""
    return dict(store.client().get_run(run_id).data.params)


def keep(run_id: str, folder: Path) -> None:
    """Log a step's folder: evidence, tables, pictures, notebook, page."""
    store.client().log_artifacts(run_id, str(folder))


def artifacts(run_id: str) -> str:
    """Return where the run's artifacts lie below `mlruns/`, empty where they are on a server."""
    return store.below_mlruns(store.client().get_run(run_id).info.artifact_uri)


def under_way() -> bool:
    """Say whether a run is RUNNING in the store, or may be (of a server it isn't asked)."""
    rows = store.ask("SELECT 1 FROM runs WHERE status = 'RUNNING' AND lifecycle_stage = 'active' LIMIT 1")
    return bool(rows)


def crashed() -> list[Run]:
    """Return the runs that are RUNNING in the store and whose runner is gone, whatever machine it was on."""
    c = store.client()
    experiments = [e.experiment_id for e in c.search_experiments()]
    running = c.search_runs(experiments, "attributes.status = 'RUNNING'", max_results=1000) if experiments else []
    return [r for r in running if "runner" in r.data.tags and not _lives(r.data.tags)]


def reconcile() -> list[str]:
    """Mark crashed runs as KILLED with a tag that says so, and return their names; each is its step's last failed run.

    Whoever looks may call it: it touches no run whose runner lives.
    """
    lost = crashed()
    for r in lost:
        store.client().set_tag(r.info.run_id, "crashed", "its runner is gone")
        store.client().set_terminated(r.info.run_id, "KILLED")
        if r.data.tags.get("step"):
            _remember(_stopped(r))
    return [r.info.run_name for r in lost]


def _lives(tags: Mapping[str, str]) -> bool:
    return heartbeat.lives(tags["runner"], tags if store.is_server() else None)


def _remember(stopped: Record) -> None:
    """Make this the step's last failed run, unless a later one has ended well since."""
    good = current.read(stopped.key, stopped.slug)
    if good is None or good.start < stopped.start:
        current.put(stopped, current.FAILED)


def _stopped(r: Run) -> Record:
    tags, step = r.data.tags, r.data.tags["step"]
    return Record(
        study=tags["study"],
        period=tags["period"],
        step=step,
        slug=step.replace("@", "-"),
        run_id=r.info.run_id,
        step_key=r.data.params.get("step_key", ""),
        status="CRASHED",
        verdict="error",
        headline="crashed: its runner is gone",
        start=r.info.start_time / 1000,
        seconds=0.0,
    )


def latest(n: int = 20) -> pd.DataFrame:
    """Return the latest runs of studies, newest first: began, study, period, step, status, verdict.

    step: empty of the study's own. What a study can't be called, such as `governance/events`, holds no runs of studies.
    """
    import pandas as pd

    c = store.client()
    ids = [e.experiment_id for e in c.search_experiments() if "/" not in e.name]
    order = ["attributes.start_time DESC"]
    rows = [_shown(r) for r in (c.search_runs(ids, max_results=n, order_by=order) if ids else [])]
    return pd.DataFrame(rows, columns=["began", "study", "period", "step", "status", "verdict"])


def _shown(r: Run) -> dict[str, str]:
    tags, when = r.data.tags, time.strftime("%Y-%m-%d %H:%M", time.localtime(r.info.start_time / 1000))
    status_ = "CRASHED" if "crashed" in tags else r.info.status
    shown = {"began": when, **{name: tags.get(name, "") for name in ("study", "period", "step")}}
    return {**shown, "status": status_, "verdict": tags.get("verdict", "")}


def status(run_id: str) -> str:
    """Return RUNNING, FINISHED, FAILED or KILLED; empty where the store has no such run."""
    from mlflow.exceptions import MlflowException

    try:
        return str(store.client().get_run(run_id).info.status)
    except MlflowException:
        return ""


def last_good(key: Key, step: str, step_key: str) -> Record | None:
    """Return the record of the latest finished run of the step with this key (same parameters, data, code), if any."""
    query = (
        f"params.step_key = '{step_key}' and tags.step = '{step}' and tags.period = '{key.period}'"
        " and attributes.status = 'FINISHED'"
    )
    experiment = store.experiment(key.study)
    latest = store.client().search_runs([experiment], query, max_results=5, order_by=["attributes.start_time DESC"])
    return next((r for run in latest if (r := record(run.info.run_id)) is not None), None)


def record(run_id: str) -> Record | None:
    """Return what a run wrote down of itself; None where a crash or a hand has left none."""
    return looking.answer(lambda: _record(run_id), "record", run_id)


def _record(run_id: str) -> Record | None:
    try:
        return current.from_json(fetch(run_id, RECORD).read_text(encoding="utf-8"))
    except Exception:  # noqa: BLE001 - whatever the artifact store raises: a run without its record doesn't count
        return None


def fetch(run_id: str, name: str) -> Path:
    """Return a local path of an artifact of a run, to be read: in place where it lies below `mlruns/`, else a copy."""
    for (address,) in store.ask("SELECT artifact_uri FROM runs WHERE run_uuid = ?", run_id) or []:
        if place := store.below_mlruns(address):
            return home.mlruns() / place / name
    return _copy(run_id, name)


def _copy(run_id: str, name: str) -> Path:
    """Copy a file from where the run says its artifacts lie.

    MLflow's own `download_artifacts` asks for the run twice, for a logged model of this name to put in its place, and
    for what lies in the file, lest it be a folder.
    """
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    uri, place = store.client().tracking_uri, copies.place(run_id, name) / Path(name).name
    get_artifact_repository(_address(uri, run_id), tracking_uri=uri)._download_file(name, str(place))
    return place


@lru_cache(maxsize=10_000)
def _address(uri: str, run_id: str) -> str:
    """Return where a run's artifacts lie, which never changes on a server."""
    return str(store.client().get_run(run_id).info.artifact_uri)


def experiments() -> dict[str, str]:
    """Return the experiment of every run, by the run's id, without opening MLflow; none of a server's."""
    return {
        run_id: str(experiment) for run_id, experiment in store.ask("SELECT run_uuid, experiment_id FROM runs") or ()
    }


def link(experiment_id: str, run_id: str) -> str:
    """Return where the MLflow UI shows a run: on the tracking server, or where `WORKBENCH_UI` says; else nowhere."""
    server = store.uri() if store.uri().startswith("http") else ""
    address = os.environ.get("WORKBENCH_UI", server).rstrip("/")
    return f"{address}/#/experiments/{experiment_id}/runs/{run_id}" if address else ""
