"""Evidently's own UI on what the current runs have left: a project a model, a run a period; for reading only.

The workspace is made anew from the runs' snapshots each time, so that it says what they say.
`python -m workbench.monitoring.drift_ui --port PORT` serves it on the loopback address.
"""

from __future__ import annotations

import argparse
import html
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from workbench import home
from workbench.monitoring.drift_report import SNAPSHOT
from workbench.params import UserError
from workbench.registry import about, current
from workbench.registry.reading import LOOPBACK, ReadOnly

os.environ["DO_NOT_TRACK"] = os.environ["EVIDENTLY_DISABLE_TELEMETRY"] = "1"
FOLDER = "evidently"


def snapshots() -> Iterator[tuple[current.Record, Path]]:
    """Yield the current runs of monitoring with each snapshot they left."""
    for record in current.everything():
        for name in sorted(record.files):
            if name.startswith("evidence/evidently/") and name.endswith(SNAPSHOT) and record.folder:
                yield record, home.mlruns() / record.folder / name


def build() -> Path:
    """Make the workspace from the current runs and return its folder; `UserError` where no run has left a snapshot.

    Study and period names are a workbench's own; what customers typed was escaped before Evidently got it.
    """
    from evidently.core.report import Snapshot
    from evidently.ui.workspace import Workspace

    left_behind = list(snapshots())
    if not left_behind:
        raise UserError(
            "no run has left Evidently's snapshots yet; `workbench run STUDY` with monitoring/through_time does"
        )
    folder = home.mlruns() / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    workspace, projects = Workspace.create(str(folder)), {}
    for record, path in left_behind:
        name = f"{record.study} · {record.step.partition('@')[2] or record.step.rpartition('/')[2]}"
        if name not in projects:
            of_study = about.of(record)
            simulated = " (simulated)" if of_study.simulated else ""
            note = f"{html.escape(of_study.title)}{simulated}. Page: reports/{record.key.place}"
            projects[name] = workspace.create_project(name, note)
        of = "" if record.period == "once" else f", in the report of {record.period}"
        snapshot = Snapshot.loads(path.read_text(encoding="utf-8"))
        workspace.add_run(projects[name].id, snapshot, name=f"{path.stem}{of}")
    return folder


def application(folder: Path) -> ReadOnly:
    """Return Evidently's server on a workspace, for reading only."""
    from evidently.ui.service.app import create_app, get_config

    return ReadOnly(create_app(get_config(host=LOOPBACK, workspace=str(folder))))


def main() -> None:
    """Serve until stopped."""
    import uvicorn

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    uvicorn.run(application(home.mlruns() / FOLDER), host=LOOPBACK, port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
