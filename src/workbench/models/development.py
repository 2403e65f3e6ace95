"""Develop a model of any outcome: tune each candidate inside development, compare on the hold-out, choose by rule."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import Field

from workbench import params, tables
from workbench.contracts import Contract, Outcome
from workbench.models.choice import choose, unfit
from workbench.models.grades import bands
from workbench.models.kinds import by_outcome, fitting
from workbench.models.measures import calibration_line, measures
from workbench.models.samples import LEAST_ROWS, Sample, learnt_rows, sample
from workbench.models.scorer import Scorer
from workbench.models.tuning import Candidate, calibrated, candidates, fixed_settings, tuning
from workbench.panel.bins import quantile_bins
from workbench.params import UserError, all_or, nearest

__all__ = [
    "Candidate",
    "Params",
    "Sample",
    "assemble",
    "calibrated",
    "candidates",
    "choose",
    "compare",
    "fixed_settings",
    "learnt_rows",
    "reads",
    "sample",
    "scores",
    "tuning",
    "writes",
]

ROW = ("entity_id", "parent_id", "as_of_date", "sample", "outcome", "weight")


class Params(params.Params):
    """Which panel, which model name, how candidates are compared and chosen."""

    panel: str = Field("mart__panel", pattern=r"^mart__[a-z0-9_]+$", description="panel to learn from")
    model: str = Field("pd", pattern=r"^[a-z0-9_]+$", description="name of the model within the study")
    choice: str = Field("rule", description="rule, or the kind the study itself names")
    folds: int = Field(3, ge=2, le=10, description="folds of the cross-validation inside development")
    max_development_rows: Annotated[int, all_or(LEAST_ROWS)] = Field(
        0, ge=0, description="rows at most taken from development; 0 takes all"
    )
    min_grade_share: float = Field(0.05, gt=0, lt=0.5, description="smallest share of a grade")
    seed: int = Field(42, ge=0, description="seed of folds, trees and bootstrap")
    tolerance: Literal["exact", "close", "ranks"] = Field(
        "exact", description="what counts as equal when it is made again: exact, close (numbers to 1e-9) or ranks"
    )

    def verify(self) -> None:
        """Raise `UserError` where the choice is no kind of model that can be learnt; what fits its outcome is named."""
        groups = by_outcome()
        known = ["rule", *(name for names in groups.values() for name in names)]
        if self.choice in known:
            return
        hint = nearest(self.choice, known)
        if hint.startswith("known"):
            fits = "; ".join(f"{outcome}: {', '.join(names)}" for outcome, names in groups.items())
            hint = f"write rule, or one that fits the outcome ({fits})"
        raise UserError(f"models/development: choice '{self.choice}' is no kind of model; {hint}")


def of_outcome(p: Params, outcome: Outcome) -> None:
    """Raise `UserError` where the study names a kind of model that doesn't fit what is predicted."""
    if p.choice != "rule" and p.choice not in (fit := fitting(outcome)):
        raise UserError(unfit(p.choice, outcome, fit))


def reads(p: Params) -> list[str]:
    """Tables this step reads."""
    return [p.panel]


def writes(p: Params) -> list[str]:
    """What this step writes: scores of every row of the panel, and the model (registered by the runner)."""
    return [f"mart__scores_{p.model}", tables.of_model(p.model)]


def compare(tuned: list[Candidate], s: Sample, p: Params) -> pd.DataFrame:
    """Return one row per candidate, measured on a sample, each measure with its 95 % interval.

    Measures (`measures.measures`) by bootstrap of whole parents, KS by its influence, calibration slope and intercept
    by robust errors.
    Columns: candidate, then measure, measure_low, measure_high.
    """
    rows = []
    for c in tuned:
        predicted, row = c.predict(s.X), {"candidate": c.kind}
        for name, measure in measures(s.outcome).items():
            low, high = measure.interval(s.y, (predicted,), s.weight, s.parent_id, p.seed)
            row |= {name: measure(s.y, predicted, s.weight), f"{name}_low": low, f"{name}_high": high}
        line = calibration_line(s.y, predicted, s.weight, s.parent_id, s.outcome)
        for name, (value, low, high) in line.items():
            row |= {name: value, f"{name}_low": low, f"{name}_high": high}
        rows.append(row)
    return pd.DataFrame(rows)


def assemble(chosen: Candidate, development: Sample, contract: Contract, p: Params, facts: dict[str, Any]) -> Scorer:
    """Return the chosen candidate as a whole model: grades and reference bins frozen on development."""
    names = list(development.X.columns)
    used = getattr(chosen.estimator, "inputs_", getattr(chosen.estimator, "bins_", names))
    features = {n: contract[n].model_dump(include={"description", "monotone", "type"}) for n in names if n in used}
    columns = {n: development.X[n] for n in names}
    columns["predicted"] = pd.Series(chosen.predict(development.X), name="predicted")
    reference = {}
    for name, values in columns.items():
        bins = quantile_bins(values)
        reference[name] = (bins, tuple(bins.counts(values, development.weight)))
    if "folds" in type(p).model_fields:  # of one that is taken in, nobody here knows how it was fitted
        facts = {**facts, "settings": plain_settings(chosen.estimator), "folds": p.folds}
    grades = bands(chosen.out_of_fold, development.y, development.parent_id, p.min_grade_share, development.outcome)
    if hasattr(chosen.estimator, "contributions"):
        parts = chosen.estimator.contributions(development.X)
        facts = {**facts, "mean_contributions": parts.mean().to_dict(), "contribution_spread": parts.std().to_dict()}
    return Scorer(
        chosen.kind,
        chosen.estimator,
        chosen.calibration,
        grades,
        features,
        reference,
        facts,
        development.outcome,
    )


def plain_settings(estimator: Any) -> dict[str, Any]:
    """Return an estimator's settings that are plain values: with them, and the directions, it is fitted again."""
    return {n: v for n, v in estimator.get_params().items() if isinstance(v, bool | int | float | str)}


def scores(panel: pd.DataFrame, model: Scorer) -> pd.DataFrame:
    """Return predicted, score (binary outcomes only) and grade of every row of the panel."""
    return panel[[c for c in ROW if c in panel]].join(model.scored(panel))
