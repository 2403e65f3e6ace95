"""Evidently's view beside our own, of the periods that matter: its PSI on the frozen bins, and its whole pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from workbench.evidence import Evidence, Verdict
from workbench.models.scorer import Scorer
from workbench.monitoring import alarms, drift_report
from workbench.monitoring.through_time import Params
from workbench.words import Text, say


def evidently(
    scored: pd.DataFrame,
    model: Scorer,
    lights: pd.DataFrame,
    p: Params,
    folder: Path,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[Evidence, dict[str, Path]]:
    """Run Evidently and write its whole page for the first alarm, the worst and the latest period.

    Returns the agreement with our own PSI as evidence, and the pages by name, each with the snapshot behind it.
    """
    amber = p.rules()["psi"].amber
    reference = scored[(scored["sample"] == "development") & scored["outcome"].notna()]
    later, ours = scored[scored["sample"] == "monitoring"], lights[lights["kind"] == "drift"]
    shown, parts, pages = _shown(lights, ours), [], {}
    for period, current in later[later["period"].isin(shown)].groupby("period"):
        page = folder / f"{period}.html"
        pages |= {f"evidently/{file.name}": file for file in (page, page.with_suffix(drift_report.SNAPSHOT))}
        parts.append(drift_report.run(model, reference, current, amber, p.seed, page).assign(period=period))
        progress(str(period))
    both = pd.concat(parts).merge(ours, left_on=["feature", "period"], right_on=["subject", "period"])
    return _evidence(both, amber, sorted(shown), _first(lights)), pages


def _first(lights: pd.DataFrame) -> Text:
    """Say what the first alarm was; nothing where none ever rang."""
    return sum((alarms.one_first(row) for row in alarms.first(lights).head(1).itertuples()), Text())


def _evidence(both: pd.DataFrame, amber: float, shown: list[str], first: Text) -> Evidence:
    gap, drifting = (both["evidently_psi"] - both["value"]).abs(), both[both["evidently_psi"] >= amber]
    periods = sorted({str(v) for v in drifting["period"]})
    seen = say("Evidently sees drift in {periods}.", periods=periods) if periods else say("Evidently sees no drift.")
    return Evidence(
        key="evidently",
        question=say("Does Evidently see the same drift?"),
        verdict=Verdict.info,
        answer=seen
        + say(
            "Looked at are the first alarm, the strongest shift and the latest period: {pages}. Its PSI on the frozen "
            "bins differs from ours by {gap:.4f} in the median (it gets {rows:, rows} a side at most).",
            gap=gap.median(),
            rows=drift_report.ROWS,
            pages=shown,
        )
        + first,
        value=", ".join(periods) or "never",
        threshold=say("PSI on pre-binned columns"),
        source="Evidently 0.7",
        table=both[["period", "feature", "value", "evidently_psi"]].rename(columns={"value": "psi"}),
    )


def _shown(lights: pd.DataFrame, ours: pd.DataFrame) -> set[str]:
    worst = ours.loc[ours["value"].idxmax(), "period"]
    return {str(x) for x in (worst, ours["period"].max(), *(alarms.first(lights)["period"].head(1)))}
