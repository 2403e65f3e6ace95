"""The moves themselves: looked at, signed, written behind the chain, and shown in the registry's tags and aliases."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.params import UserError, nearest
from workbench.registry import chained, events, guarded, labels, linked, looking, needs, policy, registered, signatures
from workbench.registry.events import FIRST, POLICY, Chain, Event
from workbench.registry.lifecycle import CHAMPION, MOVES, Move
from workbench.registry.policy import FILE, Adopted, Policy
from workbench.registry.request import Case, Request, looked_at
from workbench.registry.state import Book, Standing, replay

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

TRIES = 5  # of a move, where a server takes others' moves first


def make(request: Request, key: Path | None = None) -> Event:
    """Make a move and return its event, or raise `UserError` that names all that is missing.

    key: the person's private key, where it lies elsewhere than `signatures.place`. Of two moves of one model made at
    once one wins, and the other is told.
    """
    if request.verb not in MOVES:
        raise UserError(f"no move is called '{request.verb}'; {nearest(request.verb, MOVES)}")
    looked = _last(events.read(), request.model)
    try:
        private = signatures.load(request.person, key)
    except UserError:
        registered.one(request.model, request.version)  # a slip in its name is told before a key that is missing
        raise
    return _unless_overtaken(lambda: _make(request, looked, private))


def may(verb: str, person: str, key: Path | None = None) -> None:
    """Raise `UserError` where the person hasn't the role that a move takes, before long work whose end it signs."""
    must_be(person, MOVES[verb].roles, in_force(events.read()).policy, signatures.load(person, key))


def _make(request: Request, looked: Event | None, private: Ed25519PrivateKey) -> Event:
    with events.writing() as chain, looking.once():
        chained.must_hold(chain)
        _refuse_overtaken(request, looked, _last(chain, request.model))
        event, case = _decided(request, chain, private)
        written = events.append(chain, event, case.evidence(), private)
        if not guarded.prevents():  # such a server has seen to it
            labels.rebuild(Chain((*chain.events, written)), request.model)
            linked.describe(request.model, request.version, {})
        return written


def _unless_overtaken(write: Callable[[], Event]) -> Event:
    """Return what was written; where a server took another move first, all is decided anew on the chain of then."""
    for _ in range(TRIES):
        with suppress(guarded.Overtaken):
            return write()
    raise UserError("governance: other moves were written first, time and again; try once more")


def adopt(person: str, key: Path | None = None) -> Event:
    """Adopt `params/governance.yaml` and the rules in force today; signed by an approver of the policy before it.

    The first policy is signed by one of its own approvers.
    """
    private = signatures.load(person, key)
    return _unless_overtaken(lambda: _adopt(person, private))


def _adopt(person: str, private: Ed25519PrivateKey) -> Event:
    with events.writing() as chain:
        chained.must_hold(chain)
        adopting = chain.policy()
        before, after = events.adopted(adopting), policy.as_it_stands(events.now()[:10])
        if before and not before.differences(after):
            raise UserError(f"{FILE}: event {adopting.seq if adopting else 0} has adopted it as it stands")
        judge = before.policy if before else after.policy
        must_be(person, ("approver",), judge, private)
        event = Event(0, FIRST, POLICY, "", "", "", "", "", person, "approver", "", after.digest, "")
        return events.append(chain, event, after.to_json(), private)


def in_force(chain: Chain) -> Adopted:
    """Return the adopted policy; `UserError` where none is, or where the file or a rule was changed since."""
    event = chain.policy()
    if event is None:
        raise UserError(f"{FILE}: nobody has adopted it yet; an approver signs it: `workbench policy --as ID`")
    adopted = events.adopted(event)
    if adopted is None:
        raise UserError(f"governance: the policy of event {event.seq} was altered or lost; `workbench audit`")
    changed = adopted.differences(policy.as_it_stands(adopted.day))
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise UserError(
            f"{FILE}: changed since event {event.seq} adopted it ({changed[0]}{more}); an approver adopts it:"
            " `workbench policy --as ID`"
        )
    return adopted


def _last(chain: Chain, model: str) -> Event | None:
    moves = chain.of(model)
    return moves[-1] if moves else None


def _refuse_overtaken(request: Request, looked: Event | None, now: Event | None) -> None:
    if now is not None and (looked is None or looked.seq != now.seq):
        raise UserError(
            f"{request.name}: {request.verb}: overtaken by event {now.seq}, version {now.version} became {now.target};"
            f" look at `workbench history {request.model}`, then decide anew"
        )


def _decided(request: Request, chain: Chain, private: Ed25519PrivateKey) -> tuple[Event, Case]:
    move, adopted, book = MOVES[request.verb], in_force(chain), replay(chain)
    standing = book.of(request.model, request.version)
    role = must_be(request.person, move.roles, adopted.policy, private)
    case = looked_at(request, chain, standing, adopted.policy)
    needed = (words.in_language("en") for words in needs.missing(move, case))
    lacks = [*_out_of_place(move, standing), *_not_theirs(move, case), *needed]
    if lacks:
        raise UserError(f"{request.name}: {request.verb} is refused: {'; '.join(lacks)}")
    detail = _detail(move, case, book)
    target = move.reached(
        bool(standing.conditions or request.conditions), detail.get("missing_approvals", 0), standing.state
    )
    event = Event(
        seq=0,
        prev=FIRST,
        verb=move.verb,
        model=request.model,
        version=request.version,
        files=case.digest,
        source=standing.state,
        target=target,
        person=request.person,
        role=role,
        evidence="",
        policy=adopted.digest,
        at="",
        detail=json.dumps(detail, ensure_ascii=False, sort_keys=True),
    )
    return event, case


def _out_of_place(move: Move, s: Standing) -> list[str]:
    if s.state in move.sources:
        return []
    return [f"it is {s.state}, and {move.verb} begins at {' or '.join(move.sources)}"]


def _not_theirs(move: Move, case: Case) -> list[str]:
    """Return whose move it is where the model is another's: the model's own entry names owner and developers."""
    listed, person = case.policy.models.get(case.request.model), case.request.person
    if listed is None:
        return []
    words = {
        "owner": f"its owner is {listed.owner}",
        "developer": f"its developers are {', '.join(listed.developers)}",
        "approver": f"{person} has approved it; another approver is needed",
    }
    return [words[role] for role in needs.not_theirs(move, listed, case.standing, person)][:1]


def must_be(person: str, roles: tuple[str, ...], judge: Policy, private: Ed25519PrivateKey) -> str:
    """Return the role in which the person makes the move, or raise `UserError`."""
    if person not in judge.people:
        raise UserError(f"{FILE}: nobody is called '{person}'; {nearest(person, judge.people)}")
    role = next((r for r in roles if r in judge.roles(person)), "")
    if not role:
        able = [p for p in judge.people if set(roles) & set(judge.roles(p))] or ["nobody has it"]
        who, asked = " and ".join(judge.roles(person)), " or ".join(roles)
        raise UserError(f"{FILE}: {person} is {who}; it takes the role {asked} ({', '.join(able)})")
    if signatures.public_of(private) != judge.people[person].key:
        raise UserError(f"{FILE}: the private key given is not the one of {person}; name theirs with --key")
    return role


def _detail(move: Move, case: Case, book: Book) -> dict[str, Any]:
    request, out = case.request, {} if move.target else dict(case.request.more)
    for name, value in (("reason", request.reason), ("conditions", list(request.conditions)), ("until", request.until)):
        if value:
            out[name] = value
    if move.verb == "approve":
        approvers = {*case.standing.approved_by, request.person}
        out |= {"deviations": case.deviations} if case.deviations else {}
        out["missing_approvals"] = max(0, case.policy.strictness(request.model).approvers - len(approvers))
    champion = book.champion(request.model)
    if move.target == CHAMPION and champion and champion.version != request.version:
        out["replaces"] = champion.version
    return out
