"""What is done with people's data, on record: lists joined back to names, persons forgotten; signed, in the chain."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.params import UserError
from workbench.registry import chained, events, guarded, moves, signatures
from workbench.registry.events import FIRST, Event
from workbench.registry.lifecycle import ON_DATA


def must_be_allowed(verb: str, person: str, key: Path | None = None) -> None:
    """Raise `UserError` where the policy in force doesn't give the person the role that this takes."""
    chain = events.read()
    chained.must_hold(chain)
    moves.must_be(person, (ON_DATA[verb],), moves.in_force(chain).policy, signatures.load(person, key))


def record(verb: str, person: str, detail: Mapping[str, Any], evidence: Mapping[str, Any], key: Path | None) -> Event:
    """Write what is being done into the chain, signed, and return its event; nothing is done before it stands there.

    Raises `UserError` for a person without the role, and where the store is a server that takes moves of models alone.
    """
    if guarded.prevents():
        raise UserError(f"{verb}: the guarded server takes moves of models alone; do it in the folder of its store")
    private = signatures.load(person, key)
    with events.writing() as chain:
        chained.must_hold(chain)
        adopted = moves.in_force(chain)
        role = moves.must_be(person, (ON_DATA[verb],), adopted.policy, private)
        described = json.dumps(dict(detail), ensure_ascii=False, sort_keys=True)
        event = Event(0, FIRST, verb, "", "", "", "", "", person, role, "", adopted.digest, "", described)
        return events.append(chain, event, evidence, private)


def listing() -> list[Event]:
    """Return every access to people's data and every person forgotten, oldest first."""
    return [e for e in events.read().events if e.verb in ON_DATA]


def anew(digest: str) -> str:
    """Return the digest that content has after requests to forget; the same where none touched it.

    Only events whose evidence is the signed one count; that they are signed by the right person the chain says.
    """
    for e in events.read().events:
        if e.verb == "forget":
            digest = (events.evidence(e) or {}).get("anew", {}).get(digest, digest)
    return digest
