"""What a move needs, looked at: each need of the life cycle says in words what is missing, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import reduce

from workbench.params import day
from workbench.registry import claims, obligations, proof, provenance, runs, written
from workbench.registry.lifecycle import EXCEPTION_DAYS, REPRODUCED, Move
from workbench.registry.policy import FILE, Model
from workbench.registry.request import Case
from workbench.registry.state import Standing
from workbench.words import Text, say

NOTHING = Text()


def missing(move: Move, c: Case) -> list[Text]:
    """Return what a move lacks, in words; nothing where it may be made."""
    return [words for name in move.needs if (words := _CHECKS[name](c))]


def together(lacks: Iterable[Text]) -> Text:
    """Return what is missing as one text, a semicolon between each and the next; an empty one of nothing.

    >>> str(together([say("a reason"), say("a severity")]))
    'a reason; a severity'
    """
    each = list(lacks)
    return reduce(lambda before, after: say("{before}; {after}", before=before, after=after), each) if each else NOTHING


def _listed(c: Case) -> Text:
    if c.policy.tier(c.request.model) is None:
        return say(
            "{model:s} isn't listed in {file:s} (models: owner, developers, exposure, purpose, justification)",
            model=c.request.model,
            file=FILE,
        )
    return NOTHING


def _whole(c: Case) -> Text:
    if c.record is None:
        return say("the run that registered it left no record; run the study again")
    fault = proof.altered(c.record)
    return say("{fault}; `workbench run` registers it anew", fault=fault) if fault else NOTHING


def _files(c: Case) -> Text:
    if not c.standing.files or c.digest == c.standing.files:
        return NOTHING
    return say("its files are other than those that were submitted; `workbench audit` names them")


def _independent(c: Case) -> Text:
    listed = c.policy.models.get(c.request.model)
    developers = {*c.standing.developers, *(listed.developers if listed else ())}
    if c.request.person not in developers:
        return NOTHING
    return say("{person:s} has developed it; somebody else decides", person=c.request.person)


def _battery(c: Case) -> Text:
    study = c.request.model.partition(".")[0]
    if c.battery is None:
        return say("no validation battery speaks of this version; `workbench run params/{study:s}.yaml`", study=study)
    if fault := proof.altered(c.battery):
        return say("the validation battery's run isn't as it was left ({fault}); run the study again", fault=fault)
    return say("the validation battery refuses it; reject it, or develop another") if c.verdict == "refuse" else NOTHING


def _minimum(c: Case) -> Text:
    if c.policy.tier(c.request.model) is None:
        return NOTHING
    asked, figures = c.policy.strictness(c.request.model).minimum, c.record.figures if c.record else {}
    return together(below(asked, figures))


def below(asked: Mapping[str, float], figures: Mapping[str, float]) -> list[Text]:
    """Return in words which least values the recorded figures don't reach, or that none of them is recorded."""
    if asked and not set(asked) & set(figures):
        return [say("none of the figures its tier asks for is recorded ({figures:s})", figures=list(asked))]
    recorded = {n: figures[n] for n in asked if n in figures}
    return [
        say("{figure:s} is {value:.4g}, its tier asks {least:g}", figure=n, value=v, least=asked[n])
        for n, v in recorded.items()
        if not v >= asked[n]
    ]


def _chapters(c: Case) -> Text:
    return _unwritten(c, "developer")


def _unchanged(c: Case) -> Text:
    if c.submitted is None:
        return NOTHING
    where, then, event = written.place(c.request.model), written.of_move(c.submitted), str(c.submitted.seq)
    if then is None:
        return say("what event {event:s} submitted can't be read: altered or lost; `workbench audit`", event=event)
    if not (names := written.differing(then, written.load(c.request.model), "developer")):
        return NOTHING
    return say(
        "{file:s}: {chapters:s}: other words than event {event:s} submitted; put those back, or reject it and submit it"
        " again",
        file=where,
        chapters=names,
        event=event,
    )


def _opinion(c: Case) -> Text:
    return _unwritten(c, "validator")


def _unwritten(c: Case, section: str) -> Text:
    """Say which chapters of a section are empty, or which of the claims in them don't hold."""
    where = written.place(c.request.model)
    chapters = written.load(c.request.model)
    if empty := chapters.missing(section):
        return say("{file:s}: {chapters:s}: nobody has written it", file=where, chapters=empty)
    made = [claim for claim in claims.of(chapters, where) if claim.chapter.startswith(section)]
    wrong = claims.contradicted(claims.tested(made, claims.logged(c.record, c.battery)))
    return say("{file:s}: {wrong}", file=where, wrong=together(t.sentence for t in wrong)) if wrong else NOTHING


def _conditions(c: Case) -> Text:
    for text in c.request.conditions:
        condition = obligations.condition(text)
        if not condition.owner:
            return say(
                "condition '{text:s}' names no day and owner; write \"2027-01-31 d001: what is to be done\"",
                text=text[:60],
            )
        if lacks := obligations.lacking(condition.owner, condition.due, c.policy.people, date.today()):
            return say("condition '{text:s}': {lacks}", text=condition.text[:60], lacks=together(lacks))
    if c.verdict == "refer" and not (c.request.conditions or c.standing.conditions):
        return say('the validation battery refers it: set a condition (--condition "DAY OWNER: …")')
    return NOTHING


def _committed(c: Case) -> Text:
    commit = runs.params(c.registered.run_id).get(provenance.COMMIT, "") if c.record else ""
    if provenance.is_clean(commit):
        return NOTHING
    return say(
        "no commit holds all the code of its run ({commit}); commit, and run the study again",
        commit=commit or say("it has none"),
    )


def _as_planned(c: Case) -> Text:
    if not c.deviations or c.request.reason or _planned(c):
        return NOTHING
    return say(
        'the battery did otherwise than the plan says ({deviations:s}); say why (--reason "…"), or run it as planned',
        deviations=c.deviations,
    )


def _planned(c: Case) -> Text:
    if c.policy.tier(c.request.model) is None or not c.policy.strictness(c.request.model).plan:
        return NOTHING
    if not c.standing.plan:
        return say("no validation plan is signed (`workbench plan {version:s} --as ID`)", version=_version(c))
    if c.battery and c.battery.start < _seconds(c.standing.planned):
        return say(
            "its battery ran before the plan was signed (event {event:s}); `workbench run params/{study:s}.yaml"
            " --step {step:s} --fresh`",
            event=str(c.standing.plan),
            study=c.request.model.partition(".")[0],
            step=c.battery.step,
        )
    return NOTHING


def _version(c: Case) -> str:
    """Return the version as a command names it."""
    return f"{c.request.model}/{c.request.version}"


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _reproduced(c: Case) -> Text:
    if c.policy.tier(c.request.model) is None or not c.policy.strictness(c.request.model).reproduction:
        return NOTHING
    came = c.standing.reproduced
    if came in REPRODUCED:
        return NOTHING
    seen = say("making it again came to {result}", result=came) if came else say("nobody has made it again")
    return say("{seen} (`workbench reproduce {version:s} --as ID`)", seen=seen, version=_version(c))


def _findings(c: Case) -> Text:
    standing_open = [f.sentence for f in c.findings if f.is_grave and f.version == c.request.version]
    failed = [
        say(
            "it fails the test of closed finding {number:s} ({test:s}): {why}",
            number=str(f.number),
            test=f.test,
            why=why,
        )
        for f in c.findings
        if f.test and not f.is_open and (why := obligations.fails(f.test, c.record, c.battery))
    ]
    return together([*standing_open, *failed])


def _owed(c: Case) -> Text:
    more, lacks = c.request.more, []
    if more.get("severity") not in obligations.SEVERITIES:
        lacks.append(say("a severity ({severities:s})", severities=list(obligations.SEVERITIES)))
    owner, due = str(more.get("owner", "")), str(more.get("due", ""))
    return together([*lacks, *obligations.lacking(owner, due, c.policy.people, date.today())])


def _closing(c: Case) -> Text:
    numbers, asked = [f.number for f in c.findings if f.is_open], c.request.more.get("finding")
    if asked not in numbers:
        known = list(map(str, numbers)) or say("none")
        if asked:
            return say("no open finding has the number {number:s}; open: {known:s}", number=str(asked), known=known)
        return say("which finding; open: {known:s}", known=known)
    test = str(c.request.more.get("test", ""))
    return obligations.fails(test, c.record, c.battery) if test else NOTHING


def _condition(c: Case) -> Text:
    if c.request.more.get("condition") in c.standing.conditions:
        return NOTHING
    return say("no such condition is open; open: {known:s}", known="; ".join(c.standing.conditions) or say("none"))


def _reason(c: Case) -> Text:
    return NOTHING if c.request.reason.strip() else say('a reason (--reason "…")')


def not_theirs(move: Move, listed: Model | None, standing: Standing, person: str) -> Iterator[str]:
    """Yield as whom a person may not make a move: the model's own entry names owner and developers.

    `owner`, `developer`: another has that role. `approver`: this person has approved the version already.
    """
    if listed and "owner" in move.roles and person != listed.owner:
        yield "owner"
    if listed and "developer" in move.roles and person not in listed.developers:
        yield "developer"
    if move.verb == "approve" and person in standing.approved_by:
        yield "approver"


def _until(c: Case) -> Text:
    last, today = c.request.until, date.today()
    try:
        is_near = bool(day(last)) and today < date.fromisoformat(last) <= today + timedelta(days=EXCEPTION_DAYS)
    except ValueError:
        is_near = False
    if is_near:
        return NOTHING
    limit = (today + timedelta(days=EXCEPTION_DAYS)).isoformat()
    return say("the last day, after today and by {limit:s} (--until {limit:s})", limit=limit)


_CHECKS: Mapping[str, Callable[[Case], Text]] = {
    "listed": _listed,
    "whole": _whole,
    "files": _files,
    "independent": _independent,
    "battery": _battery,
    "minimum": _minimum,
    "chapters": _chapters,
    "unchanged": _unchanged,
    "opinion": _opinion,
    "conditions": _conditions,
    "reason": _reason,
    "until": _until,
    "committed": _committed,
    "planned": _planned,
    "as_planned": _as_planned,
    "reproduced": _reproduced,
    "findings": _findings,
    "owed": _owed,
    "closing": _closing,
    "condition": _condition,
}
