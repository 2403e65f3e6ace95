"""The book of a pack: its months and moves, its figures at the ends of both periods, the light of a rise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from workbench.evidence import Verdict
from workbench.reporting import headlines, portfolio
from workbench.reporting.portfolio import LATE_BUCKETS, Months, Span
from workbench.rules import Rules

NAN = float("nan")


@dataclass(frozen=True)
class Book:
    """A book as of a period's end: its months, the rules its changes are judged by, how many months are shown."""

    source: Months
    rules: Rules
    shown_months: int = 13

    @property
    def now(self) -> Span:
        """The period."""
        return self.source.now

    @property
    def currency(self) -> str:
        """The currency of the amounts; empty where the contract names none."""
        return self.source.contract.currency

    @property
    def has_arrears(self) -> bool:
        """Whether the months say how late an account is."""
        return not {portfolio.DAYS, portfolio.DELAY}.isdisjoint(self.source.columns)

    @property
    def has_balance(self) -> bool:
        """Whether the balance of an account is known in any of the months shown."""
        return bool(self.rows["balance"].notna().any())

    @property
    def has_opened(self) -> bool:
        """Whether it is known over how much new accounts are: what the contract marks as exposure, else a balance."""
        return self.has_balance or bool(self.source.contract.exposure())

    @property
    def is_at_start(self) -> bool:
        """Whether the data begin in the period."""
        return bool(self.rows["month_no"].min() >= self.now.first)

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The last months, a row each (`Months.by_month`), and the months of the period before at least."""
        length = self.now.last - self.now.first + 1
        rows = self.source.by_month(max(self.shown_months, 2 * length + 1))
        return rows.assign(month=rows["month_no"].map(portfolio.called))

    @cached_property
    def moves(self) -> pd.DataFrame:
        """The moves of the same months (`Months.moves`)."""
        moves = self.source.moves(len(self.rows))
        return moves.assign(month=moves["month_no"].map(portfolio.called), roll_rate=moves["worse"] / moves["n"])

    @cached_property
    def written_off(self) -> pd.DataFrame:
        """The moves, but of those who left the book only the ones who were 90 or more days past due."""
        late = self.moves["bucket"] == LATE_BUCKETS
        return self.moves.assign(
            gone=self.moves["gone"].where(late, 0), gone_amt=self.moves["gone_amt"].where(late, 0.0)
        )

    def ends(self, column: str) -> tuple[float, float]:
        """Return a figure at the ends of the period and of the one before; NaN where that isn't there."""
        return tuple(NAN if r is None else float(r[column]) for r in self._ends)

    def sums(self, column: str, rows: pd.DataFrame) -> tuple[float, float]:
        """Return a figure summed over the period and over the one before; NaN where a month of it is not known."""
        out = []
        for span in (self.now, self.source.before):
            part = portfolio.within(rows, span)
            whole = part["month_no"].nunique() == span.last - span.first + 1 and part[column].notna().all()
            out.append(float(part[column].sum()) if whole else NAN)
        return out[0], out[1]

    @cached_property
    def _ends(self) -> tuple[pd.Series | None, pd.Series | None]:
        return portfolio.at_end(self.rows, self.now), portfolio.at_end(self.rows, self.source.before)

    def late(self, months: int) -> tuple[float, float]:
        """Return the share of accounts at least so many months past due, at both ends."""
        (late, late_before), (known, known_before) = self.ends(f"late_{months}"), self.ends("known")
        return share_of(late, known), share_of(late_before, known_before)

    def risen(self, months: int) -> Verdict:
        """Return the light of that share's rise."""
        late, known = self.ends(f"late_{months}"), self.ends("known")
        if any(v != v for v in (*late, *known)):
            return Verdict.not_evaluated
        events, rows = (tuple(int(v) for v in pair) for pair in (late, known))
        return headlines.risen(events, rows, self.rules, looks=LATE_BUCKETS)


def share_of(part: float, whole: float) -> float:
    """Return a part's share of the whole, NaN of nothing.

    >>> share_of(1, 4), share_of(1, 0)
    (0.25, nan)
    """
    return part / whole if whole else NAN
