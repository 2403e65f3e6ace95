"""Choose among candidates: the simplest that isn't materially worse than the best, both on the same rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from workbench import rules
from workbench.evidence import Evidence, Verdict
from workbench.models.kinds import named
from workbench.models.measures import Measure, measures
from workbench.models.samples import Sample
from workbench.params import UserError
from workbench.words import Text, say

if TYPE_CHECKING:
    from workbench.contracts import Outcome
    from workbench.models.development import Params
    from workbench.models.tuning import Candidate


def decisive(s: Sample) -> Measure:
    """Return the measure in which a loss is weighed: Gini of an event, R² of an amount or a rate."""
    by_name = measures(s.outcome)
    return by_name.get("gini") or by_name["r_squared"]


def choose(tuned: Sequence[Candidate], s: Sample, p: Params) -> tuple[Candidate, Evidence]:
    """Return the chosen candidate and why; `UserError` where the study names a kind that doesn't fit the outcome.

    The rule: the simplest candidate whose cross-validated loss against the best (of Gini, or of R²) is not both above
    the rule `lead_material` and sure, that is, with an interval above 0. The loss is taken on the same rows, its
    interval from resamples of whole parents. The hold-out plays no part, so what it says later is not flattered.
    """
    table, measure = losses(tuned, s, p.seed), decisive(s)
    material = rules.load().number("lead_material")
    best = table.loc[table[measure.name].idxmax(), "candidate"]
    bearable = table.loc[(table["loss"] <= material) | (table["loss_low"] <= 0), "candidate"]  # from simple to complex
    kind = bearable.iloc[0] if p.choice == "rule" else p.choice
    if kind not in set(table["candidate"]):
        raise UserError(unfit(kind, s.outcome, table["candidate"]))
    row = table.set_index("candidate").loc[kind]
    return next(c for c in tuned if c.kind == kind), Evidence(
        key="choice",
        question=say("Which candidate is put forward, and why?"),
        verdict=Verdict.info,
        answer=_why(kind == table["candidate"].iloc[0], best, row, measure, material if p.choice == "rule" else None),
        value=kind,
        threshold=say(
            "simplest candidate whose loss of {measure} against the best is not both above {material:.3f} and sure",
            measure=measure.label,
            material=material,
        ),
        source="paired bootstrap: Efron & Tibshirani (1993), ch. 16; simplest of equals: Breiman et al. (1984), ch. 3",
        table=table,
    )


def unfit(kind: str, outcome: Outcome, fit: Iterable[str]) -> str:
    """Return what to say where a study names a kind of model that doesn't fit its outcome; `fit` are those that do."""
    return f"models/development: choice '{kind}' does not fit outcome '{outcome.name}'; these do: {', '.join(fit)}"


def losses(tuned: Sequence[Candidate], s: Sample, seed: int) -> pd.DataFrame:
    """Return, a row per candidate, cross-validated Gini (or R²) and its loss against the best with 95 % interval."""
    measure = decisive(s)
    values = {c.kind: measure(s.y, c.out_of_fold, s.weight) for c in tuned}
    best, rows = next(c for c in tuned if c.kind == max(values, key=values.__getitem__)), []
    for c in tuned:
        both, low, high = (best.out_of_fold, c.out_of_fold), 0.0, 0.0
        if c is not best:
            low, high = measure.interval(s.y, both, s.weight, s.parent_id, seed)
        rows.append((c.kind, values[c.kind], measure.gain(s.y, *both, s.weight), low, high))
    return pd.DataFrame(rows, columns=["candidate", measure.name, "loss", "loss_low", "loss_high"])


def _why(is_simplest: bool, best: str, row: pd.Series, measure: Measure, material: float | None) -> Text:
    kind = str(row.name)
    facts = {
        "kind": named(kind),
        "best": named(best),
        "measure": measure.label,
        "value": float(row[measure.name]),
        "loss": float(row["loss"]),
        "low": float(row["loss_low"]),
        "high": float(row["loss_high"]),
        "material": material,
    }
    if material is None:
        return say(
            "{kind}: named by the study file, cross-validated {measure} {value:.4f}; against {best} it loses "
            "{loss:.4f} ({low:.4f} to {high:.4f}).",
            **facts,
        )
    if kind == best and is_simplest:
        return say(
            "{kind}: its cross-validated {measure} is {value:.4f}, the best, and no candidate is simpler.", **facts
        )
    if kind == best:
        return say(
            "{kind}: its cross-validated {measure} is {value:.4f}, and every simpler candidate surely loses some "
            "of it, and more than {material:.3f}.",
            **facts,
        )
    return say(
        "{kind}: cross-validated {measure} {value:.4f}; it loses {loss:.4f} against {best} ({low:.4f} to {high:.4f}), "
        "which is not both sure and more than {material:.3f}, and is simpler.",
        **facts,
    )
