"""What a move needs, looked at: each need of the life cycle says in words what is missing, or nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from workbench.params import day
from workbench.registry import claims, current, events, obligations, plans, proof, registered, runs, written
from workbench.registry.current import Record
from workbench.registry.events import Chain
from workbench.registry.lifecycle import EXCEPTION_DAYS, MOVES, Move
from workbench.registry.obligations import Finding
from workbench.registry.policy import FILE, Policy
from workbench.registry.registered import Registered
from workbench.registry.state import Standing

VERDICT = "validation.verdict"
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Request:
    """What a person asks for: a move of a version, with what they say of it. `until`: a day, YYYY-MM-DD.

    `more`: what else a move puts on record (of a finding its severity, owner, due; of a closing its number, test);
    `attached`: what goes with its evidence as it is (a plan, a re-performance).
    """

    verb: str
    model: str
    version: str
    person: str
    reason: str = ""
    conditions: tuple[str, ...] = ()
    until: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)
    attached: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Model and version, as a message names them."""
        return f"{self.model} version {self.version}"


@dataclass(frozen=True)
class Case:
    """All that is looked at for a move: what is asked, the version as it is, where it stands, and the policy."""

    request: Request
    registered: Registered
    standing: Standing
    policy: Policy
    record: Record | None
    battery: Record | None
    files: Mapping[str, str]
    findings: tuple[Finding, ...] = ()
    plan: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Digest over all files of the version as they are now."""
        return registered.digest(self.files)

    @property
    def verdict(self) -> str:
        """What the battery says of the version; empty where it says nothing."""
        return verdict(self.battery, self.request.model, self.request.version) if self.battery else ""

    def evidence(self) -> dict[str, Any]:
        """Return what the move is made on, so that anyone can look at it later."""
        r, listed = self.registered, self.policy.models.get(self.request.model)
        records = [x for x in (self.record, self.battery) if x is not None]
        return {
            "run_id": r.run_id,
            "created": r.created,
            "files": dict(self.files),
            "runs": {x.run_id: {"step": x.step, "record": x.digest} for x in records},
            "verdict": self.verdict,
            "figures": finite(self.record.figures if self.record else {}),
            "tier": self.policy.tier(self.request.model),
            "listed": listed.model_dump(mode="json") if listed else None,
            **({self.request.verb: dict(self.request.attached)} if self.request.attached else {}),
            **({"deviations": self.deviations} if self.request.verb == "approve" and self.plan else {}),
            **self._written(),
        }

    @property
    def deviations(self) -> list[str]:
        """What the battery did otherwise than the plan that was signed says."""
        return plans.deviations(self.plan, self.battery) if self.plan and self.battery else []

    def _written(self) -> dict[str, Any]:
        """Return what people have written of the model, for a move that rests on it."""
        if not {"chapters", "opinion"} & set(MOVES[self.request.verb].needs):
            return {}
        chapters = written.load(self.request.model)
        return {"chapters": {"digest": chapters.digest, **chapters.model_dump(mode="json")}}


def case(request: Request, chain: Chain, standing: Standing, policy: Policy) -> Case:
    """Return all that is looked at for a move; `UserError` where the registry doesn't hold the version."""
    r = registered.one(request.model, request.version)
    raised = tuple(obligations.findings(chain, request.model))
    signed = next((e for e in chain.events if e.seq == standing.plan and standing.plan), None)
    plan = (events.evidence(signed) or {}).get("plan", {}) if signed else {}
    return Case(request, r, standing, policy, r.record, battery(r), registered.files(r), raised, plan)


def battery(r: Registered) -> Record | None:
    """Return the latest current run of a validation battery that speaks of this very version."""
    study = r.model.partition(".")[0]
    speaking = [record for record in current.everything(study=study) if verdict(record, r.model, r.version)]
    return speaking[-1] if speaking else None


def verdict(record: Record, model: str, version: str) -> str:
    """Return what a battery's run says of a version; empty where it says nothing of it."""
    of = (t["tags"] for t in record.tags.values() if (t["name"], t["version"]) == (model, version))
    return next((str(tags[VERDICT]) for tags in of if VERDICT in tags), "")


def finite(figures: Mapping[str, float]) -> dict[str, float]:
    """Return the figures that are numbers."""
    return {n: v for n, v in figures.items() if math.isfinite(v)}


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
    return claims.lacking(c.request.model, "developer", c.record, c.battery)


def _opinion(c: Case) -> str:
    return claims.lacking(c.request.model, "validator", c.record, c.battery)


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
    commit = runs.params(c.registered.run_id).get("commit", "") if c.record else ""
    if _COMMIT.fullmatch(commit):
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
    if c.standing.reproduced in ("identical", "equal"):
        return ""
    seen = f"making it again came to {c.standing.reproduced}" if c.standing.reproduced else "nobody has made it again"
    return f"{seen} (`workbench reproduce {c.request.model}/{c.request.version} --as ID`)"


def _findings(c: Case) -> str:
    standing_open = [f.words for f in c.findings if f.is_open and f.severity == "high" and _is_of(f, c)]
    failed = [
        f"it fails the test of closed finding {f.number} ({f.test}): {why}"
        for f in c.findings
        if f.test and not f.is_open and (why := obligations.fails(f.test, c.record, c.battery))
    ]
    return "; ".join([*standing_open, *failed])


def _is_of(f: Finding, c: Case) -> bool:
    return f.version == c.request.version


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
        return f"no open finding has the number {c.request.more.get('finding')}; open: {known}"
    test = str(c.request.more.get("test", ""))
    return obligations.fails(test, c.record, c.battery) if test else ""


def _condition(c: Case) -> str:
    if c.request.more.get("condition") in c.standing.conditions:
        return ""
    return f"no such condition is open; open: {'; '.join(c.standing.conditions) or 'none'}"


def _reason(c: Case) -> str:
    return "" if c.request.reason.strip() else 'a reason (--reason "…")'


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
