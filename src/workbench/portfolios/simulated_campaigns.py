"""The randomised campaigns of simulated customers: who is offered what, by chance, with what effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from workbench.portfolios.simulated_chances import TRIAL_MONTHS, barred, bought, left, purchase_odds
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
    from workbench.portfolios.simulated_log import Log

OFFERED = (SAVINGS, DEPOSIT, CARD, PERSONAL, HOME)


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
        shift = 0.1 - 1.8 * np.tanh(1.2 * self.who.engagement[at]) - 0.6 * np.clip(s.push[at], 0, 1.5)
        self.offer[at], self.until[at] = np.where(drawn, shift, 0.0), t + TRIAL_MONTHS
        log.touch(at, t, self.save[t], np.where(drawn, "offer", "control"), np.full(len(at), 0.5))
        base = (s.push[at], self.who.engagement[at], s.holds[at].sum(axis=1), s.holds[at][:, [4, 5, 6]].any(axis=1))
        with_, without = left(*base, shift), left(*base, np.zeros(len(at)))
        self._known(at, self.save[t], "offer", with_ - without)

    def _next(self, t: int, at: np.ndarray, s: State, log: Log) -> None:
        """Each gets one of five offers or none; likelier what customers of the age and income like."""
        appeal = np.column_stack([np.zeros(len(at)), 0.4 * self.who.taste[np.ix_(at, OFFERED)]])
        chance = np.exp(appeal) / np.exp(appeal).sum(axis=1, keepdims=True)
        arm = (self.rng.random((len(at), 1)) > np.cumsum(chance, axis=1)).sum(axis=1).clip(max=len(OFFERED))
        names = np.array(["control", *(CODES[k] for k in OFFERED)])
        self.offered[at] = np.array([-1, *OFFERED])[arm]
        self.offered_until[at] = t + TRIAL_MONTHS
        log.touch(at, t, self.next[t], names[arm], chance[np.arange(len(at)), arm])
        push, taste, holds = s.push[at], self.who.taste[at], s.holds[at]
        odds, never = purchase_odds(taste, holds, push), barred(self.who.income[at], holds, s.delay[at])
        more = bought(push, odds, _drawn(taste)) - bought(push, odds, np.zeros(odds.shape))
        for k in OFFERED:
            self._known(at, self.next[t], CODES[k], np.where(never, 0.0, more)[:, k])

    def _known(self, at: np.ndarray, campaign: str, arm: str, uplift: np.ndarray) -> None:
        numbers = self.who.customer["customer_id"].to_numpy()[at]
        columns = {"customer_id": numbers, "campaign_code": campaign, "arm_code": arm, "uplift": uplift}
        self.rows.append(pd.DataFrame(columns))

    def shift(self, t: int) -> np.ndarray:
        """Return what the retention offer adds to the log odds of leaving in month t (n)."""
        return np.where(t < self.until, self.offer, 0.0)

    def drawn_to(self, t: int) -> np.ndarray:
        """Return what an offer adds to the log odds of each purchase in month t (n × products)."""
        out = np.zeros((len(self.who), len(PRODUCTS)))
        at = np.flatnonzero((self.offered >= 0) & (t < self.offered_until))
        out[at, self.offered[at]] = _drawn(self.who.taste[at, self.offered[at]])
        return out

    def truth(self) -> pd.DataFrame:
        """Return customer_id, campaign_code, arm_code, uplift: what the arm truly changes against none.

        Of a retention offer the chance to leave within three months, of a product the chance that it is bought in them,
        by who stays and isn't late.
        """
        columns = ["customer_id", "campaign_code", "arm_code", "uplift"]
        return pd.concat(self.rows, ignore_index=True) if self.rows else pd.DataFrame(columns=columns)


def _drawn(taste: np.ndarray) -> np.ndarray:
    """Return what an offer adds to the log odds of the purchase, by the taste for the product."""
    return 1.2 + 0.5 * np.tanh(taste)
