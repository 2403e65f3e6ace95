"""Two tables held against each other by what they say: rows in any order, identifiers under any home's key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench import engine
from workbench.contracts.fields import FILE_ROW

ENTITY, PARENT = "entity_id", "parent_id"


@dataclass(frozen=True)
class AtRest:
    """A table at rest: its file, what its name points to (contract), and the accounts of the same intake, if any."""

    file: Path
    entry: Mapping[str, Any]
    accounts: Path | None = None

    @property
    def columns(self) -> list[str]:
        """The columns in order."""
        return list(engine.columns(self.file))

    @property
    def identifiers(self) -> set[str]:
        """The columns that hold pseudonyms, or what is made of them."""
        words = (self.entry.get("contract") or {}).get("columns", [])
        named = {c["name"] for c in words if c.get("personal") and c["role"] in ("key", "parent")}
        return {ENTITY, PARENT, *named} & set(self.columns)


def same(then: AtRest, now: AtRest) -> bool:
    """Say whether two tables hold the same rows, where an identifier is the place in the raw file of whom it names."""
    if then.columns != now.columns:
        return False
    first, second = (_placed(table, side) for table, side in ((then, "then"), (now, "now")))
    text = f"(({first}) EXCEPT ALL ({second})) UNION ALL (({second}) EXCEPT ALL ({first}))"
    relations = {f"{side}_rows": table.file for side, table in (("then", then), ("now", now))}
    relations |= {f"{side}_accounts": k.accounts for side, k in (("then", then), ("now", now)) if k.accounts}
    return not int(engine.frame(f"SELECT count(*) AS n FROM ({text}) differing", relations)["n"][0])


def _placed(table: AtRest, side: str) -> str:
    """Return the rows as SQL, without pseudonyms: an entity by its place, a parent by that of its first entity."""
    plain = [engine.column(c) for c in table.columns if c not in table.identifiers]
    if FILE_ROW in table.columns:
        first = [
            f"min({FILE_ROW}) OVER (PARTITION BY {engine.column(c)}) AS {engine.column(c)}"
            for c in sorted(table.identifiers)
        ]
        return f"SELECT {', '.join([*plain, *first])} FROM {side}_rows"
    if ENTITY not in table.columns or table.accounts is None or FILE_ROW not in engine.columns(table.accounts):
        return f"SELECT * FROM {side}_rows"
    listed = ", ".join([f"a.{FILE_ROW} AS {ENTITY}", *(f"t.{c}" for c in plain)])
    return f"SELECT {listed} FROM {side}_rows t LEFT JOIN {side}_accounts a ON a.{ENTITY} = t.{ENTITY}"
