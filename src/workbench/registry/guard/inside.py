"""The store as the tracking server's own process sees it: its database and artifacts, without a request to itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from workbench import home
from workbench.params import UserError
from workbench.registry import events, store

SERVED, DATABASE = "_MLFLOW_SERVER_SERVE_ARTIFACTS", "_MLFLOW_SERVER_FILE_STORE"  # as MLflow tells its workers
ARTIFACTS = "_MLFLOW_SERVER_ARTIFACT_DESTINATION"
_LOCK = 7_201_031  # a number of ours among PostgreSQL's advisory locks


def open_() -> None:
    """Let the registry's functions speak to the server's database; `UserError` where clients reach files past it."""
    from mlflow.store.artifact import artifact_repository_registry as repositories

    if os.environ.get(SERVED) != "true":
        raise UserError("mlflow server: clients would reach artifacts past the guard; leave --no-serve-artifacts out")
    os.environ["MLFLOW_TRACKING_URI"] = os.environ[DATABASE]
    repositories._artifact_repository_registry.register("mlflow-artifacts", _proxied)


def _proxied(artifact_uri: str, *_: Any, **__: Any) -> Any:
    """Return where the server keeps what clients know as `mlflow-artifacts:/…`."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    root = os.environ[ARTIFACTS].rstrip("/")
    return get_artifact_repository(f"{root}/{urlsplit(artifact_uri).path.lstrip('/')}")


def proxied_path(artifact_uri: str) -> str:
    """Return the path by which clients reach an artifact address through the server, empty where they don't.

    >>> proxied_path("mlflow-artifacts:/3/models/m-1/artifacts")
    '3/models/m-1'
    """
    place = urlsplit(artifact_uri)
    return place.path.strip("/").removesuffix("/artifacts") if place.scheme == "mlflow-artifacts" else ""


def written() -> frozenset[tuple[str, int]]:
    """Return the runs of the experiment of moves, each with how many parameters it has: it changes with every move."""
    from sqlalchemy import text

    question = (
        "SELECT r.run_uuid, COUNT(p.key) FROM runs r JOIN experiments e ON r.experiment_id = e.experiment_id"
        " LEFT JOIN params p ON p.run_uuid = r.run_uuid WHERE e.name = :name GROUP BY r.run_uuid"
    )
    with _engine().connect() as connection:
        rows = connection.execute(text(question), {"name": events.EXPERIMENT})
        return frozenset((str(run), int(count)) for run, count in rows)


@contextmanager
def alone() -> Iterator[None]:
    """Be the only one of all the server's processes, on any machine of one PostgreSQL, who writes a move."""
    from sqlalchemy import text

    engine = _engine()
    if engine.dialect.name != "postgresql":
        with events.writing():
            yield
        return
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": _LOCK})
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": _LOCK})


def _engine() -> Any:
    return store.client()._tracking_client.store.engine


def journal() -> Path:
    """Return the file of the journal: `WORKBENCH_JOURNAL`, else `journal.jsonl` in `mlruns/`."""
    return Path(os.environ.get("WORKBENCH_JOURNAL") or home.mlruns() / "journal.jsonl")
