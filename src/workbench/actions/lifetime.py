"""What customers are worth in the months ahead: margin while they stay, less what is written off, events competing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from workbench import engine, params, tables
from workbench.actions import hazards, run_off
from workbench.actions.hazards import Hazards
from workbench.actions.run_off import Ahead, Learnt
from workbench.panel.months import number
from workbench.params import UserError

if TYPE_CHECKING:
    from workbench.engine import Relations

STATES_EVERY = 6  # months between the dates that are learnt from: neighbours tell the same
SEEN_MONTHS = 5  # before the first of them: what is known of a customer there has a past
DEFAULTED = list(hazards.EVENTS).index("defaulted")


def dates(key: params.Key, horizon_months: int, step: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the date value is tested on, whose months have passed, and the last month (today).

    Raises `UserError`, naming the step, where no date has the horizon behind it and another before the test.
    """
    months = tables.read(key, "core__month", columns=["month"])["month"]
    first, today = months.min(), months.max()
    test = today - pd.DateOffset(months=horizon_months)
    if number(test) - number(first) < SEEN_MONTHS + horizon_months:
        raise UserError(
            f"{step}: {number(today) - number(first) + 1} months are too few to learn {horizon_months} ahead and test "
            f"it; give a shorter horizon_months"
        )
    return test, today


@dataclass(frozen=True)
class Lifetime:
    """Hazards of the events that end a relationship, what was learnt of accounts, and the discount per year."""

    hazards: Hazards
    accounts: Learnt
    discount_rate: float

    @property
    def discount(self) -> np.ndarray:
        """What an amount of each month ahead is worth today (T)."""
        return (1 + self.discount_rate) ** (-np.arange(1, self.hazards.months + 1) / 12)

    def value(self, relations: Relations, state: pd.DataFrame) -> pd.DataFrame:
        """Return leaving, value, at_risk of customers in a state of one date: chance, worth, what leaving costs.

        value = Σ v(t)·(here(t)·margin(t) + stays(t)·bought(t) − written(t)·loss(t)), v(t) the discount; here: stays, or
        in default and not yet written off; written: defaulted `wait` months before. A customer who can't leave has the
        same without settling and dormancy; at_risk is the difference. Never 1 − KM: default and leaving compete.
        """
        h, ahead = self.hazards.hazards(state), run_off.ahead(relations, state, self.accounts)
        worth = self._worth(h, ahead)
        stays = h * (np.arange(h.shape[2]) == DEFAULTED)
        before, _ = _staying(h)
        leaving = (before * np.delete(h, DEFAULTED, axis=2).sum(axis=2)).sum(axis=1)
        at_risk = np.maximum(self._worth(stays, ahead) - worth, 0)
        return state[["entity_id"]].assign(leaving=leaving, value=worth, at_risk=at_risk)

    def _worth(self, h: np.ndarray, ahead: Ahead) -> np.ndarray:
        before, staying = _staying(h)
        defaults = before * h[:, :, DEFAULTED]
        written = self.accounts.ends * _later(defaults, self.accounts.wait)
        loss = _later(ahead.loss, self.accounts.wait)
        here = staying + np.cumsum(defaults - written, axis=1)
        return (here * ahead.margin + staying * ahead.bought - written * loss) @ self.discount


def _staying(h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the chance to be still there at the begin and at the end of each month (n × T each)."""
    staying = np.cumprod(1 - h.sum(axis=2), axis=1)
    return np.concatenate([np.ones((len(h), 1)), staying[:, :-1]], axis=1), staying


def _later(monthly: np.ndarray, months: int) -> np.ndarray:
    """Return what happens so many months later (n × T), nothing before."""
    late = np.zeros_like(monthly)
    late[:, months:] = monthly[:, : monthly.shape[1] - months]
    return late


def learnt(
    relations: Relations, until: pd.Timestamp, horizon_months: int, discount_rate: float, *, most_rows: int, seed: int
) -> Lifetime:
    """Return what customers are worth, learnt from every sixth month and what came of it by `until`; of nothing later.

    relations: months, performance, holding, product.
    """
    first = engine.frame("SELECT min(month) AS month FROM months", {"months": relations["months"]})["month"].iloc[0]
    span = pd.period_range(first.to_period("M") + SEEN_MONTHS, until.to_period("M") - STATES_EVERY, freq="M")
    learn_on = [d.to_timestamp() for d in span[::-STATES_EVERY]]
    state = hazards.states(relations["months"], learn_on)
    after = hazards.followed(relations["months"], state, horizon_months, until)
    learned = hazards.fitted(state, after, horizon_months, most_rows, seed)
    return Lifetime(learned, run_off.learnt(relations, learn_on, until, horizon_months), discount_rate)
