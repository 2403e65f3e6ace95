"""What the store says of a run, held against the run's own record; what can be rewritten there is put right."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from workbench import home
from workbench.evidence import digest_file
from workbench.params import canonical
from workbench.registry import looking, runs, store
from workbench.registry.current import Record

RECORD = "record_sha256"  # a parameter of the run: MLflow writes one once


@dataclass(frozen=True)
class _Seen:
    """A run as the store shows it; `is_whole`: with every figure ever logged, not the last value of each alone."""

    status: str
    stage: str
    params: Mapping[str, str]
    tags: Mapping[str, str]
    figures: list[tuple[str, float]]
    is_whole: bool = True


def facts(run_id: str) -> str:
    """Return the digest of a run's parameters (hex), that of its record apart."""
    seen = _seen(run_id)
    return _digest(seen.params) if seen else ""


def bind(record: Record) -> None:
    """Let the run name its record's digest."""
    runs.log_params(record.run_id, {RECORD: record.digest})


def fault(record: Record) -> str:
    """Return what of a run is not as its record says, in words; empty where all is.

    Found: a run that is gone, deleted or reopened, an edited parameter, metric or record. Someone who may write to
    store and files alike can forge all three together: that is for signatures and access rights to hold.
    """
    seen = _seen(record.run_id)
    if seen is None:
        return "its run is gone from the store"
    checks = {
        "its run was deleted": seen.stage == "active",
        f"its run is {seen.status}": seen.status == "FINISHED",
        "a parameter of its run was changed": _digest(seen.params) == record.facts,
        "its record was changed": seen.params.get(RECORD) == record.digest,
    }
    return next((words for words, well in checks.items() if not well), "") or _changed_figure(record, seen)


def changed_file(record: Record) -> str:
    """Return which file that a run left, or a model it registered, was changed or lost; empty where all are whole.

    Where a server keeps them, a copy is fetched and looked at; of its models the audit looks at the served files.
    """
    if record.files and not record.folder:
        return _changed_on_server(record)
    files = {home.mlruns() / record.folder / n: d for n, d in record.files.items()} if record.folder else {}
    for entry in (e for e in record.models.values() if e["folder"]):
        files |= {home.mlruns() / entry["folder"] / n: d for n, d in entry["files"].items()}
    for path, digest in files.items():
        if not path.exists():
            return f"{path.name} was lost"
        if not is_as_left(digest_file(path), digest):
            return f"{path.name} was changed"
    return ""


def is_as_left(stands: str, digest: str) -> bool:
    """Say whether content is what it was, or what requests to forget have made of it: only then the chain is read."""
    if stands == digest:
        return True
    from workbench.registry import on_data  # which stands on the chain, and that on this

    return stands == on_data.anew(digest)


def _changed_on_server(record: Record) -> str:
    from mlflow.exceptions import MlflowException

    with TemporaryDirectory() as folder:
        try:
            place = Path(store.client().download_artifacts(record.run_id, "", folder))
        except (MlflowException, OSError):
            return "its files can't be fetched"
        for name, digest in record.files.items():
            if not (place / name).exists() or digest_file(place / name) != digest:
                return f"{Path(name).name} was {'changed' if (place / name).exists() else 'lost'}"
    return ""


def altered(record: Record) -> str:
    """Return what of a run, in its files or in the store, is not as it was left, in words; empty where all is."""
    return looking.answer(lambda: changed_file(record) or fault(record), "altered", record.run_id, record.digest)


def tagged(record: Record) -> bool:
    """Say whether the run's tags are those it ended with (a run that is gone has none to be wrong)."""
    seen = _seen(record.run_id)
    return seen is None or all(seen.tags.get(k) == v for k, v in _tags(record).items())


def retag(record: Record) -> None:
    """Give the run the tags it ended with."""
    for name, value in _tags(record).items():
        store.client().set_tag(record.run_id, name, value)


def _tags(record: Record) -> dict[str, str]:
    of_run = {"study": record.study, "period": record.period, "step": record.step}
    return of_run | runs.ended_with(record.verdict, record.headline)


def _changed_figure(record: Record, seen: _Seen) -> str:
    logged = [(n, v) for n, v in seen.figures if math.isfinite(record.figures.get(n, 0.0))]
    stated = {(n, v) for n, v in record.figures.items() if math.isfinite(v)}
    differing = set(logged) ^ stated if seen.is_whole else set(logged) - stated
    wrong = {n for n, _ in differing} | {n for n, _ in logged if _times(n, logged) > 1}
    return f"metric {min(wrong)} of its run was changed" if wrong else ""


def _times(name: str, logged: list[tuple[str, float]]) -> int:
    return sum(n == name for n, _ in logged)


def _digest(params: Mapping[str, str]) -> str:
    return hashlib.sha256(canonical({k: v for k, v in params.items() if k != RECORD})).hexdigest()


def _seen(run_id: str) -> _Seen | None:
    rows = store.ask("SELECT status, lifecycle_stage FROM runs WHERE run_uuid = ?", run_id)
    if rows is None:
        return _from_server(run_id)
    if not rows:
        return None
    params = store.ask("SELECT key, value FROM params WHERE run_uuid = ?", run_id)
    tags = store.ask("SELECT key, value FROM tags WHERE run_uuid = ?", run_id)
    figures = store.ask("SELECT key, value FROM metrics WHERE run_uuid = ? AND step = 0 AND NOT is_nan", run_id)
    return _Seen(*rows[0], dict(params or []), dict(tags or []), list(figures or []))


def _from_server(run_id: str) -> _Seen | None:
    from mlflow.exceptions import MlflowException

    try:
        run = store.client().get_run(run_id)
    except MlflowException:
        return None
    last = [(m.key, m.value) for m in run.data._metric_objs if m.step == 0]  # a period's has a step
    return _Seen(run.info.status, run.info.lifecycle_stage, run.data.params, run.data.tags, last, is_whole=False)
