"""A signed move as a person's own machine sends it: looked at as the audit would, and written by the server alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from workbench.params import UserError
from workbench.registry import chained, events, labels, linked, looking, registered
from workbench.registry.events import FIRST, POLICY, Chain, Event
from workbench.registry.guard import inside

CLOCKS = timedelta(minutes=10)  # by how much the clocks of two machines may differ


class Overtaken(Exception):
    """Another move was written first: the sender looks at the chain as it is now, and decides anew."""


def take(user: str, content: Mapping[str, Any]) -> Event:
    """Write a signed move behind the chain and let labels say it; return it with its run.

    `UserError`: it is refused, and why. `Overtaken`: it is no successor of the chain as that is now.
    """
    event, evidence = _sent(content)
    if event.person != user:
        raise UserError(f"signed in as {user}, and the move is signed by {event.person}; sign in as {event.person}")
    with inside.alone(), looking.once():
        chain = events.read()
        chained.must_hold(chain)
        last = chain.events[-1] if chain.events else None
        if last and (last.digest, last.signature) == (event.digest, event.signature):
            return last  # sent again: the answer to the first was lost on its way
        if (event.seq, event.prev) != ((last.seq + 1, last.digest) if last else (1, FIRST)):
            raise Overtaken(f"the chain's head is {chain.head}: another move was written first")
        return _written(chain, event, evidence)


def _sent(content: Mapping[str, Any]) -> tuple[Event, Mapping[str, Any]]:
    sent, evidence = content.get("event"), content.get("evidence")
    params = {str(k): str(v) for k, v in sent.items()} if isinstance(sent, Mapping) else {}
    event = events.from_params(params)
    if event is None or not isinstance(evidence, Mapping):
        raise UserError("no move: an event with its signature, and its evidence, are expected")
    if long := [n for n, v in params.items() if len(v) > events.PARAM_LENGTH]:
        raise UserError(f"{long[0]} is longer than the {events.PARAM_LENGTH:,} characters that MLflow keeps")
    if events.digest(evidence) != event.evidence:
        raise UserError("the evidence sent is not the one that was signed")
    return event, evidence


def _written(chain: Chain, event: Event, evidence: Mapping[str, Any]) -> Event:
    """A run without parameters is no event yet: evidence first, as the chain's own checks read it there."""
    event = replace(event, run_id=events.prepared(event, evidence))
    grown = Chain((*chain.events, event))
    faults = [*_untimely(chain, event), *_of_other_files(event, evidence), *chained.of_newest(grown)]
    if faults:
        events.discard(event.run_id)
        raise UserError("; ".join(faults))
    events.seal(event)
    if event.model:
        labels.rebuild(grown, event.model)
        linked.describe(event.model, event.version, {})
    return event


def _untimely(chain: Chain, e: Event) -> Iterator[str]:
    here = datetime.fromisoformat(events.now())
    try:
        differs = abs(datetime.fromisoformat(e.at) - here)
    except (ValueError, TypeError):
        yield f"it is dated {e.at}, which is no time"
        return
    if differs > CLOCKS and not (chain.events and e.at == chain.events[-1].at):
        yield f"it is dated {e.at}, and it is {events.now()} here: set the clock"


def _of_other_files(e: Event, evidence: Mapping[str, Any]) -> Iterator[str]:
    if e.verb == POLICY:
        return
    try:
        r = registered.one(e.model, e.version)
    except UserError as error:
        yield str(error)
        return
    if registered.digest(registered.files(r)) != e.files:
        yield f"{r.name}: its files on the server are other than those the move speaks of"
    if (evidence.get("run_id"), evidence.get("created")) != (r.run_id, r.created):
        yield f"{r.name}: the evidence speaks of another version of this number"
