"""Does a single input give the outcome away?

**Method** AUC of each input's weight-of-evidence bins, learnt on development, on the hold-out.
**Reads as bad** one input that alone reaches the threshold.
**Blind to** leaks spread over several inputs.
**Source** Kaufman et al. (2012), Leakage in data mining, ACM TKDD 6(4); threshold by convention.
"""

from __future__ import annotations

import pandas as pd

from workbench import metrics
from workbench.evidence import Evidence
from workbench.validation.subject import Subject

FAMILY = "process"


def test(s: Subject) -> Evidence:
    """Return the AUC of every input alone, the largest first."""
    t, rows = s.thresholds["leak"], []
    for name in s.model.features:
        bins = s.model.reference[name][0]
        rates = s.development.groupby(bins.codes(s.development[name]))["is_default"].mean()
        risk = pd.Series(bins.codes(s.holdout[name])).map(rates).fillna(s.development["is_default"].mean())
        rows.append((name, metrics.auc(s.holdout["is_default"], risk, s.holdout["weight"])))
    table = pd.DataFrame(rows, columns=["input", "auc alone"]).sort_values(
        "auc alone", ascending=False, ignore_index=True
    )
    top = table.iloc[0]
    return Evidence(
        "leakage", "Does a single input give the outcome away?", t.light(float(top["auc alone"])),
        f"Strongest is {top.input} with an AUC of {top['auc alone']:.4f} alone.", float(top["auc alone"]), str(t),
        "Kaufman et al. (2012)", table,
    )  # fmt: skip
