"""Is the model better on the rows it learnt from than on the others?

**Method** AUC on development minus AUC on the hold-out, with a bootstrap interval of the difference by account.
**Reads as bad** a gap above the threshold whose interval excludes 0.
**Blind to** a development sample that is easier for other reasons (an earlier time).
**Source** Hastie, Tibshirani & Friedman (2009), ch. 7; bootstrap: Efron & Tibshirani (1993).
"""

from __future__ import annotations

from workbench import metrics
from workbench.evidence import Evidence, Verdict
from workbench.validation.subject import Subject

FAMILY = "robustness"


def test(s: Subject) -> Evidence:
    """Return the gap of AUC between development and hold-out."""
    t, ends = s.thresholds["overfit"], []
    for rows in (s.development, s.holdout):
        arrays = tuple(rows[c].to_numpy(float) for c in ("outcome", "pd", "weight"))
        ends.append(
            (metrics.auc(*arrays), *metrics.bootstrap_interval(metrics.auc, arrays, rows["entity_id"], s.seed, 100))
        )
    (learnt, low, high), (held, h_low, h_high) = ends
    gap = learnt - held
    half = (((high - low) / 2) ** 2 + ((h_high - h_low) / 2) ** 2) ** 0.5
    return Evidence(
        key="overfit",
        question="Is the model better on the rows it learnt from?",
        verdict=Verdict.green if gap - half <= 0 else t.light(gap),
        answer=f"AUC {learnt:.4f} on development, {held:.4f} on the hold-out; gap {gap:.4f} ± {half:.4f}.",
        value=gap,
        threshold=f"{t}; green where the interval of the gap holds 0",
        source="Hastie et al. (2009), ch. 7",
    )
