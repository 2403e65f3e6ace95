"""How much does the grade depend on a single input being a little off?

**Method** each number moves by one frozen bin up, each category to the next; share of rows whose grade changes by two or more, on rows taken evenly from the hold-out.
**Reads as bad** a share above the threshold for any one input; amber at most: it is reported for a person to weigh, and refuses nothing alone.
**Blind to** inputs that are off together.
**Source** Saltelli et al. (2008), Global Sensitivity Analysis: The Primer, ch. 1 (one input at a time).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.evidence import Evidence, Verdict, judged
from workbench.panel.bins import Bins
from workbench.validation.subject import Subject
from workbench.words import say

FAMILY, KINDS = "robustness", {"binary", "rate", "amount"}
READS_OUTCOME = False
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


def evenly(rows: pd.DataFrame, n: int) -> pd.DataFrame:
    """Return at most n rows, every k-th by prediction: no draw, so that the answer hangs on no seed."""
    if len(rows) <= n:
        return rows
    order = np.argsort(rows["predicted"].to_numpy(), kind="stable")
    return rows.iloc[order[np.linspace(0, len(rows) - 1, n).round().astype(int)]]


def jumps(s: Subject) -> pd.DataFrame:
    """Return, per input, the share of rows that change grade by two or more and the mean change of the prediction."""
    rows, out, place = evenly(s.holdout, ROWS), [], {g: i for i, g in enumerate(s.model.grade_names)}
    base = rows["grade_code"].map(place).to_numpy()
    for name in s.model.features:
        changed = rows.assign(**{name: moved(rows[name], s.model.reference[name][0])})
        predicted = np.asarray(s.model.predict(changed), float)
        jump = np.abs(pd.Series(s.model.grade(predicted)).map(place).to_numpy() - base)
        out.append((name, float((jump >= 2).mean()), float(np.mean(predicted - rows["predicted"]))))
    table = pd.DataFrame(out, columns=["input", "grade jumps", "mean change"])
    return table.sort_values("grade jumps", ascending=False, ignore_index=True)


def test(s: Subject) -> Evidence:
    """Return, per input, how many rows change grade by two or more when it moves by one bin."""
    table, rule = jumps(s), s.rules["sensitivity"]
    top = table.iloc[0]
    light = judged(float(top["grade jumps"]), rule)
    return Evidence(
        key="sensitivity",
        question=say("How much hangs on a single input?"),
        verdict=Verdict.amber if light is Verdict.red else light,
        answer=say(
            "{input} most: {share:.1%} of customers jump two grades when it moves by one bin.",
            input=top["input"],
            share=top["grade jumps"],
        ),
        value=float(top["grade jumps"]),
        threshold=say(
            "{what}: amber from {amber:g} ({reference}); amber at most.",
            what=say(rule.description),
            amber=rule.amber,
            reference=say(rule.reference),
        ),
        source="Saltelli et al. (2008)",
        table=table,
    )
