"""The decision log: every event of the chain on a version, who signed it, on what evidence, under which policy."""

from __future__ import annotations

import pandas as pd

from workbench.registry.events import Event
from workbench.reporting.document import Document, Row, Rows, Sheet, absent, chapter
from workbench.reporting.dossier import Dossier, moment
from workbench.reporting.models import stated_word
from workbench.words import Text, heard, say

NAME = "decision_log"


def document(d: Dossier) -> Document:
    """Return the log, oldest event first, with what binds each event to the one before."""
    nothing = say("nobody has moved it; it is a candidate")
    rows = (
        Row("chain_head", say("Head of the chain"), d.chain.head, "governance/events"),
        Row("check", say("To check it"), "workbench audit"),
    )
    events = (_moves(d.moves), _seals(d.moves)) if d.moves else (absent("event", say("Events"), nothing),)
    chapters = (chapter("events", say("Events"), *events), chapter("chain", say("The chain"), Rows(rows)))
    return Document(NAME, chapters)


def _moves(events: list[Event]) -> Sheet:
    rows = [
        {
            "event": e.seq,
            "moment": moment(e.at),
            "what": heard(e.verb),
            "from": heard(stated_word(e.source)),
            "to": heard(stated_word(e.target)),
            "person": e.person,
            "role": heard(e.role),
            "detail": _details(e),
        }
        for e in events
    ]
    return Sheet(say("What was decided, by whom and why"), pd.DataFrame(rows, dtype=object), "governance/events")


def _details(e: Event) -> Text | str:
    parts = [
        say("{name}: {value}", name=say(name.replace("_", " ")), value=_shown(value))
        for name, value in e.details.items()
        if value
    ]
    return say("{parts}", parts=parts) if parts else ""


def _shown(value: object) -> str:
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)


def _seals(events: list[Event]) -> Sheet:
    """Return the digests of every event, one a line: they are long."""
    names = {"hash": "digest", "hash before": "prev", "files": "files", "evidence": "evidence", "policy": "policy"}
    rows = [(e.seq, say(what), getattr(e, name)) for e in events for what, name in names.items()]
    columns = ["event", "what", "SHA-256"]
    content = pd.DataFrame(rows, columns=columns, dtype=object)
    return Sheet(say("What seals it"), content, "governance/events")
