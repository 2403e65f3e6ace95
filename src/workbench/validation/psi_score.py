"""Has the distribution of PDs moved between development and the rows tested on?

**Method** PSI of the PD on bins frozen on development, with its critical value at 99 %; weighted rows count by weight; later rows where there are any, else the hold-out.
**Reads as bad** a PSI above the threshold and above the critical value.
**Blind to** shifts inside a bin, and to shifts that leave the PD as it is.
**Source** Siddiqi (2017), ch. 14; Yurdakul & Naranjo (2020), Journal of Risk Model Validation 14(4).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench import metrics
from workbench.evidence import Evidence, Verdict
from workbench.validation.subject import Subject

FAMILY = "stability"


def shift(s: Subject, name: str, rows: pd.DataFrame) -> tuple[float, float]:
    """Return PSI and critical value of one column of `rows` against development's frozen bins."""
    bins, counts = s.model.reference[name]
    actual = bins.counts(rows[name], rows["weight"].to_numpy())  # as development's counts are
    used = int(((np.array(counts) + actual) > 0).sum())
    return metrics.psi(counts, actual), metrics.psi_critical(int(sum(counts)), len(rows), used)


def test(s: Subject) -> Evidence:
    """Return the PSI of the PD."""
    rows, where = (s.later, "later rows") if len(s.later) else (s.holdout, "the hold-out")
    (value, critical), t = shift(s, "pd", rows), s.thresholds["psi"]
    verdict = Verdict.green if value <= critical else t.light(value)
    return Evidence(
        key="psi_score",
        question="Has the distribution of PDs moved?",
        verdict=verdict,
        answer=f"PSI {value:.4f} on {where} (n {len(s.development):,}, m {len(rows):,}, critical value {critical:.4f}).",
        value=value,
        threshold=f"{t}; green up to the critical value",
        source="Yurdakul & Naranjo (2020)",
    )
