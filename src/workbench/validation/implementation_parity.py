"""Does the registered model, as MLflow serves it, give the numbers that were validated?

**Method** golden records: rows of the panel taken evenly over the predictions, and those with most inputs missing; what the version says of them, loaded by MLflow's pyfunc as anybody would load it, against the scorer's own prediction, score and grade.
**Reads as bad** any difference above the threshold, or a grade that is another one.
**Blind to** what a bank's own systems make of the inputs before they ask, and to records such as the panel never had.
**Source** Basel Committee (2005), Working Paper 14, ch. 1 (implementation as a part of validation); levels by convention.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.evidence import Evidence, Sight, Verdict, judged
from workbench.validation.sensitivity import evenly
from workbench.validation.sight import Gauge, everything, sight
from workbench.validation.subject import Subject
from workbench.words import Text, plain, say

FAMILY, KINDS = "process", {"binary", "rate", "amount", "named"}
READS_OUTCOME = False
ROWS, EMPTIEST = 400, 100  # golden records: evenly, and those with most inputs missing
ABSENT = 1.0  # the difference of a number that is not served


def golden(s: Subject) -> pd.DataFrame:
    """Return the golden records: inputs of rows of the panel (n × inputs), and as many columns as the model needs."""
    rows = pd.concat([s.holdout, s.later], ignore_index=True)
    missing = rows[list(s.model.features)].isna().sum(axis=1).sort_values(ascending=False, kind="stable")
    emptiest = rows.loc[missing[missing > 0].index[:EMPTIEST]]
    return pd.concat([evenly(rows, ROWS), emptiest])[list(s.model.features)].reset_index(drop=True)


def compared(s: Subject, records: pd.DataFrame) -> pd.DataFrame:
    """Return one row per number that the version serves: what, records, differ (more than rounding), largest difference."""
    expected, served, out = s.model.scored(records), s.served(records), []
    for name in expected.columns:
        if name not in served:
            out.append((name, len(records), len(records), ABSENT))
        elif not pd.api.types.is_numeric_dtype(expected[name]):  # a grade, an intent
            wrong = int((served[name].astype(str).to_numpy() != expected[name].astype(str).to_numpy()).sum())
            out.append((name, len(records), wrong, float(wrong > 0)))
        else:
            gap = np.abs(served[name].to_numpy(float) - expected[name].to_numpy(float))
            gap = np.where(np.isfinite(gap), gap, ABSENT)
            out.append((name, len(records), int((gap > s.rules["parity"].amber).sum()), float(gap.max())))
    return pd.DataFrame(out, columns=["what", "records", "differ", "largest difference"])


def test(s: Subject) -> Evidence:
    """Return how far the version as MLflow serves it is from the scorer; not evaluated where there is no version."""
    if s.served is None:
        return _evidence(
            s, Verdict.not_evaluated, say("The model isn't read from a registered version: nothing is served.")
        )
    table, rule = compared(s, records := golden(s)), s.rules["parity"]
    worst, wrong = float(table["largest difference"].max()), int(table["differ"].max())
    answer = say(
        "{records:, golden records} through MLflow's pyfunc: {wrong:,} differ, by {worst} at most.",
        records=len(records),
        wrong=wrong,
        worst=plain(worst),
    )
    stands = sight(s, worst, everything(rule.amber), convention=Gauge(worst, rule))
    return _evidence(s, judged(worst, rule), answer, table, stands)


def _evidence(
    s: Subject, verdict: Verdict, answer: Text, table: pd.DataFrame | None = None, stands: Sight | None = None
) -> Evidence:
    return Evidence(
        key="implementation_parity",
        question=say("Does the registered model, as MLflow serves it, give the numbers that were validated?"),
        verdict=verdict,
        answer=answer,
        value=stands and stands.statistic,
        threshold=s.rules["parity"].text + say("Red, too, from one grade on that is another."),
        source="Basel Committee (2005), Working Paper 14",
        table=table,
        sight=stands,
    )
