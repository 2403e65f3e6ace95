"""A challenger of a model that rings: developed anew on recent rows, compared with the champion on the same rows."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from workbench import rules, tables
from workbench.contracts import Contract, Outcome
from workbench.evidence import Evidence, Verdict
from workbench.models import development
from workbench.models.measures import leading, measures
from workbench.models.samples import Sample, sample
from workbench.models.scorer import Scorer
from workbench.models.tuning import Candidate
from workbench.monitoring import alarms, through_time
from workbench.panel import samples
from workbench.panel.rates import level
from workbench.params import UserError
from workbench.words import Text, say

SUFFIX = "_challenger"


class Params(development.Params):
    """Which model is challenged, when, on which recent rows; how the challenger is developed."""

    panel: str = Field("mart__behaviour", pattern=r"^mart__[a-z0-9_]+$", description="panel to learn from")
    model: str = Field("behaviour", pattern=r"^[a-z0-9_]+$", description="registered model that is challenged")
    when: Literal["red", "always"] = Field("red", description="red: where monitoring rings now; or always")
    every: Literal["month", "quarter", "year"] = Field("month", description="month, quarter or year, as it was watched")
    until: str = Field("", pattern=through_time.PERIOD, description="last period watched; empty is all")
    recent_months: int = Field(12, ge=1, le=120, description="months of newest known outcomes that are learnt from")
    holdout_share: float = Field(0.3, gt=0, lt=1, description="share of the parents kept for the comparison")


def reads(p: Params) -> list[str]:
    """Tables this step reads: panel, model, and the lights that monitoring left."""
    return [p.panel, tables.of_model(p.model), f"mart__alarms_{p.model}"]


def writes(p: Params) -> list[str]:
    """What this step writes: the challenger, where one is called for (registered by the runner)."""
    return [f"?{tables.of_model(p.model)}{SUFFIX}"]


def called_for(lights: pd.DataFrame, p: Params) -> tuple[bool, Evidence]:
    """Return whether a challenger is developed now, and why: an alarm asking for another model is news, or always."""
    now = through_time.newest(p.until, p.every) or lights["known_in"].max()
    rang = alarms.raised(lights)
    rang = rang[
        (rang["known_in"] == now)
        & (rang["since"] == rang["period"])  # for one that stands a challenger was made when it began
        & rang["kind"].isin(("drift", "estimate", "discrimination", "floor", "calibration", "grades"))
    ]
    is_due = p.when == "always" or len(rang) > 0
    kinds = [alarms.kinds()[k] for k in dict.fromkeys(rang["kind"])]
    rings = say("In {period} these begin to ring: {kinds}.", period=now, kinds=kinds)
    quiet = say("Nothing begins to ring in {period} that another model would mend.", period=now)
    asked = say("The study asks for a challenger always.") if p.when == "always" else Text()
    none = say("No challenger is developed; `when: always` does it all the same.")
    return is_due, Evidence(
        key="called_for",
        question=say("Is a challenger called for?"),
        verdict=Verdict.info,
        answer=(rings if len(rang) else quiet) + (asked if is_due else none),
        table=rang if len(rang) else None,
    )


def recent(panel: pd.DataFrame, outcome: Outcome, p: Params) -> pd.DataFrame:
    """Return the newest rows whose outcomes are known by the end of `until`, cut anew into development and hold-out.

    A parent stands on one side; who is held out is drawn by the seed. The model that is challenged has not learnt from
    rows of its monitoring periods, so neither of the two has seen these rows.
    """
    known = panel["as_of_date"] + pd.DateOffset(months=outcome.window_months)
    last = through_time.end(p.until) if p.until else known.max()
    rows = panel[(panel["sample"] == "monitoring") & panel["outcome"].notna() & (known <= last)]
    if rows.empty:
        raise UserError(f"monitoring/redevelopment: no outcome of a monitoring row is known by {last:%Y-%m-%d} yet")
    month = rows["as_of_date"].dt.to_period("M")
    rows = rows[month > month.max() - p.recent_months]
    parent = rows[samples.parent_column(rows)]
    drawn = np.random.default_rng(p.seed).permutation(samples.names(rows))
    held = drawn[: round(p.holdout_share * len(drawn))]
    return rows.assign(sample=np.where(parent.isin(set(held)), "holdout", "development"))


def against(champion: Scorer, challenger: Candidate, held: Sample, p: Params) -> Evidence:
    """Return by how much the challenger leads the champion on the same held-out rows, and whose level is right."""
    measure, outcome = leading(held.outcome), held.outcome
    predictions = {"champion": np.asarray(champion.predict(held.X), float), "challenger": challenger.predict(held.X)}
    both = (predictions["challenger"], predictions["champion"])
    lead = measure.gain(held.y, *both, held.weight)
    low, high = measure.interval(held.y, both, held.weight, held.parent_id, p.seed)
    observed = float(np.average(held.y, weights=held.weight))
    expected = {n: float(np.average(v, weights=held.weight)) for n, v in predictions.items()}
    rows = [
        {"candidate": n, "observed": observed, "expected": expected[n]}
        | {name: m(held.y, v, held.weight) for name, m in measures(outcome).items()}
        for n, v in predictions.items()
    ]
    material = rules.load().number("lead_material") / (2 if measure.name == "auc" else 1)
    is_better = low > 0 and lead >= material
    return Evidence(
        key="redevelopment",
        question=say("Would the challenger do better on recent rows?"),
        verdict=Verdict.amber if is_better else Verdict.info,
        answer=say(
            "On {n:, rows} that neither has learnt from, {measure} of the challenger ({kind}) is {challenger:.4f}, of "
            "the champion {champion:.4f}: a lead of {lead:+.4f} ({low:+.4f} to {high:+.4f}).",
            n=len(held.y),
            measure=measure.label,
            kind=say(challenger.kind.replace("_", " ")),
            challenger=rows[1][measure.name],
            champion=rows[0][measure.name],
            lead=lead,
            low=low,
            high=high,
        )
        + say(
            "The {rate} is {observed}; the champion expects {champion}, the challenger {challenger}.",
            rate=outcome.rate,
            observed=level(observed, outcome),
            champion=level(expected["champion"], outcome),
            challenger=level(expected["challenger"], outcome),
        )
        + (say("It leads surely and by enough to matter: submit it.") if is_better else _no_lead(observed, expected)),
        value=lead,
        threshold=say("Amber where the lead is sure and at least {material:.3f}.", material=material),
        blind_to=say("what comes after these rows: a model of a crisis is a model of a crisis."),
        source="Efron & Tibshirani (1993), ch. 13",
        table=pd.DataFrame(rows),
    )


def _no_lead(observed: float, expected: dict[str, float]) -> Text:
    far = {n: abs(v - observed) for n, v in expected.items()}
    if far["champion"] > 2 * far["challenger"]:
        return say("It orders customers no better, but its level is right: re-calibrating the champion does as well.")
    return say("It is no reason to change the model.")


def develop(rows: pd.DataFrame, contract: Contract, p: Params) -> tuple[Candidate, Evidence, Sample, Sample]:
    """Return the challenger chosen by the rule of development, why, and the two samples."""
    learn, held = (sample(rows, contract, name, p.max_development_rows, p.seed) for name in ("development", "holdout"))
    chosen, why = development.choose(development.candidates(learn, contract, p), learn, p)
    return chosen, why, learn, held


def figures(challenger: Candidate, held: Sample) -> dict[str, float]:
    """Return the challenger's figures on the held-out rows, as development names them."""
    predicted = challenger.predict(held.X)
    return {f"holdout_{n}": float(m(held.y, predicted, held.weight)) for n, m in measures(held.outcome).items()}
