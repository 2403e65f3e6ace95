"""Does a prediction tell who was among the rows the model learnt from?

**Method** the attack by the loss: whoever is predicted best is taken for learnt from. Its AUC between the rows of development that the model learnt from and the hold-out's; 0.5 is a guess. Of an event, among rows with and among rows without it, and the mean of both, so that another rate in the hold-out is no answer. Its error by parent.
**Reads as bad** an AUC whose whole 95 % interval is above the threshold: a stranger with the model, a customer's columns and his outcome learns that he was in the data.
**Blind to** attacks that train models of their own (Carlini et al. (2022)) and find the few rows that stand out; times that differ in more than their rate.
**Source** Yeom, Giacomelli, Fredrikson & Jha (2018), Privacy Risk in Machine Learning; Shokri et al. (2017).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from workbench import metrics
from workbench.evidence import Evidence, judged
from workbench.validation.sight import Gauge, above_seen, sight
from workbench.validation.subject import Subject
from workbench.words import say

FAMILY, KINDS = "robustness", {"binary"}


def attacked(learnt: pd.DataFrame, others: pd.DataFrame) -> tuple[float, float]:
    """Return the AUC of the attack by the loss and its standard error by parent.

    learnt, others: rows with outcome, predicted, weight, parent_id. The log loss rises with the distance of the
    prediction from the outcome, so that the distance ranks as the loss does. NaN where an outcome is on one side alone.
    """
    rows = pd.concat([learnt.assign(member=1.0), others.assign(member=0.0)], ignore_index=True)
    near = -(rows["outcome"] - rows["predicted"]).abs()
    areas, influence = [], np.zeros(len(rows))
    for part in (rows["outcome"] == v for v in (0, 1)):
        arrays = rows.loc[part, "member"], near[part], rows.loc[part, "weight"]
        areas.append(metrics.auc(*arrays) if arrays[0].nunique() > 1 else np.nan)
        influence[np.asarray(part)] = metrics.auc_influence(*arrays) / 2
    return float(np.mean(areas)), metrics.clustered_error(influence, rows["parent_id"])


def test(s: Subject) -> Evidence:
    """Return how well the loss tells the rows learnt from."""
    rule, rows = s.rules["membership"], s.development[s.development["learnt"]]
    area, error = attacked(rows, s.holdout)
    half = float(stats.norm.ppf(0.975)) * error
    return Evidence(
        key="membership",
        question=say("Does a prediction tell who was among the rows learnt from?"),
        verdict=judged(area - half, rule),
        answer=say(
            "Guessing by the loss who is one of the {n:, rows} learnt from and who of the {held:,} held out has AUC "
            "{area:.3f} ± {half:.3f}; 0.5 is a coin.",
            n=len(rows),
            held=len(s.holdout),
            area=area,
            half=half,
        ),
        value=area,
        threshold=rule.text + say("The whole interval must be above."),
        source="Yeom et al. (2018), IEEE CSF",
        sight=sight(
            s,
            area,
            above_seen(rule.amber, error, 0.025, say("AUC of the attack")),
            convention=Gauge(area, rule),
            significance=Gauge(area - half, rule),
        ),
    )
