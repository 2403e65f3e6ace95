"""A move as it is asked for, and all that is looked at for it: the version, where it stands, the policy, the runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.registry import current, events, makers, obligations, plans, registered, store, written
from workbench.registry.current import Record
from workbench.registry.events import Chain, Event
from workbench.registry.lifecycle import MOVES
from workbench.registry.obligations import Finding
from workbench.registry.policy import Policy
from workbench.registry.registered import Registered
from workbench.registry.state import Standing

VERDICT = "validation.verdict"


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
    """All that is looked at for a move: what is asked, the version as it is, where it stands, and the policy.

    `submitted`: the event that put the version forward, the last one.
    """

    request: Request
    registered: Registered
    standing: Standing
    policy: Policy
    record: Record | None
    battery: Record | None
    files: Mapping[str, str]
    findings: tuple[Finding, ...] = ()
    plan: Mapping[str, Any] = field(default_factory=dict)
    submitted: Event | None = None

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


def looked_at(request: Request, chain: Chain, standing: Standing, policy: Policy) -> Case:
    """Return all that is looked at for a move; `UserError` where the registry doesn't hold the version."""
    r = registered.one(request.model, request.version)
    raised = tuple(obligations.findings(chain, request.model))
    signed = next((e for e in chain.events if e.seq == standing.plan and standing.plan), None)
    plan = (events.evidence(signed) or {}).get("plan", {}) if signed else {}
    submitted = chain.submitted(request.model, request.version)
    return Case(request, r, standing, policy, r.record, battery(r), registered.files(r), raised, plan, submitted)


def battery(r: Registered) -> Record | None:
    """Return the latest current run of a validation battery that speaks of this very version.

    Where the store is a server, it may have been run on another machine, and which is current is known there alone: the
    latest counts.
    """
    study = r.model.partition(".")[0]
    known = current.everything(study=study)
    if store.is_server():
        of_others = [x for x in makers.records(study) if x.step.startswith("validation/")]
        known = sorted({x.run_id: x for x in (*known, *of_others)}.values(), key=lambda x: x.start)
    speaking = [record for record in known if verdict(record, r.model, r.version)]
    return speaking[-1] if speaking else None


def verdict(record: Record, model: str, version: str) -> str:
    """Return what a battery's run says of a version; empty where it says nothing of it."""
    of = (t["tags"] for t in record.tags.values() if (t["name"], t["version"]) == (model, version))
    return next((str(tags[VERDICT]) for tags in of if VERDICT in tags), "")


def finite(figures: Mapping[str, float]) -> dict[str, float]:
    """Return the figures that are numbers."""
    return {n: v for n, v in figures.items() if math.isfinite(v)}
