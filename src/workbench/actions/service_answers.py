"""What is said of the desk itself: which intents it takes for each other, and which texts it may give."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from workbench.actions.approved import Approved
from workbench.evidence import Evidence, Verdict
from workbench.models.naming import INTENT
from workbench.models.scorer import Scorer
from workbench.words import say

SHOWN = 15  # confusion pairs


def confused(asked: pd.DataFrame) -> Evidence:
    """Return the pairs of intents that are taken for each other most."""
    wrong = asked[asked["outcome"] == 0]
    pairs = wrong.groupby([INTENT, "named_code"]).agg(n=("outcome", "size"), confidence=("predicted", "mean"))
    table = pairs.sort_values("n", ascending=False, kind="stable").head(SHOWN).reset_index()
    table.columns = ["intent", "taken for", "questions", "confidence"]
    return Evidence(
        key="confused",
        question=say("Which intents are taken for each other?"),
        verdict=Verdict.info,
        answer=say("{n: pairs} of intents are confused at least once.", n=len(pairs)),
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
            "{valid} of {n: intents have} an approved text that is valid on {day}.", valid=valid, n=len(table), day=day
        ),
        value=valid,
        threshold=say("amber where an intent has none: its questions are handed over"),
        table=table,
    )
