"""The book as of a period's end, read from its months in SQL: size, new accounts, arrears, moves; nothing later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from workbench import engine
from workbench.contracts import Column, Contract
from workbench.panel.months import number_sql
from workbench.params import ONCE, UserError, before, months_of

if TYPE_CHECKING:
    from workbench.engine import Relation

BALANCE, DAYS, DELAY = "balance_amt", "days_past_due", "delay_months"
LATE_BUCKETS = 3  # 90 or more days past due is the last
FEWEST, MOST_VALUES = 2, 12  # of a column by which the book is cut


@dataclass(frozen=True)
class Span:
    """The months of a period by number (year × 12 + month), and what the period is called."""

    name: str
    first: int
    last: int

    @classmethod
    def of(cls, period: str) -> Span:
        """Return the months of a period.

        >>> Span.of("2018-Q1")
        Span(name='2018-Q1', first=24217, last=24219)
        """
        return cls(period, *(int(m[:4]) * 12 + int(m[5:]) for m in months_of(period)))


@dataclass(frozen=True)
class Months:
    """A bank's months with its accounts, cut at the end of a period: no later month is read.

    `accounts`: one row an account, `contract` its words. `months`: entity_id, month and facts of the month; `period`
    as in `Params`, where `once` is the last month there is.
    """

    accounts: Relation
    contract: Contract
    months: Relation
    period: str = ONCE

    @cached_property
    def columns(self) -> dict[str, str]:
        """Columns of the months with the engine's types."""
        return engine.columns(self.months)

    @cached_property
    def now(self) -> Span:
        """The period; `UserError` where its last month is not there."""
        sql = f"SELECT DISTINCT {number_sql('month')} AS month_no FROM months"
        delivered = {int(n) for n in engine.frame(sql, {"months": self.months})["month_no"]}
        first, last = min(delivered), max(delivered)
        span = Span.of(called(last) if self.period == ONCE else self.period)
        if not first <= span.last <= last:
            raise UserError(
                f"reporting/pack: period {self.period} ends outside the months of the data "
                f"({called(first)} to {called(last)}); run a period within them"
            )
        if span.last not in delivered:
            raise UserError(
                f"reporting/pack: the data have no rows of {called(span.last)}, in which period {span.name} ends; "
                "have that month delivered, or run another period"
            )
        return span

    @cached_property
    def before(self) -> Span:
        """The period before, as long as this one."""
        return Span.of(before(self.now.name))

    def by_month(self, months: int) -> pd.DataFrame:
        """Return a row for each of the last months: accounts, balance, late ones by count and amount, new ones.

        Columns: month_no, accounts, balance, known (months past due known), late_1 to late_3 (accounts at least so
        many months past due) and late_1_amt to late_3_amt, new, new_amt. New is an account in its first month in the
        book; where the month before was not delivered (that of the data's first month never is), an account may have
        come in it, so it is not known there. An amount is NaN where no balance is known.
        """
        sums = [self._late(k) for k in range(1, LATE_BUCKETS + 1)]
        is_new = "f.first_no = m.month_no"
        sql = f"""
            WITH {self._cut()}, f AS (SELECT entity_id, min(month_no) AS first_no FROM m GROUP BY entity_id)
            SELECT m.month_no, count(*) AS accounts, {_total("m.balance")} AS balance, count(m.delay) AS known,
                {", ".join(sums)}, {_count(is_new)} AS new, {_total(self._opened(), is_new)} AS new_amt
            FROM m JOIN f ON f.entity_id = m.entity_id LEFT JOIN a ON a.entity_id = m.entity_id
            GROUP BY m.month_no ORDER BY m.month_no"""
        rows = engine.frame(sql, self._relations)
        follows = (rows["month_no"] - 1).isin(rows["month_no"])
        rows.loc[~follows, ["new", "new_amt"]] = float("nan")
        return rows[rows["month_no"] > self.now.last - months].reset_index(drop=True)

    def moves(self, months: int) -> pd.DataFrame:
        """Return how accounts moved to the next month, a row a month (the later one) and bucket they came from.

        Columns: month_no, bucket (0 to 3, months past due; 3 is more, too), n, worse (later in a higher bucket), cured
        (later not late), to_default and to_default_amt (reached the last bucket), gone and gone_amt (not in the book
        any more); amounts are balances before the move. A move counts where it is known: into a month that was
        delivered, in which the account is not there or its delay is known.
        """
        # floor: 0.6 months past due is not yet 30 days, here as where the late are counted; a cast would round it up
        bucket = f"CAST(floor(least(greatest(b.delay, 0), {LATE_BUCKETS})) AS INTEGER)"
        gone = "n.entity_id IS NULL"
        falls = f"b.delay < {LATE_BUCKETS} AND n.delay >= {LATE_BUCKETS}"
        sql = f"""
            WITH {self._cut()}
            SELECT b.month_no + 1 AS month_no, {bucket} AS bucket, count(*) AS n,
                {_count(f"n.delay >= {bucket} + 1")} AS worse, {_count("n.delay < 1")} AS cured,
                {_count(falls)} AS to_default, {_total("b.balance", falls)} AS to_default_amt,
                {_count(gone)} AS gone, {_total("b.balance", gone)} AS gone_amt
            FROM m b LEFT JOIN m n ON n.entity_id = b.entity_id AND n.month_no = b.month_no + 1
            WHERE b.month_no < {self.now.last} AND b.month_no >= {self.now.last - months} AND b.delay IS NOT NULL
                AND b.month_no + 1 IN (SELECT month_no FROM m) AND ({gone} OR n.delay IS NOT NULL)
            GROUP BY 1, 2 ORDER BY 1, 2"""
        return engine.frame(sql, self._relations)

    def cut_by(self, column: str) -> pd.DataFrame:
        """Return the book by a column of the accounts, at the ends of both periods.

        Columns: value, month_no, accounts, balance, known, late_1 to late_3 and their amounts.
        """
        sums = [self._late(k) for k in range(1, LATE_BUCKETS + 1)]
        sql = f"""
            WITH {self._cut((column,))}
            SELECT CAST(a.{engine.column(column)} AS VARCHAR) AS value, m.month_no, count(*) AS accounts,
                {_total("m.balance")} AS balance, count(m.delay) AS known, {", ".join(sums)}
            FROM m JOIN a ON a.entity_id = m.entity_id WHERE m.month_no IN ({self.now.last}, {self.before.last})
            GROUP BY 1, 2 ORDER BY 1, 2"""
        return engine.frame(sql, self._relations)

    def segments(self, names: Iterable[str], most: int) -> list[str]:
        """Return the columns by which the book is cut: those named, else the first categories of few values."""
        if names:
            return [self.contract[name].name for name in names]
        aspects = ("offer", "relationship")
        able = sorted(filter(_divides, self.contract.columns), key=lambda c: c.aspect not in aspects)
        return [c.name for c in able if self._has_few(c.name)][:most]

    def _has_few(self, column: str) -> bool:
        sql = f"SELECT count(DISTINCT {engine.column(column)}) AS n FROM accounts"
        n = int(engine.frame(sql, {"accounts": self.accounts})["n"][0])
        return FEWEST <= n <= MOST_VALUES

    @cached_property
    def _relations(self) -> dict[str, Relation]:
        return {"months": self.months, "accounts": self.accounts}

    def _cut(self, more: Iterable[str] = ()) -> str:
        """Return `m`, the months up to the period's end, and `a`, the accounts with their amount."""
        balance = BALANCE if BALANCE in self.columns else "NULL"
        months_late = DELAY if DELAY in self.columns else "NULL"  # some banks call the first day late M1
        delay = f"{DAYS} / 30e0" if DAYS in self.columns else months_late
        exposure = self.contract.exposure()
        names = [engine.column(c) for c in dict.fromkeys((*more, *([exposure] if exposure else [])))]
        key = self.contract.one("key")
        return f"""
            m AS (SELECT CAST(entity_id AS VARCHAR) AS entity_id, {number_sql("month")} AS month_no,
                CAST({balance} AS DECIMAL(18, 2)) AS balance, CAST({delay} AS DOUBLE) AS delay
                FROM months WHERE {number_sql("month")} <= {self.now.last}),
            a AS (SELECT {", ".join([f"CAST({key} AS VARCHAR) AS entity_id", *names])} FROM accounts)"""

    def _opened(self) -> str:
        """Return the amount of a new account: what the contract marks as exposure, else its first balance."""
        exposure = self.contract.exposure()
        return f"CAST(a.{engine.column(exposure)} AS DECIMAL(18, 2))" if exposure else "m.balance"

    def _late(self, months: int) -> str:
        late = f"m.delay >= {months}"
        return f"{_count(late)} AS late_{months}, {_total('m.balance', late)} AS late_{months}_amt"


def _divides(c: Column) -> bool:
    return (c.type, c.role, c.known) == ("category", "feature", "before") and not (c.personal or c.fairness)


def _count(condition: str) -> str:
    return f"CAST(coalesce(sum(CASE WHEN {condition} THEN 1 ELSE 0 END), 0) AS INTEGER)"


def _total(amount: str, of: str = "TRUE") -> str:
    """Return the sum of amounts of the rows of a kind, to the cent: of decimals, which add up alike in any order.

    Nothing where there are such rows and the amount of none is known, which is not 0.
    """
    return f"CAST(CASE WHEN {_count(of)} = 0 THEN 0 ELSE sum(CASE WHEN {of} THEN {amount} END) END AS DOUBLE)"


def called(month_no: int) -> str:
    """Return a month's name by its number.

    >>> called(24219), called(24216)
    ('2018-03', '2017-12')
    """
    return f"{(month_no - 1) // 12}-{(month_no - 1) % 12 + 1:02d}"


def within(rows: pd.DataFrame, span: Span) -> pd.DataFrame:
    """Return the rows of a period's months."""
    return rows[rows["month_no"].between(span.first, span.last)]


def at_end(rows: pd.DataFrame, span: Span) -> pd.Series | None:
    """Return the row of a period's last month, None where it isn't there."""
    return next((row for _, row in rows[rows["month_no"] == span.last].iterrows()), None)


def rolled(moves: pd.DataFrame, span: Span) -> Iterator[tuple[int, int, int, int]]:
    """Yield each bucket with how many accounts were in it, rolled on and cured, over a period's months."""
    sums = within(moves, span).groupby("bucket")[["n", "worse", "cured"]].sum()
    for bucket in range(LATE_BUCKETS):
        if bucket in sums.index:
            yield bucket, *(int(v) for v in sums.loc[bucket])
