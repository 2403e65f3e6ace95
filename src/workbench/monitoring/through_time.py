"""Watch a model through the periods after its development: drift, performance, calibration, and when the alarm rang."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from workbench import params, tables
from workbench.contracts import Contract, Outcome
from workbench.evidence import Verdict
from workbench.models.scorer import Scorer
from workbench.monitoring import alarms, conduct, drift, estimated, performance
from workbench.monitoring.performance import Separation
from workbench.panel.overrides import column_of
from workbench.panel.samples import parent_column
from workbench.params import DAY_OR_NONE, UserError, Watching
from workbench.rules import Ruled

PERIOD = r"^[0-9]{4}(-(0[1-9]|1[0-2])|-Q[1-4])?$|^$"


class Params(Ruled, params.Params):
    """Which model is watched on which panel, in which periods, by which rules."""

    panel: str = Field("mart__behaviour", pattern=r"^mart__[a-z0-9_]+$", description="panel with the periods to watch")
    model: str = Field("behaviour", pattern=r"^[a-z0-9_]+$", description="registered model of the study")
    every: Literal["month", "quarter", "year"] = Field("month", description="month, quarter or year")
    until: str = Field("", pattern=PERIOD, description="last period watched (2018-03, 2018-Q1, 2018); empty is all")
    thresholds: dict[str, Any] = Field({}, description="own values of rules by name, each [amber, red] or one number")
    rules_as_of: str = Field("", pattern=DAY_OR_NONE, description="day as of which rules are looked up; empty is today")
    seed: int = Field(42, ge=0, description="seed of the rows handed to Evidently")


def reads(p: Params) -> list[str]:
    """Tables this step reads."""
    return [p.panel, tables.of_model(p.model)]


def of_panel(p: Params) -> list[Watching]:
    """The panel, whose monitoring rows are watched."""
    return [Watching(p.panel, p.until)]


def writes(p: Params) -> list[str]:
    """Tables this step writes: one row per kind, subject and period with value and light."""
    return [f"mart__alarms_{p.model}"]


def rows(panel: pd.DataFrame, model: Scorer, outcome: Outcome, p: Params) -> pd.DataFrame:
    """Return the panel's rows up to `until`, scored, with the period they fall into (`2005-07`, `2007-Q3`, `2008`).

    `known_in` is the period in which a row's outcome is known; a monitoring row whose performance window ends after
    `until` has no outcome yet, whatever the data say: nothing is judged by what the future brought.
    """
    watched = panel["sample"] == "monitoring"
    if not watched.any():
        raise UserError(f"panel '{p.panel}' has no monitoring rows; set `monitoring_from` in its panel/build step")
    if p.until:
        panel = panel[~watched | (panel["as_of_date"] <= end(p.until))]
        if not (panel["sample"] == "monitoring").any():
            raise UserError(f"panel '{p.panel}' has no monitoring rows up to {p.until}; set `until` later")
    predicted = np.asarray(model.predict(panel), float)
    known = panel["as_of_date"] + pd.DateOffset(months=outcome.window_months)
    is_open = (panel["sample"] == "monitoring") & (known > (end(p.until) if p.until else pd.Timestamp.max))
    return panel.assign(
        predicted=predicted,
        grade_code=model.grade(predicted),
        period=periods(panel["as_of_date"], p.every),
        known_in=periods(known, p.every),
        outcome=panel["outcome"].mask(is_open),
        parent_id=pd.factorize(panel[parent_column(panel)])[0],
    )


def periods(as_of: pd.Series, every: str) -> pd.Series:
    """Return the period each day falls into, by name; names sort as time does.

    >>> periods(pd.Series(pd.to_datetime(["2005-07-31", "2005-12-01"])), "quarter").tolist()
    ['2005-Q3', '2005-Q4']
    """
    cut = {"month": "M", "quarter": "Q", "year": "Y"}[every]
    return as_of.map({day: str(pd.Period(day, cut)).replace("Q", "-Q") for day in as_of.unique()})


def newest(until: str, every: str) -> str:
    """Return the period that a report up to `until` is of; empty where it is of all.

    >>> newest("2018-03", "quarter"), newest("2018-Q1", "month"), newest("", "month")
    ('2018-Q1', '2018-03', '')
    """
    return periods(pd.Series([end(until)]), every)[0] if until else ""


def end(period: str) -> pd.Timestamp:
    """Return the last moment of a period (`2018-03`, `2018-Q1`, `2018`)."""
    return pd.Period(period.replace("-Q", "Q")).end_time


@dataclass(frozen=True)
class Watched:
    """What was seen through the periods: a table by subject and period for each kind of light, and all lights.

    `now` is the period the report is of; empty where it is of all.
    """

    drift: pd.DataFrame
    gaps: pd.DataFrame
    performance: pd.DataFrame
    grades: pd.DataFrame
    reasons: pd.DataFrame
    fairness: pd.DataFrame
    overrides: pd.DataFrame
    migration: pd.DataFrame
    lights: pd.DataFrame
    now: str

    def light(self, *kinds: str) -> Verdict:
        """Return the worst light of some kinds that became known now."""
        return alarms.verdict(self.lights, self.now, *kinds)

    def since(self, *kinds: str) -> str:
        """Return since when the alarms of some kinds have been standing; empty where one of them is news."""
        return alarms.since(self.lights, self.now, *kinds)


def watch(scored: pd.DataFrame, model: Scorer, contract: Contract, reference: float, p: Params) -> Watched:
    """Return what is seen in the monitoring rows: drift, performance known and estimated, conduct, and all lights."""
    later, development, holdout = (scored[scored["sample"] == n] for n in ("monitoring", "development", "holdout"))
    book, outcome = p.rules(), contract.outcome
    shifts, gaps = drift.by_period(model, later, book, drift.draws_per_weight(development))
    performed = performance.by_period(later, outcome, reference, book)
    if outcome.is_binary and len(holdout):
        guesses = estimated.by_period(later, holdout, book)
        performed = performed.merge(guesses.rename(columns={"light": "estimated_light"}), on="period")
    parts = {
        "grades": performance.by_grade(later, outcome, book),
        "reasons": conduct.reasons(model, later, development, book, p.seed),
        "fairness": conduct.fairness(later, development, contract, outcome.direction == "adverse", book),
        "overrides": conduct.overrides(later, column_of(later, contract, model.grade_names), book),
    }
    lights = alarms.history([*_lights(shifts, gaps, performed), *_of_conduct(**parts)], book)
    now, moved = newest(p.until, p.every), conduct.migration(later)
    return Watched(shifts, gaps, performed, migration=moved, lights=lights, now=now, **parts)


def _lights(shifts: pd.DataFrame, gaps: pd.DataFrame, performed: pd.DataFrame) -> list[pd.DataFrame]:
    parts = [
        alarms.lights("drift", shifts, shifts["feature"], "psi"),
        alarms.lights("data", gaps, gaps["feature"], "share"),
        alarms.lights("discrimination", performed, alarms.SEPARATION, "separation", "separation_light"),
        alarms.lights("floor", performed, alarms.SEPARATION, "separation", "floor_light"),
        alarms.lights("calibration", performed, alarms.CALIBRATION, "ratio", "calibration_light"),
    ]
    if "estimated_light" in performed:  # an estimate speaks until the truth is known
        pending = performed[performed["separation"].isna()].drop(columns="known_in")
        pending = pending.assign(known_in=pending["period"])
        parts.append(alarms.lights("estimate", pending, alarms.SEPARATION, "estimated_auc", "estimated_light"))
    return parts


def _of_conduct(
    grades: pd.DataFrame, reasons: pd.DataFrame, fairness: pd.DataFrame, overrides: pd.DataFrame
) -> list[pd.DataFrame]:
    return [
        alarms.lights("grades", grades, alarms.GRADE + grades["grade_code"].astype(str), "ratio").assign(
            spared=grades["is_safe"]
        ),
        alarms.lights("reasons", reasons, alarms.REASONS, "psi"),
        alarms.lights("fairness", fairness, fairness["group"], "ratio"),
        alarms.lights("overrides", overrides, alarms.OVERRIDES, "share"),
    ]


def reference(figures: Mapping[str, float], outcome: Outcome, p: Params) -> float:
    """Return what the model reached on the hold-out: AUC of an event, rank correlation of an amount or a rate.

    NaN where it has no rank correlation, for it predicts the same of every row: there is none to fall.
    """
    name = Separation.of(outcome, p.rules()).figure
    if name not in figures:
        if not outcome.is_binary and any(n.startswith("holdout_") for n in figures):
            return float("nan")
        raise UserError(f"monitoring/through_time: model '{p.model}' claims no {name}; develop it again")
    return figures[name]


def series(w: Watched) -> dict[str, dict[str, float]]:
    """Return figures by period: largest PSI, separation, observed and expected where they are known, estimates."""
    by = w.performance.set_index("period")
    names = ("separation", "observed", "expected", "estimated_auc", "estimated_rate")
    figures = {"psi": w.drift.groupby("period")["psi"].max()} | {n: by[n] for n in names if n in by}
    return {name: {str(k): float(v) for k, v in values.dropna().items()} for name, values in figures.items()}
