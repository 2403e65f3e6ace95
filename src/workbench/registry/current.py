"""Which run of a step is current: one small file per study, period and step, read without opening MLflow."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter

from workbench import home
from workbench.params import Key, UserError, ends

CURRENT, FAILED, SETTLING = ".json", ".failed", ".settling"
_held: set[str] = set()


@dataclass(frozen=True)
class Record:
    """What a run came to, and everything that must still be there for the run to count.

    `tables`, `models`: what the names it wrote point to. `tags`: what it says of model versions it has read, by name.
    `facts`: digest of the run's parameters. `files`: digests of its artifacts. `pages`: artifact → its place below
    `reports/`. `folder`: its artifacts below `mlruns/`, empty where they lie on a server. `start`: seconds since 1970.
    `language`: that of its study; empty where it isn't known. `inputs`: digests of what it has read, by name.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    study: str
    period: str
    step: str
    slug: str
    run_id: str
    step_key: str
    status: str
    verdict: str
    headline: str
    start: float
    seconds: float
    title: str = ""
    owner: str = ""
    simulated: bool = False
    link: str = ""
    folder: str = ""
    facts: str = ""
    reads: tuple[str, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tags: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    pages: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    language: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 of the record (hex); the run holds it among its parameters, which MLflow writes once."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @property
    def recency(self) -> tuple[tuple[str, int], float]:
        """What runs are ordered by, the newest last: the period's end, then when they began."""
        return ends(self.period), self.start

    @property
    def key(self) -> Key:
        """Study and period."""
        return Key(self.study, self.period)

    def to_json(self) -> str:
        """Return the record as JSON, as it once was written: without what later came to be noted where it has none."""
        content = dataclasses.asdict(self)
        for name in ("description", "language", "inputs"):
            if not content[name]:
                del content[name]
        return json.dumps(content, indent=1, ensure_ascii=False)


_RECORD = TypeAdapter(Record)


def from_json(text: str | bytes) -> Record | None:
    """Return the record a text holds, None where it holds none (a damaged file counts as no record)."""
    try:
        return _RECORD.validate_json(text)
    except ValueError:
        return None


def read(key: Key, slug: str, kind: str = CURRENT) -> Record | None:
    """Return a step's current run (or its last failed one, or the one being settled), None where there is none."""
    path = _place(key, slug, kind)
    return from_json(path.read_bytes()) if path.exists() else None


def put(record: Record, kind: str = CURRENT) -> None:
    """Make a run the step's current one (or its last failed one, or the one being settled)."""
    home.put(_place(record.key, record.slug, kind), record.to_json().encode())


def is_damaged(key: Key, slug: str) -> bool:
    """Say whether the file that names a step's current run is there and holds no record."""
    return _place(key, slug, CURRENT).exists() and read(key, slug) is None


def drop(key: Key, slug: str, kind: str) -> None:
    """Forget the step's last failed run, or that it was being settled."""
    _place(key, slug, kind).unlink(missing_ok=True)


def everything(kind: str = CURRENT, study: str = "*") -> list[Record]:
    """Return every step's current run (or the failed, or the unsettled ones), oldest first."""
    paths = sorted((home.mlruns() / "current").glob(f"{study}/*/*/*{kind}"))
    records = [from_json(p.read_bytes()) for p in paths if not p.name.startswith(".")]
    return sorted((r for r in records if r is not None), key=lambda r: r.start)


@contextmanager
def holding(study: str) -> Iterator[None]:
    """Be the only one who changes what belongs to a study, or raise `UserError`."""
    with home.locked(study) as mine:
        if not mine:
            raise UserError(f"study '{study}' is being run by another process; wait for it to end")
        _held.add(study)
        try:
            yield
        finally:
            _held.discard(study)


def must_hold(study: str) -> None:
    """Raise `UserError` where this process is not the study's runner: a notebook proposes, it doesn't change."""
    if study not in _held:
        raise UserError(f"only `workbench run` changes what study '{study}' says; leave tags with evidence.leave(...)")


def _place(key: Key, slug: str, kind: str) -> Path:
    return home.mlruns() / "current" / key.place / f"{slug}{kind}"
