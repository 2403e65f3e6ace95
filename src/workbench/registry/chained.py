"""The chain looked at event by event: numbers, links, signatures, roles, moves, evidence; each fault with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from workbench.params import UserError
from workbench.registry import events, needs, obligations, proof, registered, request, runs, signatures, written
from workbench.registry.current import Record
from workbench.registry.events import FIRST, POLICY, Chain, Event
from workbench.registry.lifecycle import CHAMPION, EXCEPTION_DAYS, MOVES, ON_DATA, REPRODUCED
from workbench.registry.policy import Model, Policy
from workbench.registry.state import Book, Standing, replay


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
    judges = _judges(chain)
    yield from _broken(chain, judges)
    for e in chain.events:
        for what in (*_run(e), *_evidence(e, judges[e.run_id].policy), *_written(chain, e), *_referred(chain, e)):
            yield Finding(_place(e), what)


def must_hold(chain: Chain) -> None:
    """Raise `UserError` with the first fault of numbers, links, signatures, roles or moves; nothing is built on those.

    Whoever may write to the store can write a run that looks like an event, but not sign it.
    """
    for f in _broken(chain, _judges(chain)):
        raise UserError(f"governance: {f.place}: {f.what}; nothing is moved or served on it; `workbench audit`")


def of_newest(chain: Chain) -> list[str]:
    """Return in words what is wrong with the newest event of a chain whose others hold, its evidence included."""
    newest, judges = chain.events[-1], _judges(chain)
    faults = [f.what for f in _broken(chain, judges) if f.place == _place(newest)]
    faults += _evidence(newest, judges[newest.run_id].policy)
    return [*faults, *_written(chain, newest), *_referred(chain, newest)]


def _broken(chain: Chain, judges: Mapping[str, Judge]) -> Iterator[Finding]:
    yield from _links(chain)
    book = Book()
    for e in chain.events:
        for what in (*_signed(judges[e.run_id], e), *_lawful(judges[e.run_id], book, e)):
            yield Finding(_place(e), what)
        for what in _ignored(chain, e):
            yield Finding(_place(e), what)
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
        if before and e.at < before.at:
            yield Finding(_place(e), f"it is dated {e.at}, before event {number} ({before.at})")
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
    if e.verb in ON_DATA:
        if e.role != ON_DATA[e.verb]:
            yield f"{e.verb} takes the role {ON_DATA[e.verb]}, not {e.role}"
        return
    move, standing = MOVES.get(e.verb), book.of(e.model, e.version)
    if move is None or e.role not in move.roles:
        yield f"{e.verb} isn't a move of the role {e.role}"
        return
    if e.source != standing.state or e.source not in move.sources:
        yield f"it begins at {e.source}, where the version was {standing.state}"
    if judge.digest and e.policy != judge.digest:
        yield "it names another policy than the one then in force"
    yield from _by_whom(judge.policy, book, e)
    yield from _on_record(judge.policy, standing, e)
    if standing.files and "files" in move.needs and e.files != standing.files:
        yield "it speaks of other files than those that were submitted"


def _by_whom(judge: Policy | None, book: Book, e: Event) -> Iterator[str]:
    move, standing = MOVES[e.verb], book.of(e.model, e.version)
    listed = judge.models.get(e.model) if judge else None
    developers = {*standing.developers, *(listed.developers if listed else ())}
    if "independent" in move.needs and e.person in developers:
        yield f"{e.person} has developed the version"
    yield from _not_theirs(listed, standing, e)
    yield from _unsaid(e)
    needed = judge.strictness(e.model).approvers if judge else 1
    approvers = {*standing.approved_by, e.person}
    conditions = bool(standing.conditions or e.details.get("conditions"))
    if e.target != move.reached(conditions, max(0, needed - len(approvers)), e.source):
        yield f"it led to {e.target} with {len(approvers)} of {needed} approvals"
    champion = book.champion(e.model)
    if e.target == CHAMPION and champion and champion.version not in (e.version, e.details.get("replaces")):
        yield f"version {champion.version} was champion, and it doesn't say so"


def _not_theirs(listed: Model | None, standing: Standing, e: Event) -> Iterator[str]:
    """Name whose move it was where another made it: the model's own entry names owner and developers."""
    owner, developers = (listed.owner, ", ".join(listed.developers)) if listed else ("", "")
    words = {
        "owner": f"{e.person} isn't the model's owner, {owner}, whose move it is",
        "developer": f"{e.person} is none of the model's developers ({developers}), whose move it is",
        "approver": f"{e.person} had approved it already",
    }
    yield from (words[role] for role in needs.not_theirs(MOVES[e.verb], listed, standing, e.person))


def _unsaid(e: Event) -> Iterator[str]:
    """Name what a move has to say and doesn't: its reason, a last day that is near enough."""
    move, until = MOVES[e.verb], str(e.details.get("until", ""))
    if "reason" in move.needs and not str(e.details.get("reason", "")).strip():
        yield "it gives no reason"
    if "until" in move.needs and not _is_near(until, e.at[:10]):
        yield f"its last day, {until or 'none'}, isn't within {EXCEPTION_DAYS} days of {e.at[:10]}"


def _is_near(until: str, made: str) -> bool:
    """Say whether a last day is within the days of an exception: of the person's own day, which may be UTC's next."""
    try:
        days = (date.fromisoformat(until) - date.fromisoformat(made)).days
    except ValueError:
        return False
    return 0 <= days <= EXCEPTION_DAYS + 1


def _on_record(judge: Policy | None, standing: Standing, e: Event) -> Iterator[str]:
    """Name what its tier asks to be on record before the move, and wasn't."""
    move = MOVES[e.verb]
    asked = judge.strictness(e.model) if judge and judge.tier(e.model) else None
    if asked and asked.plan and "planned" in move.needs and not standing.plan:
        yield "no validation plan was signed before it"
    if asked and asked.reproduction and "reproduced" in move.needs and standing.reproduced not in REPRODUCED:
        yield f"making it again had come to {standing.reproduced or 'nothing: nobody had done it'}"


def _ignored(chain: Chain, e: Event) -> Iterator[str]:
    """Name the findings of high severity that were open on a version when a move was made that none may stop."""
    if e.verb in MOVES and "findings" in MOVES[e.verb].needs:
        raised = obligations.findings(chain.before(e), e.model)
        grave = [f for f in raised if f.is_grave and f.version == e.version]
        yield from (f"finding {f.number} of high severity was open, and it was made all the same" for f in grave)


def _written(chain: Chain, e: Event) -> Iterator[str]:
    """Name the chapters a move rests on that nobody had written, or that said other words than those submitted."""
    needs_of = MOVES[e.verb].needs if e.verb in MOVES else ()
    section = next((s for s, verb in written.SIGNED.items() if verb == e.verb), "")
    if not section or events.evidence(e) is None:
        return
    chapters = written.of_move(e)
    if chapters is None:
        yield f"its {events.EVIDENCE} holds no chapters"
        return
    if empty := chapters.missing(section):
        yield f"nobody had written {', '.join(empty)}, and it was made all the same"
    submitted = chain.before(e).submitted(e.model, e.version)
    then = written.of_move(submitted) if submitted and "unchanged" in needs_of else None
    if then and (names := written.differing(then, chapters, "developer")):
        yield f"{', '.join(names)} said other words than event {submitted.seq} submitted, and it was made all the same"


def _referred(chain: Chain, e: Event) -> Iterator[str]:
    """Name a move on a version that the battery refers where it sets no condition, and none was set before."""
    if e.verb not in MOVES or "conditions" not in MOVES[e.verb].needs or e.details.get("conditions"):
        return
    is_referred = (events.evidence(e) or {}).get("verdict") == "refer"
    if is_referred and not replay(chain.before(e)).of(e.model, e.version).conditions:
        yield "the battery referred the version, and it was made without a condition"


def _evidence(e: Event, judge: Policy | None) -> Iterator[str]:
    evidence = events.evidence(e)
    if evidence is None:
        yield f"its {events.EVIDENCE} was altered or lost"
        return
    if e.verb == POLICY:
        yield from () if evidence.get("policy") else (f"its {events.EVIDENCE} holds no policy",)
        return
    if e.verb in ON_DATA:
        return
    records = []
    for run_id, entry in evidence.get("runs", {}).items():
        record = runs.record(run_id)
        if record is None or record.digest != entry["record"]:
            yield f"the run of {entry['step']} it stands on left another record, or is gone"
        elif fault := proof.altered(record):
            yield f"the run of {entry['step']} it stands on: {fault}"
        records += [record] if record else []
    yield from _restated(e, evidence, records)
    yield from _met(e, evidence, judge)


def _restated(e: Event, evidence: Mapping[str, Any], records: list[Record]) -> Iterator[str]:
    """Name what the evidence says otherwise than the runs and files it names: a client may be altered, too."""
    if registered.digest(evidence.get("files", {})) != e.files:
        yield f"its {events.EVIDENCE} names other files than the event"
    born = next((r for r in records if r.run_id == evidence.get("run_id")), None)
    if born and evidence.get("figures") != request.finite(born.figures):
        yield f"its {events.EVIDENCE} gives other figures than the run that registered the version"
    verdicts = {v for r in records if (v := request.verdict(r, e.model, e.version))}
    if evidence.get("verdict", "") not in (verdicts or {""}):
        yield f"its {events.EVIDENCE} gives the verdict {evidence.get('verdict')}, the battery {', '.join(verdicts)}"


def _met(e: Event, evidence: Mapping[str, Any], judge: Policy | None) -> Iterator[str]:
    """Name what its move needs and its evidence doesn't show."""
    move = MOVES.get(e.verb)
    if move and "battery" in move.needs and evidence.get("verdict", "") in ("", "refuse"):
        yield f"the battery said {evidence.get('verdict') or 'nothing'} of the version, and it was made all the same"
    if move and "minimum" in move.needs and judge and judge.tier(e.model):
        short = needs.below(judge.strictness(e.model).minimum, evidence.get("figures", {}))
        yield from (words.in_language("en") for words in short)
