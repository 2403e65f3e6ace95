"""What a version stands on, made again from the raw files: intake and panel, each table held against the recorded one.

Each run is made from the inputs that it read then, so that the first one that differs is where a difference arises.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import workbench
from workbench import home, tables
from workbench.evidence import digest_file
from workbench.params import UserError, canonical
from workbench.registry import proof
from workbench.registry.current import Record
from workbench.runs import again, contents, differences
from workbench.runs import original as originals
from workbench.runs.again import Bench
from workbench.runs.contents import AtRest
from workbench.runs.differences import DIFFERENT, IDENTICAL, Difference
from workbench.runs.original import Original

ALIKE = "identical but for pseudonyms, which another key has made"
RESTORED = "identical; its file is gone, and what was made again stands for it"
SAME = (IDENTICAL, RESTORED)
LOST = "made again; the recorded one isn't at rest here"
ACCOUNT = "core__account"


@dataclass(frozen=True)
class Remade:
    """A run behind a version, made again: what of each table (`tables`: name → words), or why it wasn't (`lacking`).

    `arises`: source, record, parameters, code, environment or randomness, empty where nothing differs.
    """

    step: str
    tables: Mapping[str, str] = field(default_factory=dict)
    lacking: str = ""
    arises: str = ""
    differences: tuple[Difference, ...] = ()

    def __str__(self) -> str:
        if self.lacking:
            return f"{self.step}: not made again: {self.lacking}"
        return f"{self.step}: {', '.join(f'{n} {words}' for n, words in self.tables.items()) or DIFFERENT}"

    def to_json(self) -> dict[str, Any]:
        """Return it as evidence holds it."""
        return {**vars(self), "tables": dict(self.tables), "differences": [vars(d) for d in self.differences]}


def made(o: Original, bench: Bench) -> tuple[Remade, ...]:
    """Make the runs behind a version again, the first first, up to the first that differs."""
    behind = originals.behind(o)
    accounts = next((r for r in behind if ACCOUNT in r.tables), None)
    out: list[Remade] = []
    here: dict[str, Path] = {}  # tables that were made again
    for record in behind:
        try:
            out.append(_one(originals.of_step(o, record), bench, accounts, here))
        except _NotHereError as e:
            out.append(Remade(record.step, lacking=str(e)))
        if out[-1].arises:
            break
    return tuple(out)


class _NotHereError(Exception):
    """What a run is made from isn't here."""


def _one(o: Original, bench: Bench, accounts: Record | None, here: dict[str, Path]) -> Remade:
    step = o.record.step
    if fault := proof.altered(o.record):
        return Remade(step, arises="record", differences=(Difference("record", step, "as it was left", fault),))
    digest = hashlib.sha256(canonical(o.values)).hexdigest()
    if digest != o.facts.get("params_digest"):
        differs = Difference("parameters", step, o.facts.get("params_digest", "none")[:16], digest[:16])
        return Remade(step, arises="parameters", differences=(differs,))
    if lost := originals.lost(o, bench.remade):
        raise _NotHereError(f"table {lost[0].place} isn't at rest here as it read it")
    raw = bench.place / f"raw_{o.record.slug.replace('/', '_')}"
    if changed := _sources(o, bench.tree(o), raw):
        return Remade(step, arises="source", differences=tuple(changed))
    if changed := again.code(o, bench):
        return Remade(step, arises=f"code of {step}", differences=tuple(changed))
    first = again.run(o, bench, "first", raw)
    here |= {n: first / tables.STAGED / f"{n}.parquet" for n in o.record.tables}
    compared = {n: _compared(o.record, n, first, accounts, here) for n in o.record.tables}
    bench.remade.update({o.record.tables[n]["digest"]: here[n] for n, words in compared.items() if words in SAME})
    differing = tuple(_differs(o.record, n, here[n]) for n, words in compared.items() if words == DIFFERENT)
    return Remade(step, compared, "", _cause(o, bench, first, raw) if differing else "", differing)


def _differs(record: Record, name: str, file: Path) -> Difference:
    now = digest_file(file)[:16] if file.exists() else "none"
    return Difference("table", name, record.tables[name]["digest"][:16], now)


def _cause(o: Original, bench: Bench, first: Path, raw: Path) -> str:
    """Say where it arises: other packages, else chance where two runs here differ, else what isn't recorded."""
    if again.differing_packages(o, bench):
        return f"environment of {o.record.step}"
    alike = differences.same(first, again.run(o, bench, "second", raw))
    return f"record of {o.record.step}, which holds too little" if alike else f"randomness of {o.record.step}"


def _sources(o: Original, tree: Path, raw: Path) -> list[Difference]:
    """Lay the raw files a run read into `raw`, where its commit has none of the name; return those that are others now.

    What comes with the package comes with the commit. `_NotHereError` where a file is in neither.
    """
    recorded = [o.facts[n] for n in sorted((n for n in o.facts if n.startswith("input.file.")), key=_number)]
    raw.mkdir()
    out = []
    for path, digest in zip(_files(o, len(recorded)), recorded, strict=True):
        if Path(workbench.__file__).parent in path.parents:
            continue
        inside = tree / path.relative_to(home.root()) if home.root() in path.parents else path
        file = inside if inside.exists() else path
        if (now := digest_file(file)) != digest:
            out.append(Difference("raw file", path.name, digest[:16], now[:16]))
        elif file is path and not (raw / path.name).exists():
            (raw / path.name).symlink_to(path.resolve())
    return out


def _number(name: str) -> int:
    return int(name.rpartition(".")[2])


def _files(o: Original, n: int) -> list[Path]:
    if not n:
        return []
    module = import_module(f"workbench.{o.step.replace('/', '.')}")
    try:
        files = [Path(p) for p in module.files(module.Params.checked(o.values, o.record.step))]
    except UserError as e:
        raise _NotHereError(str(e).removeprefix(f"{o.step}: ")) from None
    if len(files) != n:
        raise _NotHereError(f"it read {n} files, and would read {len(files)} now")
    return files


def _compared(record: Record, name: str, first: Path, accounts: Record | None, here: Mapping[str, Path]) -> str:
    """Return in words how a table that was made again compares with the recorded one."""
    file, entry = here[name], record.tables[name]
    if not file.exists():
        return DIFFERENT
    then = tables.at_rest(record.key, name, entry["digest"])
    if digest_file(file) == entry["digest"]:
        return IDENTICAL if then.exists() else RESTORED
    if not then.exists():
        return LOST
    rows = accounts and tables.at_rest(accounts.key, ACCOUNT, accounts.tables[ACCOUNT]["digest"])
    now = json.loads((first / tables.STAGED / f"{name}.json").read_text(encoding="utf-8"))
    alike = contents.same(AtRest(then, entry, rows or None), AtRest(file, now, here.get(ACCOUNT)))
    return ALIKE if alike else DIFFERENT
