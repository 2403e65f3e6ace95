"""Is there a slice of customers where the model works much worse?

**Method** AUC within each frozen bin of each input with at least 50 defaults and 50 goods, against the AUC of all.
**Reads as bad** a slice whose AUC is lower by more than the threshold and whose interval stays below the AUC of all.
**Blind to** slices by two inputs; within a slice of a strong input less separation is natural.
**Source** Chung et al. (2019), Slice Finder, ICDE; interval: DeLong et al. (1988).
"""

from __future__ import annotations

import pandas as pd

from workbench import metrics
from workbench.evidence import Evidence, Verdict
from workbench.validation.subject import Subject

FAMILY = "robustness"
LEAST = 50


def test(s: Subject) -> Evidence:
    """Return the slices with the lowest AUC on the hold-out; at most amber, since some loss is natural."""
    h, t, rows = s.holdout, s.thresholds["weak_spot"], []
    overall = metrics.auc(h["is_default"], h["pd"])
    for name in s.model.features:
        bins = s.model.reference[name][0]
        for code, part in h.groupby(bins.codes(h[name])):
            bad = part["is_default"].sum()
            if min(bad, len(part) - bad) >= LEAST:
                value = metrics.auc(part["is_default"], part["pd"])
                rows.append(
                    (name, bins.labels[code], len(part), value, metrics.auc_interval(part["is_default"], part["pd"])[1])
                )
    if not rows:
        return Evidence(
            "weak_spot", _QUESTION, Verdict.not_evaluated, "No slice has 50 goods and 50 bads.", threshold=str(t)
        )
    table = pd.DataFrame(rows, columns=["input", "slice", "rows", "auc", "auc_high"]).sort_values(
        "auc", ignore_index=True
    )
    weak = table[(table["auc_high"] < overall) & (overall - table["auc"] >= t.amber)]
    low = table.iloc[0]
    return Evidence(
        "weak_spot", _QUESTION, Verdict.amber if len(weak) else Verdict.green,
        f"Lowest AUC {low.auc:.4f} for {low.input} {low['slice']} ({low.rows:,} rows), {overall:.4f} overall; {len(weak)} of {len(table)} slices are clearly weaker.",
        float(overall - low.auc), str(t), "Chung et al. (2019)", table,
    )  # fmt: skip


_QUESTION = "Is there a slice where the model works much worse?"
