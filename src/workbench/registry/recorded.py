"""What the current runs of a study have left, as another step reads it: each step's record, and its evidence.

A step asks for it by name in its `reads`: `evidence:STEP` is the current run of a step of the study, `evidence:*`
that of every other step, `judged:TABLE` those of the step that makes a table of scores, and of the validations and
monitoring of its model, and which versions may not be used (the runner writes these out), `previous:STEP` and
`previous:*` those of the period before, `life_cycle` the moves of the study's models, and `barred` its models' versions
that were rejected or retired.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench import evidence, home
from workbench.evidence import LEFT_BEHIND, Evidence, digest_file
from workbench.params import ONCE, Key, UserError, before, canonical, ends
from workbench.registry import current
from workbench.registry.current import Record

EVIDENCE, PREVIOUS, LIFE_CYCLE, BARRED, ALL = "evidence:", "previous:", "life_cycle", "barred", "*"
OF_MOVES = (LIFE_CYCLE, BARRED)  # names of what moves of the life cycle change
JUDGED = "judged"  # kind of name, and key of the answer that is made of what it gives
READS = "WORKBENCH_STEP_READS"  # set by the runner: names of what the step reads, one a line


@dataclass(frozen=True)
class Recorded:
    """A run and what it left: its evidence by key, and the figures by period it logged.

    `read`: the tables and models it has read with their digests.
    """

    record: Record
    evidence: Mapping[str, Evidence]
    series: Mapping[str, Mapping[str, float]]
    names: Mapping[str, str]
    units: Mapping[str, str]
    read: Mapping[str, str] = field(default_factory=dict)

    @property
    def watched(self) -> str:
        """The period that a run of monitoring speaks of (`last_watched`)."""
        return last_watched(self.record.period, self.series)

    @property
    def room(self) -> str:
        """The room of the step: `monitoring` of `monitoring/through_time`."""
        return self.record.step.partition("/")[0]

    def file(self, name: str) -> Path:
        """Return where a file lies that the run has left; `UserError` where it is not as it was left."""
        return _whole(self.record, name)

    def rows(self, key: str) -> list[dict[str, str]]:
        """Return the rows of an answer's table, as they were written for spreadsheets; none where it has no table."""
        name = f"evidence/{key}.csv"
        if name not in self.record.files:
            return []
        with _whole(self.record, name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


def last_watched(period: str, series: Mapping[str, Mapping[str, float]]) -> str:
    """Return the period a run of monitoring speaks of: its own; without one the last that its figures are of.

    Empty where its figures are of none.

    >>> last_watched("once", {"psi": {"2023-Q4": 0.1, "2023-12": 0.1, "2023-Q3": 0.2}}), last_watched("2018", {})
    ('2023-Q4', '2018')
    """
    if period != ONCE:
        return period
    return max({p for values in series.values() for p in values}, key=ends, default="")


def is_name(name: str) -> bool:
    """Say whether a name in a step's `reads` is of this kind rather than of a table or a model."""
    return name.startswith((EVIDENCE, PREVIOUS)) or name in OF_MOVES


def find(key: Key, name: str) -> Record | None:
    """Return the record behind a name: the step's current run in the period, else of the study (`previous:`: no else).

    None where there is none: never run, or no period before.
    """
    step = name.partition(":")[2]
    if name.startswith(PREVIOUS):
        earlier = before(key.period)
        return current.read(Key(key.study, earlier), _slug(step)) if earlier else None
    places = dict.fromkeys((key, Key(key.study, ONCE)))
    return next((r for k in places if (r := current.read(k, _slug(step)))), None)


def digest(key: Key, name: str) -> str:
    """Return the digest of what a name stands for, as it is now; empty where there is nothing."""
    if name == LIFE_CYCLE:
        from workbench.registry import events

        return events.read().digest_of(key.study)
    if name == BARRED:
        from workbench.registry import state

        barred = state.barred().values()
        versions = sorted((s.model, s.version, s.state) for s in barred if s.model.startswith(f"{key.study}."))
        return hashlib.sha256(canonical(versions)).hexdigest() if versions else ""
    record = find(key, name)
    return record.digest if record else ""


def read(key: Key, kind: str = EVIDENCE, room: str = "") -> dict[str, Recorded]:
    """Return what the steps of a kind (`evidence:`, `previous:`) have left that this step declares, by step.

    `room`: of that room alone.

    By hand, where no runner says what the step declares: all there is. `UserError` where a file was changed since.
    """
    out = {}
    for name in _declared(key, kind):
        if name.startswith(kind + room) and (record := find(key, name)) is not None:
            out[record.step] = of(record)
            evidence.touch("read", name, record.digest)
    return out


def of(record: Record) -> Recorded:
    """Return what a run has left; `UserError` where that is not what its record says."""
    _whole(record, f"evidence/{LEFT_BEHIND}")
    content = left_behind(record)
    answers = [Evidence.from_record(e) for e in content["evidence"]]
    series, names, units = (content.get(name, {}) for name in ("series", "names", "units"))
    read_ = content.get("tables", {}).get("read", {})
    return Recorded(record, {e.key: e for e in answers}, series, names, units, read_)


def _whole(record: Record, name: str) -> Path:
    """Return a file that a run has left, held against its digest."""
    path = artifact(record, name)
    if not path.exists() or digest_file(path) != record.files[name]:
        raise UserError(
            f"{record.step} of {record.key}: {name} was changed or lost; `{record.key.command} --step {record.step}` "
            "makes it again"
        )
    return path


def left_behind(record: Record) -> dict[str, Any]:
    """Return what a run has left behind, as it lies there (`evidence.json`)."""
    return json.loads(artifact(record, f"evidence/{LEFT_BEHIND}").read_text(encoding="utf-8"))


def tables_read(record: Record) -> dict[str, str]:
    """Return the tables and models that a run has read with their digests; none where what it left is lost."""
    try:
        return dict(left_behind(record)["tables"]["read"])
    except (OSError, ValueError, KeyError):
        return {}


def watched_by(record: Record) -> str:
    """Return the period that a run of monitoring speaks of (`last_watched`); empty where what it left isn't here."""
    if record.period != ONCE or not record.folder:
        return last_watched(record.period, {})
    try:
        return last_watched(record.period, left_behind(record)["series"])
    except (OSError, ValueError, KeyError):
        return ""


def artifact(record: Record, name: str) -> Path:
    """Return a local path of a file that a run has left."""
    if record.folder:
        return home.mlruns() / record.folder / name
    from workbench.registry import runs

    return runs.fetch(record.run_id, name)


def _declared(key: Key, kind: str) -> Iterable[str]:
    given = os.environ.get(READS)
    if given is not None:
        return [name for name in given.split("\n") if name.startswith(kind)]
    steps = {r.step for r in current.everything(study=key.study) if r.period in (key.period, ONCE, before(key.period))}
    return [f"{kind}{step}" for step in sorted(steps)]


def _slug(step: str) -> str:
    return step.replace("@", "-")
