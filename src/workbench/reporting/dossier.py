"""All that is recorded of one model version, read once: what its documents are made from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from workbench import tables
from workbench.contracts import Contract
from workbench.evidence import Verdict, digest_file
from workbench.params import UserError, ends
from workbench.registry import (
    attempts,
    claims,
    events,
    inventory,
    makers,
    plans,
    recorded,
    registered,
    request,
    written,
)
from workbench.registry.attempts import Attempt
from workbench.registry.claims import Tested
from workbench.registry.current import Record, everything
from workbench.registry.events import Chain, Event
from workbench.registry.inventory import Entry
from workbench.registry.policy import Adopted
from workbench.registry.recorded import Recorded
from workbench.registry.registered import Registered
from workbench.registry.state import Standing, replay
from workbench.registry.written import Chapters
from workbench.reporting import excerpts
from workbench.words import Text, say


@dataclass(frozen=True)
class Dossier:
    """A version with its runs, its moves and what people have written of its model; a run that isn't there is None.

    `upstream`: the runs that made the tables it was learnt from, by step; `monitoring`: those that have watched this
    very version, oldest period first.
    """

    registered: Registered
    chain: Chain
    development: Recorded | None
    battery: Recorded | None
    upstream: Mapping[str, Recorded]
    monitoring: tuple[Recorded, ...]
    attempts: tuple[Attempt, ...]

    @cached_property
    def watched(self) -> Recorded | None:
        """The newest run that followed the version through its periods, the newest of any step where none did."""
        following = [r for r in self.monitoring if "psi" in r.series]
        return next(reversed(following or self.monitoring), None)

    @property
    def beside(self) -> list[Recorded]:
        """Other steps' runs that have watched the version in the period of `watched`."""
        now = self.watched
        return [r for r in self.monitoring if now and r is not now and r.record.period == now.record.period]

    @property
    def last_word(self) -> Recorded | None:
        """The worst of the newest period's runs that have watched the version, as the inventory has it."""
        newest = max((ends(r.record.period) for r in self.monitoring), default=None)
        those = [r for r in self.monitoring if ends(r.record.period) == newest]
        return min(those, key=lambda r: Verdict(r.record.verdict).rank, default=None)

    @property
    def study(self) -> str:
        """The study the model belongs to."""
        return self.registered.model.partition(".")[0]

    @property
    def short(self) -> str:
        """The model's name within its study."""
        return self.registered.model.partition(".")[2]

    @cached_property
    def standing(self) -> Standing:
        """Where the version stands."""
        return replay(self.chain).of(self.registered.model, self.registered.version)

    @cached_property
    def entry(self) -> Entry:
        """Its entry of the inventory."""
        key = (self.registered.model, self.registered.version)
        return next(e for e in inventory.listing() if (e.model, e.version) == key)

    @cached_property
    def moves(self) -> list[Event]:
        """The chain's events of the version, oldest first."""
        return self.chain.of(self.registered.model, self.registered.version)

    @cached_property
    def adopted(self) -> Adopted | None:
        """The policy in force."""
        return events.adopted(self.chain.policy())

    @cached_property
    def files(self) -> dict[str, str]:
        """The version's files with their digests, as they are now."""
        return registered.files(self.registered)

    @cached_property
    def model(self) -> Mapping[str, Any]:
        """What the run that registered it says of the version: digest, kind, folder; nothing where it says nothing."""
        made = self.development.record.models.values() if self.development else ()
        key = (self.registered.model, self.registered.version)
        return next((e for e in made if (e["name"], e["version"]) == key), {})

    @cached_property
    def chapters(self) -> Chapters:
        """What people have written: as it was when the version was submitted and approved, else as it is now."""
        return written.signed(self.registered.model, self.moves)

    @cached_property
    def rewritten(self) -> list[str]:
        """The sections whose file says otherwise now than when the version was submitted or approved."""
        now, then = written.load(self.registered.model), self.chapters
        return [s for s in written.SIGNED if getattr(now, s) != getattr(then, s)]

    @cached_property
    def tested(self) -> list[Tested]:
        """Every claim of the chapters, held against what the version's runs have logged."""
        figures = claims.logged(self.development and self.development.record, self.battery and self.battery.record)
        for run in self.monitoring:
            watched = claims.monthly(run.series, run.record.run_id, {})
            figures = {**figures, **watched}
        return claims.tested(claims.of(self.chapters, written.place(self.registered.model)), figures)

    @cached_property
    def contract(self) -> Contract | None:
        """The contract of the panel it was learnt from."""
        tables = (t for r in self.upstream.values() for n, t in r.record.tables.items() if n.startswith("mart__"))
        content = next((t["contract"] for t in tables if t.get("contract")), None)
        return Contract.model_validate(content) if content else None

    def step(self, name: str) -> Recorded | None:
        """Return the run upstream of a step (`panel/build`), whatever its instance is called."""
        return next((r for s, r in self.upstream.items() if s.partition("@")[0] == name), None)

    @property
    def runs(self) -> list[Recorded]:
        """Every run the documents are made from, in the order of the work."""
        those = [*reversed(self.upstream.values()), self.development, self.battery, *self.monitoring]
        return [r for r in those if r is not None]


def gather(model: str, version: str) -> Dossier:
    """Return all that is recorded of a version; `UserError` where it isn't registered, or a run was altered."""
    r = registered.one(model, version)
    record = r.record
    development = recorded.of(record) if record else None
    battery = request.battery(r)
    return Dossier(
        registered=r,
        chain=events.read(),
        development=development,
        battery=recorded.of(battery) if battery else None,
        upstream=_upstream(development) if development else {},
        monitoring=tuple(_watching(r, record) if record else ()),
        attempts=tuple(attempts.of_step(record.study, record.step) if record else ()),
    )


def _upstream(run: Recorded) -> dict[str, Recorded]:
    """Return the runs that made the tables a run has read, and those before them, nearest first."""
    out: dict[str, Recorded] = {}
    waiting = [run]
    while waiting:
        read = waiting.pop(0).read
        for record, _ in makers.of(run.record.study, read).values():
            if record.step not in out and record.step != run.record.step:
                out[record.step] = recorded.of(record)
                waiting.append(out[record.step])
    return out


def _watching(r: Registered, record: Record) -> Iterator[Recorded]:
    """Yield the current runs of monitoring that have read this very version's file, oldest period first."""
    name, digest = next(
        ((n, e["digest"]) for n, e in record.models.items() if (e["name"], e["version"]) == (r.model, r.version)),
        ("", ""),
    )
    those = [x for x in everything(study=record.study) if x.step.startswith("monitoring/")]
    for run in map(recorded.of, sorted(those, key=lambda x: x.recency)):
        if name and run.read.get(name) == digest:
            yield run


def must_be_readable(d: Dossier) -> None:
    """Raise `UserError` where nothing but the version's name is there to make a document from."""
    if d.development is None:
        raise UserError(f"{d.registered.name}: the run that registered it left no record; run the study again")


def files_digest(d: Dossier) -> str:
    """Return the digest over all files of the version as they are now; empty where they are gone."""
    return registered.digest(d.files) if d.files else ""


def folder(d: Dossier) -> Path:
    """Return where the version's files lie."""
    return registered.folder(d.registered)


def readers(d: Dossier) -> list[Record]:
    """Return the current runs of the study that read the model."""
    name = tables.of_model(d.short)
    return [r for r in everything(study=d.study) if name in {n.lstrip("?") for n in r.reads}]


def window(given: Mapping[str, Any]) -> str:
    """Return the as-of dates of a panel, first and last; empty where its rows have none."""
    ends_ = [str(given[n]) for n in ("as_of_from", "as_of_to") if given.get(n)]
    return " – ".join(dict.fromkeys(ends_))


def definition(d: Dossier) -> Text | str:
    """Return what happens to a row that counts, and within how many months."""
    outcome = d.contract.outcome if d.contract else None
    if outcome is None:
        return ""
    given = excerpts.parameters(d.step("panel/build")).get("outcome") or {}
    what = str(given.get("event") or outcome.name)
    if not outcome.window_months:
        return say("{what}, as the source has it", what=what)
    return say("{what}, within {months: months}", what=what, months=outcome.window_months)


def champion(d: Dossier) -> str:
    """Return the version that decides; empty where none does."""
    deciding = replay(d.chain).champion(d.registered.model)
    return f"{deciding.model}/{deciding.version}" if deciding else ""


def model_file(d: Dossier) -> dict[str, Any]:
    """Return the model's own file; nothing where it is gone, or is not the one that was registered."""
    file = registered.model_file(d.registered)
    if not file.exists() or digest_file(file) != d.model.get("digest"):
        return {}
    return json.loads(file.read_text(encoding="utf-8"))


def plan(d: Dossier) -> Text | str:
    """Return the plan that was signed before the results; empty where none was."""
    if not d.standing.plan:
        return ""
    return say("{moment}, event {event}", moment=moment(d.standing.planned), event=d.standing.plan)


def deviations(d: Dossier) -> str:
    """Return what the battery did otherwise than the signed plan says; empty where it kept to it, or none is signed."""
    signed = next((e for e in d.moves if e.seq == d.standing.plan and d.standing.plan), None)
    content = (events.evidence(signed) or {}).get("plan", {}) if signed else {}
    return "; ".join(plans.deviations(content, d.battery.record)) if content and d.battery else ""


def moment(at: str) -> str:
    """Return a moment of the chain as a table shows it.

    >>> moment("2026-11-27T23:04:19Z")
    '2026-11-27 23:04:19 UTC'
    """
    return at.replace("T", " ").replace("Z", " UTC")
