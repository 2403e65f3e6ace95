"""What monitoring answers of the model's use: reasons, groups, overrides, customers changing grade."""

from __future__ import annotations

import pandas as pd

from workbench.evidence import Evidence, Verdict
from workbench.monitoring import alarms
from workbench.monitoring.answers import among_all
from workbench.monitoring.through_time import Watched
from workbench.rules import Rules
from workbench.words import Text, say


def all_of(w: Watched, rules: Rules) -> list[Evidence]:
    """Return what the model's use shows: the mix of reasons, groups selected, overrides, customers changing grade."""
    return [
        _of(w, "reasons", w.reasons, "psi", rules),
        _of(w, "fairness", w.fairness, "ratio", rules),
        _of(w, "overrides", w.overrides, "share", rules),
        _migration(w),
    ]


def _of(w: Watched, kind: str, table: pd.DataFrame, value: str, rules: Rules) -> Evidence:
    questions = {
        "reasons": say("Are customers still given the same reasons?"),
        "fairness": say("Are the marked groups still selected as they were in development?"),
        "overrides": say("How often does a person override the model?"),
    }
    lacking = {
        "reasons": say("The model doesn't say what speaks against a row."),
        "fairness": say("The contract marks no group, or none that it marks is large enough to judge in any period."),
        "overrides": say("No column of the contract says so (`role: override`)."),
    }
    if table.empty:
        return Evidence(key=kind, question=questions[kind], verdict=Verdict.info, answer=lacking[kind])
    low = kind == "fairness"
    worst = table.loc[table[value].idxmin() if low else table[value].idxmax()]
    facts = {"period": worst["period"], "value": worst[value]}
    answers = {
        "reasons": lambda: say(
            "The mix of first reasons moved most in {period}: PSI {value:.3f}; most frequent was {top} ({share:.0%}).",
            top=worst["top"],
            share=worst["share"],
            **facts,
        ),
        "fairness": lambda: say(
            "Least favoured is {group} in {period}: {value:.2f} of the most favoured group's share, {before:.2f} in "
            "development.",
            group=worst["group"],
            before=worst["ratio_before"],
            **facts,
        ),
        "overrides": lambda: say("Most were overridden in {period}: {value:.1%} of the decisions.", **facts),
    }
    rule = alarms.rule_of(kind, rules, rules["psi"])
    return Evidence(
        key=kind,
        question=questions[kind],
        verdict=w.light(kind),
        answer=answers[kind](),
        value=float(worst[value]),
        threshold=rule.text + (_of_the_fall(rules) if low else Text()),
        table=table,
        since=w.since(kind),
    )


def _of_the_fall(rules: Rules) -> Text:
    """Return what a light of a group means: validation judges the ratio, monitoring whether it has fallen since."""
    return among_all(rules) + say(
        "It rings where the ratio has surely fallen since development; the level it had there is judged by validation."
    )


def _migration(w: Watched) -> Evidence:
    question = say("Do customers move to better or to worse grades?")
    if (w.migration["new"] == 1).all():  # of no row, too
        why = say("There is one period only.") if w.migration.empty else say("Nobody is rated in two periods in a row.")
        return Evidence(key="migration", question=question, verdict=Verdict.info, answer=why)
    last, net = w.migration.iloc[-1], w.migration["worse"] - w.migration["better"]
    return Evidence(
        key="migration",
        question=question,
        verdict=Verdict.info,
        answer=say(
            "In {period} {worse:.1%} of the customers moved to a worse grade and {better:.1%} to a better one; "
            "{new:.1%} are new. The balance was worst in {worst}.",
            period=last["period"],
            worse=last["worse"],
            better=last["better"],
            new=last["new"],
            worst=w.migration["period"][net.idxmax()],
        ),
        value=float(last["worse"] - last["better"]),
        table=w.migration,
    )
