"""One sample of the panel as a model sees it: inputs, outcome, weights, and which rows belong together."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from workbench.contracts import Contract, Outcome
from workbench.evidence import Evidence, Verdict
from workbench.panel.samples import parent_column, parents
from workbench.params import UserError
from workbench.words import say

# rows with the event, and without, and parents: of fewer no line of calibration can be drawn, nor do folds of whole
# parents, within which a scorecard draws folds of its own, have both classes each
LEAST_OF_A_CLASS = 10
LEAST_ROWS = 100  # of development, where a study caps it


@dataclass(frozen=True)
class Sample:
    """Inputs X (n × k), outcome y (n), weight (n), parent_id (n) whose rows stay together, entity_id (n)."""

    X: pd.DataFrame
    y: np.ndarray
    weight: np.ndarray
    parent_id: np.ndarray
    entity_id: np.ndarray = field(default=None)
    outcome: Outcome = field(default_factory=Outcome)

    def __post_init__(self) -> None:
        if self.entity_id is None:
            object.__setattr__(self, "entity_id", self.parent_id)

    def as_book(self, n: np.ndarray, rate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the share of the book and the rate that groups of rows stand for; n and rate as counted (k each).

        Undoes case-control sampling, whose weights are the same for all rows with the event and for all without.
        An amount or a rate is never sampled so, and stays as counted. Source: King & Zeng (2001), eq. 8.
        """
        n, rate = np.asarray(n, float), np.asarray(rate, float)
        if not self.outcome.is_binary:
            return n / n.sum(), rate
        events = n * rate * self.weight[self.y == 1].mean()
        everyone = events + n * (1 - rate) * self.weight[self.y == 0].mean()
        known = np.full(len(events), np.nan)
        return everyone / everyone.sum(), np.divide(events, everyone, out=known, where=everyone > 0)


def sample(panel: pd.DataFrame, contract: Contract, name: str, limit: int = 0, seed: int = 42) -> Sample:
    """Return one sample of the panel: rows whose outcome is known; where `limit` is set, whole parents up to about it.

    Raises `UserError` where the outcome doesn't vary, or too few rows or parents have the event or are without it; of
    an amount or a rate, where there are too few parents.
    """
    known = panel[(panel["sample"] == name) & panel["outcome"].notna()]
    rows = capped(known, limit, seed)
    _enough(rows, contract, name, "raise max_development_rows" if len(rows) < len(known) else "widen its dates")
    X = rows[[c.name for c in contract.features()]].reset_index(drop=True)
    y, weight, entity = (rows[c].to_numpy() for c in ("outcome", "weight", "entity_id"))
    return Sample(X, y, weight, parents(rows, contract), entity, contract.outcome)


def _enough(rows: pd.DataFrame, contract: Contract, name: str, mend: str) -> None:
    """Raise `UserError` where no model can be learnt from these rows, or held against them; `mend` is what to do."""
    if not contract.features():
        raise UserError(
            f"panel '{contract.name}': no feature to learn from; each was known only after the date, refused as a "
            "leak, personal or the same in all rows: look at panel/build and portfolios/intake"
        )
    if rows["outcome"].nunique() < 2:
        alike = "of one class only" if contract.outcome.is_binary else "whose outcome is the same in all of them"
        raise UserError(f"panel '{contract.name}': sample '{name}' has {len(rows)} rows {alike}; {mend}")
    if contract.outcome.is_binary and (fewest := rows["outcome"].value_counts().min()) < LEAST_OF_A_CLASS:
        raise UserError(
            f"panel '{contract.name}': sample '{name}' has {len(rows)} rows, of one class {fewest}, and at least "
            f"{LEAST_OF_A_CLASS} are needed; {mend}"
        )
    parent = rows[parent_column(rows)]
    by_class = parent.groupby(rows["outcome"]).nunique() if contract.outcome.is_binary else pd.Series(parent.nunique())
    if (fewest := by_class.min()) < LEAST_OF_A_CLASS:
        whose = "those of one class" if contract.outcome.is_binary else "all"
        raise UserError(
            f"panel '{contract.name}': sample '{name}' has {len(rows)} rows, {whose} of {fewest} "
            f"parent{'s' if fewest > 1 else ''}, and at least {LEAST_OF_A_CLASS} are needed, as a parent's rows stay "
            f"together; {mend}"
        )


def capped(rows: pd.DataFrame, limit: int, seed: int) -> pd.DataFrame:
    """Return rows of whole parents, drawn by a seed, up to about `limit` rows; all where it is 0 or there are fewer."""
    if not limit or len(rows) <= limit:
        return rows
    parent = parent_column(rows)
    parents = rows[parent].drop_duplicates().sample(frac=limit / len(rows), random_state=seed)
    return rows[rows[parent].isin(set(parents))]


def directions(contract: Contract) -> dict[str, int]:
    """Return the direction in which the outcome must move with each feature (1, -1; 0 is free)."""
    return {c.name: c.monotone for c in contract.features()}


def special_codes(contract: Contract) -> dict[str, dict[str, str]]:
    """Return the special codes of each feature that has any: code → what it says."""
    return {c.name: dict(c.special) for c in contract.features() if c.special}


def learnt_rows(panel: pd.DataFrame, learn: Sample) -> Evidence:
    """Return how many rows of development are learnt from; amber where the study caps them."""
    known = int(((panel["sample"] == "development") & panel["outcome"].notna()).sum())
    n, n_parents = len(learn.y), len(np.unique(learn.parent_id))
    capped = n < known
    if capped:
        answer = say("{n:,} of {known:, rows} of development are learnt from: the study caps them.", n=n, known=known)
    else:
        answer = say("All {n:, rows} of development are learnt from.", n=n)
    if n_parents < n:
        answer += say("They are of {parents:, parents}; a parent's rows stay together in folds.", parents=n_parents)
    if learn.outcome.kind == "rate" and (beyond := int(((learn.y < 0) | (learn.y > 1)).sum())):
        answer += say("{beyond:, values lie} beyond 0 and 1; they are learnt as 0 and 1.", beyond=beyond)
    return Evidence(
        key="rows",
        question=say("Which rows does the model learn from?"),
        verdict=Verdict.amber if capped else Verdict.info,
        answer=answer,
        value=n,
        threshold=say("amber where max_development_rows leaves rows out"),
    )
