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
    from mlflow.entities import ViewType

    c, out, token = store.client(), [], ""
    if (experiment := c.get_experiment_by_name(study)) is None:
        return []
    where, query = [experiment.experiment_id], f"tags.step = '{step}'"
    while True:
        page = c.search_runs(where, query, ViewType.ALL, max_results=1000, page_token=token or None)
        out += [_attempt(run) for run in page]
        if not (token := page.token):
            return sorted(out, key=lambda a: (a.began, a.run_id))


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
