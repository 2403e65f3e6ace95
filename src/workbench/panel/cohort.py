"""Who stands in the panel, as of which date, and what happened afterwards: one row an entity and date."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from workbench import engine
from workbench.contracts import Column, Contract, Outcome
from workbench.contracts.fields import FILE_ROW
from workbench.panel import outcome as outcomes
from workbench.panel.leakage import derived
from workbench.panel.months import UNDATED, number, number_sql
from workbench.params import UserError

if TYPE_CHECKING:
    from workbench.engine import Relation

LAST_MONTH = "2999-12"  # later than any: an open end
DAY_DATED = ("application", "event")  # entities that keep their own day where months are known of them, too


@dataclass(frozen=True)
class Facts:
    """What the panel is made from: the entities' own rows, and months of them where there are any.

    `months`: entity_id, month and the facts of the month, at most one row an entity and month.
    """

    accounts: Relation
    contract: Contract
    months: Relation | None = None
    month_contract: Contract | None = None

    @cached_property
    def month_columns(self) -> dict[str, str]:
        """Columns of the months with the engine's types, without entity, month and what may not be looked at."""
        if self.months is None:
            return {}
        outside = {"entity_id", "month", *self.refused}
        if self.month_contract is not None:
            outside |= {c.name for c in self.month_contract.columns if not _usable(c)}
        return {
            n: t for n, t in engine.columns(self.months).items() if n not in outside and t not in ("DATE", "TIMESTAMP")
        }

    @cached_property
    def refused(self) -> set[str]:
        """Columns known only afterwards, and what is made from them."""
        contracts = [c for c in (self.contract, self.month_contract) if c is not None]
        return derived({c.name for w in contracts for c in w.columns if c.known == "after"}, *contracts)

    @cached_property
    def span(self) -> tuple[pd.Timestamp, pd.Timestamp] | None:
        """First and last month known, None where there are no months."""
        if self.months is None:
            return None
        row = engine.frame("SELECT min(month) AS first, max(month) AS last FROM months", {"months": self.months})
        return pd.Timestamp(row["first"][0]), pd.Timestamp(row["last"][0])

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The columns by which the panel's rows are ordered, a key: the same in every home."""
        placed = FILE_ROW in engine.columns(self.accounts)
        return (FILE_ROW if placed else "entity_id", "as_of_date")

    def by_calendar(self, outcome: Outcome) -> bool:
        """Say whether every entity is looked at on the same dates, rather than each on its own."""
        return self.months is not None and not has_date(self.contract, outcome)

    @property
    def relations(self) -> dict[str, Relation]:
        """The relations as SQL names them."""
        return {"accounts": self.accounts, **({} if self.months is None else {"months": self.months})}


def has_date(contract: Contract, outcome: Outcome) -> bool:
    """Say whether an entity has one date of its own, though months are known of it, rather than each month.

    That of an application or event is its own day. Any other's is, too, where the outcome is recorded: it is one an
    entity, and a row a month would count it as often as there are months.
    """
    if contract.named("as_of") and contract.entity in DAY_DATED:
        return True
    return not outcome.event and bool(contract.named("as_of") or contract.as_of)


def refuse_repeated(contract: Contract, outcome: Outcome, as_of_from: str, as_of_to: str) -> None:
    """Raise `UserError` where months may give an entity several rows, and its record one outcome for all of them."""
    if outcome.event or has_date(contract, outcome) or (as_of_from and as_of_from == as_of_to):
        return
    raise UserError(
        f"panel/build: an outcome recorded once would stand in every month of its {contract.entity}; give contract "
        f"'{contract.name}' a column `role: as_of` or its one `as_of`, give outcome an `event` of the months with "
        "`window_months`, or write one month as as_of_from and as_of_to"
    )


def _usable(c: Column) -> bool:
    return c.role not in ("key", "parent", "as_of", "ignore", "outcome") and not c.personal and not c.fairness


@dataclass(frozen=True)
class Cohort:
    """The rows of the panel as SQL over `accounts`, `months` and `calendar`.

    Columns: entity_id, parent_id, as_of_date, anchor (number of the last month that features may see), outcome; and
    file_row, where the accounts have it. `dated_sql` names the entities that have a row at all, eligible or
    not; empty where all are.
    """

    sql: str
    calendar: pd.DataFrame
    dated_sql: str


def calendar(facts: Facts, as_of_from: str, as_of_to: str, observation_months: int) -> pd.DataFrame:
    """Return the as-of dates (month_no, as_of_date), monthly; `UserError` where a window begins before the data do."""
    begin, end = (day.tz_localize(None) for day in facts.span)  # Spark gives instants, in its session's time zone
    _overlaps(as_of_from, as_of_to, begin, end)
    if as_of_to > f"{end:%Y-%m}":
        raise UserError(f"panel/build: as_of_to {as_of_to} is after the data's last month {end:%Y-%m}")
    history = number(end) - number(begin) + 1
    least = begin.to_period("M") + min(observation_months, history) - 1
    dates = pd.period_range(as_of_from or least, as_of_to or end, freq="M").to_timestamp()
    if number(dates[0]) - observation_months + 1 < number(begin):
        mend = f"move as_of_from to {least.strftime('%Y-%m')}"
        if observation_months > history:  # no later date would do
            mend = f"shorten observation_months to {history}"
        raise UserError(
            f"panel/build: as of {dates[0]:%Y-%m} the observation window of {observation_months} months begins before "
            f"the data do ({begin:%Y-%m}); {mend}"
        )
    return pd.DataFrame({"month_no": [number(d) for d in dates], "as_of_date": dates.astype("datetime64[us]")})


def _overlaps(as_of_from: str, as_of_to: str, first: pd.Timestamp, last: pd.Timestamp) -> None:
    begins, ends = f"{first:%Y-%m}", f"{last:%Y-%m}"
    if as_of_from > ends or begins > (as_of_to or LAST_MONTH):
        raise UserError(
            f"panel/build: nothing lies from {as_of_from or 'the first month'} to {as_of_to or 'the last'}; "
            f"the data run from {begins} to {ends}: set as_of_from and as_of_to"
        )


def cohort(facts: Facts, outcome: Outcome, as_of_from: str, as_of_to: str, observation_months: int) -> Cohort:
    """Return the rows as SQL: every month of the calendar in which the entity has a row, or each entity's own date."""
    if outcome.event and facts.months is None:
        raise UserError("panel/build: outcome.event happens in a month, and there are no months; leave `event` empty")
    parts = list(_flagged(facts, outcome))
    if facts.by_calendar(outcome):
        refuse_repeated(facts.contract, outcome, as_of_from, as_of_to)
        dates = calendar(facts, as_of_from, as_of_to, observation_months)
        parts.append(f"here AS ({_by_calendar(facts, outcome)})")
    else:
        dates = pd.DataFrame({"month_no": [0], "as_of_date": [UNDATED]})
        parts.append(f"here AS ({_by_own_date(facts, outcome, as_of_from, as_of_to)})")
    columns = ", ".join(dict.fromkeys([*facts.order, "entity_id", "parent_id", "anchor", *_given(facts)]))
    columns += "" if outcome.event else ", outcome"
    dated = f"WITH {', '.join(parts)} SELECT DISTINCT entity_id FROM here" if outcome.eligible else ""
    parts.append(f"cohort AS (SELECT {columns} FROM here WHERE {_eligible(facts, outcome)})")
    rows = outcomes.after_sql(outcome, number(facts.span[1])) if outcome.event else "SELECT c.* FROM cohort c"
    return Cohort(f"WITH {', '.join(parts)} {rows}", dates, dated)


def _flagged(facts: Facts, outcome: Outcome) -> Iterator[str]:
    """The months with their number and the events of the outcome in them, where there are months."""
    if facts.months is None:
        return
    flags = f", {outcomes.flags_sql(outcome, engine.columns(facts.months))}" if outcome.event else ""
    yield f"m AS (SELECT {_listed(facts)}, {number_sql('month')} AS month_no{flags} FROM months)"


def _listed(facts: Facts) -> str:
    names = [engine.column(n) for n in engine.columns(facts.months) if n != "entity_id"]
    return ", ".join(["CAST(entity_id AS VARCHAR) AS entity_id", *names])


def _identity(facts: Facts) -> str:
    key = facts.contract.one("key")
    parent = next(iter(facts.contract.named("parent")), key)
    parent = parent if parent in engine.columns(facts.accounts) else key
    place = f", a.{FILE_ROW} AS {FILE_ROW}" if FILE_ROW in facts.order else ""
    entity, given = f"CAST(a.{key} AS VARCHAR)", "".join(f", {sql} AS {n}" for n, sql in _given(facts).items())
    return f"{entity} AS entity_id, coalesce(CAST(a.{parent} AS VARCHAR), {entity}) AS parent_id{place}{given}"


def _given(facts: Facts) -> dict[str, str]:
    """Return what the file itself says of an entity's weight and sample, as SQL by the name the cohort has for it."""
    types = {"weight": "DOUBLE", "sample": "VARCHAR"}
    columns = {role: facts.contract.one(role) for role in types if facts.contract.named(role)}
    return {f"given_{role}": f"CAST(a.{engine.column(c)} AS {types[role]})" for role, c in columns.items()}


def _by_calendar(facts: Facts, outcome: Outcome) -> str:
    recorded = "" if outcome.event else f", {outcomes.recorded_sql(facts.contract, outcome)} AS outcome"
    return f"""
        SELECT {_identity(facts)}, CAST(d.as_of_date AS TIMESTAMP) AS as_of_date, m.month_no AS anchor
            {recorded} {_asked(facts, outcome)}
        FROM m JOIN calendar d ON d.month_no = m.month_no
            JOIN accounts a ON CAST(a.{facts.contract.one("key")} AS VARCHAR) = m.entity_id"""


def _by_own_date(facts: Facts, outcome: Outcome, as_of_from: str, as_of_to: str) -> str:
    """Each entity on its own day (or the file's one date); of its months, those over by then are seen.

    A file whose one date is a month's last day was cut when that month was over; who has a day of his own had it open.
    """
    recorded = "" if outcome.event else f", {outcomes.recorded_sql(facts.contract, outcome)} AS outcome"
    dated = facts.contract.named("as_of")
    date = (
        f"a.{dated[0]}" if dated else f"TIMESTAMP '{pd.Timestamp(facts.contract.as_of or UNDATED):%Y-%m-%d %H:%M:%S}'"
    )
    anchor = f"{number_sql(date if dated else f'({date} + INTERVAL 1 DAY)')} - 1"
    seen = "" if facts.months is None else _last_month_join(facts, anchor)
    if facts.contract.as_of and not dated:
        _overlaps(as_of_from, as_of_to, *[pd.Timestamp(facts.contract.as_of)] * 2)
    inside = _inside(facts, dated[0], as_of_from, as_of_to) if dated else "TRUE"
    return f"""
        SELECT {_identity(facts)}, CAST({date} AS TIMESTAMP) AS as_of_date, {anchor} AS anchor
            {recorded} {_asked(facts, outcome)}
        FROM accounts a {seen} WHERE {inside}"""


def _last_month_join(facts: Facts, anchor: str) -> str:
    key = facts.contract.one("key")
    return f"LEFT JOIN m ON m.entity_id = CAST(a.{key} AS VARCHAR) AND m.month_no = {anchor}"


def _inside(facts: Facts, column: str, as_of_from: str, as_of_to: str) -> str:
    row = engine.frame(f"SELECT min({column}) AS first, max({column}) AS last FROM accounts", facts.relations)
    if row.isna().any(axis=None):
        raise UserError(f"panel/build: as-of column '{column}' holds no date")
    _overlaps(as_of_from, as_of_to, pd.Timestamp(row["first"][0]), pd.Timestamp(row["last"][0]))
    first, last = (number(pd.Timestamp(m)) for m in (as_of_from or "1900-01", as_of_to or "2999-12"))
    return f"{number_sql(f'a.{column}')} BETWEEN {first} AND {last}"


def _condition_columns(facts: Facts, outcome: Outcome) -> list[str]:
    known = engine.columns(facts.accounts) | {"as_of_date": "TIMESTAMP"}
    known |= {} if facts.months is None else engine.columns(facts.months)
    asked = sorted(engine.condition(outcome.eligible, known, f"{outcomes.PLACE}.eligible")) if outcome.eligible else []
    # A severity is of those to whom the event came, which is known afterwards; who is tested for it may not be.
    if late := [n for n in asked if n in facts.refused and outcome.kind in ("binary", "time")]:
        raise UserError(
            f"{outcomes.PLACE}.eligible: '{late[0]}' is known only after the as-of date; name what is known before it"
        )
    return asked


def _asked(facts: Facts, outcome: Outcome) -> str:
    """The columns that eligibility asks for: of the month where it has them, else of the entity's own row."""
    of_month = {} if facts.months is None else engine.columns(facts.months)
    present = ("entity_id", "as_of_date", "outcome")
    names = [n for n in _condition_columns(facts, outcome) if n not in present]
    return "".join(f", {'m' if n in of_month else 'a'}.{engine.column(n)} AS {engine.column(n)}" for n in names)


def _eligible(facts: Facts, outcome: Outcome) -> str:
    return f"({outcome.eligible})" if outcome.eligible else "TRUE"
