"""What calls `workbench schedule once` for you: a systemd timer, a cron line, an Airflow DAG."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from workbench import home

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


KINDS = {"systemd": systemd, "cron": cron, "airflow": airflow}


def write(files: dict[str, str], folder: Path) -> list[Path]:
    """Write the files into a folder and return them."""
    for name, text in files.items():
        home.put(folder / name, text.encode())
    return [folder / name for name in files]


def _command() -> list[str]:
    return [sys.executable, "-m", "workbench.cli", *_WORDS.split()]


def _percent(text: str) -> str:
    return text.replace("%", "%%")  # systemd's specifiers begin with it
