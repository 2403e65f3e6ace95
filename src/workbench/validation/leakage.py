"""Does a single input give the outcome away?

**Method** each input alone: its frozen bins, each with development's mean outcome, ranked on the hold-out; AUC where an event is predicted, rank correlation where an amount or a rate is. Of an event, values and 20ths of an input, too, among whose development rows it never comes, or always, far out of the reach of chance (`panel/telling.py`).
**Reads as bad** one input that alone reaches the threshold, or whose values with the event and without hold half of the rows; amber, too, where one value tells the outcome, where an input does as well as the whole model or stands far above the next, or where the model as a whole does so well that it is looked at.
**Blind to** leaks spread over several inputs that together do no better than a good model; a value without the event may be honest: who has no loan can't be late.
**Source** Kaufman et al. (2012), Leakage in data mining, ACM TKDD 6(4); thresholds by convention.
"""

from __future__ import annotations

import pandas as pd

from workbench import metrics
from workbench.evidence import Evidence, Verdict, judged
from workbench.panel import telling
from workbench.validation.sight import Gauge, not_stated, sight
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS = "process", {"binary", "rate", "amount"}


def alone(s: Subject) -> pd.DataFrame:
    """Return how well every input alone orders the hold-out, the strongest first."""
    measure, rows = metrics.auc if s.outcome.is_binary else metrics.spearman, []
    overall = s.development["outcome"].mean()
    for name in s.model.features:
        bins = s.model.reference[name][0]
        means = s.development.groupby(bins.codes(s.development[name]))["outcome"].mean()
        risk = pd.Series(bins.codes(s.holdout[name])).map(means).fillna(overall)
        rows.append((name, measure(s.holdout["outcome"], risk, s.holdout["weight"])))
    table = pd.DataFrame(rows, columns=["input", "alone"])
    return table.sort_values("alone", ascending=False, ignore_index=True)


def values(s: Subject) -> pd.DataFrame:
    """Return the values of inputs that tell the event by themselves, as `telling.values` does."""
    d = s.development
    if not _asked(s):
        return pd.DataFrame(columns=telling.COLUMNS)
    return telling.values(d[list(s.model.features)], d["outcome"].to_numpy(float), d["parent_id"].to_numpy(), s.rules)


def test(s: Subject) -> Evidence:
    """Return the separation of every input alone, the largest first, and the values that tell the event."""
    binary, table, h = s.outcome.is_binary, alone(s), s.holdout
    rule, above = s.rules["leak" if binary else "leak_rank"], s.rules.number("leak_above_next")
    measure = metrics.auc if binary else metrics.spearman
    top, model = table.iloc[0], measure(h["outcome"], h["predicted"], h["weight"])
    gap = float(top["alone"] - table["alone"].iloc[1]) if len(table) > 1 else 0.0
    verdict = judged(float(top["alone"]), rule)
    alone_enough = top["alone"] >= s.rules.number("leak_alone") if binary else True
    if verdict is Verdict.green and (top["alone"] >= model or (gap >= above and alone_enough) or model >= rule.red):
        verdict = Verdict.amber
    telltale = values(s)
    if len(telltale):
        light = Verdict.red if telling.sure(telltale, len(s.development), s.rules) else Verdict.amber
        verdict = min(verdict, light, key=lambda v: v.rank)
    facts = {"input": top["input"], "alone": top["alone"], "gap": gap, "model": model}
    facts |= {"measure": say("AUC") if binary else say("rank correlation")}
    return Evidence(
        key="leakage",
        question=say("Does a single input give the outcome away?"),
        verdict=verdict,
        answer=say(
            "Strongest is {input} with {measure} {alone:.4f} alone, {gap:.4f} above the next; the model has {model:.4f}.",
            **facts,
        )
        + telling.in_words(telltale.drop_duplicates("feature"), s.outcome),
        value=float(top["alone"]),
        threshold=rule.text
        + say(
            "Amber, too, from {above:g} above the next (of an event where it has {enough:g} alone), from the model's own, "
            "or where the model has {most:g} and more.",
            above=above,
            enough=s.rules.number("leak_alone"),
            most=rule.red,
        )
        + (telling.rule(s.rules) if _asked(s) else Text()),
        source="Kaufman et al. (2012)",
        table=table,
        sight=sight(
            s,
            top["alone"],
            not_stated(say("how far a leak separates hangs on the leak, not on the number of rows")),
            convention=Gauge(top["alone"], rule),
        ),
    )


def _asked(s: Subject) -> bool:
    """Say whether values are looked at: of an event, since the day of the rule."""
    return s.outcome.is_binary and {"leak_value", "leak_rows"} <= set(s.rules.numbers)
