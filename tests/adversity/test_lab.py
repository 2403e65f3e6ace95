"""JupyterLab as `workbench lab` starts it: kernels over sockets of files, a token that no log holds, jobs."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import websocket

import running

SECONDS = 120  # a busy machine takes its time to start JupyterLab


@dataclass
class Lab:
    """A JupyterLab under way: its process, its folder, what it wrote about itself."""

    process: subprocess.Popen
    folder: Path

    @property
    def runtime(self) -> Path:
        return self.folder / "run"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    @property
    def token(self) -> str:
        return (self.folder / "mlruns" / "lab.token").read_text()

    def about(self) -> dict:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            for path in self.runtime.glob("jpserver-*.json"):
                with path.open() as file:
                    if (text := file.read()) and _answers(about := json.loads(text)):
                        return about
            time.sleep(0.1)
        raise TimeoutError(self.log)

    def begin(self, token: str) -> str:
        """Start a kernel, and return its number."""
        asked = urllib.request.Request(
            f"{self.about()['url']}api/kernels",
            data=json.dumps({"name": "loan-workbench"}).encode(),
            headers={"Authorization": f"token {token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(asked, timeout=SECONDS) as answer:
            return json.load(answer)["id"]

    def asked(self, place: str, body: dict | None = None) -> dict:
        """Ask the server, and return its answer; with a body, post it."""
        asked = urllib.request.Request(
            f"{self.about()['url']}{place}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(asked, timeout=SECONDS) as answer:
            return json.load(answer)

    def run(self, kernel: str, code: str) -> str:
        """Run code in a kernel, and return what it printed."""
        address = f"ws{self.about()['url'].removeprefix('http')}api/kernels/{kernel}/channels?token={self.token}"
        line, number, printed = websocket.create_connection(address, timeout=SECONDS), uuid.uuid4().hex, []
        header = {"msg_id": number, "username": "", "session": number, "msg_type": "execute_request", "version": "5.3"}
        content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
        rest = {"parent_header": {}, "metadata": {}, "channel": "shell", "buffers": []}
        line.send(json.dumps({"header": header, "content": content, **rest}))
        while True:
            message = json.loads(line.recv())
            if message["parent_header"].get("msg_id") != number:
                continue
            printed += [message["content"].get("text", "")]
            if message["content"].get("execution_state") == "idle":
                line.close()
                return "".join(printed)


def _answers(about: dict) -> bool:
    """Say whether the server is at its port: on a busy machine its file is there before."""
    try:
        socket.create_connection((about["hostname"], about["port"]), SECONDS).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Start it in a folder of a short name: a socket's path has about a hundred bytes."""
    folder = Path(tempfile.mkdtemp(prefix="lab-"))
    env = {k: v for k, v in os.environ.items() if not k.startswith("JUPYTER")}
    env |= {"WORKBENCH_HOME": str(folder), "HOME": str(folder), "JUPYTER_RUNTIME_DIR": str(folder / "run")}
    env |= {"BROWSER": "true", "PYTHONPATH": os.pathsep.join(str(Path(p).resolve()) for p in sys.path if p)}
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-m", "workbench.cli", "lab"]
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=subprocess.STDOUT)
    yield Lab(process, folder)
    process.terminate()
    process.wait(60)
    shutil.rmtree(folder, ignore_errors=True)


def _listening(pid: int) -> list[int]:
    connections = psutil.Process(pid).net_connections("inet")
    return [c.laddr.port for c in connections if c.status == psutil.CONN_LISTEN]


@pytest.mark.whole
def test_a_kernel_of_the_lab_talks_over_files_and_its_token_is_in_no_log(lab, measured):
    about = lab.about()
    kernel = lab.begin(lab.token)
    pid, ports = json.loads(lab.run(kernel, _PORTS))
    connection = json.loads((lab.runtime / f"kernel-{kernel}.json").read_text())
    wrong = [] if connection["transport"] == "ipc" else [f"transport {connection['transport']}"]
    wrong += [] if _listening(pid) == ports else [f"listens on {_listening(pid)}, ipykernel's own is {ports}"]
    wrong += [f"{p} is a file" for p in map(Path, _sockets(connection)) if not p.is_socket()]
    wrong += [] if lab.runtime.stat().st_mode & 0o077 == 0 else ["others may enter the folder of the sockets"]
    wrong += [] if about["hostname"] == "127.0.0.1" else [f"listens on {about['hostname']}"]
    wrong += ["the token is in the log"] if lab.token in lab.log or lab.token in " ".join(_arguments(lab)) else []
    measured("JupyterLab: kernel over files, token in no log and no argument", 6, wrong)


@pytest.mark.whole
@pytest.mark.parametrize("token", ["", "0" * 48])
def test_without_its_token_the_lab_starts_no_kernel(lab, token):
    with pytest.raises(urllib.error.HTTPError) as refused:
        lab.begin(token)
    assert refused.value.code == 403


SCHEDULE = """
reports:
  monthly: {study: small, cron: "0 6 3 * *", period: month, since: "2005-07"}
"""
ENDED = ("COMPLETED", "FAILED")  # a job that has yet to start says STOPPED


def _job(lab: Lab, as_of: str) -> dict:
    """Have jupyter-scheduler run the notebook as a job, and return how it ended."""
    job = {"name": "reports", "input_uri": "jobs/workbench-schedule.ipynb", "runtime_environment_name": "python"}
    job |= {"output_formats": ["ipynb"], "parameters": {"as_of": f'"{as_of}"'}}
    number = lab.asked("scheduler/jobs", job)["job_id"]
    until = time.monotonic() + 5 * SECONDS
    while (ended := lab.asked(f"scheduler/jobs/{number}"))["status"] not in ENDED and time.monotonic() < until:
        time.sleep(0.5)
    return ended


@pytest.mark.whole
def test_a_job_of_jupyter_scheduler_makes_the_reports_that_are_due(lab, measured):
    pytest.importorskip("jupyter_scheduler", reason="jupyter-scheduler is not installed (the extra `scheduler`)")
    (lab.folder / "params").mkdir()
    (lab.folder / "params" / "small.yaml").write_text(running.MONTHLY_STUDY)
    (lab.folder / "params" / "schedule.yaml").write_text(SCHEDULE)
    (lab.folder / "notebooks").symlink_to(Path(__file__).parents[2] / "notebooks")
    lab.about()  # the server is there
    done = running.process(lab.folder, "schedule", "install", "--jupyter", "--out", "jobs")
    assert done.returncode == 0, done.stderr
    well, ill = _job(lab, "2005-08-10"), _job(lab, "soon")
    page = lab.folder / "reports" / "small" / "2005-07" / "panel" / "build.html"
    wrong = [] if well["status"] == "COMPLETED" else [f"{well['status']}: {well['status_message']}"]
    wrong += [] if page.exists() else ["no report was made"]
    wrong += [] if ill["status"] == "FAILED" and "exit status 2" in ill["status_message"] else [f"{ill['status']}"]
    wrong += (
        [] if (lab.folder / "mlruns" / "jupyter_scheduler" / "jobs.sqlite").exists() else ["its jobs lie elsewhere"]
    )
    measured("jobs of jupyter-scheduler: one well, one ill", 2, wrong)


# what the kernel says of itself: its process, and the port for what its forks print (it is behind 16 random bytes)
_PORTS = """
import json, os, sys
print(json.dumps([os.getpid(), [sys.stdout.pub_thread._pipe_port]]))
"""


def _sockets(connection: dict) -> list[str]:
    return [f"{connection['ip']}-{connection[name]}" for name in connection if name.endswith("_port")]


def _arguments(lab: Lab) -> list[str]:
    process = psutil.Process(lab.process.pid)
    return [word for p in (process, *process.children(recursive=True)) for word in p.cmdline()]
