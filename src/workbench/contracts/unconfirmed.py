"""What a contract still guesses: said first wherever a study stands on it."""

from __future__ import annotations

import pandas as pd

from workbench.contracts.words import Column, Contract
from workbench.evidence import Evidence, Verdict
from workbench.words import Text, say

_FIRST = ("outcome", "key", "parent", "as_of", "weight", "sample")  # a wrong guess of these misleads most
_SAID = 6


def unconfirmed(contract: Contract) -> Evidence | None:
    """Return the contract's guesses as amber evidence, those that mislead most first; None where all are confirmed."""
    guessed = sorted((c for c in contract.columns if c.guessed), key=_weight)
    if not guessed:
        return None
    columns = [_guess(c) for c in guessed[:_SAID]]
    if len(guessed) > _SAID:
        columns.append(say("{n} more", n=len(guessed) - _SAID))
    shown = ["name", "source", "type", "role", "known", "personal"]
    return Evidence(
        key=f"guesses.{contract.name}",
        question=say("Has a person confirmed what the contract of '{table}' says?", table=contract.name),
        verdict=Verdict.amber,
        answer=say(
            "Nobody has confirmed {n: guesses}, and the study stands on them: {columns}.",
            n=len(guessed),
            columns=columns,
        ),
        value=len(guessed),
        threshold=say(
            "amber while a line of the contract says `guessed: true`; remove it from each line you have checked"
        ),
        blind_to=say("whether a line that a person confirmed is right"),
        source="contract of the table",
        table=pd.DataFrame([{f: getattr(c, f) for f in shown} for c in guessed], columns=shown),
    )


def _weight(column: Column) -> int:
    return _FIRST.index(column.role) if column.role in _FIRST else len(_FIRST) + (column.known == "before")


def _guess(column: Column) -> Text:
    if column.role in _FIRST:
        return say("{column} as {role}", column=column.name, role=say(column.role.replace("_", "-")))
    if column.known == "after":
        return say("{column} as known afterwards", column=column.name)
    return say("{column} as {role}", column=column.name, role=say(column.type))
