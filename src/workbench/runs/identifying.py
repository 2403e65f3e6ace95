"""A list by pseudonym joined back to the source's identifiers, for whom the policy allows it; on record first."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from workbench import home, tables
from workbench.customers.lists import PREFIX
from workbench.evidence import table as cells
from workbench.params import ONCE, Key, UserError, months_of, nearest, shown
from workbench.registry import current, on_data
from workbench.runs import listed, people, there

ACCOUNTS = "core__account"


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
    no such study, list or period of it, somebody on it who has opted out since, and pseudonyms that the source doesn't
    know. Identifiers that are no personal data are no pseudonyms: they are written as they stand.
    """
    _study_is_there(asked.key)
    on_data.must_be_allowed("identify", asked.person, asked.private)
    _usable(asked)
    name = asked.table if asked.table.startswith(PREFIX) else f"{PREFIX}{asked.table}"
    _of_its_period(asked.key, name)
    rows = tables.read(asked.key, name)
    if n := listed.opted_out_of(rows["entity_id"], asked.key, name):
        raise UserError(
            f"identify: {n} on {name} opted out of being approached; `{asked.key.command}` makes the list anew"
        )
    known = _as_they_stand(set(rows["entity_id"]), asked.key)
    if pseudonymous := set(rows["entity_id"]) - set(known):
        known |= people.identifiers(pseudonymous, asked.key)
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


def _study_is_there(key: Key) -> None:
    if not (home.root() / "params" / f"{key.study}.yaml").is_file():
        known = [path.stem for path in there.studies()]
        hint = nearest(key.study, known) if known else "params/ has no study"
        raise UserError(f"identify: study {shown(key.study)} is not there; {hint}")
    if key.period != ONCE:
        months_of(key.period)


def _as_they_stand(entities: set[str], key: Key) -> dict[str, str]:
    """Return, each as itself, those that are accounts of a study whose accounts' key is no personal data."""
    if not tables.pinned(key, ACCOUNTS) or tables.contract(key, ACCOUNTS)["entity_id"].personal:
        return {}
    return {e: e for e in entities.intersection(tables.read(key, ACCOUNTS, ["entity_id"])["entity_id"])}


def _of_its_period(key: Key, name: str) -> None:
    """Raise `UserError` where a list is asked of a period of which it isn't: it would be read of the whole study."""
    if key.period != ONCE and not tables.pinned_in(key, name) and tables.pinned(key, name):
        raise UserError(f"identify: {name} of {key.study} is made once and of no period; leave --period out")


def _usable(asked: Asked) -> None:
    if not asked.purpose.strip():
        raise UserError("identify: --purpose is empty; say in words what the names are for")
    if asked.out.resolve().is_relative_to(home.root().resolve()):
        raise UserError(f"identify: {asked.out.name} would lie in the workbench's folder; name a place outside: --out")
    if asked.out.exists():
        raise UserError(f"identify: {asked.out.name} is there already; name another file: --out")
    if not asked.out.parent.is_dir():
        raise UserError(f"identify: the folder of {asked.out.name} is not there; make it first")
