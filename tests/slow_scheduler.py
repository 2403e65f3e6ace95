"""A scheduler to be killed: it makes and tells slowly; a child process imports it by name, so it stands by itself."""

from __future__ import annotations

import os
import time
from pathlib import Path

from workbench.reporting.telling import Message
from workbench.runs.schedule import Scheduler, history
from workbench.runs.slots import Report, Schedule

NAME, AS_OF = "monthly", "2018-07-10"


def scheduled(since: str) -> Schedule:
    """Return a schedule of one monthly report with one webhook."""
    tell = {"webhook": ["http://127.0.0.1:9/hook"]}
    return Schedule(
        reports={NAME: Report(study="small", cron="0 6 3 * *", period="month", since=since, tell=tell)},
    )


def run(home: str, since: str) -> None:
    """Do what is due in a home; each message sent is a line of its `sent` file.

    `awake` is there once the store has answered: on a busy machine that alone takes longer than any delay of a blow.
    """
    os.environ["WORKBENCH_HOME"] = home

    def make(name, report, period, _):
        time.sleep(0.1)
        kinds = ("report", "breach")
        return [
            Message(f"{period} {kind}", kind, name, report.study, period, "red", period, ("psi 0.3",)) for kind in kinds
        ]

    def deliver(_, kind, to, message):
        with (Path(home) / "sent").open("a") as file:
            file.write(f"{message.name}\n")

    scheduler = Scheduler(scheduled(since), make, deliver)
    history(NAME, scheduler.schedule.reports[NAME])
    (Path(home) / "awake").touch()
    scheduler.once(AS_OF)
