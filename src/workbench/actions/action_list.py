"""A list that somebody works through: whom, why, what to do, whose it is; within capacity, one contact a customer.

Every step that makes one makes it here, so that no list forgets an opt-out, asks more of an officer than can be done,
or wants a customer whom a list that goes first (`customers/lists.py`) has already.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench import tables
from workbench.actions.arrears import MONTHS, in_arrears
from workbench.actions.discontent import FEEDBACK, discontent
from workbench.customers import lists
from workbench.evidence import Evidence, Verdict
from workbench.params import Key, UserError
from workbench.words import Text, say

if TYPE_CHECKING:
    import pandas as pd

NEEDED = ("entity_id", "priority", "reason", "measure")
WHOSE = "officer_code"
OPTED_OUT = "opted_out"  # column of core__account: who must not be approached (`YES`); and why somebody is set aside
YES, NO = frozenset({"1", "1.0", "true", "yes", "y", "是"}), frozenset({"0", "0.0", "false", "no", "n", "否"})
ARREARS, DISCONTENT = "arrears", "discontent"  # why somebody is set aside


@dataclass(frozen=True)
class ActionList:
    """Rows in the order in which they are worked through, and what became of the other candidates.

    `rows` has officer_code, where there are officers, and rank (1 is first; of each officer) before the candidates'
    other columns, and the officers one after another. `aside`: how many were set aside, by why (see `barred`).
    """

    rows: pd.DataFrame
    candidates: int
    beyond_capacity: int
    aside: Mapping[str, int] = field(default_factory=dict)

    def evidence(self, key: str, question: Text | str, order: Text) -> Evidence:
        """Return the list as evidence, its table a CSV in which no cell is a formula; `order` says who comes first."""
        answer = say(
            "{n:,} of {candidates:, candidates are} on the list, {beyond:,} beyond the capacity.",
            n=len(self.rows),
            candidates=self.candidates,
            beyond=self.beyond_capacity,
        )
        return Evidence(
            key=key,
            question=question,
            verdict=Verdict.info,
            answer=answer + why_aside(self.aside) + say("Ranked {order}.", order=order),
            value=len(self.rows),
            table=self.rows,
        )

    def as_table(self) -> pd.DataFrame:
        """Return the rows as they are staged: sentences as English text."""
        return self.rows.assign(**{c: self.rows[c].map(str) for c in ("reason", "measure")})


def officers(key: Key) -> pd.DataFrame:
    """Return entity_id and officer_code of the study's customers; empty where the data name no officers."""
    if WHOSE not in [c.name for c in tables.contract(key, "core__account").columns]:
        import pandas as pd

        return pd.DataFrame(columns=["entity_id", WHOSE])
    return tables.read(key, "core__account", columns=["entity_id", WHOSE])


def opted_out(key: Key) -> set[str]:
    """Return who must not be approached, of the study's customers; nobody where the data don't record it.

    Raises `UserError` where the column says neither yes nor no of somebody.
    """
    contract = tables.contract(key, "core__account")
    if OPTED_OUT not in [c.name for c in contract.columns]:
        return set()
    people = tables.read(key, "core__account", columns=["entity_id", OPTED_OUT])
    code_of = {label.lower(): code.lower() for code, label in contract[OPTED_OUT].values.items()}
    answer = people[OPTED_OUT].astype(str).str.strip().str.lower()  # the intake puts a code's label in its place
    answer = answer.where(answer.isin(YES | NO), answer.map(code_of))
    if unclear := int((~answer.isin(YES | NO)).sum()):
        raise UserError(
            f"core__account: {OPTED_OUT} says neither yes nor no of {unclear:,} customers; write 1 or 0 (yes or no), "
            "so that nobody is approached who must not be"
        )
    return set(people.loc[answer.isin(YES), "entity_id"])


def asked_of(name: str, read: Collection[str] = ()) -> list[str]:
    """Return what a step that makes this list reads for it, where the study has it: other lists, complaints, months.

    read: tables that the step reads anyway.
    """
    asked = (*lists.before(name), *((FEEDBACK, MONTHS) if lists.sells(name) else ()))
    return [f"?{table}" for table in asked if table not in read]


def barred(key: Key, name: str) -> dict[str, str]:
    """Return who can't be on this list, entity → why: `opted_out`, `arrears`, `discontent`, or another list."""
    there, out = set(tables.names(key)), dict.fromkeys(opted_out(key), OPTED_OUT) if lists.spares(name) else {}
    if lists.sells(name):
        for entity in in_arrears(key):
            out.setdefault(entity, ARREARS)
        for entity in discontent(key):
            out.setdefault(entity, DISCONTENT)
    for first in (n for n in lists.before(name) if n in there):
        for entity in tables.read(key, first, columns=["entity_id"])["entity_id"]:
            out.setdefault(entity, first)
    return out


def set_aside(entities: Iterable[str], barred: Mapping[str, str]) -> dict[str, int]:
    """Return how many of these are barred, by why, in the order of `customers/lists.py`; each counts once."""
    reasons = [barred[e] for e in entities if e in barred]
    return {why: n for why in (OPTED_OUT, ARREARS, DISCONTENT, *lists.KINDS) if (n := reasons.count(why))}


def why_aside(aside: Mapping[str, int]) -> Text:
    """Return in words how many were set aside and why; nothing where nobody was."""
    if not aside:
        return Text()
    each = [_why(why, n) for why, n in aside.items()]
    once = say("One list contacts a customer: the first that wants him.") if set(aside) & set(lists.KINDS) else Text()
    return say("Set aside: {each}.", each=each) + once


def _why(why: str, n: int) -> Text:
    if why == OPTED_OUT:
        return say("{n:,} opted out of being approached", n=n)
    if why == ARREARS:
        return say("{n:,} are in arrears", n=n)
    if why == DISCONTENT:
        return say("{n:,} are discontent and get an answer first", n=n)
    return say("{n:,} stand on the {list}", n=n, list=lists.KINDS[why].title)


def made(
    key: Key,
    name: str,
    candidates: pd.DataFrame,
    *,
    capacity: int,
    most: int | None = None,
    answered: Collection[str] = (),
) -> ActionList:
    """Return the list of this name: `action_list` of the candidates with their officers, and the currency of amounts.

    answered: entities whom another list doesn't take away: who complained gets his answer, whoever else calls.
    Raises `UserError` as `action_list`.
    """
    people, money = officers(key), tables.contract(key, "core__account").currency
    if len(people) and WHOSE not in candidates:
        candidates = candidates.merge(people, on="entity_id", how="left", validate="many_to_one")
    if money and any(c.endswith("_amt") for c in candidates):
        candidates = candidates.assign(currency=money)
    aside = {e: why for e, why in barred(key, name).items() if why == OPTED_OUT or e not in set(answered)}
    return action_list(candidates, capacity=capacity, barred=aside, most=most)


def action_list(
    candidates: pd.DataFrame, *, capacity: int, barred: Mapping[str, str], most: int | None = None
) -> ActionList:
    """Return the list of these candidates (n × k), highest priority first, ties by entity.

    candidates: entity_id, priority (higher is sooner; not a column of the list), reason and measure (a sentence each,
        never empty), and what else helps: exposure_amt, officer_code, due_on. One row an entity.
    capacity: rows that can be worked through: by each officer where there is an officer_code, else by all together.
    barred: who can't be on it, and why (`barred`).
    most: rows of all officers together, those of the highest priority; None is as many as the capacity allows.

    Raises `UserError` for a capacity below 1, a column that is missing, an entity twice, and a row without a reason.
    """
    _usable(candidates, capacity)
    free = candidates[~candidates["entity_id"].isin(set(barred))]
    ordered = free.sort_values(["priority", "entity_id"], ascending=[False, True], ignore_index=True)
    whose = ordered[WHOSE].fillna("") if WHOSE in ordered else ordered["entity_id"].map(lambda _: "")
    rank = whose.groupby(whose).cumcount() + 1
    rows = ordered.assign(rank=rank)[rank <= capacity].head(most if most is not None else len(ordered))
    first = [*([WHOSE] if WHOSE in rows else []), "rank"]
    columns = [*first, *(c for c in candidates.columns if c not in (WHOSE, "priority"))]
    rows = rows.sort_values(first, kind="stable", ignore_index=True)[columns]
    aside = set_aside(candidates["entity_id"], barred)
    return ActionList(rows, len(candidates), len(ordered) - len(rows), aside)


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
