"""Does the model still separate as it did when it was first tested?

**Method** AUC of the grades on every later period against the hold-out's; z of the fall with the variances of both, by parent, one-sided, Holm over the periods. Beside it the ECB's p, which takes the first AUC as known without error and rows as independent.
**Reads as bad** a fall far enough to matter and beyond chance.
**Blind to** a fall that is spread thinly over many years: each is held against the first, none against the one before.
**Source** ECB (2019), Instructions for reporting the validation results of internal models, section 2.5.4.1 and Annex 1; both variances: DeLong et al. (1988). The ECB's p comes from riskvalidation.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from workbench import metrics
from workbench.evidence import Evidence, Sight, Verdict, judged
from workbench.validation.periods import periods
from workbench.validation.sight import Gauge, drop_seen, level, sight
from workbench.validation.significance import and_chance_text, milder, p_text, worst
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS, BY_CHANCE = "discrimination", {"binary", "named"}, True
EVERY_PERIOD = False  # it is about all of them, against the first


def places(s: Subject, grades: pd.Series) -> np.ndarray:
    """Return each row's place among the grades (n), those that foretell least first."""
    names = list(s.model.grade_names if s.outcome.direction == "adverse" else s.model.grade_names[::-1])
    return grades.map({name: i for i, name in enumerate(names)}).to_numpy(float)


def on_grades(s: Subject, rows: pd.DataFrame) -> tuple[float, float, np.ndarray]:
    """Return the AUC of the grades (ties count half), its standard error by parent, and each row's place (n)."""
    place = places(s, rows["grade_code"])
    arrays = (rows["outcome"], place, rows["weight"])
    return metrics.auc(*arrays), metrics.clustered_error(metrics.auc_influence(*arrays), rows["parent_id"]), place


def ecb_p(initial: float, place: np.ndarray, outcome: np.ndarray) -> float:
    """Return the ECB's one-sided p of a fall: the initial AUC without error, n rows as independent and of equal weight.

    NaN where that error is all there is: all rows are of one grade.
    """
    from riskvalidation.validation.discrimination import disc_auc_vs_initial  # a second; only here

    p = disc_auc_vs_initial(initial, place, outcome.astype(int)).p_value
    return float("nan") if p is None else float(p)


def compared(s: Subject, later: list[Subject]) -> pd.DataFrame:
    """Return one row per period: rows, events, auc, fall, error, p (of both variances, after Holm), ecb_p."""
    first, first_error, _ = on_grades(s, s.holdout)
    rows = []
    for period in later:
        h = period.holdout
        value, error, place = on_grades(s, h)
        plain = np.ptp(h["weight"]) == 0
        of_ecb = ecb_p(first, place, h["outcome"].to_numpy()) if plain else float("nan")
        rows.append(
            (period.tested, len(h), int(h["outcome"].sum()), value, first - value, np.hypot(error, first_error), of_ecb)
        )
    table = pd.DataFrame(rows, columns=["period", "rows", "events", "auc", "fall", "standard_error", "ecb_p"])
    table["p"] = metrics.holm(stats.norm.sf(table["fall"] / table["standard_error"]), s.looks)
    return table


def test(s: Subject) -> Evidence:
    """Return how far the AUC of the grades has fallen since the hold-out; not evaluated where there is no later period."""
    later, (first, _, _) = periods(s), on_grades(s, s.holdout)
    if not later:
        return _evidence(s, Verdict.not_evaluated, say("No later period has outcomes enough: nothing to compare."))
    table, rule, p_rule = compared(s, later), s.rules["auc_drop"], s.rules["p_value"]
    lights = [milder(judged(r.fall, rule), judged(r.p, p_rule)) for r in table.itertuples()]
    table["light"] = [str(v) for v in lights]
    low = worst(table)
    facts = {
        "first": first,
        "period": low["period"],
        "auc": low["auc"],
        "p": p_text(low["p"]),
        "ecb": p_text(low["ecb_p"]),
    }
    answer = (
        say(
            "AUC of the grades {first:.4f} on the hold-out; the fall that weighs most is to {auc:.4f} on {period}, adjusted {p} "
            "with both variances ({ecb} by the ECB's formula, the first taken as known).",
            **facts,
        )
        if low["fall"] > 0
        else say(
            "AUC of the grades {first:.4f} on the hold-out and no less, {auc:.4f}, on {period}; of a fall, adjusted {p} with both "
            "variances ({ecb} by the ECB's formula, the first taken as known).",
            **facts,
        )
    )
    seen = drop_seen(low["standard_error"], level(s, len(table)), rule.amber, say("fall of AUC"))
    gauges = {"convention": Gauge(low["fall"], rule), "significance": Gauge(low["p"], p_rule)}
    stands = sight(s, low["fall"], seen, rows=s.later, **gauges)
    return _evidence(s, min(lights, key=lambda v: v.rank), answer, table, stands)


def _evidence(
    s: Subject, verdict: Verdict, answer: Text, table: pd.DataFrame | None = None, stands: Sight | None = None
) -> Evidence:
    return Evidence(
        key="auc_initial",
        question=say("Does the model still separate as it did when it was first tested?"),
        verdict=verdict,
        answer=answer,
        value=stands and stands.statistic,
        threshold=and_chance_text(s.rules["auc_drop"], s.rules, s.looks),
        source="ECB (2019), section 2.5.4.1",
        table=table,
        sight=stands,
    )
