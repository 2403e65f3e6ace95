"""Is the prediction right within every group that must be treated alike?

**Method** mean prediction of each group against what was observed there: exact binomial test on effective counts where an event is predicted, Student's t where an amount or a rate is; by parent; Holm over all groups.
**Reads as bad** a group whose prediction is surely off by enough to matter; at most amber where it errs in the group's favour.
**Blind to** groups too small to judge, which are listed, and to errors that cancel within a group.
**Source** Kleinberg, Mullainathan & Raghavan (2017), ITCS (calibration within groups); Holm (1979).
"""

from __future__ import annotations

import pandas as pd

from workbench import metrics
from workbench.evidence import Evidence, Sight, Verdict
from workbench.panel.protected import NO_GROUP, grouped
from workbench.validation.estimated import both, learnt
from workbench.validation.fairness import marked, unmarked
from workbench.validation.significance import FARTHEST, both_text, off, p_text, side
from workbench.validation.subject import Subject
from workbench.validation.weak_spot import COMPARED, compared, likeness, slice_sight
from workbench.words import Text, say

FAMILY, KINDS, BY_CHANCE = "fairness", {"binary", "rate", "amount", "named"}, True
ASKS = "calibration"  # whether predictions are right: shares the chance of a false alarm with that family
EVERY_PERIOD = True


def groups(s: Subject) -> tuple[pd.DataFrame, list[Text]]:
    """Return one row per group large enough (column, group, rows, predicted, observed, p, light), and those that are not."""
    rows, small, least = [], [], s.rules.number("least_group_rows")
    d, alike = learnt(s.development), likeness(s)
    for name in marked(s):
        called = s.contract[name].description
        for group, part in s.holdout.groupby(grouped(s.holdout[name], called=called)):
            if len(part) >= least and group != NO_GROUP:
                rows.append((name, str(group), len(part), *compared(part, _same(d, name, group, called), alike)))
            else:
                small.append(say("{column} '{group}' ({rows:, rows})", column=name, group=str(group), rows=len(part)))
    table = pd.DataFrame(rows, columns=["column", "group", "rows", *COMPARED])
    table = table[table["p"].notna()].reset_index(drop=True)
    for p in ("p", "p_both"):
        table[p] = metrics.holm(table[p].to_numpy(), s.looks)
    return table.assign(light=[str(_light(s, g)) for g in table.itertuples()]), small


def _same(development: pd.DataFrame, name: str, group: object, called: str) -> pd.DataFrame:
    """Return development's rows of a group; all where it has none of that name: quarters are cut anew in every sample."""
    same = grouped(development[name], called=called) == group
    return development[same] if same.any() else development


def _light(s: Subject, group: pd.Series) -> Verdict:
    light = both(group.p, group.p_both, min(off(group.observed, group.predicted), FARTHEST), s.rules)
    favoured = s.is_costly(group.observed, group.predicted)
    return Verdict.amber if favoured and light is Verdict.red else light


def test(s: Subject) -> Evidence:
    """Return prediction and what was observed of every group the contract marks."""
    if not marked(s):
        return _evidence(s, Verdict.not_evaluated, unmarked())
    table, small = groups(s)
    unjudged = say("Not judged: {groups}.", groups=small) if small else Text()
    if table.empty:
        return _evidence(s, Verdict.not_evaluated, say("No group is large enough.") + unjudged)
    rank = table["light"].map(lambda v: Verdict(v).rank)
    low = table.loc[table.assign(rank=rank).sort_values(["rank", "p"], kind="stable").index[0]]
    answer = say(
        "On {sample} furthest is {column} '{group}' ({rows:, rows}): {predicted} {prediction}, observed {observed}: "
        "{side}, adjusted {p}.",
        sample=s.tested,
        column=low["column"],
        group=low["group"],
        rows=int(low["rows"]),
        predicted=s.outcome.predicted,
        prediction=s.shown(low["predicted"]),
        observed=s.shown(low["observed"]),
        side=side(low["observed"], low["predicted"]),
        p=p_text(low["p"]),
    )
    return _evidence(s, Verdict(low["light"]), answer + unjudged, table, slice_sight(s, low, len(table)))


def _evidence(
    s: Subject, verdict: Verdict, answer: Text, table: pd.DataFrame | None = None, stands: Sight | None = None
) -> Evidence:
    return Evidence(
        key="group_calibration",
        question=say("Is the {predicted} right within every group?", predicted=s.outcome.predicted),
        verdict=verdict,
        answer=answer,
        value=None if table is None else float(table["p"].min()),
        threshold=both_text(s.rules, s.looks) + say("At most amber where it errs in the group's favour."),
        source="Kleinberg et al. (2017)",
        table=table,
        sight=stands,
    )
