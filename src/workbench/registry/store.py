"""The MLflow store: SQLite in `mlruns/` unless `MLFLOW_TRACKING_URI` names another, created once and whole."""

from __future__ import annotations

import fcntl
import logging
import os
import re
import shutil
import socket
import sqlite3
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from workbench import home
from workbench.params import UserError
from workbench.registry import current, looking

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
DATABASE = "mlflow.db"
_DAMAGE = re.compile(
    r"database or disk is full|disk I/O error|database disk image is malformed|file is not a database"
    r"|unable to open database file|attempt to write a readonly database"
)
USER, USER_SECRET = "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"
_GUARDED = "PERMISSION_DENIED: "  # what stands before the words of a guarded server
_LEAST_BYTES = 2**16  # free on the disk, below which SQLite calls almost anything an I/O error
_opening = Lock()
_PLACES = {  # where MLflow writes down, as absolute addresses, where files lie
    "experiments": ("artifact_location",),
    "runs": ("artifact_uri",),
    "logged_models": ("artifact_location",),
    "model_versions": ("source", "storage_location"),
}


def uri() -> str:
    """Return the tracking URI: the standard environment variable, else SQLite in `mlruns/`."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{home.mlruns() / DATABASE}"


def answers(uri_: str) -> None:
    """Raise `UserError` where a tracking server doesn't answer; MLflow itself would retry for minutes."""
    place = urlsplit(uri_)
    if place.scheme not in ("http", "https"):
        return
    try:
        socket.create_connection(
            (place.hostname or "", place.port or (443 if place.scheme == "https" else 80)), 5
        ).close()
    except OSError as e:
        raise UserError(f"MLflow at {uri_} does not answer ({e}); start it, or unset MLFLOW_TRACKING_URI") from None


@cache
def _client(uri_: str) -> MlflowClient:
    answers(uri_)
    import mlflow

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        if path := _sqlite(uri_):
            create(path)
            relocate(path, home.mlruns())
        opened = mlflow.MlflowClient(uri_, uri_)
    except sqlite3.DatabaseError as e:
        raise _damaged(e) from None
    except mlflow.exceptions.MlflowException as e:
        first = " ".join(str(e).split())[:160]
        raise UserError(f"MLFLOW_TRACKING_URI '{uri_}' names no store that MLflow knows ({first})") from None
    # Before most requests MLflow reads the whole model to see that it is no prompt, which none of ours is.
    opened._raise_if_prompt = lambda name: None
    return opened


def client() -> MlflowClient:
    """Return the client of the store, which is created first where it is not there yet.

    MLflow's own functions (`mlflow.log_…`) are pointed at the same store.
    """
    with _opening:  # steps side by side ask for it from threads
        opened, given = _client(uri()), os.environ.get("MLFLOW_TRACKING_URI")
        import mlflow

        mlflow.set_tracking_uri(opened.tracking_uri)
        mlflow.set_registry_uri(opened.tracking_uri)
        if given is None:  # MLflow has set the variable itself; kept, it would outlive a change of WORKBENCH_HOME
            os.environ.pop("MLFLOW_TRACKING_URI", None)
        return opened


def _sqlite(uri_: str) -> Path | None:
    return Path(uri_.removeprefix("sqlite:///")) if uri_.startswith("sqlite:///") else None


def is_server() -> bool:
    """Say whether the store is a tracking server rather than files of ours."""
    return urlsplit(uri()).scheme in ("http", "https")


def is_there() -> bool:
    """Say whether there is a store to be asked: it isn't made for that."""
    path = _sqlite(uri())
    return path.exists() if path else True


def ask(question: str, *values: Any) -> list[tuple[Any, ...]] | None:
    """Return what the SQLite store answers, read-only and without importing MLflow; None for another kind of store."""
    path = _sqlite(uri())
    if path is None:
        return None
    if not path.exists():
        return []
    try:
        with looking.connected(partial(_to_read, path), path) as database:
            return database.execute(question, values).fetchall()
    except sqlite3.DatabaseError as e:
        raise _damaged(e) from None


def _to_read(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=30)


def _damaged(e: Exception) -> UserError:
    """What to do depends on what it is: a copy brought back where a disk is full would lose the runs since."""
    first, place = _first(e), home.mlruns()
    if "is full" in first or (place.exists() and shutil.disk_usage(place).free < _LEAST_BYTES):
        return UserError(f"mlruns/{DATABASE} can't be written ({first}): the disk is full; make room and run again")
    if first in ("unable to open database file", "attempt to write a readonly database"):
        return UserError(f"mlruns/{DATABASE} can't be opened ({first}); look at its permissions and those of mlruns/")
    return UserError(f"mlruns/{DATABASE} can't be read ({first}); bring it back from a copy of mlruns/")


def damage(e: Exception) -> UserError | None:
    """Return in one line what MLflow or SQLite say where the store can't be read or written; None for another error."""
    return _damaged(e) if _DAMAGE.search(str(e)) else _refused(e) if is_server() else None


def _refused(e: Exception) -> UserError | None:
    """Return in one line what a tracking server refuses, and to whom; None for another error."""
    text, user = " ".join(str(e).split()), os.environ.get(USER, "")
    if _GUARDED in text:
        return UserError(f"MLflow at {uri()} {text.partition(_GUARDED)[2]}")
    if "error code 403" in text:
        return UserError(f"MLflow at {uri()} refuses it to {user or 'nobody'}: its administrator gives permission")
    return unknown_user() if "error code 401" in text else None


def unknown_user() -> UserError:
    """Return what to do where a tracking server doesn't know who asks."""
    who = os.environ.get(USER, "") or "you"
    return UserError(f"MLflow at {uri()} doesn't know {who}: set {USER} and {USER_SECRET}")


@contextmanager
def named_if_damaged() -> Iterator[None]:
    """Let what MLflow says of a damaged store be one line, wherever it is met."""
    try:
        yield
    except UserError:
        raise
    except Exception as e:  # noqa: BLE001 - raised again, in one line where it tells of damage
        raise damage(e) or e from None


def sound() -> None:
    """Raise `UserError` where a page of the SQLite store is damaged (`PRAGMA quick_check`), and where it is none."""
    for (answer,) in ask("PRAGMA quick_check(1)") or []:
        if answer != "ok":
            raise _damaged(Exception(answer))


def whole(studies: Collection[str] = ()) -> None:
    """Raise `UserError` where pages and pins speak of runs that the store no longer has: that is no new beginning.

    So it is where the experiment of one of the studies was deleted.
    """
    for study, number in ask("SELECT name, experiment_id FROM experiments WHERE lifecycle_stage = 'deleted'") or []:
        if study in studies:
            raise UserError(
                f"study '{study}': its experiment was deleted in MLflow, and its runs with it; bring it back with"
                f" `mlflow experiments restore -x {number}` (MLFLOW_TRACKING_URI=sqlite:///mlruns/{DATABASE})"
            )
    runs = {r.run_id for r in current.everything()}
    if not runs or _sqlite(uri()) is None:
        return
    rows = ask("SELECT run_uuid FROM runs")
    if not runs & {run for (run,) in rows or []}:
        raise UserError(
            f"mlruns/{DATABASE} holds none of the {len(runs)} runs that mlruns/current/ and reports/ stand on;"
            " bring it back from a copy, or move mlruns/ away to begin anew"
        )


def relocate(path: Path, folder: Path) -> None:
    """Let a store that was copied or moved name files in its new place (`folder`), not in the old one."""
    with sqlite3.connect(path, timeout=60) as database:
        experiments = database.execute("SELECT experiment_id, name, artifact_location FROM experiments").fetchall()
        for old in {_home_of(*e, folder) for e in experiments} - {folder.as_uri(), ""}:
            for table, columns in _PLACES.items():
                for column in columns:
                    _move(database, f"{table}.{column}", old, folder.as_uri())
    database.close()


def _home_of(experiment_id: int, name: str, location: str, folder: Path) -> str:
    """Return the `mlruns/` an experiment's files lay in when it was made; empty where they lie elsewhere on purpose."""
    prefix, _, below = location.rpartition("/artifacts/")
    is_ours = experiment_id == 0 or (unquote(below) == name and (folder / "artifacts" / name).is_dir())
    return prefix if is_ours and location.startswith(("file:///", "/")) else ""


def _move(database: sqlite3.Connection, column: str, old: str, new: str) -> None:
    table, _, column = column.partition(".")
    begin = f"{old}/artifacts/"
    change = f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?"
    database.execute(change, (f"{new}/artifacts/", len(begin) + 1, len(begin), begin))


def create(path: Path) -> None:
    """Create the SQLite store beside its place and move it there in one step.

    Its first creation takes seconds and is not safe against being killed or done twice at once.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists():
            return
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".store-") as folder:
            part = Path(folder) / path.name
            _initialise(part)
            part.rename(path)


def _initialise(path: Path) -> None:
    from mlflow.exceptions import MlflowException
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
    from sqlalchemy.exc import SQLAlchemyError

    try:
        store = SqlAlchemyStore(f"sqlite:///{path}", str(path.parent / "artifacts"))
        store.engine.dispose()
        with sqlite3.connect(path) as database:
            database.execute("PRAGMA journal_mode=WAL")
        database.close()
    except (SQLAlchemyError, MlflowException, sqlite3.Error) as e:
        free = shutil.disk_usage(path.parent).free / 1e6
        raise UserError(
            f"mlruns/{DATABASE} can't be made ({_first(e)}); {free:,.0f} MB of the disk are free, "
            "make room and run again"
        ) from None


def _first(e: Exception) -> str:
    damage = _DAMAGE.search(str(e))
    return damage[0] if damage else " ".join(str(e).split())[:120]


def experiment(study: str) -> str:
    """Return the id of the study's experiment, made on first use; artifacts lie beside the SQLite store."""
    from mlflow.exceptions import MlflowException

    c = client()
    known = c.get_experiment_by_name(study)
    if known is not None:
        return known.experiment_id
    place = (home.mlruns() / "artifacts" / study).as_uri() if _sqlite(uri()) else None
    try:
        return c.create_experiment(study, artifact_location=place)
    except MlflowException:  # another step of the study has made it since
        known = c.get_experiment_by_name(study)
        if known is None:
            raise
        return known.experiment_id


def runs(name: str, query: str = "", *, deleted: bool = False) -> Iterator[Run]:
    """Yield the runs of an experiment that match a query, newest first, page by page; none where there is none.

    deleted: those that MLflow's UI hides, too.
    """
    from mlflow.entities import ViewType

    c, token = client(), None
    there = looking.answer(lambda: c.get_experiment_by_name(name), "experiment", name)
    if there is None and looking.is_open():  # it may have been made since the look began
        there = c.get_experiment_by_name(name)
    if there is None:
        return
    view = ViewType.ALL if deleted else ViewType.ACTIVE_ONLY
    while True:
        page = c.search_runs([there.experiment_id], query, view, max_results=1000, page_token=token)
        yield from page
        if not (token := page.token):
            return


def below_mlruns(address: str) -> str:
    """Return where an address of MLflow's lies below `mlruns/`, empty where it is on a server or elsewhere."""
    begin = f"{home.mlruns().as_uri()}/"
    return unquote(address.removeprefix(begin)) if address.startswith(begin) else ""
