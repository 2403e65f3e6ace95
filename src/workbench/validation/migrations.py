"""How do customers move between grades within a year?

**Method** counts of customers by grade now and twelve months before; matrix weighted bandwidth upwards and downwards, 0 where nobody moves and 1 where all go to the far end; z of every cell against its neighbour nearer to the diagonal, Holm over the cells.
**Reads as bad** nothing by itself: a fact without a light, to be held against the year before. Grades of unequal size move people past a small neighbour.
**Blind to** moves within the year, and to customers who are rated once only.
**Source** ECB (2019), Instructions for reporting the validation results of internal models, sections 2.5.5.1 and 2.5.5.2; both computed by riskvalidation.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from workbench.contracts.counted import entities
from workbench.evidence import Evidence, Verdict
from workbench.validation.sight import not_stated, sight
from workbench.validation.significance import p_text
from workbench.validation.subject import Subject
from workbench.words import say

FAMILY, KINDS = "stability", {"binary", "rate", "amount"}
READS_OUTCOME = False
MONTHS = 12


def matrix(s: Subject) -> np.ndarray:
    """Return how many customers went from one grade (rows, the best first) to another (columns) in twelve months (k × k)."""
    rows = pd.concat([s.development, s.holdout, s.later], ignore_index=True)
    rows = rows.assign(month=rows["as_of_date"].dt.year * 12 + rows["as_of_date"].dt.month)
    rows = rows[["entity_id", "month", "grade_code"]].drop_duplicates(["entity_id", "month"])
    before = rows.assign(month=rows["month"] + MONTHS)
    pairs = before.merge(rows, on=["entity_id", "month"], suffixes=("_before", "_now"))
    names = list(s.model.grade_names)
    counts = pd.crosstab(pairs["grade_code_before"], pairs["grade_code_now"])
    return counts.reindex(index=names, columns=names, fill_value=0).to_numpy(float)


def bandwidth(counts: np.ndarray) -> tuple[float, float]:
    """Return the matrix weighted bandwidth of counts (k × k): upwards (to worse grades) and downwards."""
    from riskvalidation.validation.rating_system import matrix_weighted_bandwidth  # a second; only here

    return matrix_weighted_bandwidth(counts)


def turned(counts: np.ndarray) -> tuple[int, int, float]:
    """Return how many cells have a z, how many are fuller than their neighbour nearer to the diagonal by chance at most
    5 % after Holm, and the smallest adjusted p.
    """
    from riskvalidation.validation.rating_system import rating_migration_ztests

    cells = rating_migration_ztests(counts).extras.get("cells", [])
    adjusted = [cell["p_holm"] for cell in cells]
    return len(cells), sum(p <= 0.05 for p in adjusted), min(adjusted, default=float("nan"))


def test(s: Subject) -> Evidence:
    """Return bandwidths and z-tests of a year's migrations; not evaluated where nobody is rated twice a year apart."""
    counts = matrix(s) if len(s.model.grade_names) > 1 else np.zeros((1, 1))
    evidence = partial(
        Evidence,
        key="migrations",
        question=say("How do customers move between grades within a year?"),
        threshold=say("A fact without a light: it is held against the year before."),
        source="ECB (2019), sections 2.5.5.1 and 2.5.5.2",
    )
    if not counts.sum():
        rated = pd.concat([s.development, s.holdout, s.later])["entity_id"].nunique()
        answer = say(
            "Of {entities} none is rated twice, {months: months} apart.",
            entities=entities(s.contract, rated),
            months=MONTHS,
        )
        return evidence(verdict=Verdict.not_evaluated, answer=answer)
    (upper, lower), (cells, fuller, p) = bandwidth(counts), turned(counts)
    answer = say(
        "{entities} rated twice, {months: months} apart: {stay:.1%} stay in their grade; bandwidth {upper:.4f} to worse "
        "grades and {lower:.4f} to better ones. {fuller} of {cells: cells hold} more than their neighbour nearer to the "
        "diagonal (smallest adjusted {p}).",
        entities=entities(s.contract, int(counts.sum())),
        months=MONTHS,
        stay=float(np.trace(counts) / counts.sum()),
        upper=upper,
        lower=lower,
        fuller=fuller,
        cells=cells,
        p=p_text(p),
    )
    names = list(s.model.grade_names)
    table = pd.DataFrame(counts.astype(int), columns=names)
    table.insert(0, "grade before", names)
    seen = not_stated(say("a fact without a light"))
    stands = sight(s, max(upper, lower), seen, rows=pd.concat([s.development, s.holdout, s.later]))
    return evidence(verdict=Verdict.info, answer=answer, value=max(upper, lower), table=table, sight=stands)
