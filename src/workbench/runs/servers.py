"""The servers a person looks through: JupyterLab, MLflow's UI, Evidently's, the reports; on this machine only."""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
import uuid
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from workbench import home
from workbench.params import UserError
from workbench.registry.reading import LOOPBACK

KERNEL = "loan-workbench"
_LAB = Path(__file__).parent / "jupyter_lab"  # a kernel of this interpreter; no announcements
_TRIED = 20  # ports after the one asked for


def lab() -> tuple[list[str], dict[str, str]]:
    """Return the command and the environment of JupyterLab at the workbench's folder, with a kernel of that name."""
    options = [f"--ServerApp.ip={LOOPBACK}", f"--ServerApp.root_dir={home.root()}"]
    options += [f"--MappingKernelManager.default_kernel_name={KERNEL}"]
    options += ["--KernelManager.transport=ipc"] if _sockets_fit() else []
    options += _jobs()
    options += ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    places = {"JUPYTER_PATH": _LAB, "JUPYTER_CONFIG_PATH": _LAB / "config"}
    folders = {name: _before(place, os.environ.get(name)) for name, place in places.items()}
    ours = {**folders, "WORKBENCH_HOME": str(home.root()), "JUPYTER_TOKEN_FILE": str(token_file())}
    return [sys.executable, "-m", "jupyterlab", *options], {**os.environ, **ours}


def _jobs() -> list[str]:
    """Return where jupyter-scheduler keeps its jobs, if it is installed: with this workbench, whose alone they are.

    Its own place is the user's, and every JupyterLab of his would start the jobs that lie there.
    """
    if find_spec("jupyter_scheduler") is None:
        return []
    folder = home.mlruns() / "jupyter_scheduler"
    folder.mkdir(parents=True, exist_ok=True)
    options = [f"--SchedulerApp.db_url=sqlite:///{folder / 'jobs.sqlite'}", f"--Scheduler.staging_path={folder}/staged"]
    return [*options, f"--Scheduler.output_directory={(folder / 'jobs').relative_to(home.root())}"]


def token_file() -> Path:
    """Make a new token for JupyterLab and return its file, which only its owner may read.

    A token that Jupyter draws itself stands in its log, one that it is given doesn't.
    """
    path = home.mlruns() / "lab.token"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_hex(24))
    return path


def _sockets_fit() -> bool:
    """Say whether Jupyter's folder has a path short enough for kernels' sockets (its mode is 0700)."""
    from jupyter_core.paths import jupyter_runtime_dir

    longest = f"{jupyter_runtime_dir()}/kernel-{uuid.uuid4()}-ipc-5"
    return sys.platform != "win32" and len(os.fsencode(longest)) <= home.SOCKET_BYTES


def ui(port: int, store: str) -> list[str]:
    """Return the command of MLflow's UI on a store (its address): for reading only, on the loopback address."""
    return [sys.executable, "-W", "ignore", "-m", "workbench.registry.reading", "--port", str(port), "--store", store]


def drift_ui(port: int) -> list[str]:
    """Return the command of Evidently's UI on the workspace made of the current runs, on the loopback address."""
    return [sys.executable, "-W", "ignore", "-m", "workbench.monitoring.drift_ui", "--port", str(port)]


def free_port(wanted: int) -> int:
    """Return the first free port from the wanted one on; `UserError` where none of the next ones is free."""
    for port in range(wanted, min(wanted + _TRIED, 65_535) + 1):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise UserError(f"ports {wanted} to {port} are taken; name a free one with --port")


def remember_ui(port: int) -> None:
    """Note that this process becomes MLflow's UI on a port: the reports lead there as long as it lives."""
    home.put(_ui_file(), json.dumps({"port": port, "owner": home.me()}).encode())


def running_ui() -> str:
    """Return the address of the MLflow UI that `workbench ui` has started here, empty where none runs."""
    try:
        noted = json.loads(_ui_file().read_text(encoding="utf-8"))
        return f"http://{LOOPBACK}:{int(noted['port'])}" if home.is_alive(str(noted["owner"])) else ""
    except (OSError, ValueError, KeyError, TypeError):  # none has run, or the note is damaged
        return ""


def _ui_file() -> Path:
    return home.mlruns() / "ui.json"


def bound(port: int) -> socket.socket:
    """Return a socket that listens at a port of the loopback address (0: any free one), or raise `UserError`."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((LOOPBACK, port))
        made.listen()  # whoever is told the address may come at once
    except OSError as e:
        made.close()
        raise UserError(f"port {port}: {e.strerror}; name another with --port, or 0 for any free one") from None
    return made


def start(command: list[str], environment: Mapping[str, str] | None = None) -> None:
    """Become this command; what was printed before is shown first."""
    sys.stdout.flush()
    os.execve(command[0], command, dict(environment or os.environ))


def _before(place: Path, others: str | None) -> str:
    return os.pathsep.join([str(place), *([others] if others else [])])
