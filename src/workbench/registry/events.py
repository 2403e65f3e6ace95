"""The chain: every move of a version is a run of its own in MLflow, signed by a person, bound to the one before.

Parameters of a run are write-once in MLflow, so a run's parameters are the fact; tags and aliases are made from them.
Tamper-evident, not tamper-proof: who holds the store, every key and every anchor can write another history.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from workbench import home
from workbench.params import UserError, canonical
from workbench.registry import guarded, looking, runs, signatures, store
from workbench.registry.policy import Adopted

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

EXPERIMENT = "governance/events"  # no study can be called so
EVIDENCE = "evidence.json"
FIRST = "0" * 64  # what the first event names as the one before
PARAM_LENGTH = 6000  # MLflow cuts longer parameters without a word
WAIT_SECONDS = 60
POLICY = "policy"  # the verb by which a policy is adopted
SUBMIT = "submit"  # the verb by which a version is put forward
_NAMES = {"source": "from", "target": "to"}  # fields whose parameters are Python's words


@dataclass(frozen=True)
class Event:
    """One move. Digests are SHA-256 (hex): `prev` of the event before, `files` over all files of the served model.

    `at`: UTC, to the second. `detail`: JSON with what else the person said (reason, conditions, last day, a finding's
    owner) and what the move brought with it (champion it replaces, approvals still missing).
    """

    seq: int
    prev: str
    verb: str
    model: str
    version: str
    files: str
    source: str
    target: str
    person: str
    role: str
    evidence: str
    policy: str
    at: str
    detail: str = "{}"
    signature: str = ""
    run_id: str = field(default="", compare=False)
    stage: str = field(default="active", compare=False)
    user: str = field(default="", compare=False)

    @property
    def content(self) -> dict[str, str]:
        """What is signed: every parameter but the signature."""
        names = [n for n in self.__dataclass_fields__ if n not in ("signature", "run_id", "stage", "user")]
        return {_NAMES.get(n, n): str(getattr(self, n)) for n in names}

    @property
    def params(self) -> dict[str, str]:
        """What its run holds: the content and the signature."""
        return {**self.content, "signature": self.signature}

    @property
    def digest(self) -> str:
        """SHA-256 of the content (hex): what the next event names as `prev`, and what is signed."""
        return hashlib.sha256(canonical(self.content)).hexdigest()

    @property
    def details(self) -> dict[str, Any]:
        """The detail, read; nothing where it was made unreadable."""
        try:
            read = json.loads(self.detail)
        except ValueError:
            return {}
        return read if isinstance(read, dict) else {}


@dataclass(frozen=True)
class Chain:
    """All events in order of their numbers, as the store shows them."""

    events: tuple[Event, ...] = ()

    @property
    def head(self) -> str:
        """The chain's head, `n:hash`; `0:` and zeros where nothing has happened."""
        return f"{self.events[-1].seq}:{self.events[-1].digest}" if self.events else f"0:{FIRST}"

    def of(self, model: str, version: str = "") -> list[Event]:
        """Return the moves of a model, or of one of its versions."""
        return [e for e in self.events if e.model == model and version in ("", e.version)]

    def before(self, event: Event) -> Chain:
        """Return the chain as it was before an event."""
        return Chain(tuple(e for e in self.events if e.seq < event.seq))

    def submitted(self, model: str, version: str) -> Event | None:
        """Return the event that put a version forward, the last one; None where nobody has."""
        return next((e for e in reversed(self.of(model, version)) if e.verb == SUBMIT), None)

    def policy(self, seq: int | None = None) -> Event | None:
        """Return the event that adopted the policy in force (at an event's number; None: now), if any."""
        adopted = [e for e in self.events if e.verb == POLICY and (seq is None or e.seq < seq)]
        return adopted[-1] if adopted else None

    def digest_of(self, study: str) -> str:
        """Return the digest over what was done with a study's models, and which policy holds; '' where nothing was."""
        theirs = [e.digest for e in self.events if e.verb == POLICY or e.model.startswith(f"{study}.")]
        return hashlib.sha256(canonical(theirs)).hexdigest() if theirs else ""

    def until(self, day: str) -> Chain:
        """Return the chain as it was at the end of a day (`YYYY-MM-DD`, UTC)."""
        return Chain(tuple(e for e in self.events if e.at[:10] <= day))


def read() -> Chain:
    """Return the chain; empty where no event was ever written. Deleted runs are read, too, and marked."""
    rows = store.ask(
        "SELECT r.run_uuid, r.lifecycle_stage, p.key, p.value FROM params p JOIN runs r USING (run_uuid)"
        " JOIN experiments e USING (experiment_id) WHERE e.name = ?",
        EXPERIMENT,
    )
    if rows is None:
        return _ordered(_from_server())
    by_run: dict[str, dict[str, str]] = {}
    for run_id, stage, key, value in rows:
        by_run.setdefault(run_id, {"run_id": run_id, "stage": stage})[key] = value
    users = "SELECT t.run_uuid, t.value FROM tags t WHERE t.key = 'mlflow.user'"
    for run_id, user in store.ask(users) or []:
        if run_id in by_run:
            by_run[run_id]["user"] = user
    return _ordered(list(by_run.values()))


def _from_server() -> list[dict[str, str]]:
    out = []
    for r in store.runs(EXPERIMENT, deleted=True):
        user = r.data.tags.get("mlflow.user", "")
        out.append({**r.data.params, "run_id": r.info.run_id, "stage": r.info.lifecycle_stage, "user": user})
    return out


def _ordered(written: list[Mapping[str, str]]) -> Chain:
    events = [e for e in map(from_params, written) if e is not None]
    return Chain(tuple(sorted(events, key=lambda e: (e.seq, e.at, e.run_id))))


def from_params(params: Mapping[str, str]) -> Event | None:
    """Return the event that parameters of a run hold; None where it isn't whole (its writer was killed before)."""
    names = [n for n in Event.__dataclass_fields__ if n not in ("run_id", "stage", "user")]
    if not all(_NAMES.get(n, n) in params for n in names) or not params["seq"].isdecimal():
        return None
    facts: dict[str, Any] = {n: params[_NAMES.get(n, n)] for n in names}
    more = {n: params.get(n, "") for n in ("run_id", "stage", "user")}
    return Event(**{**facts, "seq": int(facts["seq"])}, **more)


@contextmanager
def writing() -> Iterator[Chain]:
    """Be the only one who writes an event, waiting up to a minute, and have the chain as it is then.

    A guarded server sees to that itself: of two who write at once it tells one that it was overtaken.
    """
    store.client()
    if guarded.prevents():
        yield read()
        return
    begun = time.monotonic()
    while True:
        with home.locked("governance-events") as mine:
            if mine:
                yield read()
                return
        if time.monotonic() - begun > WAIT_SECONDS:
            raise UserError("governance: another move is being written for a minute; try again when it has ended")
        time.sleep(0.05)


def append(chain: Chain, event: Event, evidence: Mapping[str, Any], key: Ed25519PrivateKey) -> Event:
    """Write an event behind a chain, signed; call it within `writing()`. Its number, time and digests are set here.

    The run's parameters are written at once and last: a writer that is killed before has written nothing that counts.
    A guarded server writes it itself, or refuses it; `guarded.Overtaken` where another was faster.
    """
    previous = chain.events[-1] if chain.events else None
    signed = replace(
        event,
        seq=previous.seq + 1 if previous else 1,
        prev=previous.digest if previous else FIRST,
        at=max(now(), previous.at) if previous else now(),  # clocks of two machines differ
        evidence=digest(evidence),
    )
    signed = replace(signed, signature=signatures.sign(key, signed.digest.encode()))
    for name, value in signed.params.items():
        if len(value) > PARAM_LENGTH:
            raise UserError(
                f"{event.verb}: {name} is {len(value):,} characters long, of which MLflow keeps 6,000; shorten it"
            )
    if guarded.prevents():
        return replace(signed, run_id=guarded.send(signed.params, evidence))
    signed = replace(signed, run_id=prepared(signed, evidence))
    seal(signed)
    return signed


def prepared(event: Event, evidence: Mapping[str, Any]) -> str:
    """Return a new run with an event's evidence, which counts as no event before it is sealed."""
    c = store.client()
    name = f"{event.seq} {event.verb} {event.model} {event.version}".strip()
    tags = {"mlflow.user": event.person, "governance": event.verb}
    run = c.create_run(store.experiment(EXPERIMENT), run_name=name, tags=tags)
    c.log_text(run.info.run_id, canonical(evidence).decode(), EVIDENCE)
    return str(run.info.run_id)


def seal(event: Event) -> None:
    """Write an event's parameters into its run: from here on it counts."""
    from mlflow.entities import Param

    store.client().log_batch(event.run_id, params=[Param(k, v) for k, v in event.params.items()])
    store.client().set_terminated(event.run_id, "FINISHED")


def discard(run_id: str) -> None:
    """End a prepared run that is to become no event."""
    store.client().set_terminated(run_id, "KILLED")
    store.client().delete_run(run_id)


def now() -> str:
    """Return this moment in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def digest(evidence: Mapping[str, Any]) -> str:
    """Return the SHA-256 of evidence (hex)."""
    return hashlib.sha256(canonical(evidence)).hexdigest()


def evidence(event: Event) -> dict[str, Any] | None:
    """Return the evidence an event was made on, None where it is gone or isn't what the event names."""
    return looking.answer(lambda: _evidence(event), "evidence", event.run_id, event.evidence)


def _evidence(event: Event) -> dict[str, Any] | None:
    try:
        content = json.loads(runs.fetch(event.run_id, EVIDENCE).read_bytes())
    except Exception:  # noqa: BLE001 - whatever the artifact store raises: evidence that can't be read isn't there
        return None
    return content if isinstance(content, dict) and digest(content) == event.evidence else None


def adopted(event: Event | None) -> Adopted | None:
    """Return the policy that an event adopted; None where there is no such event, or its policy was altered."""
    content = evidence(event) if event else None
    try:
        return Adopted.from_json(content) if content else None
    except (ValidationError, KeyError, TypeError):
        return None
