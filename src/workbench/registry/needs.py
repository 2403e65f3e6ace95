"""What a move needs, looked at: each need of the life cycle says in words what is missing, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta

from workbench.params import day
from workbench.registry import claims, obligations, proof, provenance, runs, written
from workbench.registry.lifecycle import EXCEPTION_DAYS, REPRODUCED, Move
from workbench.registry.policy import FILE, Model
from workbench.registry.request import Case
from workbench.registry.state import Standing


def missing(move: Move, c: Case) -> list[str]:
    """Return what a move lacks, in words; nothing where it may be made."""
    return [words for name in move.needs if (words := _CHECKS[name](c))]


def _listed(c: Case) -> str:
    if c.policy.tier(c.request.model) is None:
        return f"{c.request.model} isn't listed in {FILE} (models: owner, developers, exposure, purpose, justification)"
    return ""


def _whole(c: Case) -> str:
    if c.record is None:
        return "the run that registered it left no record; run the study again"
    fault = proof.altered(c.record)
    return f"{fault}; `workbench run` registers it anew" if fault else ""


def _files(c: Case) -> str:
    if not c.standing.files or c.digest == c.standing.files:
        return ""
    return "its files are other than those that were submitted; `workbench audit` names them"


def _independent(c: Case) -> str:
    listed = c.policy.models.get(c.request.model)
    developers = {*c.standing.developers, *(listed.developers if listed else ())}
    return f"{c.request.person} has developed it; somebody else decides" if c.request.person in developers else ""


def _battery(c: Case) -> str:
    study = c.request.model.partition(".")[0]
    if c.battery is None:
        return f"no validation battery speaks of this version; `workbench run params/{study}.yaml`"
    if fault := proof.altered(c.battery):
        return f"the validation battery's run isn't as it was left ({fault}); run the study again"
    return "the validation battery refuses it; reject it, or develop another" if c.verdict == "refuse" else ""


def _minimum(c: Case) -> str:
    if c.policy.tier(c.request.model) is None:
        return ""
    asked, figures = c.policy.strictness(c.request.model).minimum, c.record.figures if c.record else {}
    return "; ".join(below(asked, figures))


def below(asked: Mapping[str, float], figures: Mapping[str, float]) -> list[str]:
    """Return in words which least values the recorded figures don't reach, or that none of them is recorded."""
    if asked and not set(asked) & set(figures):
        return [f"none of the figures its tier asks for is recorded ({', '.join(asked)})"]
    recorded = {n: figures[n] for n in asked if n in figures}
    return [f"{n} is {v:.4g}, its tier asks {asked[n]:g}" for n, v in recorded.items() if not v >= asked[n]]


def _chapters(c: Case) -> str:
    return _unwritten(c, "developer")


def _unchanged(c: Case) -> str:
    if c.submitted is None:
        return ""
    where, then = written.place(c.request.model), written.of_move(c.submitted)
    if then is None:
        return f"what event {c.submitted.seq} submitted can't be read: altered or lost; `workbench audit`"
    if not (names := written.differing(then, written.load(c.request.model), "developer")):
        return ""
    then_words = f"other words than event {c.submitted.seq} submitted"
    return f"{where}: {', '.join(names)}: {then_words}; put those back, or reject it and submit it again"


def _opinion(c: Case) -> str:
    return _unwritten(c, "validator")


def _unwritten(c: Case, section: str) -> str:
    """Say which chapters of a section are empty, or which of the claims in them don't hold."""
    where = written.place(c.request.model)
    chapters = written.load(c.request.model)
    if empty := chapters.missing(section):
        return f"{where}: {', '.join(empty)}: nobody has written it"
    made = [claim for claim in claims.of(chapters, where) if claim.chapter.startswith(section)]
    wrong = claims.contradicted(claims.tested(made, claims.logged(c.record, c.battery)))
    return f"{where}: {'; '.join(t.words for t in wrong)}" if wrong else ""


def _conditions(c: Case) -> str:
    for text in c.request.conditions:
        condition = obligations.condition(text)
        if not condition.owner:
            return f"condition '{text[:60]}' names no day and owner; write \"2027-01-31 d001: what is to be done\""
        if lacks := obligations.lacking(condition.owner, condition.due, c.policy.people, date.today()):
            return f"condition '{condition.text[:60]}': {'; '.join(lacks)}"
    is_open = c.verdict == "refer" and not (c.request.conditions or c.standing.conditions)
    return 'the validation battery refers it: set a condition (--condition "DAY OWNER: …")' if is_open else ""


def _committed(c: Case) -> str:
    commit = runs.params(c.registered.run_id).get(provenance.COMMIT, "") if c.record else ""
    if provenance.is_clean(commit):
        return ""
    return f"no commit holds all the code of its run ({commit or 'it has none'}); commit, and run the study again"


def _planned(c: Case) -> str:
    if c.policy.tier(c.request.model) is None or not c.policy.strictness(c.request.model).plan:
        return ""
    study = c.request.model.partition(".")[0]
    if not c.standing.plan:
        return f"no validation plan is signed (`workbench plan {c.request.model}/{c.request.version} --as ID`)"
    if c.battery and c.battery.start < _seconds(c.standing.planned):
        again = f"`workbench run params/{study}.yaml --step {c.battery.step} --fresh`"
        return f"its battery ran before the plan was signed (event {c.standing.plan}); {again}"
    return ""


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _reproduced(c: Case) -> str:
    if c.policy.tier(c.request.model) is None or not c.policy.strictness(c.request.model).reproduction:
        return ""
    if c.standing.reproduced in REPRODUCED:
        return ""
    seen = f"making it again came to {c.standing.reproduced}" if c.standing.reproduced else "nobody has made it again"
    return f"{seen} (`workbench reproduce {c.request.model}/{c.request.version} --as ID`)"


def _findings(c: Case) -> str:
    standing_open = [f.words for f in c.findings if f.is_grave and f.version == c.request.version]
    failed = [
        f"it fails the test of closed finding {f.number} ({f.test}): {why}"
        for f in c.findings
        if f.test and not f.is_open and (why := obligations.fails(f.test, c.record, c.battery))
    ]
    return "; ".join([*standing_open, *failed])


def _owed(c: Case) -> str:
    more, lacks = c.request.more, []
    if more.get("severity") not in obligations.SEVERITIES:
        lacks.append(f"a severity ({', '.join(obligations.SEVERITIES)})")
    owner, due = str(more.get("owner", "")), str(more.get("due", ""))
    return "; ".join([*lacks, *obligations.lacking(owner, due, c.policy.people, date.today())])


def _closing(c: Case) -> str:
    numbers = [f.number for f in c.findings if f.is_open]
    if c.request.more.get("finding") not in numbers:
        known = ", ".join(map(str, numbers)) or "none"
        asked = c.request.more.get("finding")
        return f"no open finding has the number {asked}; open: {known}" if asked else f"which finding; open: {known}"
    test = str(c.request.more.get("test", ""))
    return obligations.fails(test, c.record, c.battery) if test else ""


def _condition(c: Case) -> str:
    if c.request.more.get("condition") in c.standing.conditions:
        return ""
    return f"no such condition is open; open: {'; '.join(c.standing.conditions) or 'none'}"


def _reason(c: Case) -> str:
    return "" if c.request.reason.strip() else 'a reason (--reason "…")'


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


def _until(c: Case) -> str:
    last, today = c.request.until, date.today()
    try:
        is_near = bool(day(last)) and today < date.fromisoformat(last) <= today + timedelta(days=EXCEPTION_DAYS)
    except ValueError:
        is_near = False
    limit = today + timedelta(days=EXCEPTION_DAYS)
    return "" if is_near else f"the last day, after today and by {limit} (--until {limit})"


_CHECKS: Mapping[str, Callable[[Case], str]] = {
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
    "reproduced": _reproduced,
    "findings": _findings,
    "owed": _owed,
    "closing": _closing,
    "condition": _condition,
}
