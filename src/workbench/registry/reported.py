"""Scheduled reports in MLflow: a run per attempt at a report's period; the only memory of what was made and told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from workbench import home
from workbench.params import Key
from workbench.registry import runs, store

if TYPE_CHECKING:
    from mlflow.entities import Run

CONTENT = "report.json"
_TOLD, _ALL_TOLD = "told.", "told"


@dataclass(frozen=True)
class Attempt:
    """One attempt at a period's report: RUNNING, FINISHED, FAILED or KILLED; `ended` in seconds since 1970."""

    run_id: str
    period: str
    status: str
    ended: float
    runner: str
    verdict: str
    notified: frozenset[str]
    all_told: bool

    @property
    def abandoned(self) -> bool:
        """Whether it says RUNNING and its process is gone; another machine's is not ours to judge."""
        return self.status == "RUNNING" and home.is_alive(self.runner) is False


def attempts(study: str, report: str) -> dict[str, list[Attempt]]:
    """Return every attempt at a report, by period, oldest first; none where the store or the study is not there yet."""
    rows = sorted(store.runs(study, f"tags.report = '{report}'"), key=lambda r: (r.info.start_time, r.info.run_id))
    out: dict[str, list[Attempt]] = {}
    for run in rows:
        out.setdefault(run.data.tags["period"], []).append(_attempt(run))
    return out


def read(run_id: str) -> Attempt:
    """Return one attempt as it stands now."""
    return _attempt(store.client().get_run(run_id))


def _attempt(run: Run) -> Attempt:
    tags = run.data.tags
    return Attempt(
        run_id=run.info.run_id,
        period=tags["period"],
        status=run.info.status,
        ended=(run.info.end_time or run.info.start_time) / 1000,
        runner=tags["runner"],
        verdict=tags.get("verdict", ""),
        notified=frozenset(t.removeprefix(_TOLD) for t in tags if t.startswith(_TOLD)),
        all_told=_ALL_TOLD in tags,
    )


def begin(key: Key, report: str) -> str:
    """Begin an attempt and return its run's id."""
    note = f"Report {report} of {key.period}, made by the schedule."
    return runs.start(key, f"report {report}", {"report": report}, note=note, tags={"report": report})


def end(run_id: str, status: str, content: Mapping[str, Any] | None = None, error: str = "") -> None:
    """End an attempt. What is to be told is written first, so that a finished one can always be told."""
    if content is not None:
        store.client().log_dict(run_id, dict(content), CONTENT)
    verdict = content["verdict"] if content else ""
    runs.end(run_id, status, {k: v for k, v in {"verdict": verdict, "error": error}.items() if v})


def content(run_id: str) -> dict[str, Any] | None:
    """Return what an attempt has to tell, None where it has nothing."""
    if not any(f.path == CONTENT for f in store.client().list_artifacts(run_id)):
        return None
    return json.loads(runs.fetch(run_id, CONTENT).read_text(encoding="utf-8"))


def mark_told(run_id: str, name: str = "") -> None:
    """Note that one message was sent (its name), or that all were (no name)."""
    store.client().set_tag(run_id, f"{_TOLD}{name}" if name else _ALL_TOLD, datetime.now(UTC).isoformat("T", "seconds"))
