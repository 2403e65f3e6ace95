"""What a move needs, looked at: each need of the life cycle says in words what is missing, or nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from workbench.params import day
from workbench.registry import current, proof, registered, runs, store
from workbench.registry.current import Record
from workbench.registry.lifecycle import EXCEPTION_DAYS, Move
from workbench.registry.policy import FILE, Policy
from workbench.registry.registered import Registered
from workbench.registry.state import Standing

VERDICT = "validation.verdict"


@dataclass(frozen=True)
class Request:
    """What a person asks for: a move of a version, with what they say of it. `until`: a day, YYYY-MM-DD."""

    verb: str
    model: str
    version: str
    person: str
    reason: str = ""
    conditions: tuple[str, ...] = ()
    until: str = ""

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
        }


def case(request: Request, standing: Standing, policy: Policy) -> Case:
    """Return all that is looked at for a move; `UserError` where the registry doesn't hold the version."""
    r = registered.one(request.model, request.version)
    return Case(request, r, standing, policy, r.record, battery(r), registered.files(r))


def battery(r: Registered) -> Record | None:
    """Return the latest current run of a validation battery that speaks of this very version.

    Where the store is a server, it may have been run on another machine, and which is current is known there alone: the
    latest counts.
    """
    study = r.model.partition(".")[0]
    known = current.everything(study=study)
    if store.is_server():
        known = sorted({x.run_id: x for x in (*known, *runs.finished(study, "validation/"))}.values(), key=_begun)
    speaking = [record for record in known if verdict(record, r.model, r.version)]
    return speaking[-1] if speaking else None


def _begun(record: Record) -> float:
    return record.start


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


def _conditions(c: Case) -> str:
    is_open = c.verdict == "refer" and not (c.request.conditions or c.standing.conditions)
    return 'the validation battery refers it: set a condition (--condition "…")' if is_open else ""


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
    "conditions": _conditions,
    "reason": _reason,
    "until": _until,
}
