"""The chain looked at event by event: numbers, links, signatures, roles, moves, evidence; each fault with its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from workbench.registry import events, proof, runs, signatures
from workbench.registry.events import FIRST, POLICY, Chain, Event
from workbench.registry.lifecycle import CHAMPION, MOVES
from workbench.registry.policy import Policy
from workbench.registry.state import Book


@dataclass(frozen=True)
class Finding:
    """Something that isn't as it should be: where, and what of it."""

    place: str
    what: str


@dataclass(frozen=True)
class Judge:
    """The policy an event is judged by, and its digest; no policy where none was adopted, or it was altered."""

    digest: str
    policy: Policy | None


def findings(chain: Chain) -> Iterator[Finding]:
    """Yield what is wrong with the chain itself; what is signed, and by whom, is judged by the policy then in force."""
    yield from _links(chain)
    book, judges = Book(), _judges(chain)
    for e in chain.events:
        faults = (*_run(e), *_signed(judges[e.run_id], e), *_lawful(judges[e.run_id], book, e), *_evidence(e))
        yield from (Finding(_place(e), what) for what in faults)
        book.apply(e)


def _place(e: Event) -> str:
    return f"event {e.seq} ({' '.join(p for p in (e.verb, e.model, e.version) if p)})"


def _links(chain: Chain) -> Iterator[Finding]:
    before: Event | None = None
    for e in chain.events:
        number, digest = (before.seq, before.digest) if before else (0, FIRST)
        if e.seq == number:
            yield Finding(_place(e), "two events have this number: the chain is forked")
        elif e.seq > number + 1:
            gone = f"event {number + 1}" if e.seq == number + 2 else f"events {number + 1} to {e.seq - 1}"
            yield Finding(gone, "gone from the chain: the run was deleted for good")
        elif e.prev != digest:
            yield Finding(_place(e), f"it doesn't follow event {number} as that is now: one of them was altered")
        before = e


def _run(e: Event) -> Iterator[str]:
    if e.stage != "active":
        yield "its run was deleted in MLflow; restore it"
    if e.user != e.person:
        yield f"its run says user {e.user or 'nobody'}, the signed person is {e.person}"


def _judges(chain: Chain) -> dict[str, Judge]:
    """Return by what policy each event is judged: the one adopted before it; the first policy by itself."""
    out, now = {}, Judge("", None)
    for e in chain.events:
        if e.verb != POLICY:
            out[e.run_id] = now
            continue
        adopted = events.adopted(e)
        after = Judge(e.policy, adopted.policy if adopted else None)
        out[e.run_id] = now if now.digest else after
        now = after
    return out


def _signed(judge: Judge, e: Event) -> Iterator[str]:
    if judge.policy is None:
        yield "no policy that can be read was adopted before it: its signature can't be checked"
    elif e.person not in judge.policy.people:
        yield f"{e.person} was nobody in the policy then in force"
    elif not signatures.is_signed(judge.policy.people[e.person].key, e.signature, e.digest.encode()):
        yield f"its content was altered, or the signature isn't that of {e.person}"
    elif e.role not in judge.policy.roles(e.person):
        yield f"{e.person} had not the role {e.role}"


def _lawful(judge: Judge, book: Book, e: Event) -> Iterator[str]:
    if e.verb == POLICY:
        return
    move, standing = MOVES.get(e.verb), book.of(e.model, e.version)
    if move is None or e.role != move.role:
        yield f"{e.verb} isn't a move of the role {e.role}"
        return
    if e.source != standing.state or e.source not in move.sources:
        yield f"it begins at {e.source}, where the version was {standing.state}"
    if judge.digest and e.policy != judge.digest:
        yield "it names another policy than the one then in force"
    yield from _by_whom(judge.policy, book, e)
    if standing.files and "files" in move.needs and e.files != standing.files:
        yield "it speaks of other files than those that were submitted"


def _by_whom(judge: Policy | None, book: Book, e: Event) -> Iterator[str]:
    move, standing = MOVES[e.verb], book.of(e.model, e.version)
    listed = judge.models.get(e.model) if judge else None
    developers = {*standing.developers, *(listed.developers if listed else ())}
    if "independent" in move.needs and e.person in developers:
        yield f"{e.person} has developed the version"
    needed = judge.strictness(e.model).approvers if judge else 1
    approvers = {*standing.approved_by, e.person}
    conditions = bool(standing.conditions or e.details.get("conditions"))
    if e.target != move.reached(conditions, max(0, needed - len(approvers)), e.source):
        yield f"it led to {e.target} with {len(approvers)} of {needed} approvals"
    champion = book.champion(e.model)
    if e.target == CHAMPION and champion and champion.version not in (e.version, e.details.get("replaces")):
        yield f"version {champion.version} was champion, and it doesn't say so"


def _evidence(e: Event) -> Iterator[str]:
    evidence = events.evidence(e)
    if evidence is None:
        yield f"its {events.EVIDENCE} was altered or lost"
        return
    if e.verb == POLICY and evidence.get("policy") is None:
        yield f"its {events.EVIDENCE} holds no policy"
    for run_id, entry in evidence.get("runs", {}).items():
        record = runs.record(run_id)
        if record is None or record.digest != entry["record"]:
            yield f"the run of {entry['step']} it stands on left another record, or is gone"
        elif fault := proof.changed_file(record) or proof.fault(record):
            yield f"the run of {entry['step']} it stands on: {fault}"
