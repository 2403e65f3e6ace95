"""A tracking server in tests: PostgreSQL from Debian's packages, MLflow with the guard before it, on loopback."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

ADMIN, PASSWORD, SECRET = "admin", "a long password of tests", "0123456789abcdef0123456789abcdef"
APP = "loan-workbench"


def postgres() -> Path | None:
    """Return the folder of PostgreSQL's programs, the newest, None where none is installed."""
    on_path = shutil.which("initdb")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    return Path(on_path).parent if on_path else (folders[-1] if folders else None)


def missing() -> str:
    """Return why no server can be started here, and what to do; empty where one can."""
    if postgres() is None:
        return "PostgreSQL is not installed (apt-get install postgresql): the life cycle on a server is not tried"
    if not (find_spec("psycopg") and find_spec("flask_wtf")):
        return "the extra `server` is not installed (psycopg, Flask-WTF): the life cycle on a server is not tried"
    if APP not in {e.name for e in entry_points(group="mlflow.app")}:
        return f"the package's entry point mlflow.app: {APP} is not installed (`make setup`)"
    return ""


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def database() -> Iterator[str]:
    """Yield the address of a new, empty database, served until the block ends; PostgreSQL doesn't run as root.

    It lies beside pytest's folders, which every session of pytest closes to all but its own user.
    """
    programs, port, place = postgres(), free_port(), Path(tempfile.mkdtemp(prefix="workbench-postgres-"))
    secret = place / "password"
    secret.write_text(PASSWORD)
    as_whom = {}
    if os.getuid() == 0:
        user = pwd.getpwnam("postgres")
        as_whom = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        for path in (place, secret):
            os.chown(path, user.pw_uid, user.pw_gid)
    options = f"-c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
    control = [str(programs / "pg_ctl"), "-D", "data", "-w", "-t", "60"]
    init = [str(programs / "initdb"), "-D", "data", "-A", "scram-sha-256", "-U", "mlflow", "-E", "UTF8", "--no-sync"]
    with (place / "log").open("wb") as log:
        more = {**as_whom, "cwd": place, "check": True, "stdout": log, "stderr": log, "timeout": 120}
        subprocess.run([*init, f"--pwfile={secret}"], **more)
        subprocess.run([*control, "-o", options, "start"], **more)
        try:
            yield f"postgresql://mlflow:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], **more)
            shutil.rmtree(place, ignore_errors=True)


@contextlib.contextmanager
def server(folder: Path, database_uri: str, workers: int = 1) -> Iterator[str]:
    """Yield the address of a guarded tracking server, stopped when the block ends."""
    port = free_port()
    environ = settings(folder, database_uri)
    command = [sys.executable, "-m", "mlflow", "server", "--app-name", APP, "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", str(workers), "--backend-store-uri", database_uri]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=log, stderr=log, start_new_session=True)
        try:
            _answers(f"http://127.0.0.1:{port}", process, folder / "server.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(3)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            process.wait()


def settings(folder: Path, database_uri: str) -> dict[str, str]:
    """Return the server's environment; its basic-auth file is written."""
    auth = folder / "auth.ini"
    auth.write_text(
        "[mlflow]\n"
        "default_permission = READ\n"
        "grant_default_workspace_access = true\n"
        "auth_cache_ttl_seconds = 600\n"
        f"database_uri = {database_uri.replace('%', '%%')}\n"
        f"admin_username = {ADMIN}\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
    )
    auth.chmod(0o600)
    environ = {n: v for n, v in os.environ.items() if not n.startswith(("MLFLOW_", "_MLFLOW_"))}
    return environ | {
        "MLFLOW_AUTH_CONFIG_PATH": str(auth),
        "MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": SECRET,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "WORKBENCH_JOURNAL": str(folder / "journal.jsonl"),
        "WORKBENCH_HOME": str(folder),
    }


def _answers(address: str, process: subprocess.Popen, log: Path) -> None:
    begun = time.monotonic()
    while time.monotonic() - begun < 60:
        with contextlib.suppress(OSError, urllib.error.URLError):
            urllib.request.urlopen(f"{address}/health", timeout=2).close()
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise AssertionError(f"the server does not answer: {log.read_text()[-2000:]}")
