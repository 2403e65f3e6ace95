"""What a version's record says of how it was made, and its inputs laid out as its run found them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench import home, tables
from workbench.evidence import LEFT_BEHIND, digest_file
from workbench.params import Key, UserError
from workbench.registry import makers, provenance, recorded, runs
from workbench.registry.current import Record
from workbench.registry.registered import Registered
from workbench.runs.differences import Difference


@dataclass(frozen=True)
class Original:
    """What a version's record says of how it was made.

    `read`: digests of tables and models by name; `inputs`: the run that left each of them, what its name pointed to.
    """

    registered: Registered
    record: Record
    facts: Mapping[str, str]
    values: Mapping[str, Any]
    read: Mapping[str, str]
    inputs: Mapping[str, tuple[Record, Mapping[str, Any]]]

    @property
    def step(self) -> str:
        """The step's name without its instance."""
        return self.record.step.partition("@")[0]

    @property
    def commit(self) -> str:
        """The commit (40 hex digits) of the run's code."""
        return self.facts[provenance.COMMIT]

    @property
    def packages(self) -> list[str]:
        """Python, platform and the packages it ran with, each with its version."""
        return recorded.artifact(self.record, provenance.PACKAGES).read_text(encoding="utf-8").splitlines()


def of(r: Registered) -> Original:
    """Return what the record says, or raise `UserError` with all that it lacks."""
    if r.record is None:
        raise UserError(f"{r.name} can't be made again: the run that registered it left no record")
    return _of_record(r, r.record, r.name)


def behind(o: Original) -> list[Record]:
    """Return the runs that made the tables it read, and those that made theirs: the first first."""
    out: dict[str, Record] = {}
    for name, (record, _) in o.inputs.items():
        if not name.startswith(tables.MODEL) and record.run_id not in out:
            read = _read(record)
            earlier = replace(o, record=record, read=read, inputs=makers.of(record.study, read))
            out |= {r.run_id: r for r in behind(earlier)} | {record.run_id: record}
    return list(out.values())


def of_step(o: Original, record: Record) -> Original:
    """Return what the record of a run behind a version says, or raise `UserError` with all that it lacks."""
    return _of_record(o.registered, record, record.step)


def _of_record(r: Registered, record: Record, name_: str) -> Original:
    facts, lacks = runs.params(record.run_id), []
    commit = facts.get(provenance.COMMIT, "")
    if not provenance.is_clean(commit):
        lacks.append(f"a commit that holds its code (it has: {commit or 'none'}; commit, and run it again)")
    for name in ("params.json", provenance.PACKAGES, f"evidence/{LEFT_BEHIND}"):
        if name not in record.files or not recorded.artifact(record, name).exists():
            lacks.append(name)
    read = _read(record) if f"evidence/{LEFT_BEHIND}" not in lacks else {}
    if others := [n for n in read if recorded.is_name(n)]:
        lacks.append(f"what stands behind {others[0]}: only tables and models are laid out again")
    if lacks:
        raise UserError(f"{name_} can't be made again: its record lacks {'; '.join(lacks)}")
    values = json.loads(recorded.artifact(record, "params.json").read_text(encoding="utf-8"))
    return Original(r, record, facts, values, read, makers.of(record.study, read))


def _read(record: Record) -> dict[str, str]:
    """Return what a run read of others: a step may look again at what it has just written."""
    read = recorded.left_behind(record)["tables"]["read"]
    return {name: digest for name, digest in read.items() if name not in record.tables}


def lost(o: Original, remade: Mapping[str, Path]) -> list[Difference]:
    """Return the inputs that are no longer at rest with the digest the run read.

    remade: tables made again from the raw files, by digest: one of them stands for a file that is gone, and not for one
    that was changed.
    """
    out = []
    for name, digest in o.read.items():
        record, entry = o.inputs.get(name, (None, {}))
        if record is None:
            out.append(Difference("data", name, digest[:16], "no run of the study has left it"))
        elif name.startswith(tables.MODEL):
            file = home.mlruns() / entry["folder"] / "artifacts" / "model.json"
            if not file.exists() or digest_file(file) != digest:
                out.append(Difference("data", name, digest[:16], "its file was changed or lost"))
        elif digest in remade and not tables.at_rest(record.key, name, digest).exists():
            continue
        elif not tables.stands(record.key, name, digest):
            out.append(Difference("data", name, digest[:16], "its file was changed or lost"))
    return out


def lay_out(o: Original, tree: Path, remade: Mapping[str, Path]) -> None:
    """Lay the tables and models that the run read into the commit's own `mlruns/`, under their names; once or more."""
    key = Key(o.record.study, o.record.period)
    for name, (record, entry) in o.inputs.items():
        pointer = tree / "mlruns" / "tables" / key.place / f"{name}.json"
        home.put(pointer, json.dumps(entry).encode())
        if name.startswith(tables.MODEL):
            shutil.copytree(home.mlruns() / entry["folder"], tree / "mlruns" / entry["folder"], dirs_exist_ok=True)
        else:
            file = pointer.with_suffix("") / f"{entry['digest'][:16]}.parquet"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.unlink(missing_ok=True)
            there = tables.at_rest(record.key, name, entry["digest"])
            file.symlink_to(there if there.exists() else remade[entry["digest"]])
