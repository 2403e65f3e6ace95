"""What is said of a model that names: named rightly, how many may be answered, what is refused, which are missed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench import metrics
from workbench.evidence import Evidence, Verdict, judged
from workbench.metrics.selective import answer_curve, macro_f1
from workbench.models.naming import INTENT
from workbench.rules import Threshold
from workbench.words import Text, say
from workbench.words.names import words_of


def named_rightly(asked: pd.DataFrame, rule: Threshold, resamples: int, seed: int) -> Evidence:
    """Return accuracy and macro-F1 of held-out questions, all answered, with bootstrap intervals of questions.

    asked: intent_code, named_code, outcome, as `naming.asked` returns them.
    """
    f1 = macro_f1(asked[INTENT], asked["named_code"])
    low, high = f1_interval(asked, resamples, seed)
    accuracy = float(asked["outcome"].mean())
    below, above = metrics.rate_interval(asked["outcome"].sum(), len(asked))
    return Evidence(
        key="named_rightly",
        question=say("Is a customer's intent named rightly, if every question is answered?"),
        verdict=judged(accuracy, rule),
        answer=say(
            "Of {n:,} held-out questions {accuracy:.1%} ({below:.1%} to {above:.1%}) are named rightly; macro-F1 "
            "{f1:.3f} ({low:.3f} to {high:.3f}) over {intents: intents}.",
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


def f1_interval(asked: pd.DataFrame, resamples: int, seed: int) -> tuple[float, float]:
    """Return the 95 % interval of macro-F1 by bootstrap of questions within each intent."""
    rng, groups = np.random.default_rng(seed), list(asked.groupby(INTENT).indices.values())
    actual, named = (asked[c].to_numpy(dtype=str) for c in (INTENT, "named_code"))
    draws = []
    for _ in range(resamples):
        rows = np.concatenate([rng.choice(g, len(g)) for g in groups])
        draws.append(macro_f1(actual[rows], named[rows]))
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


def answered(asked: pd.DataFrame, least: float, wanted: float, rule: Threshold) -> Evidence:
    """Return how many held-out questions are answered from a confidence on, and how rightly; red below `wanted`."""
    given = asked[asked["predicted"] >= least]
    share = len(given) / len(asked)
    accuracy = float(given["outcome"].mean()) if len(given) else float("nan")
    low, high = metrics.rate_interval(given["outcome"].sum(), len(given))
    light = judged(share, rule)
    return Evidence(
        key="answered",
        question=say("How many questions may the desk answer by itself?"),
        verdict=Verdict.red if high < wanted else light,
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
        table=_sampled(answer_curve(asked["predicted"], asked["outcome"])),
    )


def _sampled(curve: pd.DataFrame) -> pd.DataFrame:
    """Return the curve at every twentieth of the questions answered."""
    at = np.searchsorted(curve["answered"], np.arange(0.05, 1.0001, 0.05) - 1e-9)
    return curve.iloc[np.unique(np.minimum(at, len(curve) - 1))].reset_index(drop=True)


def refused(unseen: pd.DataFrame, outside: pd.DataFrame, least: float, rule: Threshold) -> Evidence:
    """Return which share is handed over of questions whose intent the model hasn't seen, and of those outside.

    unseen: intent_code and predicted of intents left out in turn (`naming.left_out`); outside: predicted of questions
    of nothing of the desk's.
    """
    share = float((unseen["predicted"] < least).mean())
    low, high = metrics.rate_interval((unseen["predicted"] < least).sum(), len(unseen))
    answer = say(
        "Of {n:, questions} whose intent the model had not seen {share:.1%} are handed over ({low:.1%} to {high:.1%}).",
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
        key="unseen",
        question=say("Does the desk know what it doesn't know?"),
        verdict=judged(share, rule),
        answer=answer,
        value=share,
        threshold=rule.text,
        source="intents left out of development in turn",
        table=table.reset_index().rename(columns={INTENT: "intent"}),
    )


def worst_intents(asked: pd.DataFrame, least: float, rule: Threshold) -> Evidence:
    """Return recall, precision and the share answered of each intent, the worst recall first.

    Amber and red need a recall whose interval, its level shared by the intents, is wholly below.
    """
    rows, level = [], 1 - 0.05 / max(asked[INTENT].nunique(), 1)
    for intent, theirs in asked.groupby(INTENT):
        low, high = metrics.rate_interval(theirs["outcome"].sum(), len(theirs), level)
        precision = asked.loc[asked["named_code"] == intent, "outcome"].mean()
        share = (theirs["predicted"] >= least).mean()
        rows.append((intent, len(theirs), theirs["outcome"].mean(), low, high, precision, share))
    names = ["intent", "questions", "recall", "low", "high", "precision", "answered"]
    table = pd.DataFrame(rows, columns=names).sort_values(["recall", "high"], kind="stable", ignore_index=True)
    table["light"] = [str(judged(high, rule)) for high in table["high"]]
    worst = table.iloc[0]
    is_open = judged(worst["recall"], rule) != Verdict.green and judged(worst["high"], rule) == Verdict.green
    return Evidence(
        key="worst_intents",
        question=say("Which intents are missed?"),
        verdict=min((Verdict(v) for v in table["light"]), key=lambda v: v.rank),
        answer=say(
            "The least recall is {recall:.1%} ({low:.1%} to {high:.1%}), of {intent}.",
            recall=worst["recall"],
            low=worst["low"],
            high=worst["high"],
            intent=say(words_of(worst["intent"])),
        )
        + (say("Its questions are too few to be sure that it is too low.") if is_open else Text()),
        value=float(worst["recall"]),
        threshold=rule.text + say("The whole interval of the recall must be below, its level shared by the intents."),
        source="Jeffreys' interval; Bonferroni over the intents",
        table=table,
    )
