"""What is logged of simulated customers, and the randomised campaigns: who is offered what, by chance, with what effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from workbench.portfolios.simulated_customers import (
    CARD,
    CODES,
    DEPOSIT,
    HOME,
    PERSONAL,
    PRODUCTS,
    SAVINGS,
    People,
    SimulatedCustomers,
)

if TYPE_CHECKING:
    from workbench.portfolios.simulated_conduct import State

TRIAL_MONTHS = 3
OFFERED = (SAVINGS, DEPOSIT, CARD, PERSONAL, HOME)
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


class Log:
    """The events of a block, collected by kind and month."""

    def __init__(self, p: SimulatedCustomers, numbers: np.ndarray, rng: np.random.Generator):
        self.p, self.numbers, self.rng, self.parts, self.cases = p, numbers, rng, [], 0

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
            self.parts.append(rows.assign(campaign_code=campaign, arm_code=arm, assignment_probability=probability))

    def application(self, at: np.ndarray, t: int, account: np.ndarray | None, how: str) -> None:
        """Log the steps of applications that begin in month t: bought to first use, lost to a refusal or abandonment."""
        if not len(at):
            return
        n, rng = len(at), self.rng
        case = np.array([f"P{self.numbers[i][1:]}{self.cases + j:06d}" for j, i in enumerate(at)], dtype=object)
        self.cases += n
        when = self._moments(t, n)
        reviewed, rework = rng.random(n) < REVIEWED, rng.random(n) < REWORK
        declined = (rng.random(n) < 0.55) if how == "lost" else np.zeros(n, bool)
        stops = rng.integers(1, 4, n) if how == "lost" else np.full(n, 9)
        self._step("application_started", at, when, case, account, np.ones(n, bool))
        asked = when + self._wait(0.5, n)
        self._step("documents_asked", at, asked, case, account, rework | (rng.random(n) < 0.5))
        when = asked + self._wait(WAIT["documents_complete"], n)
        there = declined | (stops > 1)
        self._step("documents_complete", at, when, case, account, there)
        again = when + self._wait(1.5, n)
        self._step("documents_asked", at, again, case, account, rework & there)
        when = np.where(rework, again + self._wait(3.0, n), when)
        self._step("documents_complete", at, when, case, account, rework & there)
        self._decide(at, when, case, account, there, reviewed, declined, stops)

    def _decide(self, at, when, case, account, there, reviewed, declined, stops) -> None:  # type: ignore[no-untyped-def]
        n = len(at)
        abandoned = ~declined & (stops < 4)
        self._step("abandoned", at, when + self._wait(10, n), case, account, abandoned & (stops == 1))
        when = when + self._wait(WAIT["credit_check"], n)
        there = there & (declined | (stops > 1))
        self._step("credit_check", at, when, case, account, there)
        when = np.where(reviewed, when + self._wait(WAIT["manual_review"], n), when)
        self._step("manual_review", at, when, case, account, there & reviewed)
        when = when + self._wait(WAIT["approved"], n)
        self._step("declined", at, when, case, account, declined)
        self._step("approved", at, when, case, account, there & ~declined & (stops > 2))
        self._step("abandoned", at, when + self._wait(12, n), case, account, abandoned & (stops > 1))
        for name in ("contract_signed", "paid_out", "first_use"):
            when = when + self._wait(WAIT[name], n)
            self._step(
                name, at, when, case, account, (stops == 9) & ((name != "first_use") | (self.rng.random(n) < 0.85))
            )

    def _step(self, kind, at, when, case, account, which) -> None:  # type: ignore[no-untyped-def]
        if which.any():
            given = None if account is None else account[which]
            self.parts.append(self._rows(kind, at[which], when[which], "", given, None).assign(case_id=case[which]))

    def _wait(self, days: float, n: int) -> np.ndarray:
        hours = self.rng.lognormal(np.log(24 * days), 0.5, n)
        return (3600 * hours).astype("timedelta64[s]")

    def _moments(self, t: int, n: int) -> np.ndarray:
        month = self.p.months.to_numpy()[t].astype("datetime64[s]")
        return month + self.rng.integers(0, 27 * 86_400, n).astype("timedelta64[s]")

    def _rows(self, kind, at, when, channel, account, value) -> pd.DataFrame:  # type: ignore[no-untyped-def]
        n = len(at)
        return pd.DataFrame(
            {
                "customer_id": self.numbers[at],
                "account_id": account,
                "case_id": None,
                "event_kind": kind,
                "happened_at": when,
                "channel_code": channel or self.rng.choice(_CHANNELS, n),
                "value": np.nan if value is None else float(value),
                "campaign_code": None,
                "arm_code": None,
                "assignment_probability": np.nan,
            }
        )

    def table(self) -> pd.DataFrame:
        """Return the events in the order of time, with the moment they were recorded; none after the last month."""
        table = pd.concat(self.parts, ignore_index=True)
        table = table[table["happened_at"] < self.p.months[-1] + pd.offsets.MonthEnd(0) + pd.Timedelta(days=1)]
        table = table.sort_values(["happened_at", "customer_id", "event_kind"], kind="stable", ignore_index=True)
        first = str(self.numbers[0])[1:]
        late = np.where(self.rng.random(len(table)) < 0.02, self.rng.integers(10, 40, len(table)), 0)
        recorded = table["happened_at"] + pd.to_timedelta(late, unit="D") + pd.Timedelta(minutes=5)
        return table.assign(event_id=[f"V{first}{i:08d}" for i in range(len(table))], recorded_at=recorded)


class Trials:
    """Two retention trials and two of next offers, drawn by chance; their effect on each customer is known here."""

    def __init__(self, p: SimulatedCustomers, who: People, rng: np.random.Generator):
        self.p, self.who, self.rng = p, who, rng
        self.save = {int(p.n_months * 0.5): "save_1", int(p.n_months * 0.7): "save_2"}
        self.next = {int(p.n_months * 0.4): "next_1", int(p.n_months * 0.6): "next_2"}
        self.offer, self.until = np.zeros(len(who)), np.full(len(who), -1)
        self.offered, self.offered_until = np.full(len(who), -1), np.full(len(who), -1)
        self.rows: list[pd.DataFrame] = []

    def touch(self, t: int, s: State, log: Log) -> None:
        """Draw the arms of the campaigns of month t among the living who aren't late."""
        at = np.flatnonzero(s.alive & (s.delay == 0) & (self.who.joined < t - 6))
        if t in self.save:
            self._save(t, at, s, log)
        if t in self.next:
            self._next(t, at, s, log)

    def _save(self, t: int, at: np.ndarray, s: State, log: Log) -> None:
        """An offer keeps the engaged who have been annoyed; it reminds the disengaged that they could leave."""
        drawn = self.rng.random(len(at)) < 0.5
        shift = 0.2 - 1.3 * np.tanh(1.2 * self.who.engagement[at]) - 0.6 * np.clip(s.push[at], 0, 1.5)
        self.offer[at], self.until[at] = np.where(drawn, shift, 0.0), t + TRIAL_MONTHS
        log.touch(at, t, self.save[t], np.where(drawn, "offer", "control"), np.full(len(at), 0.5))
        base = (s.push[at], self.who.engagement[at], s.holds[at].sum(axis=1), s.holds[at][:, [4, 5, 6]].any(axis=1))
        with_, without = _left(*base, shift), _left(*base, np.zeros(len(at)))
        self._known(at, self.save[t], with_ - without)

    def _next(self, t: int, at: np.ndarray, s: State, log: Log) -> None:
        """Each gets one of five offers or none; likelier what customers of the age and income like."""
        appeal = np.column_stack([np.zeros(len(at)), 0.4 * self.who.taste[np.ix_(at, OFFERED)]])
        chance = np.exp(appeal) / np.exp(appeal).sum(axis=1, keepdims=True)
        arm = (self.rng.random((len(at), 1)) > np.cumsum(chance, axis=1)).sum(axis=1).clip(max=len(OFFERED))
        names = np.array(["control", *(CODES[k] for k in OFFERED)])
        self.offered[at] = np.array([-1, *OFFERED])[arm]
        self.offered_until[at] = t + TRIAL_MONTHS
        log.touch(at, t, self.next[t], names[arm], chance[np.arange(len(at)), arm])

    def _known(self, at: np.ndarray, campaign: str, uplift: np.ndarray) -> None:
        numbers = self.who.customer["customer_id"].to_numpy()[at]
        self.rows.append(pd.DataFrame({"customer_id": numbers, "campaign_code": campaign, "uplift": uplift}))

    def shift(self, t: int) -> np.ndarray:
        """Return what the retention offer adds to the log odds of leaving in month t (n)."""
        return np.where(t < self.until, self.offer, 0.0)

    def drawn_to(self, t: int) -> np.ndarray:
        """Return what an offer adds to the log odds of each purchase in month t (n × products)."""
        out = np.zeros((len(self.who), len(PRODUCTS)))
        at = np.flatnonzero((self.offered >= 0) & (t < self.offered_until))
        out[at, self.offered[at]] = 1.2 + 0.5 * np.tanh(self.who.taste[at, self.offered[at]])
        return out

    def truth(self) -> pd.DataFrame:
        """Return customer_id, campaign_code, uplift: the true change of the chance to leave within three months."""
        columns = ["customer_id", "campaign_code", "uplift"]
        return pd.concat(self.rows, ignore_index=True) if self.rows else pd.DataFrame(columns=columns)


def _left(
    push: np.ndarray, engagement: np.ndarray, products: np.ndarray, term: np.ndarray, shift: np.ndarray
) -> np.ndarray:
    """Return the chance to leave within three months from here; what pushes fades and comes anew as it does on average."""
    from workbench.portfolios.simulated_conduct import CAUSAL, CAUSAL_RATE, LEAVE, MEMORY, sigmoid

    stays, fresh = np.ones(len(push)), sum(CAUSAL[k] * CAUSAL_RATE[k] for k in CAUSAL)
    for _ in range(TRIAL_MONTHS):
        odds = push - 0.35 * engagement - 0.12 * products + shift
        stays = stays * (1 - sigmoid(LEAVE["settle"] + 0.4 + odds) * term) * (1 - sigmoid(LEAVE["dormant"] + odds))
        push = MEMORY * push + fresh
    return 1 - stays
