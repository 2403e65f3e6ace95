"""What a validation test is given: the registered model, the samples re-scored by the validator, the rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import numpy as np
import pandas as pd

from workbench import metrics
from workbench.contracts import Contract, Outcome
from workbench.models.samples import capped
from workbench.models.scorer import Scorer
from workbench.panel import rates
from workbench.panel.overrides import column_of
from workbench.panel.samples import parent_column
from workbench.params import UserError
from workbench.rules import Rules
from workbench.validation.estimated import learnt, of_both
from workbench.validation.named import named_again
from workbench.validation.raw import Raw
from workbench.words import Text, say

HOLDOUT = say("the hold-out")
COUNTED = ("outcome", "weight", "parent_id")
T = TypeVar("T")


class Once:
    """What is worked out once of the same objects, which it holds, so that no other takes the place of one."""

    def __init__(self) -> None:
        self._held: dict[tuple[str | int, ...], tuple[tuple[object, ...], Any]] = {}

    def answer(self, question: str, objects: tuple[object, ...], work: Callable[[], T]) -> T:
        """Return what `work` gives: it is asked once a question and objects, which nobody changes in place."""
        key = (question, *map(id, objects))
        if key not in self._held:
            self._held[key] = objects, work()
        return cast(T, self._held[key][1])


@dataclass(frozen=True)
class Subject:
    """The model under test.

    `development`, `holdout`, `later`: rows of the panel with a known outcome, parents as running numbers, and the
    columns predicted and grade_code, recomputed from the registered model; nothing is taken from what development wrote.
    `learnt` marks the rows of development that the model learnt from. `figures`: what development claimed. `rules`: the
    thresholds in force. `tested`: how a sentence calls the rows in `holdout`, which are a later period's where an outcome
    test is run on one. `looks`: among how many tests and samples that ask the same question the chance of a false alarm
    is shared. `panel`: every row, of known outcome or not; `override`: its column that says so (`panel.overrides`).
    `served`: rows in, what MLflow serves of the registered version out; `raw`: the bank's months (`raw.read`).
    `once`: what several tests ask for; copies with other rows tested share it.
    """

    model: Scorer
    contract: Contract
    development: pd.DataFrame
    holdout: pd.DataFrame
    later: pd.DataFrame
    figures: Mapping[str, float]
    rules: Rules
    seed: int
    tested: Text = HOLDOUT
    looks: int = 1
    panel: pd.DataFrame = field(default_factory=pd.DataFrame)
    override: str = ""
    served: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    raw: Raw | None = None
    once: Once = field(default_factory=Once, repr=False, compare=False)

    @property
    def outcome(self) -> Outcome:
        """What is predicted, and how a page speaks of it."""
        return self.contract.outcome

    @property
    def has_variety(self) -> bool:
        """Whether the hold-out's outcomes differ at all."""
        return self.holdout["outcome"].nunique() > 1

    @property
    def is_holdout(self) -> bool:
        """Whether the rows tested are the hold-out's, not a later period's."""
        return self.tested == HOLDOUT

    def chance(self, light: str) -> float:
        """Return the p-value at which a light (`amber`, `red`) comes, its looks shared: the level of an interval beside it."""
        return float(getattr(self.rules["p_value"], light)) / self.looks

    def is_costly(self, observed: float, predicted: float) -> bool:
        """Say whether a prediction errs on the side that costs: too low where more is worse, else too high."""
        return (observed > predicted) == (self.outcome.direction == "adverse")

    def shown(self, value: float) -> Text:
        """Return a value of the outcome as it is read: in percent, or a plain number of an amount."""
        return rates.level(value, self.outcome)

    def grades(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return per grade, lowest prediction first: n and events (effective, by parent), predicted, observed, share, rows, n_both.

        `share` is the grade's part of the weight; `n_both` the effective size with development's error in the prediction
        (`estimated`). How alike a parent's rows are is taken over all grades together. For rows whose outcome is an event or none.
        """
        return self.once.answer("grades", (rows, self.development), lambda: self._grades(rows)).copy()

    def _grades(self, rows: pd.DataFrame) -> pd.DataFrame:
        total, out = rows["weight"].sum(), []
        sizes = self.once.answer("learnt sizes", (self.development,), self._learnt_sizes)
        alike = metrics.likeness(*(rows[c] for c in ("outcome", "weight", "parent_id", "grade_code")))
        for grade, part in rows[[*COUNTED, "predicted", "grade_code"]].groupby("grade_code", sort=True):
            events, n = metrics.effective_alike(*(part[c] for c in COUNTED), alike)
            predicted = float(np.average(part["predicted"], weights=part["weight"]))
            out.append((grade, n, events, predicted, events / n, part["weight"].sum() / total, len(part)))
        names = ["grade", "n", "events", "predicted", "observed", "share", "rows"]
        table = pd.DataFrame(out, columns=names).sort_values("predicted", ignore_index=True)
        return table.assign(
            n_both=[of_both(n, sizes.get(g, 0.0)) for g, n in zip(table["grade"], table["n"], strict=True)]
        )

    def _learnt_sizes(self) -> dict[str, float]:
        """Effective size of the rows learnt from, by grade."""
        rows = learnt(self.development)
        alike = metrics.likeness(*(rows[c] for c in ("outcome", "weight", "parent_id", "grade_code")))
        return {
            str(grade): metrics.effective_alike(*(part[c] for c in COUNTED), alike)[1]
            for grade, part in rows[[*COUNTED, "grade_code"]].groupby("grade_code")
        }


def subject(
    model: Scorer, panel: pd.DataFrame, contract: Contract, figures: Mapping[str, float], rules: Rules, seed: int
) -> Subject:
    """Return the subject: every sample re-scored with the registered model. `UserError` where it says nothing of a row."""
    known = panel[panel["outcome"].notna()]
    if contract.outcome.kind == "named":
        known = named_again(known, model)
    raw_predicted = known["predicted"] if "predicted" in known else model.predict(known)
    predicted = checked(np.asarray(raw_predicted, float), contract.outcome)
    columns = {"learnt": learnt_from(known, model), "predicted": predicted, "grade_code": model.grade(predicted)}
    scored = known.assign(
        parent_id=pd.factorize(known[parent_column(known)])[0], **columns
    )  # numbers are sorted faster than names
    samples = ("development", "holdout", "monitoring")
    parts = [scored[scored["sample"] == name].reset_index(drop=True) for name in samples]
    override = column_of(panel, contract, model.grade_names)
    return Subject(model, contract, *parts, figures, rules, seed, panel=panel, override=override)


def checked(predicted: np.ndarray, outcome: Outcome) -> np.ndarray:
    """Return predictions (n) as they are; `UserError` where one is missing, infinite, or no probability or rate."""
    if missing := int((~np.isfinite(predicted)).sum()):
        raise UserError(
            f"validation/battery: the model predicts nothing for {missing:,} of {len(predicted):,} rows; mend it"
        )
    is_share = outcome.is_binary or outcome.kind == "rate"
    if is_share and (beyond := (predicted < 0) | (predicted > 1)).any():
        raise UserError(
            f"validation/battery: the model predicts less than 0 or more than 1 for {int(beyond.sum()):,} of "
            f"{len(predicted):,} rows; mend it"
        )
    return predicted


def learnt_from(known: pd.DataFrame, model: Scorer) -> np.ndarray:
    """Return which rows (n) the model learnt from: development's, those the study's cap drew where it has one."""
    rows = known[known["sample"] == "development"]
    limit, seed = int(model.facts.get("max_development_rows", 0)), int(model.facts.get("seed", 0))
    return np.isin(known.index, capped(rows, limit, seed).index)


def as_counted(grades: pd.DataFrame) -> pd.DataFrame:
    """Return a table of grades whose counts are called effective where weights or parents make them so."""
    differ = (grades["n"] - grades["rows"]).abs() > 0.5
    grades = grades.drop(columns="n_both", errors="ignore")
    return grades.rename(columns={"n": "effective n", "events": "effective events"} if differ.any() else {})
