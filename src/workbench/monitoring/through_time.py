"""Watch a model through the periods after its development: drift, performance, calibration, and when the alarm rang."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from workbench import params, rules
from workbench.contracts import Outcome
from workbench.evidence import Evidence, Verdict
from workbench.models.scorer import Scorer
from workbench.monitoring import alarms, drift, performance
from workbench.monitoring.performance import Separation
from workbench.panel.rates import level
from workbench.params import DAY_OR_NONE, UserError
from workbench.words import Text, say

PERIOD = r"^[0-9]{4}(-(0[1-9]|1[0-2])|-Q[1-4])?$|^$"


class Params(params.Params):
    """Which model is watched on which panel, in which periods, by which rules."""

    panel: str = Field("mart__behaviour", pattern=r"^mart__[a-z0-9_]+$", description="panel with the periods to watch")
    model: str = Field("behaviour", pattern=r"^[a-z0-9_]+$", description="registered model of the study")
    every: Literal["month", "quarter", "year"] = Field("month", description="month, quarter or year")
    until: str = Field("", pattern=PERIOD, description="last period watched (2018-03, 2018-Q1, 2018); empty is all")
    thresholds: dict[str, Any] = Field({}, description="own values of rules by name, each [amber, red] or one number")
    rules_as_of: str = Field("", pattern=DAY_OR_NONE, description="day as of which rules are looked up; empty is today")
    seed: int = Field(42, ge=0, description="seed of the rows handed to Evidently")

    def verify(self) -> None:
        """Raise `UserError` for an unknown rule, or a wrong value of one."""
        self.rules()

    def rules(self) -> rules.Rules:
        """Return the rules in force, the study's own values above them."""
        return rules.load(self.rules_as_of, self.thresholds, "monitoring/through_time: thresholds")


def reads(p: Params) -> list[str]:
    """Tables this step reads."""
    return [p.panel, f"model__{p.model}"]


def writes(p: Params) -> list[str]:
    """Tables this step writes: one row per kind, subject and period with value and light."""
    return [f"mart__alarms_{p.model}"]


def rows(panel: pd.DataFrame, model: Scorer, p: Params) -> pd.DataFrame:
    """Return the panel's rows up to `until`, scored, with the period they fall into (`2005-07`, `2007-Q3`, `2008`)."""
    watched = panel["sample"] == "monitoring"
    if not watched.any():
        raise UserError(f"panel '{p.panel}' has no monitoring rows; set `monitoring_from` in its panel/build step")
    if p.until:
        panel = panel[~watched | (panel["as_of_date"] <= _end(p.until))]
        if not (panel["sample"] == "monitoring").any():
            raise UserError(f"panel '{p.panel}' has no monitoring rows up to {p.until}; set `until` later")
    predicted = np.asarray(model.predict(panel), float)
    parent = panel["parent_id" if "parent_id" in panel else "entity_id"]
    return panel.assign(
        predicted=predicted,
        grade_code=model.grade(predicted),
        period=periods(panel["as_of_date"], p.every),
        parent_id=pd.factorize(parent)[0],
    )


def periods(as_of: pd.Series, every: str) -> pd.Series:
    """Return the period each day falls into, by name; names sort as time does.

    >>> periods(pd.Series(pd.to_datetime(["2005-07-31", "2005-12-01"])), "quarter").tolist()
    ['2005-Q3', '2005-Q4']
    """
    cut = {"month": "M", "quarter": "Q", "year": "Y"}[every]
    return as_of.map({day: str(pd.Period(day, cut)).replace("Q", "-Q") for day in as_of.unique()})


def _end(period: str) -> pd.Timestamp:
    return pd.Period(period.replace("-Q", "Q")).end_time


def watch(
    scored: pd.DataFrame, model: Scorer, outcome: Outcome, reference: float, p: Params
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return drift (feature × period), performance (period) and all lights of the monitoring rows."""
    later, book = scored[scored["sample"] == "monitoring"], p.rules()
    drifted = drift.psi_by_period(model, later, book)
    performed = performance.by_period(later, outcome, reference, book)
    return drifted, performed, alarms.history(drifted, performed)


def reference(figures: Mapping[str, float], outcome: Outcome, p: Params) -> float:
    """Return what the model reached on the hold-out: AUC of an event, rank correlation of an amount or a rate."""
    name = Separation.of(outcome, p.rules()).figure
    if name not in figures:
        raise UserError(f"monitoring/through_time: model '{p.model}' claims no {name}; develop it again")
    return figures[name]


def series(drifted: pd.DataFrame, performed: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return figures by period: largest PSI, separation, observed and expected where they are known."""
    by = performed.set_index("period")
    figures = {"psi": drifted.groupby("period")["psi"].max()} | {
        n: by[n] for n in ("separation", "observed", "expected")
    }
    return {name: {str(k): float(v) for k, v in values.dropna().items()} for name, values in figures.items()}


def drift_evidence(drifted: pd.DataFrame, p: Params) -> Evidence:
    """Return the strongest shift, and every PSI with its n, bins and critical value."""
    top, book = drifted.loc[drifted["psi"].idxmax()], p.rules()
    facts = {"period": top["period"], "psi": top["psi"], "critical": top["critical"]}
    facts |= {"n": int(top["n"]), "m": int(top["m"]), "bins": int(top["bins"])}
    return Evidence(
        key="drift",
        question=say("Do the customers still look like those the model was built on?"),
        verdict=_worst(drifted["light"]),
        answer=say(
            "Strongest shift: {feature} in {period}, PSI {psi:.3f} (critical value {critical:.4f} "
            "with n {n:,}, m {m:,}, {bins} bins).",
            feature=alarms.subject(top["feature"]),
            **facts,
        ),
        value=float(top["psi"]),
        threshold=book["psi"].text + say("Green up to the critical value."),
        blind_to=say("shifts inside a bin, and to changes of the relation between inputs."),
        source="Siddiqi (2017), ch. 14; Yurdakul & Naranjo (2020), J. Risk Model Validation 14(4)",
        table=drifted.sort_values("psi", ascending=False).reset_index(drop=True),
    )


def _worst(lights: pd.Series) -> Verdict:
    return min(
        (Verdict(v) for v in set(lights) if v != "not_evaluated"), key=lambda v: v.rank, default=Verdict.not_evaluated
    )


def performance_evidence(performed: pd.DataFrame, outcome: Outcome, reference: float, p: Params) -> Evidence:
    """Return whether the model still separates, and by how much the expected outcome is off, by period."""
    known, measure = performed[performed["separation"].notna()], Separation.of(outcome, p.rules())
    pending = say(
        "{pending:,} of {periods:,} periods are still open or have too few {events}.",
        pending=len(performed) - len(known),
        periods=len(performed),
        events=outcome.events,
    )
    return Evidence(
        key="performance",
        question=say("Does the model still separate, and is its {predicted} still right?", predicted=outcome.predicted),
        verdict=_worst(pd.concat([known["separation_light"], known["calibration_light"]])),
        answer=(_weakest(known, outcome, measure.label, reference) if len(known) else Text()) + pending,
        value=float(known["separation"].min()) if len(known) else None,
        threshold=measure.drop.text
        + p.rules()["rate_off_period"].text
        + say("Green where the interval holds the hold-out's separation, or what was expected."),
        blind_to=say("periods whose performance window is still open."),
        source="DeLong et al. (1988); Basel WP 14 (2005)",
        table=performed.drop(columns=performed.columns[performed.isna().all()]),
    )


def _weakest(known: pd.DataFrame, outcome: Outcome, measure: Text, reference: float) -> Text:
    low, far = known.loc[known["separation"].idxmin()], known.loc[np.log(known["ratio"].abs()).abs().idxmax()]
    return (
        say(
            "Lowest {measure} {value:.3f} in {period} (development's hold-out {reference:.3f}).",
            measure=measure,
            value=low["separation"],
            period=low["period"],
            reference=reference,
        )
        + say(
            "Calibration is furthest off in {period}: {observed} observed, {expected} expected.",
            period=far["period"],
            observed=level(far["observed"], outcome),
            expected=level(far["expected"], outcome),
        )
        + _steepest(known, outcome)
    )


def _steepest(known: pd.DataFrame, outcome: Outcome) -> Text:
    """Say where the observed mean rose most from one period to the next: where a crisis begins to bite."""
    rise = known["observed"].diff()
    if not (rise > 0).any():
        return Text()
    at = rise.idxmax()
    return say(
        "The {rate} rose most in {period}, from {before} to {after}.",
        rate=outcome.rate,
        period=known["period"][at],
        before=level(known["observed"].shift()[at], outcome),
        after=level(known["observed"][at], outcome),
    )
