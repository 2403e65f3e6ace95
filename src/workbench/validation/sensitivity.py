"""How much does the prediction depend on a single input?

**Method** of each input, the part of the predictions' variance on the hold-out that its frozen bins alone explain (of an event on log odds); beside it, the share of rows whose grade changes by two or more when the input moves by one bin, on rows taken evenly.
**Reads as bad** one input that explains nearly everything: where it is measured wrongly nothing else corrects it.
**Blind to** inputs that are off together, and to inputs that say the same thing twice.
**Source** Saltelli et al. (2008), Global Sensitivity Analysis: The Primer, ch. 1 (one input at a time).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import logit

from workbench.contracts.counted import entities
from workbench.evidence import Evidence, judged
from workbench.panel.bins import Bins
from workbench.validation.sight import Gauge, everything, sight
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


def explained(s: Subject) -> pd.Series:
    """Return, per input, the part of the predictions' variance on the hold-out that its frozen bins alone explain (0 to 1)."""
    predicted, parts = s.holdout["predicted"].to_numpy(float), {}
    if s.outcome.is_binary:
        predicted = logit(np.clip(predicted, 1e-6, 1 - 1e-6))
    total = float(predicted.var())
    for name in s.model.features:
        means = pd.Series(predicted).groupby(s.model.reference[name][0].codes(s.holdout[name])).transform("mean")
        parts[name] = float(means.var(ddof=0)) / total if total > 0 else float("nan")
    return pd.Series(parts)


def test(s: Subject) -> Evidence:
    """Return, per input, what part of the predictions' differences it explains, and the jumps when it moves by one bin."""
    table, rule = jumps(s), s.rules["single_input"]
    table.insert(1, "explained", table["input"].map(explained(s)))
    top, jumpy = table.loc[table["explained"].fillna(0).idxmax()], table.iloc[0]
    return Evidence(
        key="sensitivity",
        question=say("How much hangs on a single input?"),
        verdict=judged(float(top["explained"]), rule),
        answer=say(
            "{input} explains most: {explained:.1%} of the differences between predictions. When {jumpy} moves by one bin "
            "{share:.1%} of {entities} jump two grades.",
            input=top["input"],
            explained=top["explained"],
            jumpy=jumpy["input"],
            share=jumpy["grade jumps"],
            entities=entities(s.contract, s.holdout["entity_id"].nunique()),
        ),
        value=float(top["explained"]),
        threshold=rule.text,
        source="Saltelli et al. (2008)",
        table=table,
        sight=sight(s, top["explained"], everything(rule.amber), convention=Gauge(top["explained"], rule)),
    )
