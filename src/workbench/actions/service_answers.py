"""What is said of the desk's model: intents named rightly, how many may be answered, what is refused, which texts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from workbench import metrics, rules
from workbench.actions.approved import Approved
from workbench.actions.service import INTENT, Params
from workbench.evidence import Evidence, Verdict, judged
from workbench.metrics.selective import answer_curve, macro_f1
from workbench.models.scorer import Scorer
from workbench.words import say

SHOWN = 15  # confusion pairs


def named_rightly(asked: pd.DataFrame, p: Params) -> Evidence:
    """Return accuracy and macro-F1 of held-out questions, all answered, with bootstrap intervals of questions."""
    rule, f1 = rules.load()["intent_accuracy"], macro_f1(asked[INTENT], asked["named_code"])
    low, high = f1_interval(asked, p)
    accuracy = float(asked["right"].mean())
    below, above = metrics.rate_interval(asked["right"].sum(), len(asked))
    return Evidence(
        key="intents",
        question=say("Is a customer's intent named rightly, if every question is answered?"),
        verdict=judged(accuracy, rule),
        answer=say(
            "Of {n:,} held-out questions {accuracy:.1%} ({below:.1%} to {above:.1%}) are named rightly; macro-F1 "
            "{f1:.3f} ({low:.3f} to {high:.3f}) over {intents} intents.",
            n=len(asked),
            accuracy=accuracy,
            below=below,
            above=above,
            f1=f1,
            low=low,
            high=high,
            intents=asked[INTENT].nunique(),
        ),
        value=accuracy,
        threshold=rule.text,
        source="Casanueva et al. (2020); Jeffreys' interval; bootstrap of questions",
    )


def f1_interval(asked: pd.DataFrame, p: Params) -> tuple[float, float]:
    """Return the 95 % interval of macro-F1 by bootstrap of questions within each intent."""
    rng, groups = np.random.default_rng(p.seed), list(asked.groupby(INTENT).indices.values())
    actual, named = (asked[c].to_numpy(dtype=str) for c in (INTENT, "named_code"))
    draws = []
    for _ in range(p.resamples):
        rows = np.concatenate([rng.choice(g, len(g)) for g in groups])
        draws.append(macro_f1(actual[rows], named[rows]))
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


def answered(asked: pd.DataFrame, model: Scorer, p: Params) -> Evidence:
    """Return how many held-out questions are answered from the confidence set on development, and how rightly."""
    rule, least = rules.load()["desk_answered"], float(model.facts["answers_from"])
    given = asked[asked["predicted"] >= least]
    share = len(given) / len(asked)
    accuracy = float(given["right"].mean()) if len(given) else float("nan")
    low, high = metrics.rate_interval(given["right"].sum(), len(given))
    light = judged(share, rule)
    return Evidence(
        key="answered",
        question=say("How many questions may the desk answer by itself?"),
        verdict=Verdict.red if high < p.accuracy else light,
        answer=say(
            "From a confidence of {least:.3f} on, set on development, {share:.1%} are answered, {accuracy:.1%} of them "
            "rightly ({low:.1%} to {high:.1%}); the others are handed over.",
            least=least,
            share=share,
            accuracy=accuracy,
            low=low,
            high=high,
        ),
        value=share,
        threshold=rule.text,
        source="El-Yaniv & Wiener (2010)",
        table=_sampled(answer_curve(asked["predicted"], asked["right"])),
    )


def _sampled(curve: pd.DataFrame) -> pd.DataFrame:
    """Return the curve at every twentieth of the questions answered."""
    at = np.searchsorted(curve["answered"], np.arange(0.05, 1.0001, 0.05) - 1e-9)
    return curve.iloc[np.unique(np.minimum(at, len(curve) - 1))].reset_index(drop=True)


def refused(unseen: pd.DataFrame, outside: pd.DataFrame, model: Scorer) -> Evidence:
    """Return which share is handed over of questions whose intent the model hasn't seen, and of those outside.

    unseen: those of intents left out in turn (`service.left_out`); outside: questions of nothing of the desk's.
    """
    rule, least = rules.load()["outside_refused"], float(model.facts["answers_from"])
    share = float((unseen["predicted"] < least).mean())
    low, high = metrics.rate_interval((unseen["predicted"] < least).sum(), len(unseen))
    answer = say(
        "Of {n:,} questions whose intent the model had not seen {share:.1%} are handed over ({low:.1%} to {high:.1%}).",
        n=len(unseen),
        share=share,
        low=low,
        high=high,
    )
    if len(outside):
        others = float((outside["predicted"] < least).mean())
        answer += say("Of {n:,} that have nothing to do with the bank, {share:.1%}.", n=len(outside), share=others)
    by = unseen.assign(handed_over=(unseen["predicted"] < least).astype(float)).groupby(INTENT)["handed_over"]
    table = by.agg(["size", "mean"]).set_axis(["questions", "handed over"], axis=1).sort_values("handed over")
    return Evidence(
        key="outside",
        question=say("Does the desk know what it doesn't know?"),
        verdict=judged(share, rule),
        answer=answer,
        value=share,
        threshold=rule.text,
        source="intents left out of development in turn",
        table=table.reset_index().rename(columns={INTENT: "intent"}),
    )


def by_intent(asked: pd.DataFrame, model: Scorer) -> Evidence:
    """Return recall, precision and the share answered of each intent, the worst recall first."""
    least, rows = float(model.facts["answers_from"]), []
    for intent, theirs in asked.groupby(INTENT):
        low, high = metrics.rate_interval(theirs["right"].sum(), len(theirs))
        precision = asked.loc[asked["named_code"] == intent, "right"].mean()
        share = (theirs["predicted"] >= least).mean()
        rows.append((intent, len(theirs), theirs["right"].mean(), low, high, precision, share))
    names = ["intent", "questions", "recall", "low", "high", "precision", "answered"]
    table = pd.DataFrame(rows, columns=names).sort_values("recall", kind="stable", ignore_index=True)
    worst = table.iloc[0]
    return Evidence(
        key="recall",
        question=say("Which intents are missed?"),
        verdict=Verdict.info,
        answer=say("The least recall is {recall:.1%}, of {intent}.", recall=worst["recall"], intent=worst["intent"]),
        value=float(worst["recall"]),
        source="Jeffreys' interval",
        table=table,
    )


def confused(asked: pd.DataFrame) -> Evidence:
    """Return the pairs of intents that are taken for each other most."""
    wrong = asked[asked["right"] == 0]
    pairs = wrong.groupby([INTENT, "named_code"]).agg(n=("right", "size"), confidence=("predicted", "mean"))
    table = pairs.sort_values("n", ascending=False, kind="stable").head(SHOWN).reset_index()
    table.columns = ["intent", "taken for", "questions", "confidence"]
    return Evidence(
        key="confused",
        question=say("Which intents are taken for each other?"),
        verdict=Verdict.info,
        answer=say("{n} pairs of intents are confused at least once.", n=len(pairs)),
        value=len(pairs),
        table=table,
    )


def texts(texts_: Mapping[str, Approved], model: Scorer, day: str) -> Evidence:
    """Return which intents have an approved text that is valid on a day; what lacks one is handed over."""
    rows = []
    for intent in model.estimator.intents_:
        text = texts_.get(intent)
        state = "none" if text is None else "valid" if text.is_valid(day) else "expired"
        facts = (text.version, text.owner, text.approved_by, text.valid_until) if text else (None, "", "", "")
        rows.append((intent, state, *facts))
    table = pd.DataFrame(rows, columns=["intent", "text", "version", "owner", "approved by", "valid until"])
    valid = int((table["text"] == "valid").sum())
    return Evidence(
        key="texts",
        question=say("Which intents have an approved text?"),
        verdict=Verdict.green if valid == len(table) else Verdict.amber,
        answer=say(
            "{valid} of {n} intents have an approved text that is valid on {day}.", valid=valid, n=len(table), day=day
        ),
        value=valid,
        threshold=say("amber where an intent has none: its questions are handed over"),
        table=table,
    )
