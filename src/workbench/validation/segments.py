"""Does the model separate in every part of the book as it did there on development?

**Method** Gini of every segment (each category of the contract's columns, groups that must be treated alike, quarters of as-of dates) on the rows tested against the same segment on the rows learnt from (a quarter: against all of them); fall as a part of development's, beyond the whole book's own, its error from the influence of each parent's rows on both; one-sided p, Holm over the segments.
**Reads as bad** a segment that has lost a part of its Gini that the whole book hasn't, far enough to matter and beyond chance.
**Blind to** a fall that all segments share (overfit and the AUC see it), segments with too few events on either side, to those by two columns, and to a segment that never was separated.
**Source** DeLong et al. (1988) for the errors; ECB (2019), section 2.5.4, for discrimination over time; levels by convention.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import stats

from workbench import metrics
from workbench.evidence import Evidence, Sight, Verdict, judged
from workbench.panel.bins import is_category
from workbench.panel.cohort import UNDATED
from workbench.validation.estimated import learnt
from workbench.validation.sight import Gauge, Seen, drop_seen, level, not_stated, sight
from workbench.validation.significance import and_chance_text, milder, p_text
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS, BY_CHANCE = "discrimination", {"binary", "named"}, True
WHOLE, QUARTER, MOST = "the whole book", "quarter", 12  # names; categories of a column, the commonest


def parts(s: Subject) -> Iterator[tuple[str, str, pd.DataFrame, pd.DataFrame]]:
    """Yield column, value, rows learnt from, rows tested: the whole book, then every segment."""
    before, now = learnt(s.development), s.holdout
    yield WHOLE, "", before, now
    columns = [c.name for c in s.contract.columns if (c.role == "feature" or c.fairness) and c.name in now]
    for name in (n for n in columns if is_category(now[n])):
        for value in now[name].value_counts().index[:MOST]:
            yield name, str(value), before[before[name] == value], now[now[name] == value]
    quarters = now["as_of_date"].dt.to_period("Q")
    if quarters.nunique() > 1 and not (now["as_of_date"] == UNDATED).any():
        for quarter, rows in now.groupby(quarters):
            yield QUARTER, str(quarter), before, rows


def ginis(s: Subject) -> pd.DataFrame:
    """Return one row per segment with events enough on both sides, the whole book first: its `lost` is no segment's matter.

    Columns: events, development, gini, lost, beyond (what it lost more than the whole book), error (of it), p (Holm).
    """
    out, least = [], s.rules.number("least_events")
    for column, value, before, now in parts(s):
        if min(_fewest(before), _fewest(now)) < least:
            continue
        (first, first_error), (gini, error) = (_gini(rows) for rows in (before, now))
        if first > 0:
            both = float(np.hypot(first_error, error)) / first
            out.append((column, value, len(now), int(now["outcome"].sum()), first, gini, 1 - gini / first, both))
    table = pd.DataFrame(
        out, columns=["column", "segment", "rows", "events", "development", "gini", "lost", "standard_error"]
    )
    table = table.astype({"lost": float, "standard_error": float})
    whole = table["column"] == WHOLE
    beyond = table["lost"] - max(0.0, float(table.loc[whole, "lost"].sum()))
    table = table.assign(beyond=beyond.mask(whole, 0.0), p=1.0)
    table.loc[~whole, "p"] = metrics.holm(stats.norm.sf(table["beyond"] / table["standard_error"])[~whole], s.looks)
    return table


def _fewest(rows: pd.DataFrame) -> int:
    return int(min((rows["outcome"] == 1).sum(), (rows["outcome"] == 0).sum()))


def _gini(rows: pd.DataFrame) -> tuple[float, float]:
    arrays = (rows["outcome"], rows["predicted"], rows["weight"])
    error = metrics.clustered_error(metrics.auc_influence(*arrays), rows["parent_id"])
    return metrics.gini(*arrays), 2 * error


def test(s: Subject) -> Evidence:
    """Return the segments in which the model separates less than it did; not evaluated where none has events enough."""
    table, rule, p_rule = ginis(s), s.rules["segment_fall"], s.rules["p_value"]
    if (table["column"] == WHOLE).all():
        few = say("No segment has {least:g} events in both samples.", least=s.rules.number("least_events"))
        return _evidence(s, Verdict.not_evaluated, few)
    lights = [milder(judged(r.beyond, rule), judged(r.p, p_rule)) for r in table.itertuples()]
    table["light"] = [str(v) for v in lights]
    ranked = table.assign(rank=[v.rank for v in lights], whole=table["column"] == WHOLE, far=-table["beyond"])
    order = ranked.sort_values(["rank", "whole", "p", "far"], kind="stable")
    table = table.loc[order.index].reset_index(drop=True)
    low = table.iloc[0]
    answer = say(
        "Of {segments: segments} on {sample} {segment} has most surely lost: Gini {gini:.3f} for {first:.3f} on development "
        "({lost:.0%} less), adjusted {p}. The whole book has lost {whole:.0%}; only what goes beyond that is judged here.",
        segments=len(table) - 1,
        sample=s.tested,
        segment=say("{column} '{value}'", column=low["column"], value=low["segment"]),
        gini=low["gini"],
        first=low["development"],
        lost=low["lost"],
        whole=float(table.loc[table["column"] == WHOLE, "lost"].sum()),
        p=p_text(low["p"]),
    )
    gauges = {"convention": Gauge(low["beyond"], rule), "significance": Gauge(low["p"], p_rule)}
    return _evidence(
        s, Verdict(low["light"]), answer, table, sight(s, low["beyond"], _seen(s, low, len(table) - 1), **gauges)
    )


def _seen(s: Subject, low: pd.Series, questions: int) -> Seen:
    """Return the loss that would be seen; not stated where even a segment that isn't ordered any more would not be."""
    what = say("loss of Gini beyond the whole book's, as a part of development's")
    seen = drop_seen(low["standard_error"], level(s, questions), s.rules["segment_fall"].amber, what)
    if seen[0] is not None and seen[0] > 1:
        return not_stated(say("on so few events even a segment that isn't ordered any more may look like chance"))
    return seen


def _evidence(
    s: Subject, verdict: Verdict, answer: Text, table: pd.DataFrame | None = None, stands: Sight | None = None
) -> Evidence:
    return Evidence(
        key="segments",
        question=say("Does the model separate in every part of the book as it did there on development?"),
        verdict=verdict,
        answer=answer,
        value=stands and stands.statistic,
        threshold=and_chance_text(s.rules["segment_fall"], s.rules, s.looks),
        source="DeLong et al. (1988)",
        table=table,
        sight=stands,
    )
