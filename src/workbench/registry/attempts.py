"""Every try at a step of a study, not the one that counts alone: finished, failed, stopped, deleted."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.registry import store

if TYPE_CHECKING:
    from mlflow.entities import Run


@dataclass(frozen=True)
class Attempt:
    """One run of a step; `began` to the second, UTC; `is_deleted`: hidden in MLflow's UI."""

    run_id: str
    period: str
    began: str
    status: str
    verdict: str
    is_deleted: bool
    figures: Mapping[str, float]
    parameters: Mapping[str, str]


def of_step(study: str, step: str) -> list[Attempt]:
    """Return every run of a step of a study, of whatever period, oldest first."""
    tried = map(_attempt, store.runs(study, f"tags.step = '{step}'", deleted=True))
    return sorted(tried, key=lambda a: (a.began, a.run_id))


def _attempt(run: Run) -> Attempt:
    tags = run.data.tags
    return Attempt(
        run_id=run.info.run_id,
        period=tags.get("period", ""),
        began=time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(run.info.start_time / 1000)),
        status=run.info.status,
        verdict=tags.get("verdict", ""),
        is_deleted=run.info.lifecycle_stage != "active",
        figures=dict(run.data.metrics),
        parameters=dict(run.data.params),
    )
