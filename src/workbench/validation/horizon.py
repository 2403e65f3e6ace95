"""Does the model see the whole window, or only what is about to happen?

**Method** AUC of events by month 3, 6, 9 … of the window against all rows without one by then, on the same rows; largest fall from one horizon to the next, its error from the influence of each parent's rows on both; one-sided p, Holm over the falls.
**Reads as bad** an AUC that plunges: a fall far enough to matter and beyond chance. That it fades is as it should be.
**Blind to** events dated wrongly, and to a window too short for two horizons.
**Source** Heagerty & Zheng (2005), Biometrics 61(1), for an AUC by time; DeLong et al. (1988) for the paired difference.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import stats

from workbench import metrics
from workbench.evidence import Evidence, Verdict, judged
from workbench.panel.outcome import EVENT_AFTER
from workbench.validation.sight import Gauge, drop_seen, level, sight
from workbench.validation.significance import and_chance_text, milder, p_text, worst
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS, BY_CHANCE = "discrimination", {"binary"}, True
STEP = 3  # months between horizons


def horizons(s: Subject) -> list[int]:
    """Return the months by which events are counted: every third and the window's last, each with enough events by then."""
    if EVENT_AFTER not in s.holdout:
        return []
    ends = sorted({*range(STEP, s.outcome.window_months, STEP), s.outcome.window_months})
    least = s.rules.number("least_events")
    return [m for m in ends if (s.holdout[EVENT_AFTER] <= m).sum() >= least]


def by_horizon(s: Subject, ends: list[int]) -> pd.DataFrame:
    """Return one row per horizon: months, events, auc, fall (from the horizon before), its error, p (one-sided)."""
    h = s.holdout
    each = [(h[EVENT_AFTER] <= m).to_numpy(float) for m in ends]
    aucs = [metrics.auc(y, h["predicted"], h["weight"]) for y in each]
    parts = [metrics.auc_influence(y, h["predicted"], h["weight"]) for y in each]
    errors = [float("nan"), *(metrics.clustered_error(a - b, h["parent_id"]) for a, b in pairwise(parts))]
    table = pd.DataFrame(
        {"months": ends, "events": [int(y.sum()) for y in each], "auc": aucs, "standard_error": errors}
    )
    table["fall"] = -table["auc"].diff()
    p = stats.norm.sf(table["fall"] / table["standard_error"])
    table["p"] = np.nan
    table.loc[1:, "p"] = metrics.holm(p[1:], s.looks)
    return table


def test(s: Subject) -> Evidence:
    """Return the AUC of the rows tested by horizon; not evaluated where events have no date, or there is one horizon."""
    ends = horizons(s)
    if len(ends) < 2:
        return _evidence(s, Verdict.not_evaluated, _why_not(s))
    table, rule, p_rule = by_horizon(s, ends), s.rules["horizon_fall"], s.rules["p_value"]
    lights = [milder(judged(r.fall, rule), judged(r.p, p_rule)) for r in table.iloc[1:].itertuples()]
    table["light"] = ["", *(str(v) for v in lights)]
    low = worst(table.iloc[1:])
    answer = say(
        "On {sample} AUC {first:.4f} for {events} by month {from_month}, {last:.4f} by month {to_month}; the fall from "
        "one horizon to the next that weighs most is {fall:.4f}, adjusted {p}.",
        sample=s.tested,
        events=s.outcome.events,
        first=table["auc"].iloc[0],
        last=table["auc"].iloc[-1],
        from_month=ends[0],
        to_month=ends[-1],
        fall=low["fall"],
        p=p_text(low["p"]),
    )
    seen = drop_seen(low["standard_error"], level(s, len(table) - 1), rule.amber, say("fall of AUC"))
    gauges = {"convention": Gauge(low["fall"], rule), "significance": Gauge(low["p"], p_rule)}
    verdict = min(lights, key=lambda v: v.rank)
    return replace(_evidence(s, verdict, answer, table), sight=sight(s, low["fall"], seen, **gauges))


def _why_not(s: Subject) -> Text:
    if EVENT_AFTER not in s.holdout:
        return say("The panel doesn't know in which month an event came: it is recorded, or of another kind.")
    return say(
        "The window of {months: months} has no two horizons with {least:g} events each.",
        months=s.outcome.window_months,
        least=s.rules.number("least_events"),
    )


def _evidence(s: Subject, verdict: Verdict, answer: Text, table: pd.DataFrame | None = None) -> Evidence:
    return Evidence(
        key="horizon",
        question=say("Does the model see the whole window, or only what is about to happen?"),
        verdict=verdict,
        answer=answer,
        value=None if table is None else float(table["fall"].max()),
        threshold=and_chance_text(s.rules["horizon_fall"], s.rules, s.looks),
        source="Heagerty & Zheng (2005)",
        table=table,
    )
