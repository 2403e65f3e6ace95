"""Is the model better on the rows it learnt from than on the others?

**Method** AUC on the rows of development that the model learnt from minus AUC on the hold-out (R² where an amount or a rate is predicted); interval of the difference from the influence of each parent's rows on either figure, the samples taken as independent.
**Reads as bad** a gap whose whole 95 % interval is above the threshold: some gap there always is, for a model fits the rows it learnt from.
**Blind to** a development sample that is easier for other reasons, such as an earlier time.
**Source** Hastie, Tibshirani & Friedman (2009), ch. 7; DeLong et al. (1988) for the error of an AUC.
"""

from __future__ import annotations

import pandas as pd
from scipy import stats

from workbench import metrics
from workbench.evidence import Evidence, judged
from workbench.validation.sight import Gauge, above_seen, sight
from workbench.validation.subject import Subject
from workbench.words import say

FAMILY, KINDS = "robustness", {"binary", "rate", "amount", "named"}


def measured(rows: pd.DataFrame, binary: bool) -> tuple[float, float]:
    """Return AUC (or R²) of rows and its standard error by parent."""
    arrays = (rows["outcome"], rows["predicted"], rows["weight"])
    if binary:
        return metrics.auc(*arrays), metrics.clustered_error(metrics.auc_influence(*arrays), rows["parent_id"])
    influence = metrics.r_squared_influence(*arrays)
    return metrics.r_squared(*arrays), metrics.clustered_error(influence, rows["parent_id"])


def test(s: Subject) -> Evidence:
    """Return the gap between development and hold-out."""
    binary = s.outcome.is_binary
    rule = s.rules["overfit" if binary else "overfit_r_squared"]
    rows = s.development[s.development["learnt"]]
    (learnt, error), (held, h_error) = (measured(sample, binary) for sample in (rows, s.holdout))
    gap, half = learnt - held, float(stats.norm.ppf(0.975)) * (error**2 + h_error**2) ** 0.5
    facts = {"measure": say("AUC") if binary else say("R²"), "learnt": learnt, "held": held, "gap": gap, "half": half}
    return Evidence(
        key="overfit",
        question=say("Is the model better on the rows it learnt from?"),
        verdict=judged(gap - half, rule),
        answer=say(
            "{measure} {learnt:.4f} on the {n:, rows} learnt from, {held:.4f} on the hold-out; gap {gap:.4f} ± {half:.4f}.",
            n=len(rows),
            **facts,
        ),
        value=gap,
        threshold=rule.text + say("The whole interval of the gap must be above."),
        source="Hastie et al. (2009), ch. 7",
        sight=sight(
            s,
            gap,
            above_seen(
                rule.amber, half / stats.norm.ppf(0.975), 0.025, say("gap in {measure}", measure=facts["measure"])
            ),
            convention=Gauge(gap, rule),
            significance=Gauge(gap - half, rule),
        ),
    )
