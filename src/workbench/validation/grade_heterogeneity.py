"""Are adjacent grades really different in risk?

**Method** two-sided two-proportion z-test of each adjacent pair on the hold-out.
**Reads as bad** pairs that can't be told apart: their grades could be one.
**Blind to** small grades (no power); effective counts are used where rows are weighted.
**Source** EBA/GL/2017/16, section 5.2.3 (heterogeneity between grades).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportions_ztest

from workbench.evidence import Evidence, Verdict
from workbench.validation.subject import Subject

FAMILY = "discrimination"
LEVEL = 0.05


def pairs(grades: pd.DataFrame) -> pd.DataFrame:
    """Return one row per adjacent pair: rates, difference (worse minus better), two-sided p."""
    rows = []
    for (_, a), (_, b) in zip(grades.iloc[:-1].iterrows(), grades.iloc[1:].iterrows(), strict=True):
        _, p = proportions_ztest([b["bad"], a["bad"]], [b["n"], a["n"]]) if a["bad"] + b["bad"] > 0 else (0, 1.0)
        rows.append(
            (f"{a['grade']} to {b['grade']}", a["bad"] / a["n"], b["bad"] / b["n"], float(np.nan_to_num(p, nan=1.0)))
        )
    table = pd.DataFrame(rows, columns=["pair", "better", "worse", "p"])
    return table.assign(difference=table["worse"] - table["better"])


def test(s: Subject) -> Evidence:
    """Return how many adjacent pairs of grades differ significantly."""
    table = pairs(s.grades(s.holdout))
    alike = table[table["p"] > LEVEL]
    verdict = Verdict.green if alike.empty else Verdict.amber
    said = f"{len(table) - len(alike)} of {len(table)} adjacent pairs differ at {LEVEL:.0%}"
    said += f"; alike: {', '.join(alike['pair'])}." if len(alike) else "."
    return Evidence(
        key="grade_heterogeneity",
        question="Are adjacent grades really different?",
        verdict=verdict,
        answer=said,
        value=float(len(alike)),
        threshold="amber where a pair has p above 0.05",
        source="EBA/GL/2017/16, section 5.2.3",
        table=table,
    )
