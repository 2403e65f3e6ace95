"""How much does the grade depend on a single input being a little off?

**Method** each number moves by one frozen bin up, each category to the next; share of customers whose grade changes by two or more.
**Reads as bad** a share above the threshold for any one input; amber at most: it is reported for a person to weigh, and refuses nothing alone.
**Blind to** inputs that are off together.
**Source** Federal Reserve SR 11-7 (2011), sensitivity analysis; measure of this workbench.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.evidence import Evidence, Verdict
from workbench.panel.bins import Bins
from workbench.validation.subject import Subject

FAMILY = "robustness"
ROWS = 2_000


def moved(values: pd.Series, bins: Bins) -> pd.Series:
    """Return the values one frozen bin up (the next category for categories); missing stays missing."""
    if bins.groups:
        order = [g[0] for g in bins.groups]
        return values.map({c: order[(i + 1) % len(order)] for i, c in enumerate(order)}).where(values.notna(), values)
    edges = np.array(bins.edges)
    if not len(edges):
        return values
    after = np.minimum(np.searchsorted(edges, values.to_numpy(float), side="right"), len(edges) - 1)
    return values.where(values.isna(), np.maximum(values, edges[after]))


def test(s: Subject) -> Evidence:
    """Return, per input, how many customers change grade by two or more when it moves by one bin."""
    rows, t = s.holdout.sample(min(ROWS, len(s.holdout)), random_state=s.seed), s.thresholds["sensitivity"]
    base, out = s.model.grades.codes(rows["pd"]), []
    for name in s.model.features:
        changed = rows.assign(**{name: moved(rows[name], s.model.reference[name][0])})
        pd_ = s.model.pd(changed)
        jump = np.abs(s.model.grades.codes(pd.Series(pd_)) - base)
        out.append((name, float((jump >= 2).mean()), float(np.mean(pd_ - rows["pd"]))))
    table = pd.DataFrame(out, columns=["input", "grade jumps", "mean PD change"]).sort_values(
        "grade jumps", ascending=False, ignore_index=True
    )
    top = table.iloc[0]
    light = t.light(float(top["grade jumps"]))
    verdict = Verdict.amber if light is Verdict.red else light
    return Evidence(
        key="sensitivity",
        question="How much hangs on a single input?",
        verdict=verdict,
        answer=f"{top.input} most: {top['grade jumps']:.1%} of customers jump two grades when it moves by one bin.",
        value=float(top["grade jumps"]),
        threshold=f"amber from {t.amber:g}: {t.description} ({t.reference}); amber at most",
        source="SR 11-7 (2011)",
        table=table,
    )
