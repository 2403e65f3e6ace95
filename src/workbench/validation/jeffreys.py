"""Is the PD of a grade too low?

**Method** per grade and for the portfolio, p = Beta(bad + ½, n − bad + ½) CDF at the PD, the ECB's test; Holm over grades.
**Reads as bad** a small p: the observed rate says that the PD underestimates.
**Blind to** PDs that are too high (see binomial); defaults are taken as independent. Weighted samples use effective counts.
**Source** ECB (2019), Instructions for reporting the validation results of internal models, section 2.5.3.1.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from workbench.evidence import Evidence
from workbench.panel.describe import effective
from workbench.validation.subject import Subject, as_counted, holm, p_text

FAMILY = "calibration"


def p_values(grades: pd.DataFrame) -> pd.Series:
    """Return Jeffreys' p-value per row (bad, n, pd). Small: the PD is too low."""
    return pd.Series(
        stats.beta.cdf(grades["pd"], grades["bad"] + 0.5, grades["n"] - grades["bad"] + 0.5), index=grades.index
    )


def test(s: Subject) -> Evidence:
    """Return Jeffreys' test per grade on the hold-out, with the portfolio as the last row."""
    grades, t = s.grades(s.holdout), s.thresholds["p_value"]
    h = s.holdout
    bad, n = effective(h["outcome"], h["weight"])
    mean = float(np.average(h["pd"], weights=h["weight"]))
    grades["p"] = holm(p_values(grades).to_numpy())
    total = pd.DataFrame(
        [("portfolio", n, bad, mean, len(h))],
        columns=grades.columns[:5],
    )
    total["p"] = p_values(total)
    table = pd.concat([grades, total], ignore_index=True).assign(observed=lambda g: g["bad"] / g["n"])
    worst = table.loc[table["p"].idxmin()]
    return Evidence(
        key="jeffreys",
        question="Is the PD of a grade too low?",
        verdict=t.light(float(worst.p), high_is_bad=False),
        answer=f"Smallest {p_text(worst.p)}, for {'the ' if worst.grade == 'portfolio' else 'grade '}{worst.grade}: "
        f"PD {worst.pd:.2%}, observed {worst.observed:.2%} on the hold-out.",
        value=float(worst.p),
        threshold=str(t),
        source="ECB (2019), section 2.5.3.1",
        table=as_counted(table),
    )
