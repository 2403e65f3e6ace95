"""Is the desk still asked what it learnt from? Intents, sureness and what is handed over, from the book it keeps."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from workbench import metrics, rules
from workbench.actions.desk import HANDED_OVER
from workbench.actions.service import INTENT
from workbench.evidence import Evidence, Verdict, judged
from workbench.models.scorer import Scorer
from workbench.params import UserError
from workbench.words import Text, say

LOG = "log.jsonl"
COLUMNS = ("moment", "language_code", INTENT, "predicted", "became_code", "reason")
FEWEST = 100  # questions, below which a share says little


def served(folder: Path) -> pd.DataFrame:
    """Return the desk's book: one row a question that reached the model (no words of anybody).

    Raises `UserError` where nothing was asked yet, or a line can't be read.
    """
    path = folder / LOG
    if not path.exists():
        raise UserError(f"desk: {folder.name}: nothing has been asked yet")
    lines = path.read_text(encoding="utf-8").splitlines()
    try:
        rows = [json.loads(line) for line in lines]
    except ValueError:
        raise UserError(f"desk: {path.name} of {folder.name}: a line is no JSON; move the file away") from None
    return pd.DataFrame(rows, columns=list(COLUMNS)).query(f"{INTENT} != ''").reset_index(drop=True)


def watched(log: pd.DataFrame, model: Scorer) -> list[Evidence]:
    """Return how far intents and confidence have moved from development (PSI on its bins), and what is handed over.

    Not evaluated below a hundred questions. An intent nobody asks is half an observation (`metrics.psi`).
    """
    moved = [
        _moved(log[column], model, column, question)
        for column, question in (
            (INTENT, say("Do customers still ask what was learnt from?")),
            ("predicted", say("Is the desk as sure as it was?")),
        )
    ]
    return [*moved, _handed_over(log)]


def _moved(values: pd.Series, model: Scorer, column: str, question: Text) -> Evidence:
    bins, before = model.reference[column]
    now, rule = bins.counts(values), rules.load()["psi"]
    value = metrics.psi(before, now)
    chance = metrics.psi_critical(sum(before), max(len(values), 1), bins.inner)
    enough = len(values) >= FEWEST
    light = judged(value, rule) if value > chance else Verdict.green
    return Evidence(
        key=f"drift_{column}",
        question=question,
        verdict=light if enough else Verdict.not_evaluated,
        answer=say(
            "PSI {psi:.3f} over {n:,} questions; chance alone reaches {chance:.3f}.",
            psi=value,
            n=len(values),
            chance=chance,
        ),
        value=value,
        threshold=rule.text,
        source="Siddiqi (2017), ch. 14; Yurdakul & Naranjo (2020)",
        table=pd.DataFrame({"bin": bins.labels, "development": before, "now": now}),
    )


def _handed_over(log: pd.DataFrame) -> Evidence:
    share = float((log["became_code"] == HANDED_OVER).mean()) if len(log) else float("nan")
    low, high = metrics.rate_interval((log["became_code"] == HANDED_OVER).sum(), len(log))
    return Evidence(
        key="handed_over",
        question=say("How many questions go to a person?"),
        verdict=Verdict.info if len(log) >= FEWEST else Verdict.not_evaluated,
        answer=say(
            "{share:.1%} of {n:,} questions ({low:.1%} to {high:.1%}).", share=share, n=len(log), low=low, high=high
        ),
        value=share,
        source="Jeffreys' interval",
        table=log.groupby("reason").size().rename("questions").reset_index(),
    )
