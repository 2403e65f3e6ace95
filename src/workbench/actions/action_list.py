"""A list that somebody works through: whom, why, what to do, whose it is; within capacity, without who opted out.

Every step that makes one makes it here, so that no list forgets an opt-out or asks more of an officer than can be done.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench import tables
from workbench.evidence import Evidence, Verdict
from workbench.params import Key, UserError
from workbench.words import Text, say

if TYPE_CHECKING:
    import pandas as pd

PREFIX = "mart__list_"  # of the tables that hold lists
NEEDED = ("entity_id", "priority", "reason", "measure")
WHOSE = "officer_code"
OPTED_OUT = "opted_out"  # column of core__account: '1' is who must not be approached


@dataclass(frozen=True)
class ActionList:
    """Rows in the order in which they are worked through, and what became of the other candidates.

    `rows` has rank (1 is first; of each officer where there are officers) before the candidates' columns.
    """

    rows: pd.DataFrame
    candidates: int
    opted_out: int
    beyond_capacity: int

    def evidence(self, key: str, question: Text | str) -> Evidence:
        """Return the list as evidence: its table becomes a CSV in which no cell is a formula."""
        answer = say(
            "{n:,} of {candidates:,} candidates are on the list; {opted_out:,} opted out of being approached, "
            "{beyond:,} are beyond the capacity.",
            n=len(self.rows),
            candidates=self.candidates,
            opted_out=self.opted_out,
            beyond=self.beyond_capacity,
        )
        return Evidence(
            key=key, question=question, verdict=Verdict.info, answer=answer, value=len(self.rows), table=self.rows
        )

    def as_table(self) -> pd.DataFrame:
        """Return the rows as they are staged: sentences as English text."""
        return self.rows.assign(**{c: self.rows[c].map(str) for c in ("reason", "measure")})


def officers(key: Key) -> pd.DataFrame:
    """Return entity_id and officer_code of the study's customers."""
    return tables.read(key, "core__account", columns=["entity_id", WHOSE])


def opted_out(key: Key) -> set[str]:
    """Return who must not be approached, of the study's customers; nobody where the data don't record it."""
    contract = tables.contract(key, "core__account")
    if OPTED_OUT not in [c.name for c in contract.columns]:
        return set()
    people = tables.read(key, "core__account", columns=["entity_id", OPTED_OUT])
    yes = {"1", contract[OPTED_OUT].values.get("1", "1")}  # the intake puts a code's label in its place
    return set(people.loc[people[OPTED_OUT].astype(str).isin(yes), "entity_id"])


def action_list(candidates: pd.DataFrame, *, capacity: int, opted_out: Collection[str]) -> ActionList:
    """Return the list of these candidates (n × k), highest priority first, ties by entity.

    candidates: entity_id, priority (higher is sooner), reason and measure (a sentence each, never empty), and what
        else helps: exposure_amt, officer_code, due_on. One row an entity.
    capacity: rows that can be worked through: by each officer where there is an officer_code, else by all together.
    opted_out: entities that must not be approached.

    Raises `UserError` for a capacity below 1, a column that is missing, an entity twice, and a row without a reason.
    """
    _usable(candidates, capacity)
    open_to_it = candidates[~candidates["entity_id"].isin(set(opted_out))]
    ordered = open_to_it.sort_values(["priority", "entity_id"], ascending=[False, True], ignore_index=True)
    whose = ordered[WHOSE] if WHOSE in ordered else ordered["entity_id"].map(lambda _: "")
    rank = whose.fillna("").groupby(whose.fillna("")).cumcount() + 1
    rows = ordered[rank <= capacity].assign(rank=rank[rank <= capacity])
    rows = rows[["rank", *candidates.columns]].reset_index(drop=True)
    return ActionList(rows, len(candidates), len(candidates) - len(ordered), len(ordered) - len(rows))


def _usable(candidates: pd.DataFrame, capacity: int) -> None:
    if capacity < 1:
        raise UserError(f"a list needs a capacity of at least 1, not {capacity}")
    if missing := [c for c in NEEDED if c not in candidates]:
        raise UserError(f"a list needs the columns {', '.join(NEEDED)}; missing: {', '.join(missing)}")
    if twice := int(candidates["entity_id"].duplicated().sum()):
        raise UserError(f"a list has one row a customer; {twice} stand twice among the candidates")
    for column in ("reason", "measure"):
        if unsaid := sum(not str(v if v is not None else "").strip() for v in candidates[column]):
            raise UserError(f"a list says why and what: {unsaid} candidates have no {column}")
