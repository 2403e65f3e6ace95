"""Is the service desk still asked what its model learnt from? Intents, sureness and what is handed over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import Field

from workbench import home, metrics, params, tables
from workbench.evidence import Evidence, Verdict, judged
from workbench.models.naming import INTENT
from workbench.models.scorer import Scorer
from workbench.params import DAY_OR_NONE, UserError
from workbench.rules import Ruled, Rules
from workbench.words import Text, say

BOOK = "log.jsonl"  # as the desk writes it: no words of anybody
COLUMNS = ("moment", "language_code", INTENT, "predicted", "became_code", "reason")
HANDED_OVER, UNSURE = "handed over", "unsure"  # what became of a question, and why


class Params(Ruled, params.Params):
    """Which model is watched, on what was asked so far, by which rules."""

    study: str = Field("sample_customers", description="study whose tables are read and written")
    model: str = Field("intents", pattern=r"^[a-z0-9_]+$", description="model of the study that names intents")
    fewest: int = Field(100, ge=20, description="questions below which nothing is judged")
    thresholds: dict[str, Any] = Field({}, description="own values of rules by name, each [amber, red] or one number")
    rules_as_of: str = Field("", pattern=DAY_OR_NONE, description="day as of which rules are looked up; empty is today")


def book(p: Params) -> Path:
    """Return where the study's desk writes what it was asked."""
    return home.mlruns() / "desk" / p.study / BOOK


def files(p: Params) -> list[Path]:
    """Files this step reads: the desk's book, which isn't there before something was asked."""
    return [book(p)]


def reads(p: Params) -> list[str]:
    """What this step reads: the model. Its book is a file."""
    return [tables.of_model(p.model)]


def writes(p: Params) -> list[str]:
    """Tables this step writes: none."""
    return []


def served(p: Params) -> pd.DataFrame:
    """Return the desk's book: one row a question that reached the model; none where nothing was asked yet.

    Raises `UserError` where a line can't be read.
    """
    lines = book(p).read_text(encoding="utf-8").splitlines() if book(p).exists() else []
    try:
        rows = [json.loads(line) for line in lines]
    except ValueError:
        raise UserError(f"monitoring/questions: {BOOK} of {p.study}: a line is no JSON; move the file away") from None
    log = pd.DataFrame(rows, columns=list(COLUMNS))
    return log[log[INTENT].fillna("") != ""].reset_index(drop=True)


def watched(log: pd.DataFrame, model: Scorer, p: Params) -> list[Evidence]:
    """Return how far intents and confidence have moved from development, and whether more is handed over than there.

    Not evaluated below `fewest` questions. An intent nobody asks is half an observation (`metrics.psi`).
    """
    rules = p.rules()
    intents = _moved(log, model, INTENT, say("Do customers still ask what was learnt from?"), rules)
    sureness = _moved(log, model, "predicted", say("Is the desk as sure as it was?"), rules)
    out = [intents, sureness, _handed_over(log, model, rules)]
    return out if len(log) >= p.fewest else [_few(e, len(log), p) for e in out]


def _few(e: Evidence, n: int, p: Params) -> Evidence:
    answer = say("{n:, questions were} asked so far; nothing is judged below {fewest:,}.", n=n, fewest=p.fewest)
    return Evidence(key=e.key, question=e.question, verdict=Verdict.not_evaluated, answer=answer, threshold=e.threshold)


def _moved(log: pd.DataFrame, model: Scorer, column: str, question: Text, rules: Rules) -> Evidence:
    bins, before = model.reference[column]
    now, rule = bins.counts(log[column]), rules["psi"]
    value = metrics.psi(before, now)
    chance = metrics.psi_critical(sum(before), max(len(log), 1), bins.inner, rules.number("psi_level"))
    return Evidence(
        key=f"drift_{column}",
        question=question,
        verdict=judged(value, rule) if value > chance else Verdict.green,
        answer=say(
            "PSI {psi:.3f} over {n:, questions}; chance alone reaches {chance:.3f}.",
            psi=value,
            n=len(log),
            chance=chance,
        ),
        value=value,
        threshold=rule.text + say("Green up to the critical value."),
        source="Siddiqi (2017), ch. 14; Yurdakul & Naranjo (2020)",
        table=pd.DataFrame({"bin": bins.labels, "development": before, "now": now}),
    )


def _handed_over(log: pd.DataFrame, model: Scorer, rules: Rules) -> Evidence:
    """Judge how many are handed over because the model is unsure; how many in all hangs on the texts, too."""
    before, rule, n = float(model.facts["handed_over"]), rules["handed_over_more"], len(log)
    unsure = int((log["reason"] == UNSURE).sum())
    low, high = metrics.rate_interval(unsure, n)
    light = judged(unsure / max(n, 1) - before, rule)
    return Evidence(
        key="handed_over",
        question=say("Do more questions go to a person than on development?"),
        verdict=light if low > before else Verdict.green,
        answer=say(
            "The model is unsure of {share:.1%} of {n:, questions} ({low:.1%} to {high:.1%}), of {before:.1%} on "
            "development; {all:.1%} go to a person in all.",
            share=unsure / max(n, 1),
            n=n,
            low=low,
            high=high,
            before=before,
            all=float((log["became_code"] == HANDED_OVER).sum()) / max(n, 1),
        ),
        value=unsure / max(n, 1),
        threshold=rule.text + say("Green, too, where development's share is within the interval."),
        source="Jeffreys' interval",
        table=log.groupby(["became_code", "reason"]).size().rename("questions").reset_index(),
    )


def series(log: pd.DataFrame, model: Scorer, p: Params) -> dict[str, dict[str, float]]:
    """Return by month, where it has questions enough, the larger PSI and the share of which the model is unsure."""
    out: dict[str, dict[str, float]] = {"psi": {}, "unsure": {}}
    for month, rows in log.groupby(log["moment"].str[:7]):
        if len(rows) >= p.fewest:
            intents, sureness, unsure = watched(rows, model, p)
            out["psi"][str(month)] = max(float(intents.value), float(sureness.value))
            out["unsure"][str(month)] = float(unsure.value)
    return out
