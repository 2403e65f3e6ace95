"""The committee's paper on a version: where it stands, what was proved, what each move lacks; and the decision."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd
from pydantic import Field

from workbench import params, tables
from workbench.evidence import Evidence, Verdict
from workbench.evidence.lights import in_words
from workbench.params import ONCE, UserError, nearest
from workbench.registry import claims, events, moves, needs, obligations, recorded, registered, titles, written
from workbench.registry.events import Chain, Event
from workbench.registry.lifecycle import MOVES
from workbench.registry.policy import Policy
from workbench.registry.recorded import Recorded
from workbench.registry.request import Case, Request, looked_at
from workbench.registry.state import Standing, replay
from workbench.words import Text, say

SHOWN = ("submit", "validate", "approve", "reject", "promote", "confirm", "retire")  # of the moves, those that lead on
_A_REASON = "to be given"  # what a person says with a move is not lacking before anybody makes it


class Params(params.Params):
    """Which version is decided on; the decision and who signs it, or none: then the paper alone is made."""

    model: str = Field("pd", pattern=r"^[a-z0-9_]+$", description="registered model of the study")
    version: int = Field(0, ge=0, description="its number; 0 is the newest")
    decision: Literal["", "approve", "reject", "promote", "confirm", "retire"] = Field(
        "", description="approve, reject, promote, confirm or retire; empty decides nothing"
    )
    person: str = Field("", description="who signs the decision, by work id; the private key is that of this account")
    reason: str = Field("", description="why, in words")
    conditions: list[str] = Field(
        [], description="conditions of an approval, each `2027-01-31 d001: what is to be done`"
    )

    def verify(self) -> None:
        """Raise `UserError` for a decision that nobody signs."""
        if self.decision and not self.person:
            raise UserError(f"registry/committee: decision '{self.decision}' is signed by nobody; name the person")

    @property
    def name(self) -> str:
        """The model as the registry names it."""
        return f"{self.study}.{self.model}"


def reads(p: Params) -> list[str]:
    """What this step reads: what every other step left, and the life cycle."""
    return [f"{recorded.EVIDENCE}{recorded.ALL}", f"?{recorded.LIFE_CYCLE}"]


def writes(p: Params) -> list[str]:
    """Tables this step writes: none; a decision is an event of the chain."""
    return []


@dataclass(frozen=True)
class Paper:
    """All the committee looks at."""

    p: Params
    chain: Chain
    case: Case
    watching: tuple[Recorded, ...] = ()

    @property
    def standing(self) -> Standing:
        """Where the version stands."""
        return self.case.standing

    @property
    def policy(self) -> Policy:
        """The policy in force; an empty one where nobody has adopted any."""
        return self.case.policy


def gather(p: Params) -> Paper:
    """Return what is to be looked at; `UserError` where the registry holds no such version."""
    held = registered.everything(p.name)
    if not held:
        names = {r.model for r in registered.everything()}
        hint = nearest(p.name, names) if names else "no run has registered one yet"
        raise UserError(f"registry/committee: model '{p.name}' is not in the registry; {hint}")
    version, chain = str(p.version or held[-1].version), events.read()
    adopted = events.adopted(chain.policy())
    policy = adopted.policy if adopted else Policy(tiers={}, by_tier={})
    asked = Request("approve", p.name, version, p.person)
    case = looked_at(asked, chain, replay(chain).of(p.name, version), policy)
    return Paper(p, chain, case, _watching(p, case))


def _watching(p: Params, case: Case) -> tuple[Recorded, ...]:
    """Return the runs of monitoring that have read this very version's file."""
    name, made = tables.of_model(p.model), case.record.models.values() if case.record else ()
    digest = next((e["digest"] for e in made if (e["name"], e["version"]) == (p.name, case.request.version)), None)
    those = recorded.read(p.key, room="monitoring/").values()
    return tuple(r for r in those if digest and r.read.get(name) == digest)


def standing(paper: Paper) -> Evidence:
    """Return where the version stands and how it came there."""
    s, tier = paper.standing, paper.policy.tier(paper.p.name)
    rows = [(e.seq, e.at, e.verb, e.source, e.target, e.person, e.role) for e in paper.chain.of(s.model, s.version)]
    columns = ["event", "time", "move", "from", "to", "person", "role"]
    tiered = say("Its tier is {tier}.", tier=tier) if tier else say("Nobody has given it a tier.")
    return Evidence(
        key="standing",
        question=say("Where does the version stand?"),
        verdict=Verdict.info if tier else Verdict.amber,
        answer=say("{model} version {version} is {state}.", model=s.model, version=s.version, state=say(s.state))
        + tiered,
        value=s.state,
        table=pd.DataFrame(rows, columns=columns, dtype=object) if rows else None,
    )


def monitored(paper: Paper) -> Evidence:
    """Return what monitoring says of the version now, the worst of it first: nobody decides on one that is red unaware.

    A run of no period speaks of the last period its figures are of.
    """
    runs = sorted(paper.watching, key=lambda r: Verdict(r.record.verdict).rank)
    question = say("What does monitoring say of it now?")
    if not runs:
        light = Verdict.amber if paper.standing.is_in_use else Verdict.info
        none = say("No step of monitoring has watched this version.")
        return Evidence(key="monitored", question=question, verdict=light, answer=none)
    facts = [
        {"step": titles.of_step(r.record.step), "light": in_words(r.record.verdict), "period": r.watched or ONCE}
        for r in runs
    ]
    each = [say("{step}: {light} ({period})", **f) for f in facts]
    rows = [(r.record.verdict, r.record.step, f["period"]) for r, f in zip(runs, facts, strict=True)]
    return Evidence(
        key="monitored",
        question=question,
        verdict=Verdict(runs[0].record.verdict),
        answer=say("Last monitoring: {each}.", each=each),
        value=runs[0].record.verdict,
        table=pd.DataFrame(rows, columns=["light", "step", "period"], dtype=object),
    )


def proof(paper: Paper) -> Evidence:
    """Return what was proved of the version: battery, plan and what deviated, re-performance."""
    c, s = paper.case, paper.standing
    planned = say("event {number}", number=str(s.plan)) if s.plan else "none"
    rows = [
        ("validation battery", c.verdict or "none", say("run {id}", id=c.battery.run_id) if c.battery else ""),
        ("validation plan", planned, "; ".join(c.deviations) or "no deviation"),
        ("made again", s.reproduced or "by nobody", ""),
    ]
    bad = c.verdict in ("", "refuse") or s.reproduced == "different"
    weak = bool(c.deviations) or not s.plan or not s.reproduced or c.verdict == "refer"
    return Evidence(
        key="proof",
        question=say("What was proved of it, and by whom?"),
        verdict=Verdict.red if bad else Verdict.amber if weak else Verdict.green,
        answer=say(
            "Battery: {verdict}. Plan: {plan}, deviations: {n}. Made again: {again}.",
            verdict=say(c.verdict or "none"),
            plan=say("signed") if s.plan else say("none"),
            n=len(c.deviations),
            again=say(s.reproduced or "by nobody"),
        ),
        table=pd.DataFrame(rows, columns=["what", "result", "detail"], dtype=object),
    )


def owed(paper: Paper) -> Evidence:
    """Return findings and conditions of the model, those that are late or grave first."""
    table = obligations.table(paper.chain)
    table = table[table["model"] == paper.p.name].reset_index(drop=True)
    late, open_ = (int((table["state"] == state).sum()) for state in ("overdue", "open"))
    grave = bool(((table["what"] == "high") & table["state"].isin(("overdue", "open"))).any())
    return Evidence(
        key="obligations",
        question=say("What is still owed?"),
        verdict=Verdict.red if late or grave else Verdict.amber if open_ else Verdict.green,
        answer=say("Findings and conditions that are open: {n}; overdue: {late}.", n=open_ + late, late=late),
        value=open_ + late,
        table=table.astype(object) if len(table) else None,
    )


def claimed(paper: Paper) -> Evidence:
    """Return what people have written of the model: chapters that are empty, claims and whether they hold."""
    chapters = written.load(paper.p.name)
    empty = [*chapters.missing("developer"), *chapters.missing("validator")]
    made = claims.of(chapters, written.place(paper.p.name))
    tested = claims.tested(made, claims.logged(paper.case.record, paper.case.battery))
    wrong = claims.contradicted(tested)
    rows = [(t.claim.chapter, t.claim.words, str(t.text)) for t in tested]
    return Evidence(
        key="claims",
        question=say("Does what is written of it hold?"),
        verdict=Verdict.red if wrong else Verdict.amber if empty else Verdict.green,
        answer=say(
            "Claims: {n}, contradicted: {wrong}. Chapters nobody has written: {empty}.",
            n=len(tested),
            wrong=len(wrong),
            empty=len(empty),
        ),
        value=len(wrong),
        table=pd.DataFrame(rows, columns=["chapter", "claim", "result"], dtype=object) if rows else None,
    )


def next_moves(paper: Paper) -> Evidence:
    """Return which moves the version's state allows, who may make them, and what each lacks now."""
    possible = [m for m in MOVES.values() if paper.standing.state in m.sources and m.verb in SHOWN]
    rows = []
    for move in possible:
        able = [p for p in paper.policy.people if set(move.roles) & set(paper.policy.roles(p))]
        lacks = needs.missing(move, _as(paper.case, move.verb, able))
        rows.append((move.verb, " or ".join(move.roles), ", ".join(able), needs.together(lacks) or ""))
    ready = [verb for verb, _, able, lacks in rows if able and not lacks]
    return Evidence(
        key="next_moves",
        question=say("Which moves are open, and what do they lack?"),
        verdict=Verdict.info,
        answer=say("Nothing is lacking for: {moves}.", moves=ready) if ready else say("Every move lacks something."),
        value=len(ready),
        table=pd.DataFrame(rows, columns=["move", "role", "people", "lacks"], dtype=object) if rows else None,
    )


def _as(case: Case, verb: str, able: list[str]) -> Case:
    """Return the case of a move as somebody who may make it would ask for it."""
    listed = case.policy.models.get(case.request.model)
    developers = {*case.standing.developers, *(listed.developers if listed else ())}
    others = [p for p in able if p not in developers] or able or [""]
    return replace(case, request=replace(case.request, verb=verb, person=others[0], reason=_A_REASON))


def decide(paper: Paper) -> tuple[Evidence, Event | None]:
    """Make the decision that the parameters name, and return what became of it; without one, say so.

    `UserError` names all that the move lacks.
    """
    p = paper.p
    if not p.decision:
        return _decided(paper, say("Nothing was decided: this is the paper alone."), Verdict.info), None
    event = moves.make(Request(p.decision, p.name, paper.standing.version, p.person, p.reason, tuple(p.conditions)))
    words = say(
        "{person} made the move {move}: {before} to {after}, event {event}.",
        person=event.person,
        move=event.verb,
        before=say(event.source),
        after=say(event.target),
        event=event.seq,
    )
    return _decided(paper, words, Verdict.green), event


def _decided(paper: Paper, words: Text, verdict: Verdict) -> Evidence:
    return Evidence(
        key="decision",
        question=say("What was decided?"),
        verdict=verdict,
        answer=words + say("The head of the chain is {head}.", head=events.read().head),
        value=paper.p.decision or "none",
    )
