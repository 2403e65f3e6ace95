"""Watch a model through the periods after its development: drift, performance, calibration, and when the alarm rang."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from workbench import params
from workbench.evidence import Evidence, Verdict
from workbench.models.pd_model import PdModel
from workbench.monitoring import alarms, drift, drift_report, performance
from workbench.params import MONTH, UserError


class Params(params.Params):
    """Which model is watched on which panel, in which periods, against which thresholds."""

    panel: str = Field("mart__behaviour", pattern=r"^mart__[a-z0-9_]+$", description="panel with the periods to watch")
    model: str = Field("behaviour", pattern=r"^[a-z0-9_]+$", description="registered model of the study")
    every: Literal["month", "quarter"] = Field("month", description="month or quarter")
    psi_amber: float = Field(0.10, gt=0, description="PSI from which a shift is looked at (convention)")
    psi_red: float = Field(0.25, gt=0, description="PSI from which a shift is an alarm (convention)")
    auc_drop_amber: float = Field(0.03, gt=0, lt=0.5, description="fall of AUC that is looked at (convention)")
    auc_drop_red: float = Field(0.06, gt=0, lt=0.5, description="fall of AUC that is an alarm (convention)")
    min_defaults: int = Field(20, ge=5, description="defaults a period needs to be judged")
    performance_months: int = Field(1, ge=0, le=36, description="months by which outcomes lie ahead of the as-of date")
    planted_drift_month: str = Field("", pattern=rf"({MONTH})|^$", description="simulation only, month of the drift")
    planted_crisis_month: str = Field("", pattern=rf"({MONTH})|^$", description="simulation only, month of the crisis")
    seed: int = Field(42, ge=0, description="seed of the rows handed to Evidently")

    def verify(self) -> None:
        """Raise `UserError` where an amber threshold lies above its red one."""
        for name in ("psi", "auc_drop"):
            amber, red = getattr(self, f"{name}_amber"), getattr(self, f"{name}_red")
            if amber > red:
                raise UserError(f"monitoring/through_time: {name}_amber {amber:g} is above {name}_red {red:g}")


def reads(p: Params) -> list[str]:
    """Tables this step reads."""
    return [p.panel, f"model__{p.model}"]


def writes(p: Params) -> list[str]:
    """Tables this step writes: one row per kind, subject and period with value and light."""
    return [f"mart__alarms_{p.model}"]


def rows(panel: pd.DataFrame, model: PdModel, p: Params) -> pd.DataFrame:
    """Return the panel's rows with the model's PD and the period they fall into (`2005-07` or `2007Q3`)."""
    if not (panel["sample"] == "monitoring").any():
        raise UserError(f"panel '{p.panel}' has no monitoring rows; set `monitoring_from` in its panel/build step")
    period = panel["as_of_date"].dt.to_period("M" if p.every == "month" else "Q").astype("str")
    return panel.assign(pd=model.pd(panel), grade_code=model.grade(model.pd(panel)), period=period)


def watch(
    scored: pd.DataFrame, model: PdModel, reference_auc: float, p: Params
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return drift (feature × period), performance (period) and all lights of the monitoring rows."""
    later = scored[scored["sample"] == "monitoring"]
    drifted = drift.psi_by_period(model, later, p.psi_amber, p.psi_red)
    performed = performance.by_period(later, reference_auc, (p.auc_drop_amber, p.auc_drop_red), p.min_defaults)
    return drifted, performed, alarms.history(drifted, performed)


def drift_evidence(drifted: pd.DataFrame, p: Params) -> Evidence:
    """Return the strongest shift, and every PSI with its n, bins and critical value."""
    top = drifted.loc[drifted["psi"].idxmax()]
    worst = (
        Verdict.red
        if (drifted["light"] == "red").any()
        else Verdict.amber
        if (drifted["light"] == "amber").any()
        else Verdict.green
    )
    answer = (
        f"Strongest shift: {top.feature} in {top.period}, PSI {top.psi:.3f} (critical value {top.critical:.4f} "
        f"with n {top.n:,}, m {top.m:,}, {top.bins} bins)."
    )
    threshold = f"amber {p.psi_amber}, red {p.psi_red} (convention), and above the critical value"
    return Evidence(
        key="drift",
        question="Do the customers still look like those the model was built on?",
        verdict=worst,
        answer=answer,
        value=float(top.psi),
        threshold=threshold,
        source="Siddiqi (2017), ch. 14; Yurdakul & Naranjo (2020), J. Risk Model Validation 14(4)",
        table=drifted.sort_values("psi", ascending=False).reset_index(drop=True),
    )


def performance_evidence(performed: pd.DataFrame, reference_auc: float, p: Params) -> Evidence:
    """Return whether the model still separates, and by how much the expected rate is off, by period."""
    known = performed[performed["auc"].notna()]
    open_ = len(performed) - len(known)
    said = f"{open_} of {len(performed)} periods are still open or have too few defaults."
    if known.empty:
        return Evidence(
            key="performance",
            question=_QUESTION,
            verdict=Verdict.not_evaluated,
            answer=said,
            value=None,
            table=performed,
        )
    low, off = known.loc[known["auc"].idxmin()], known.loc[(np.log(known["ratio"]).abs()).idxmax()]
    lights = set(known["auc_light"]) | set(known["calibration_light"])
    answer = (
        f"Lowest AUC {low.auc:.3f} in {low.period} (development's hold-out {reference_auc:.3f}); calibration is "
        f"furthest off in {off.period}: {off.observed:.2%} observed, {off.expected:.2%} expected. "
        f"{_steepest(known)}{said}"
    )
    worst = Verdict.red if "red" in lights else Verdict.amber if "amber" in lights else Verdict.green
    threshold = (
        f"AUC {p.auc_drop_amber} or {p.auc_drop_red} below hold-out; observed over expected off by "
        f"{performance.MATERIAL_AMBER} or {performance.MATERIAL_RED} and outside the 99 % interval (convention)"
    )
    return Evidence(
        key="performance",
        question=_QUESTION,
        verdict=worst,
        answer=answer,
        value=float(low.auc),
        threshold=threshold,
        source="DeLong et al. (1988); Basel WP 14 (2005)",
        table=performed,
    )


def _steepest(known: pd.DataFrame) -> str:
    """Say where the observed rate rose most from one period to the next: where a crisis begins to bite."""
    rise = known["observed"].diff()
    if not (rise > 0).any():
        return ""
    at = rise.idxmax()
    before = known["observed"].shift()[at]
    return f"The default rate rose most in {known.period[at]}, from {before:.2%} to {known.observed[at]:.2%}. "


_QUESTION = "Does the model still separate, and are its PDs still right?"


def evidently(
    scored: pd.DataFrame,
    model: PdModel,
    lights: pd.DataFrame,
    p: Params,
    folder: Path,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[Evidence, dict[str, Path]]:
    """Run Evidently for every period; write its whole page for the first alarm, the worst and the latest period.

    Returns the agreement with our own PSI as evidence, and the pages by name.
    """
    reference = scored[(scored["sample"] == "development") & scored["outcome"].notna()]
    later = scored[scored["sample"] == "monitoring"]
    own = lights[lights["kind"] == "drift"].replace({"subject": {"pd": "predicted PD"}})
    wanted, parts, pages = _shown(lights, own), [], {}
    for period, current in later.groupby("period"):
        page = folder / f"{period}.html" if period in wanted else None
        parts.append(drift_report.run(model, reference, current, p.psi_amber, p.seed, page).assign(period=period))
        if page:
            pages[f"evidently/{period}.html"] = page
        progress(str(period))
    both = pd.concat(parts).merge(own, left_on=["feature", "period"], right_on=["subject", "period"])
    gap = (both["evidently_psi"] - both["value"]).abs()
    drifting = both[both["evidently_psi"] >= p.psi_amber]
    first = drifting["period"].min() if len(drifting) else "never"
    answer = (
        f"Evidently sees drift first in {first}; its PSI on the frozen bins differs from ours by {gap.median():.4f} "
        f"in the median (it gets {drift_report.ROWS:,} rows a side at most). Whole pages: {', '.join(sorted(wanted))}."
    )
    table = both[["period", "feature", "value", "evidently_psi"]].rename(columns={"value": "psi"})
    return Evidence(
        key="evidently",
        question="Does Evidently see the same drift?",
        verdict=Verdict.info,
        answer=answer,
        value=first,
        threshold="PSI on pre-binned columns",
        source="Evidently 0.7",
        table=table,
    ), pages


def _shown(lights: pd.DataFrame, own: pd.DataFrame) -> set[str]:
    found = alarms.first(lights)
    worst = own.loc[own["value"].idxmax(), "period"]
    return {str(x) for x in (worst, own["period"].max(), *(found["period"].head(1)))}
