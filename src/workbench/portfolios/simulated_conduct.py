"""How simulated customers behave, month by month: pay, buy, complain, leave; with the true chance of each.

One pass over the months, vectorised over the customers. A customer ends by settling early, by closing the current
account (dormant), or three months after a default.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from workbench.portfolios import simulated_campaigns, simulated_log
from workbench.portfolios.simulated_accounts import Accounts
from workbench.portfolios.simulated_chances import (
    CAUSAL,
    CAUSAL_RATE,
    IRRELEVANT,
    LEAVE,
    MEMORY,
    barred,
    purchase_odds,
    sigmoid,
)
from workbench.portfolios.simulated_customers import (
    CODES,
    CURRENT,
    PRODUCTS,
    REVOLVING,
    TERM_LOANS,
    People,
    SimulatedCustomers,
)

LATE, ROLL, CURE = -4.2, (0.36, 0.52), (0.45, 0.22)
SHOCK_LATE = 1.5  # log odds of falling late, of who is hit


@dataclass
class State:
    """What a month begins with, of n customers; changed in place as the months pass."""

    alive: np.ndarray
    holds: np.ndarray  # (n × products)
    delay: np.ndarray  # months past due of all loans of one
    push: np.ndarray  # what drives out, remembered
    mood: np.ndarray
    in_default: np.ndarray
    salary: np.ndarray  # whether the salary comes in here


@dataclass
class Conduct:
    """What came of a block: tables, and the truth behind them."""

    accounts: pd.DataFrame
    monthly: pd.DataFrame
    events: pd.DataFrame
    truth: dict[str, pd.DataFrame]
    alive: np.ndarray  # (n × months)
    mood: np.ndarray
    complained: np.ndarray
    holds: list[np.ndarray] = field(default_factory=list)


@dataclass(frozen=True)
class Block:
    """What a month's functions work on: parameters, people, their accounts, the log of events, the stream of chance."""

    p: SimulatedCustomers
    who: People
    book: Accounts
    log: simulated_log.Log
    rng: np.random.Generator


def walk(p: SimulatedCustomers, who: People, rng: np.random.Generator) -> Conduct:
    """Walk a block of customers through all months."""
    n, T = len(who), p.n_months
    book, log = Accounts(p, who, rng), simulated_log.Log(p, who.customer["customer_id"].to_numpy(), rng)
    s = State(
        np.zeros(n, bool),
        book.holds,
        np.zeros(n, int),
        np.zeros(n),
        rng.normal(0, 0.5, n),
        np.zeros(n, int),
        rng.random(n) < 0.7,
    )
    trials, block = simulated_campaigns.Trials(p, who, rng), Block(p, who, book, log, rng)
    alive, mood, complained, hazards = np.zeros((n, T), bool), np.zeros((n, T)), np.zeros((n, T), bool), []
    for t in range(T):
        if t == 0:
            book.furnish(who, rng)
            s.alive |= who.joined < 0
        s.alive |= who.joined == t
        book.open(np.flatnonzero(who.joined == t), CURRENT, t)
        trials.touch(t, s, log)
        chances = _chances(p, who, s, book, t, trials)
        hazards.append(_true(who, s, chances, t, p))
        complained[:, t] = _happen(block, s, chances, t)
        alive[:, t], mood[:, t] = s.alive, s.mood
        gone = _pay_and_leave(block, s, chances, t)
        _buy(block, s, chances, t)
        book.close_month(t, s, gone)
        s.alive &= ~(gone > 0)
    true = pd.DataFrame({name: np.concatenate([month[name] for month in hazards]) for name in hazards[0]})
    truth = {"hazards": true, "campaign": trials.truth()}
    return Conduct(book.table(), book.monthly(), log.table(), truth, alive, mood, complained)


def _chances(
    p: SimulatedCustomers, who: People, s: State, book: Accounts, t: int, trials: simulated_campaigns.Trials
) -> dict[str, np.ndarray]:
    """Return the true chance of everything that can happen in month t (n each; purchases n × products)."""
    loans, hit = book.has_loan(), who.shocked & (t >= p.at(p.shock_month))
    burden = np.clip(book.due() / who.income, 0.01, 2.0)
    late = sigmoid(LATE - 0.9 * who.quality + 0.8 * np.log(burden / 0.2) + SHOCK_LATE * hit) * loans
    term = s.holds[:, TERM_LOANS].any(axis=1)
    leave = s.push - 0.35 * who.engagement - 0.12 * s.holds.sum(axis=1) + trials.shift(t)
    settle = sigmoid(LEAVE["settle"] + 0.4 + leave) * term * (s.delay == 0)
    dormant = sigmoid(LEAVE["dormant"] + leave) * (s.delay == 0)
    buy = purchase_odds(who.taste, s.holds, s.push) + trials.drawn_to(t)
    never = barred(who.income, s.holds, s.delay)
    causal = {
        k: sigmoid(np.log(r / (1 - r)) + (-0.5 * s.mood if k == "complaint" else 0.0)) + np.zeros(len(who))
        for k, r in CAUSAL_RATE.items()
    }
    causal["salary_stopped"] = causal["salary_stopped"] * s.salary
    return {"late": late, "settle": settle, "dormant": dormant, "buy": np.where(never, 0.0, sigmoid(buy)), **causal}


def _true(who: People, s: State, c: dict[str, np.ndarray], t: int, p: SimulatedCustomers) -> dict[str, np.ndarray]:
    at = np.flatnonzero(s.alive)
    columns = {
        "customer_id": who.customer["customer_id"].to_numpy()[at],
        "month": np.full(len(at), p.months.to_numpy()[t]),
        "late": c["late"][at],
        "roll": np.where(s.delay == 1, ROLL[0], np.where(s.delay == 2, ROLL[1], 0.0))[at],
        "default": np.where(s.delay == 2, ROLL[1], 0.0)[at],
        "cure": np.select([s.delay == 1, s.delay == 2], CURE, 0.0)[at],
        **{kind: c[kind][at] for kind in ("settle", "dormant", "complaint")},
    }
    return columns | {f"buy_{code}": c["buy"][at, k] for k, code in enumerate(CODES) if k != CURRENT}


def _happen(b: Block, s: State, c: dict[str, np.ndarray], t: int) -> np.ndarray:
    """Log what happens beside payments; return who complained."""
    who, log, rng = b.who, b.log, b.rng
    n, complained = len(who), np.zeros(len(who), bool)
    s.push *= MEMORY
    for kind, weight in CAUSAL.items():
        now = s.alive & (rng.random(n) < c[kind])
        s.push += weight * now
        log.add(kind, np.flatnonzero(now), t)
        if kind == "complaint":
            complained = now
        if kind == "salary_stopped":
            s.salary &= ~now
    back = ~s.salary & (rng.random(n) < 0.04)
    s.salary |= back
    s.mood = 0.8 * s.mood + rng.normal(0, 0.4, n) - 0.8 * complained
    for kind, (rate, with_engagement) in IRRELEVANT.items():
        odds = np.log(rate / (1 - rate)) + with_engagement * who.engagement
        log.add(kind, np.flatnonzero(s.alive & (rng.random(n) < sigmoid(odds))), t)
    logins = np.where(s.alive, rng.poisson(np.exp(0.7 + 0.6 * who.engagement)), 0)
    log.add("login", np.repeat(np.arange(n), logins), t, channel="app")
    for kind, rate in (("call", 0.05), ("enquiry", 0.03), ("balance_transferred", 0.03)):
        log.add(kind, np.flatnonzero(s.alive & (rng.random(n) < rate)), t)
    return complained


def _pay_and_leave(b: Block, s: State, c: dict[str, np.ndarray], t: int) -> np.ndarray:
    """Move delays and payments; return how each leaves in this month: 0 not, 1 settled, 2 dormant, 3 written off."""
    who, book, log, rng = b.who, b.book, b.log, b.rng
    n, before, u = len(who), s.delay.copy(), rng.random(len(who))
    s.delay = np.where((before == 0) & (u < c["late"]), 1, s.delay)
    for state in (1, 2):
        at = before == state
        s.delay = np.where(at & (u < ROLL[state - 1]), state + 1, np.where(at & (u > 1 - CURE[state - 1]), 0, s.delay))
    s.delay = np.where(before >= 3, before + 1, s.delay)
    defaulted = s.alive & (before < 3) & (s.delay >= 3)
    log.add("defaulted", np.flatnonzero(defaulted), t)
    log.add("cured", np.flatnonzero(s.alive & (before > 0) & (before < 3) & (s.delay == 0)), t)
    s.in_default += s.alive & (s.delay >= 3)
    book.pay(t, before, s, rng)
    settled = s.alive & (s.delay == 0) & (before == 0) & (rng.random(n) < c["settle"])
    dormant = s.alive & ~settled & (s.delay == 0) & (before == 0) & (rng.random(n) < c["dormant"])
    log.add("settled_early", np.flatnonzero(settled), t)
    log.add("officer_call", np.flatnonzero(s.alive & (s.delay > 0) & (rng.random(n) < 0.4)), t)
    return np.select([settled, dormant, s.in_default > 3], [1, 2, 3], 0) * s.alive


def _buy(b: Block, s: State, c: dict[str, np.ndarray], t: int) -> None:
    who, book, log, rng = b.who, b.book, b.log, b.rng
    credit = (*TERM_LOANS, *REVOLVING)
    for k in range(1, len(PRODUCTS)):
        now = np.flatnonzero(s.alive & (rng.random(len(who)) < c["buy"][:, k]))
        book.open(now, k, t)
        log.add("product_bought", now, t, account=book.number(now, k), value=k)
        if k in credit:
            log.application(now, t, book.number(now, k), "bought")
            lost = np.flatnonzero(s.alive & ~s.holds[:, k] & (rng.random(len(who)) < 0.8 * c["buy"][:, k]))
            log.application(lost, t, None, "lost")
