"""A list by pseudonym joined back to the source's identifiers, for whom the policy allows it; on record first."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from workbench import home, tables
from workbench.customers.lists import PREFIX
from workbench.evidence import table as cells
from workbench.params import Key, UserError
from workbench.registry import current, on_data
from workbench.runs import listed, people


@dataclass(frozen=True)
class Asked:
    """Which list, of which period, what for, by whom, and where it is to lie."""

    key: Key
    table: str
    purpose: str
    person: str
    out: Path
    private: Path | None = None


@dataclass(frozen=True)
class Given:
    """What was given: rows, the chain's head, and the light of the page that made the list (empty: no step did)."""

    rows: int
    head: str
    light: str


def write(asked: Asked) -> Given:
    """Write the identified list (CSV, mode 0600, no cell a formula) and return what was given.

    Raises `UserError` for a person without the role, an empty purpose, a place within the workbench's folder or in use,
    no such list, somebody on it who has opted out since, and pseudonyms that the source doesn't know.
    """
    on_data.must_be_allowed("identify", asked.person, asked.private)
    _usable(asked)
    name = asked.table if asked.table.startswith(PREFIX) else f"{PREFIX}{asked.table}"
    rows = tables.read(asked.key, name)
    if n := listed.opted_out_of(rows["entity_id"], asked.key, name):
        raise UserError(
            f"identify: {n} on {name} opted out of being approached; `{asked.key.command}` makes the list anew"
        )
    known = people.identifiers(set(rows["entity_id"]), asked.key)
    if unknown := len(set(rows["entity_id"]) - set(known)):
        raise UserError(
            f"identify: {unknown} of {len(rows)} rows of {name} aren't in the source of {asked.key.study} any more; "
            f"`{asked.key.command}` makes the list anew"
        )
    rows.insert(0, "identifier", rows["entity_id"].map(known))
    entry = tables.pinned(asked.key, name) or {}
    detail = {"study": asked.key.study, "period": asked.key.period, "list": name, "rows": len(rows)}
    made_by = (r for r in current.everything(study=asked.key.study) if r.key == asked.key and name in r.tables)
    light = next((r.verdict for r in made_by), "")
    detail |= {"purpose": asked.purpose, "table": entry.get("digest", ""), "light": light}
    event = on_data.record("identify", asked.person, detail, detail, asked.private)
    handle = os.open(asked.out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.close(handle)
    cells.to_csv(rows.drop(columns="entity_id"), asked.out)
    return Given(len(rows), f"{event.seq}:{event.digest}", light)


def _usable(asked: Asked) -> None:
    if not asked.purpose.strip():
        raise UserError("identify: --purpose is empty; say in words what the names are for")
    if asked.out.resolve().is_relative_to(home.root().resolve()):
        raise UserError(f"identify: {asked.out.name} would lie in the workbench's folder; name a place outside: --out")
    if asked.out.exists():
        raise UserError(f"identify: {asked.out.name} is there already; name another file: --out")
    if not asked.out.parent.is_dir():
        raise UserError(f"identify: the folder of {asked.out.name} is not there; make it first")
