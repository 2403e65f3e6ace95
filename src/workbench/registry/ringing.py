"""A champion whose monitoring rings comes under review: signed by a machine with the role, or asked of a person."""

from __future__ import annotations

from workbench.params import UserError
from workbench.registry import events, moves, signatures
from workbench.registry.lifecycle import CHAMPION
from workbench.registry.policy import Policy
from workbench.registry.request import Request
from workbench.registry.state import replay


def review(model: str, version: str, reason: str) -> str:
    """Put a version under review for a reason and return what happened in one line; empty where nothing is to be done.

    Nothing is done where no policy was adopted, or the version is no champion. The move is made by the first person of
    the role `monitor` whose private key lies on this machine.
    """
    chain = events.read()
    adopted = events.adopted(chain.policy())
    if adopted is None or replay(chain).of(model, version).state != CHAMPION:
        return ""
    name = f"{model}/{version}"
    if not (person := monitor(adopted.policy)):
        return f"{name} rings and stays champion: no key of a monitor is on this machine; `workbench review {name}`"
    try:
        event = moves.make(Request("review", model, version, person, reason=reason))
    except UserError as e:
        return f"{name} rings and stays champion: {e}"
    return f"{name} is under review, event {event.seq} by {person}: {reason}"


def monitor(policy: Policy) -> str:
    """Return the first person of the role `monitor` whose private key is here; empty where none is."""
    able = (p for p in policy.people if "monitor" in policy.roles(p) and signatures.place(p).is_file())
    return next(able, "")
