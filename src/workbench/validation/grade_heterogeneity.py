"""Are adjacent grades really different?

**Method** two-sided two-proportion z-test of each adjacent pair on the hold-out, effective counts by parent.
**Reads as bad** pairs that can't be told apart: their grades could be one.
**Blind to** small grades, where nothing is significant.
**Source** EBA (2023), Supervisory handbook on the validation of IRB rating systems, section 3.1.1; Fleiss, Levin & Paik (2003), ch. 3.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportions_ztest

from workbench.evidence import Evidence, Verdict
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS = "discrimination", {"binary"}


def pairs(grades: pd.DataFrame) -> pd.DataFrame:
    """Return one row per adjacent pair, lowest prediction first: observed rates, difference (higher minus lower), two-sided p."""
    rows = []
    for (_, a), (_, b) in zip(grades.iloc[:-1].iterrows(), grades.iloc[1:].iterrows(), strict=True):
        counts = [b["events"], a["events"]], [b["n"], a["n"]]
        _, p = proportions_ztest(*counts) if a["events"] + b["events"] > 0 else (0, 1.0)
        rows.append((f"{a['grade']}-{b['grade']}", a["observed"], b["observed"], float(np.nan_to_num(p, nan=1.0))))
    table = pd.DataFrame(rows, columns=["pair", "lower", "higher", "p"])
    return table.assign(difference=table["higher"] - table["lower"])


def test(s: Subject) -> Evidence:
    """Return how many adjacent pairs of grades differ significantly."""
    table, level = pairs(s.grades(s.holdout)), s.rules.number("grades_alike")
    alike = table[table["p"] > level]
    answer = say(
        "{apart} of {pairs} adjacent pairs differ at {level:.0%}.",
        apart=len(table) - len(alike),
        pairs=len(table),
        level=level,
    )
    return Evidence(
        key="grade_heterogeneity",
        question=say("Are adjacent grades really different?"),
        verdict=Verdict.not_evaluated if table.empty else Verdict.green if alike.empty else Verdict.amber,
        answer=answer + (say("Alike: {grades}.", grades=list(alike["pair"])) if len(alike) else Text()),
        value=float(len(alike)),
        threshold=say("Amber where a pair has p above {level:g}.", level=level),
        source="EBA (2023), Supervisory handbook on the validation of IRB rating systems",
        table=table,
    )
