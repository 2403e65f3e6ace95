"""What calls `workbench schedule once` for you: a systemd timer, a cron line, an Airflow DAG, a notebook job."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

from workbench import home
from workbench.runs.servers import KERNEL

NAME = "workbench-schedule"
EVERY_MINUTES = 15
_WORDS = "schedule once"

_SERVICE = """\
[Unit]
Description=loan-workbench: reports that are due

[Service]
Type=oneshot
WorkingDirectory={folder}
Environment="WORKBENCH_HOME={folder}"
# The mail server's user and password, webhooks: NAME=value lines, readable by this user alone.
EnvironmentFile=-%h/.config/{name}.env
ExecStart={command}
"""
_TIMER = """\
[Unit]
Description=loan-workbench: every {minutes} minutes

[Timer]
OnCalendar=*:0/{minutes}
Persistent=true

[Install]
WantedBy=timers.target
"""
_DAG = '''\
"""loan-workbench: reports that are due. Which are is decided by params/schedule.yaml; Airflow only calls."""

from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG(
    dag_id={name!r},
    schedule=timedelta(minutes={minutes}),
    start_date=datetime(2026, 1, 1),
    catchup=False,  # missed periods are caught up by the command itself
    max_active_runs=1,
):
    BashOperator(
        task_id="once",
        bash_command={command!r},
        env={{"WORKBENCH_HOME": {folder!r}}},
        append_env=True,
    )
'''
_JOB = """\
# Reports that are due

A job for jupyter-scheduler. Which reports are due is decided by `params/schedule.yaml`; the job only calls, and fails
where the command does."""
_PARAMETERS = 'as_of: str = ""  # 2018-07-03T09:00; empty is now'
_CALL = """\
import os
import subprocess

command = [*{command!r}, *(["--as-of", as_of] if as_of else [])]
environment = {{**os.environ, "WORKBENCH_HOME": {folder!r}}}
done = subprocess.run(command, cwd={folder!r}, env=environment, capture_output=True, text=True)
print(done.stdout, done.stderr, sep="")
done.check_returncode()"""


def systemd() -> dict[str, str]:
    """Return a user's service and timer, by file name below `~/.config/systemd/user/`."""
    folder = str(home.root())
    command = " ".join(f'"{word}"' if " " in word else word for word in _command())
    service = _SERVICE.format(folder=_percent(folder), name=NAME, command=_percent(command))
    return {f"{NAME}.service": service, f"{NAME}.timer": _TIMER.format(minutes=EVERY_MINUTES)}


def cron() -> dict[str, str]:
    """Return a line of a crontab, in which a percent sign is escaped."""
    line = f"cd {shlex.quote(str(home.root()))} && {shlex.join(_command())} >> mlruns/schedule.log 2>&1"
    return {f"{NAME}.cron": f"*/{EVERY_MINUTES} * * * * {line}".replace("%", r"\%") + "\n"}


def airflow() -> dict[str, str]:
    """Return a DAG for Airflow 3, whose workers see the workbench's folder."""
    text = _DAG.format(name=NAME, minutes=EVERY_MINUTES, command=shlex.join(_command()) + " ", folder=str(home.root()))
    return {f"{NAME.replace('-', '_')}.py": text}


def jupyter() -> dict[str, str]:
    """Return a notebook that jupyter-scheduler runs as a job, in JupyterLab as `workbench lab` starts it."""
    call = _CALL.format(command=_command(), folder=str(home.root()))
    cells = [
        {"cell_type": "markdown", "id": "title", "metadata": {}, "source": _JOB},
        _code("parameters", _PARAMETERS, ["parameters"]),
        _code("call", call, []),
    ]
    kernel = {"name": KERNEL, "display_name": "Loan workbench", "language": "python"}
    notebook = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return {f"{NAME}.ipynb": json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"}


def _code(name: str, source: str, tags: list[str]) -> dict[str, Any]:
    metadata = {"tags": tags} if tags else {}
    nothing = {"execution_count": None, "outputs": []}
    return {"cell_type": "code", "id": name, "metadata": metadata, "source": source, **nothing}


KINDS = {"systemd": systemd, "cron": cron, "airflow": airflow, "jupyter": jupyter}


def write(files: dict[str, str], folder: Path) -> list[Path]:
    """Write the files into a folder and return them."""
    for name, text in files.items():
        home.put(folder / name, text.encode())
    return [folder / name for name in files]


def _command() -> list[str]:
    return [sys.executable, "-m", "workbench.cli", *_WORDS.split()]


def _percent(text: str) -> str:
    return text.replace("%", "%%")  # systemd's specifiers begin with it
