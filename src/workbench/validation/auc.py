"""Does the model separate good from bad on rows it never saw?

**Method** Gini = 2·AUC − 1 on the PD, DeLong's interval.
**Reads as bad** a Gini below the threshold.
**Blind to** calibration; rows of one account are taken as independent.
**Source** DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44(3); ECB (2019), Instructions, section 2.5.4.
"""

from __future__ import annotations

from workbench import metrics
from workbench.evidence import Evidence
from workbench.validation.subject import Subject

FAMILY = "discrimination"


def test(s: Subject) -> Evidence:
    """Return the Gini of the hold-out with its interval."""
    h, t = s.holdout, s.thresholds["gini"]
    gini = metrics.gini(h["outcome"], h["pd"], h["weight"])
    low, high = (2 * v - 1 for v in metrics.auc_interval(h["outcome"], h["pd"]))
    return Evidence(
        key="auc",
        question="Does the model separate good from bad?",
        verdict=t.light(gini, high_is_bad=False),
        answer=f"Gini {gini:.4f} ({low:.4f} to {high:.4f}), AUC {(gini + 1) / 2:.4f}.",
        value=gini,
        threshold=str(t),
        source="DeLong et al. (1988)",
    )
