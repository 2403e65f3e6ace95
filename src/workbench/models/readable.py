"""Candidates and the chosen model as they can be read: points, effects, rules, inputs, reasons."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from workbench.contracts import Contract
from workbench.evidence import Evidence, Verdict
from workbench.evidence.disclosure import People
from workbench.models.samples import Sample
from workbench.models.scorecard import BASE_ODDS, BASE_SCORE, FACTOR, POINTS_TO_DOUBLE
from workbench.models.scorer import Scorer
from workbench.models.strength import bins_of_book
from workbench.models.tuning import Candidate
from workbench.panel.rates import level
from workbench.words import Text, number, say

BINS = People(  # a scorecard without its points is none: what a row gets stays, what it holds goes
    ("rows",), ("characteristic", "bin"), tells_nothing=("woe", "points", "effect"), within="characteristic"
)


def readable(tuned: list[Candidate], s: Sample, contract: Contract) -> list[Evidence]:
    """Return the candidates that can be read, each in its own form: points, effects, rules."""
    forms = {"points_table": points, "effects_table": effects, "rules": rules}
    out = []
    for c in tuned:
        out += [form(c, s, contract) for method, form in forms.items() if hasattr(c.estimator, method)]
    return out


def points(card: Candidate, s: Sample, contract: Contract) -> Evidence:
    """Return the scorecard as it is printed: characteristic, bin, rows, share, outcome rate, WOE, points."""
    printed = card.estimator.points_table()
    if s.outcome.direction == "favourable":  # the score rises with the event: the same points, mirrored
        middle = 2 * (BASE_SCORE - FACTOR * np.log(BASE_ODDS)) / printed["characteristic"].nunique()
        printed = printed.assign(points=np.round(middle - printed["points"], 1))
    table = _of_book(s, printed)
    ends = table.groupby("characteristic")["points"].agg(["min", "max"]).sum()
    rate = str(s.outcome.rate)
    shown = table.rename(columns={"n": "rows", "bad_rate": rate})
    shown = shown[["characteristic", "bin", "rows", "share", rate, "woe", "points"]]
    return Evidence(
        key="points",
        question=say("What are the scorecard's points?"),
        verdict=Verdict.info,
        answer=say(
            "{n: characteristics}; a row's points add up to a score from {low:.0f} to {high:.0f}, before calibration; "
            "the score of a customer is after it. A score of {base} stands for odds of {odds} to 1, and {double} "
            "points double them.",
            base=BASE_SCORE,
            odds=BASE_ODDS,
            double=POINTS_TO_DOUBLE,
            n=table["characteristic"].nunique(),
            low=ends["min"],
            high=ends["max"],
        ),
        value=len(shown),
        source="Siddiqi (2017), ch. 10",
        table=shown.astype({"rows": int}).reset_index(drop=True),
        people=BINS,
    )


def effects(linear: Candidate, s: Sample, contract: Contract) -> Evidence:
    """Return the linear model as it is printed: characteristic, bin, rows, share, mean outcome, effect."""
    table = _of_book(s, linear.estimator.effects_table())
    spread = table.groupby("characteristic")["effect"].agg(np.ptp)
    rate = str(s.outcome.rate)
    shown = table.rename(columns={"n": "rows", "mean": rate})
    unit = say("log odds") if s.outcome.kind == "rate" else say("the outcome's unit")
    return Evidence(
        key="effects",
        question=say("What does each bin of the linear model add?"),
        verdict=Verdict.info,
        answer=say(
            "{n: characteristics}; {widest} moves the {predicted} most (effects in {unit}).",
            n=table["characteristic"].nunique(),
            widest=str(spread.idxmax()),
            predicted=s.outcome.predicted,
            unit=unit,
        ),
        value=len(shown),
        source="Papke & Wooldridge (1996); Hoerl & Kennard (1970)",
        table=shown[["characteristic", "bin", "rows", "share", rate, "effect"]].astype({"rows": int}),
        people=BINS,
    )


def _of_book(s: Sample, table: pd.DataFrame) -> pd.DataFrame:
    parts = [bins_of_book(s, part) for _, part in table.groupby("characteristic", sort=False)]
    return pd.concat(parts, ignore_index=True)


def rules(tree: Candidate, s: Sample, contract: Contract) -> Evidence:
    """Return the tree as rules in the contract's words, the highest outcome first: rate, share, rows, rule."""
    table = pd.DataFrame(tree.estimator.rules(s.X), columns=["rule", "rows", "counted"])
    share, rate = s.as_book(table["rows"].to_numpy(float), table["counted"].to_numpy(float))
    name = str(s.outcome.rate)
    shown = pd.DataFrame({name: rate, "share": share, "rows": table["rows"]})
    shown["rule"] = [in_words(rule, contract) for rule in table["rule"]]
    shown = shown.sort_values(name, ascending=False, ignore_index=True)
    top = shown.iloc[0]
    return Evidence(
        key="rules",
        question=say("What are the tree's rules?"),
        verdict=Verdict.info,
        answer=say(
            "{n: rules}; the highest {rate}, {value}, is that of {share:.1%} of the rows: {rule}.",
            n=len(shown),
            rate=s.outcome.rate,
            value=level(float(top[name]), s.outcome),
            share=top["share"],
            rule=top["rule"],
        ),
        value=len(shown),
        source="Breiman et al. (1984)",
        table=shown,
        people=People(("rows",), ("rule",)),
    )


def in_words(rule: str, contract: Contract) -> str:
    """Return a rule with the contract's descriptions in place of code names."""
    names = {c.name: c.description for c in contract.features() if c.description}
    if not names:
        return rule
    columns = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    pattern = rf"\b({columns})\b(?= (?:\(WOE\) )?(?:<=|>|in |is (?:known|missing)))"
    return re.sub(pattern, lambda m: names[m[1]], rule)


def inputs(model: Scorer) -> Evidence:
    """Return the inputs by the standard deviation of their contribution on development, the strongest first."""
    mean = pd.Series(model.facts["mean_contributions"])
    spread = pd.Series(model.facts["contribution_spread"]).sort_values(ascending=False)
    rows = [(n, v, mean.get(n, np.nan)) for n, v in spread.items()]
    table = pd.DataFrame(rows, columns=["input", "spread of contribution", "mean contribution"])
    return Evidence(
        key="inputs",
        question=say("Which inputs move the {predicted} most?", predicted=model.outcome.predicted),
        verdict=Verdict.info,
        answer=say(
            "{n: inputs}; most moves come from {strongest} (contributions in {unit}).",
            n=len(table),
            strongest=list(table["input"].head(3)),
            unit=unit(model),
        ),
        value=len(table),
        table=table,
    )


def unit(model: Scorer) -> Text:
    """Return in what a model's contributions are: the outcome's own unit, or log odds."""
    if hasattr(model.estimator, "rules"):
        return model.outcome.rate
    logistic = model.outcome.is_binary or getattr(model.estimator, "bounded", False)
    return say("log odds") if logistic else say("the outcome's unit")


def reasons(model: Scorer, s: Sample, contract: Contract, most: int = 3, top: int = 4) -> Evidence:
    """Return the entities predicted highest in a sample, each once, and what raised their prediction most."""
    predicted = pd.Series(model.predict(s.X))
    order = predicted.sort_values(ascending=False, kind="stable").index
    chosen = pd.Series(s.entity_id[order], index=order).drop_duplicates().head(most)
    because = model.reasons(s.X.loc[chosen.index], top)
    named = str(s.outcome.predicted)
    table = pd.DataFrame(
        {
            contract.entity: because["row"].map(chosen),
            named: because["row"].map(predicted),
            "rank": because["rank"],
            "reason": because["feature"],
            "value": [_value(v) for v in because["value"]],
            "contribution": because["contribution"],
        }
    )
    firsts = because[because["rank"] == 1]
    each = [
        say(
            "{entity} ({predicted} {level}; {reason}: {value})",
            entity=str(chosen[r.row]),
            predicted=s.outcome.predicted,
            level=level(float(predicted[r.row]), s.outcome),
            reason=say(r.words),
            value=_value(r.value),
        )
        for r in firsts.itertuples()
    ]
    return Evidence(
        key="reasons",
        question=say("Where the {predicted} is highest: why?", predicted=s.outcome.predicted),
        verdict=Verdict.info,
        answer=say("First reasons: {each}.", each=each),
        value=len(firsts),
        source="US Regulation B, 12 CFR 1002.9 (official interpretation)",
        table=table,
    )


def _value(v: Any) -> str:
    return "missing" if pd.isna(v) else v if isinstance(v, str) else number(float(v))
