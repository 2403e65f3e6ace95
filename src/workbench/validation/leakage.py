"""Does a single input give the outcome away?

**Method** AUC of each input's weight-of-evidence bins, learnt on development, on the hold-out.
**Reads as bad** one input that alone reaches the threshold; amber, too, where it does as well as the whole model or stands 0.10 above the next.
**Blind to** leaks spread over several inputs.
**Source** Kaufman et al. (2012), Leakage in data mining, ACM TKDD 6(4); threshold by convention.
"""

from __future__ import annotations

import pandas as pd

from workbench import metrics
from workbench.evidence import Evidence, Verdict
from workbench.validation.subject import Subject

FAMILY = "process"
ABOVE_NEXT = 0.10  # convention, as in the panel's own screen


def test(s: Subject) -> Evidence:
    """Return the AUC of every input alone, the largest first."""
    t, rows = s.thresholds["leak"], []
    for name in s.model.features:
        bins = s.model.reference[name][0]
        rates = s.development.groupby(bins.codes(s.development[name]))["outcome"].mean()
        risk = pd.Series(bins.codes(s.holdout[name])).map(rates).fillna(s.development["outcome"].mean())
        rows.append((name, metrics.auc(s.holdout["outcome"], risk, s.holdout["weight"])))
    table = pd.DataFrame(rows, columns=["input", "auc alone"]).sort_values(
        "auc alone", ascending=False, ignore_index=True
    )
    top, model = table.iloc[0], metrics.auc(s.holdout["outcome"], s.holdout["pd"], s.holdout["weight"])
    gap = float(top["auc alone"] - table["auc alone"].iloc[1]) if len(table) > 1 else 0.0
    verdict = t.light(float(top["auc alone"]))
    if verdict == Verdict.green and (top["auc alone"] >= model or gap >= ABOVE_NEXT):
        verdict = Verdict.amber
    return Evidence(
        key="leakage",
        question="Does a single input give the outcome away?",
        verdict=verdict,
        answer=f"Strongest is {top.input} with an AUC of {top['auc alone']:.4f} alone, {gap:.4f} above the next; the model has {model:.4f}.",
        value=float(top["auc alone"]),
        threshold=f"{t}; amber, too, from {ABOVE_NEXT:g} above the next or from the model's own",
        source="Kaufman et al. (2012)",
        table=table,
    )
