"""Develop a model of any outcome: tune each candidate inside development, compare on the hold-out, choose by rule."""

from __future__ import annotations

from typing import Any

import pandas as pd
from pydantic import Field

from workbench import metrics, params
from workbench.contracts import Contract
from workbench.evidence import Evidence, Verdict
from workbench.models.grades import bands
from workbench.models.kinds import kinds, named
from workbench.models.measures import calibration_line, leading, measures
from workbench.models.samples import Sample, learnt_rows, sample
from workbench.models.scorer import Scorer
from workbench.models.tuning import Candidate, calibrated, candidates, tuning
from workbench.panel.bins import quantile_bins
from workbench.params import UserError, nearest
from workbench.words import Text, say

__all__ = [
    "Candidate",
    "Params",
    "Sample",
    "assemble",
    "calibrated",
    "candidates",
    "choose",
    "compare",
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
    max_development_rows: int = Field(0, ge=0, description="rows at most taken from development; 0 takes all")
    min_grade_share: float = Field(0.05, gt=0, lt=0.5, description="smallest share of a grade")
    seed: int = Field(42, ge=0, description="seed of folds, trees and bootstrap")

    def verify(self) -> None:
        """Raise `UserError` where the choice is no kind of model."""
        known = ["rule", *kinds()]
        if self.choice not in known:
            raise UserError(
                f"models/development: choice '{self.choice}' is no kind of model; {nearest(self.choice, known)}"
            )


def reads(p: Params) -> list[str]:
    """Tables this step reads."""
    return [p.panel]


def writes(p: Params) -> list[str]:
    """What this step writes: scores of every row of the panel, and the model (registered by the runner)."""
    return [f"mart__scores_{p.model}", f"model__{p.model}"]


def compare(tuned: list[Candidate], s: Sample, p: Params) -> pd.DataFrame:
    """Return one row per candidate, measured on a sample, each measure with its 95 % interval.

    Measures (`measures.measures`) by bootstrap of whole parents, calibration slope and intercept by robust errors.
    Columns: candidate, then measure, measure_low, measure_high.
    """
    rows = []
    for c in tuned:
        predicted, row = c.predict(s.X), {"candidate": c.kind}
        for name, measure in measures(s.outcome).items():
            low, high = metrics.bootstrap_interval(measure, (s.y, predicted, s.weight), s.parent_id, p.seed)
            row |= {name: measure(s.y, predicted, s.weight), f"{name}_low": low, f"{name}_high": high}
        line = calibration_line(s.y, predicted, s.weight, s.parent_id, s.outcome)
        for name, (value, low, high) in line.items():
            row |= {name: value, f"{name}_low": low, f"{name}_high": high}
        rows.append(row)
    return pd.DataFrame(rows)


def choose(tuned: list[Candidate], s: Sample, p: Params) -> tuple[Candidate, Evidence]:
    """Return the chosen candidate and why.

    The rule: the simplest whose cross-validated AUC (R² of an amount or a rate) on development lies within the 95 %
    interval of the best one's. The hold-out plays no part, so what it says later is not flattered by the choice.
    """
    measure, rows = leading(s.outcome), []
    for c in tuned:
        interval = metrics.bootstrap_interval(measure, (s.y, c.out_of_fold, s.weight), s.parent_id, p.seed)
        rows.append((c.kind, measure(s.y, c.out_of_fold, s.weight), *interval))
    name = measure.name
    table = pd.DataFrame(rows, columns=["candidate", name, f"{name}_low", f"{name}_high"])
    best = table.loc[table[name].idxmax()]
    within = [c.kind for c in tuned if table.loc[table["candidate"] == c.kind, name].item() >= best[f"{name}_low"]]
    kind = within[0] if p.choice == "rule" else p.choice
    if kind not in {c.kind for c in tuned}:
        fit = ", ".join(c.kind for c in tuned)
        raise UserError(f"models/development: choice '{kind}' does not fit outcome '{s.outcome.name}'; these do: {fit}")
    return next(c for c in tuned if c.kind == kind), Evidence(
        key="choice",
        question=say("Which candidate is put forward, and why?"),
        verdict=Verdict.info,
        answer=_why(table.set_index("candidate"), kind, best["candidate"], measure.label, p),
        value=kind,
        threshold=say(
            "simplest candidate within the 95 % interval of the best cross-validated {measure}", measure=measure.label
        ),
        source="one-standard-error idea: Breiman et al. (1984), Classification and Regression Trees, ch. 3",
        table=table,
    )


def _why(table: pd.DataFrame, kind: str, best: str, measure: Text, p: Params) -> Text:
    value, low, high = table.loc[best].iloc[:3]
    facts = {"kind": named(kind), "measure": measure, "value": table.loc[kind].iloc[0], "best": named(best)}
    facts |= {"best_value": value, "low": low, "high": high}
    if p.choice != "rule":
        return say(
            "{kind}: named by the study file, cross-validated {measure} {value:.4f}; "
            "{best} has {best_value:.4f} ({low:.4f} to {high:.4f}).",
            **facts,
        )
    if kind == best:
        return say(
            "{kind}: its cross-validated {measure} is {value:.4f} ({low:.4f} to {high:.4f}), "
            "and no simpler candidate reaches that interval.",
            **facts,
        )
    return say(
        "{kind}: cross-validated {measure} {value:.4f}, in the interval of {best}, "
        "{best_value:.4f} ({low:.4f} to {high:.4f}), and simpler.",
        **facts,
    )


def assemble(chosen: Candidate, development: Sample, contract: Contract, p: Params, facts: dict[str, Any]) -> Scorer:
    """Return the chosen candidate as a whole model: grades and reference bins frozen on development."""
    names = list(development.X.columns)
    used = getattr(chosen.estimator, "bins_", names)
    features = {n: contract[n].model_dump(include={"description", "monotone", "type"}) for n in names if n in used}
    columns = {n: development.X[n] for n in names}
    columns["predicted"] = pd.Series(chosen.predict(development.X), name="predicted")
    reference = {}
    for name, values in columns.items():
        bins = quantile_bins(values)
        reference[name] = (bins, tuple(bins.counts(values, development.weight)))
    grades = bands(chosen.out_of_fold, development.y, p.min_grade_share, development.outcome)
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


def scores(panel: pd.DataFrame, model: Scorer) -> pd.DataFrame:
    """Return predicted, score (binary outcomes only) and grade of every row of the panel."""
    return panel[[c for c in ROW if c in panel]].join(model.scored(panel))
