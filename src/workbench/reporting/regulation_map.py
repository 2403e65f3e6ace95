"""The register of regulations as tables of a document: which rules there are, what they ask, what answers it."""

from __future__ import annotations

import pandas as pd

from workbench.reporting.document import TITLES, Sheet
from workbench.rules.regulations import Demand, Regulation, register
from workbench.words import Text, is_term, say
from workbench.words.names import words_of

AI_ACT = "eu_ai_act"


def rules() -> Sheet:
    """Return every rule of the register with its state and its source; what nobody has confirmed is said to be so."""
    rows = [
        {
            "rule": str(r.title),
            "authority": str(r.authority),
            "state": _state(r),
            "source": say("{source}; read on {day}", source=str(r.source), day=r.read_on),
            "note": str(r.note) if str(r.note) else "",
        }
        for r in register().values()
    ]
    return Sheet(say("The rules in the register"), pd.DataFrame(rows, dtype=object), "rules/register/regulations.yaml")


def _state(r: Regulation) -> Text:
    if not r.confirmed:
        return say("not confirmed")
    if r.status == "rescinded":
        return say("rescinded on {day}", day=r.ended)
    if r.status == "adopted":
        return say("adopted, from {day}", day=r.effective)
    if r.status == "study":
        return say("no rule")
    return say("in force since {day}", day=r.effective) if r.effective else say("in force")


def demands(only: str = "") -> Sheet:
    """Return what the rules ask (or one of them) and where it is answered."""
    rows = [
        {"rule": str(r.title), "asks": str(d.what), "answered by": answered_by(d)}
        for name, r in register().items()
        if only in ("", name) and r.status != "rescinded"
        for d in r.asks
    ]
    caption = say("What the rules ask, and what answers it")
    return Sheet(caption, pd.DataFrame(rows, dtype=object), "rules/register/regulations.yaml")


def answered_by(d: Demand) -> Text | str:
    """Return what answers a demand: a chapter or an item of a document, or a module of the workbench."""
    kind, _, target = d.at.partition(":")
    if kind != "document":
        return target
    name, _, key = target.partition("#")
    title = words_of(key).capitalize()  # as the chapter is called; `findings` alone is a count of them
    return say("{document}: {part}", document=TITLES[name], part=title if is_term(title) else words_of(key))
