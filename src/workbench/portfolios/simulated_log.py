"""The events of simulated customers: logged as they happen, applications with all their steps and waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from workbench.portfolios.simulated_customers import SimulatedCustomers

# waits in days before each step of an application; the review by hand is the bottleneck
WAIT = {
    "documents_complete": 2.0,
    "credit_check": 1.0,
    "manual_review": 9.0,
    "approved": 1.0,
    "contract_signed": 2.0,
    "paid_out": 1.0,
    "first_use": 6.0,
}
BOTTLENECK, REWORK, REVIEWED = "manual_review", 0.06, 0.4
_CHANNELS = ("app", "web", "branch", "phone")
ALL_STEPS = 4
_MAY_LACK = ("account_id", "case_id", "campaign_code", "arm_code")


@dataclass(frozen=True)
class _Cases:
    """Applications (n): whose, number, account where one came of it, refused or not, after how many steps given up."""

    at: np.ndarray
    case: np.ndarray
    account: np.ndarray | None
    declined: np.ndarray
    stops: np.ndarray


class Log:
    """The events of a block, collected by kind and month."""

    def __init__(self, p: SimulatedCustomers, numbers: np.ndarray, rng: np.random.Generator):
        self.p, self.numbers, self.rng, self.cases = p, numbers, rng, 0
        self.parts: list[dict[str, np.ndarray]] = []  # columns: a data frame a kind and month costs more than its rows

    def add(
        self,
        kind: str,
        at: np.ndarray,
        t: int,
        *,
        channel: str = "",
        account: np.ndarray | None = None,
        value: float | None = None,
    ) -> None:
        """Log an event of these customers somewhere in month t."""
        if len(at):
            self.parts.append(self._rows(kind, at, self._moments(t, len(at)), channel, account, value))

    def touch(self, at: np.ndarray, t: int, campaign: str, arm: np.ndarray, probability: np.ndarray) -> None:
        """Log who drew which arm of a campaign, with what probability."""
        if len(at):
            rows = self._rows("campaign_touch", at, self._moments(t, len(at)), "", None, None)
            names = np.full(len(at), campaign, dtype=object)
            self.parts.append(
                rows | {"campaign_code": names, "arm_code": arm.astype(object), "assignment_probability": probability}
            )

    def application(self, at: np.ndarray, t: int, account: np.ndarray | None, how: str) -> None:
        """Log the steps of applications that begin in month t: `bought`, or `lost` to a refusal or given up."""
        if not len(at):
            return
        n, rng = len(at), self.rng
        case = np.array([f"P{self.numbers[i][1:]}{self.cases + j:06d}" for j, i in enumerate(at)], dtype=object)
        self.cases += n
        lost = how == "lost"
        declined = (rng.random(n) < 0.55) if lost else np.zeros(n, bool)
        c = _Cases(at, case, account, declined, rng.integers(1, 4, n) if lost else np.full(n, ALL_STEPS))
        when, rework = self._moments(t, n), rng.random(n) < REWORK
        self._step(c, "application_started", when, np.ones(n, bool))
        asked = when + self._wait(0.5, n)
        self._step(c, "documents_asked", asked, rework | (rng.random(n) < 0.5))
        when, there = asked + self._wait(WAIT["documents_complete"], n), declined | (c.stops > 1)
        self._step(c, "documents_complete", when, there)
        again = when + self._wait(1.5, n)
        self._step(c, "documents_asked", again, rework & there)
        when = np.where(rework, again + self._wait(3.0, n), when)
        self._step(c, "documents_complete", when, rework & there)
        self._decide(c, when, there, rng.random(n) < REVIEWED)

    def _decide(self, c: _Cases, when: np.ndarray, there: np.ndarray, reviewed: np.ndarray) -> None:
        n = len(c.at)
        abandoned = ~c.declined & (c.stops < ALL_STEPS)
        self._step(c, "abandoned", when + self._wait(10, n), abandoned & (c.stops == 1))
        when = when + self._wait(WAIT["credit_check"], n)
        self._step(c, "credit_check", when, there)
        when = np.where(reviewed, when + self._wait(WAIT["manual_review"], n), when)
        self._step(c, "manual_review", when, there & reviewed)
        when = when + self._wait(WAIT["approved"], n)
        self._step(c, "declined", when, c.declined)
        self._step(c, "approved", when, there & ~c.declined & (c.stops > 2))
        self._step(c, "abandoned", when + self._wait(12, n), abandoned & (c.stops > 1))
        for name in ("contract_signed", "paid_out", "first_use"):
            when = when + self._wait(WAIT[name], n)
            used = (name != "first_use") | (self.rng.random(n) < 0.85)
            self._step(c, name, when, (c.stops == ALL_STEPS) & used)

    def _step(self, c: _Cases, kind: str, when: np.ndarray, which: np.ndarray) -> None:
        if which.any():
            account = None if c.account is None else c.account[which]
            rows = self._rows(kind, c.at[which], when[which], "", account, None)
            self.parts.append(rows | {"case_id": c.case[which]})

    def _wait(self, days: float, n: int) -> np.ndarray:
        hours = self.rng.lognormal(np.log(24 * days), 0.5, n)
        return (3600 * hours).astype("timedelta64[s]")

    def _moments(self, t: int, n: int) -> np.ndarray:
        month = self.p.months.to_numpy()[t].astype("datetime64[s]")
        return month + self.rng.integers(0, 27 * 86_400, n).astype("timedelta64[s]")

    def _rows(
        self, kind: str, at: np.ndarray, when: np.ndarray, channel: str, account: np.ndarray | None, value: float | None
    ) -> dict[str, np.ndarray]:
        n = len(at)
        nothing = np.full(n, None, dtype=object)
        channels = [channel] * n if channel else self.rng.choice(_CHANNELS, n)
        return {
            "customer_id": self.numbers[at],
            "account_id": nothing if account is None else account,
            "case_id": nothing,
            "event_kind": np.full(n, kind, dtype=object),
            "happened_at": when,
            "channel_code": np.asarray(channels, dtype=object),
            "value": np.full(n, np.nan if value is None else float(value)),
            "campaign_code": nothing,
            "arm_code": nothing,
            "assignment_probability": np.full(n, np.nan),
        }

    def table(self) -> pd.DataFrame:
        """Return the events in the order of time, with the moment they were recorded; none after the last month."""
        columns = {name: np.concatenate([part[name] for part in self.parts]) for name in self.parts[0]}
        table = pd.DataFrame({n: pd.Series(v, dtype=object if n in _MAY_LACK else None) for n, v in columns.items()})
        table = table[table["happened_at"] < self.p.months[-1] + pd.offsets.MonthEnd(0) + pd.Timedelta(days=1)]
        table = table.sort_values(["happened_at", "customer_id", "event_kind"], kind="stable", ignore_index=True)
        first = str(self.numbers[0])[1:]
        late = np.where(self.rng.random(len(table)) < 0.02, self.rng.integers(10, 40, len(table)), 0)
        recorded = table["happened_at"] + pd.to_timedelta(late, unit="D") + pd.Timedelta(minutes=5)
        return table.assign(event_id=[f"V{first}{i:08d}" for i in range(len(table))], recorded_at=recorded)
