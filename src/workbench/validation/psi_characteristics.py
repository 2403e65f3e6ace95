"""Which inputs have moved between development and the rows tested on?

**Method** PSI of every input on bins frozen on development, missing and unseen values as bins of their own.
**Reads as bad** a PSI above the threshold and above its critical value.
**Blind to** changes of the relation between inputs.
**Source** Siddiqi (2017), ch. 14 (characteristic stability); Yurdakul & Naranjo (2020).
"""

from __future__ import annotations

import pandas as pd

from workbench.evidence import Evidence, Verdict
from workbench.validation.psi_score import shift
from workbench.validation.subject import Subject

FAMILY = "stability"


def test(s: Subject) -> Evidence:
    """Return the PSI of every input, the largest first."""
    rows, t = (s.later if len(s.later) else s.holdout), s.thresholds["psi"]
    table = pd.DataFrame([(n, *shift(s, n, rows)) for n in s.model.features], columns=["input", "psi", "critical"])
    table["light"] = [
        str(Verdict.green if v <= c else t.light(v)) for v, c in zip(table["psi"], table["critical"], strict=True)
    ]
    table = table.sort_values("psi", ascending=False, ignore_index=True)
    top, worst = table.iloc[0], min((Verdict(v) for v in table["light"]), key=lambda v: v.rank)
    return Evidence(
        key="psi_characteristics",
        question="Which inputs have moved?",
        verdict=worst,
        answer=f"{top.input} most: PSI {top.psi:.4f} (critical value {top.critical:.4f}); {(table['psi'] >= t.amber).sum()} of {len(table)} from {t.amber:g}.",
        value=float(top.psi),
        threshold=f"{t}; green up to the critical value",
        source="Siddiqi (2017), ch. 14",
        table=table,
    )
