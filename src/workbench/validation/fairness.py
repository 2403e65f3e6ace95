"""Are groups that must be treated alike selected alike?

**Method** selected = the half of the hold-out that the prediction speaks for (the lowest where more is worse, the highest where more is better); share selected of each group over the most favoured group's, and what was observed against the prediction within groups; ages in bands, other numbers of more than ten values in quarters.
**Reads as bad** a ratio below the threshold; red only where the prediction also errs against the group, beyond the interval of what was observed there.
**Blind to** whether a difference is justified by risk: the table shows observed and predicted beside it; and to groups too small to judge, which are listed.
**Source** four-fifths rule of US employment selection, 29 CFR 1607.4(D), a benchmark for the amber level and no rule of lending; within groups: Kleinberg, Mullainathan & Raghavan (2017), ITCS.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench import metrics
from workbench.evidence import Evidence, Sight, Verdict, judged
from workbench.panel.protected import NO_GROUP, grouped
from workbench.panel.rates import observed
from workbench.validation.sight import Gauge, not_stated, sight
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS = "fairness", {"binary", "rate", "amount", "named"}
NAMES = ["column", "group", "rows", "selected", "predicted", "observed", "low", "high"]
SOURCE = "29 CFR 1607.4(D)"


def marked(s: Subject) -> list[str]:
    """Return the columns by which the contract wants groups to be treated alike."""
    return [c.name for c in s.contract.columns if c.fairness and c.name in s.holdout]


def unmarked() -> Text:
    """Say that nobody has marked a group, and what that asks of a person."""
    return say(
        "The contract marks no group, so nothing is known of how groups are treated: mark a column with `fairness: true`, "
        "or a person confirms that none may be held."
    )


def cut_off(s: Subject) -> tuple[float, pd.Series]:
    """Return the weighted median prediction of the hold-out and which rows stand on the favoured side of it."""
    predicted = s.holdout["predicted"]
    cut = metrics.weighted_median(predicted, s.holdout["weight"])
    return cut, predicted <= cut if s.outcome.direction == "adverse" else predicted >= cut


def ratios(s: Subject, columns: list[str]) -> pd.DataFrame:
    """Return one row per group: rows, share selected, predicted and observed mean with interval, ratio, light.

    Groups with too few rows, and rows without a group, are listed with the light `not_evaluated`.
    """
    (_, selected), h, rows = cut_off(s), s.holdout, []
    for name in columns:
        for group, part in h.groupby(grouped(h[name], called=s.contract[name].description)):
            share = np.average(selected[part.index], weights=part["weight"])
            mean = np.average(part["predicted"], weights=part["weight"])
            seen = observed(part["outcome"], part["weight"], s.outcome, part["parent_id"])
            rows.append((name, group, len(part), share, mean, *seen))
    table = pd.DataFrame(rows, columns=NAMES)
    table["judged"] = (table["rows"] >= s.rules.number("least_group_rows")) & (table["group"] != NO_GROUP)
    yardstick = table["judged"] & (table["rows"] >= s.rules.number("least_group_share") * len(h))
    most = table[yardstick].groupby("column")["selected"].max()
    table["ratio"] = (table["selected"] / table["column"].map(most)).where(table["judged"])
    table["light"] = [str(_light(s, g) if g.judged else Verdict.not_evaluated) for g in table.itertuples()]
    return table.drop(columns="judged")


def _light(s: Subject, group: pd.Series) -> Verdict:
    """A group that differs in risk but is not misjudged is at most amber: a person must weigh it."""
    light = judged(float(group.ratio), s.rules["fairness"])
    adverse = s.outcome.direction == "adverse"
    wronged = group.predicted > group.high if adverse else group.predicted < group.low
    return Verdict.amber if light is Verdict.red and not wronged else light


def test(s: Subject) -> Evidence:
    """Return ratio of selection, prediction and what was observed of every group the contract marks."""
    if not marked(s):
        return _evidence(s, Verdict.not_evaluated, unmarked())
    table = ratios(s, marked(s))
    judgeable = table[table["ratio"].notna()]
    if judgeable.empty:
        return _evidence(s, Verdict.not_evaluated, say("No group is large enough.") + _unjudged(table), table=table)
    light = min((Verdict(v) for v in judgeable["light"]), key=lambda v: v.rank)
    worst = judgeable.loc[judgeable[judgeable["light"] == str(light)]["ratio"].idxmin()]
    answer = _worst(s, worst, judgeable) + _why_amber(s, worst, light) + _unjudged(table)
    seen = not_stated(say("a ratio of shares is held against a level, not against chance"))
    stands = sight(s, worst["ratio"], seen, convention=Gauge(worst["ratio"], s.rules["fairness"]))
    return _evidence(s, light, answer, table, stands)


def _worst(s: Subject, worst: pd.Series, judgeable: pd.DataFrame) -> Text:
    lowest, best = judgeable["ratio"].min(), judgeable[judgeable["column"] == worst["column"]]
    best = best.loc[best["selected"].idxmax()]
    facts = {"column": worst["column"], "group": str(worst["group"]), "share": worst["selected"]}
    facts |= {"best": str(best["group"]), "best_share": best["selected"], "ratio": worst["ratio"]}
    sentence = say(
        "{column} '{group}': {share:.1%} of them would be selected, against {best_share:.1%} of '{best}', which is "
        "{ratio:.2f} of it.",
        **facts,
    ) + say(
        "Within the group {rate} {observed}, {predicted} {mean}.",
        rate=s.outcome.rate,
        observed=s.shown(worst["observed"]),
        predicted=s.outcome.predicted,
        mean=s.shown(worst["predicted"]),
    )
    if worst["ratio"] > lowest:
        sentence += say("The lowest ratio of all is {lowest:.2f}.", lowest=lowest)
    return say("{side} Cut-off of {predicted}: {cut}.", **_cut(s)) + sentence


def _cut(s: Subject) -> dict:
    low = say("Selected is the half of the hold-out with the lowest predictions.")
    high = say("Selected is the half of the hold-out with the highest predictions.")
    adverse = s.outcome.direction == "adverse"
    return {"side": low if adverse else high, "predicted": s.outcome.predicted, "cut": s.shown(cut_off(s)[0])}


def _why_amber(s: Subject, worst: pd.Series, light: Verdict) -> Text:
    rule = s.rules["fairness"]
    if light is not Verdict.amber or worst["ratio"] > rule.red:
        return Text()
    return say(
        "Amber though the ratio is below the red limit of {red:g}: the {predicted} of the group does not err against "
        "it, so the groups differ in {rate}; a person must weigh that.",
        red=rule.red,
        predicted=s.outcome.predicted,
        rate=s.outcome.rate,
    )


def _unjudged(table: pd.DataFrame) -> Text:
    rows = table[table["ratio"].isna()]
    groups = [
        say("{column} '{group}' ({rows:, rows})", column=r.column, group=str(r.group), rows=r.rows)
        for r in rows.itertuples()
    ]
    return say("Not judged: {groups}.", groups=groups) if groups else Text()


def _evidence(
    s: Subject, verdict: Verdict, answer: Text, table: pd.DataFrame | None = None, stands: Sight | None = None
) -> Evidence:
    least, share = s.rules.number("least_group_rows"), s.rules.number("least_group_share")
    return Evidence(
        key="fairness",
        question=say("Are groups that must be treated alike selected alike?"),
        verdict=verdict,
        answer=answer,
        value=stands and stands.statistic,
        threshold=s.rules["fairness"].text
        + say("Red only where the {predicted} also errs against the group.", predicted=s.outcome.predicted)
        + say(
            "Groups of {least:, rows} and more are judged; the most favoured has at least {share:.0%} of all rows.",
            least=least,
            share=share,
        ),
        source=SOURCE,
        table=table,
        sight=stands,
    )
