"""The simulated customers' accounts: opened, paid, run down, closed; one row a month, whose balances roll forward."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from workbench.portfolios.simulated_customers import (
    CARD,
    CODES,
    CURRENT,
    DEPOSIT,
    HOME,
    LIFE,
    MORTGAGE,
    OVERDRAFT,
    PRODUCTS,
    SAVINGS,
    TERM_LOANS,
    TERMS,
    People,
    SimulatedCustomers,
)

if TYPE_CHECKING:
    from workbench.portfolios.simulated_conduct import State

LOANS = (CARD, *TERM_LOANS, OVERDRAFT)
SPREAD, PRIME, MOST_OF_ONE = (
    48_271,
    2**31 - 1,
    16,
)  # a number that doesn't tell whose it is; one product is bought so often
REASONS = {1: "settled_early", 2: "closed", 3: "defaulted"}
AT_START = {
    SAVINGS: 0.35,
    CARD: 0.45,
    4: 0.22,
    5: 0.12,
    MORTGAGE: 0.10,
    OVERDRAFT: 0.10,
    LIFE: 0.12,
    HOME: 0.10,
    DEPOSIT: 0.10,
}
RECOVERED = {5: 0.55, MORTGAGE: 0.8}  # of the balance in default, by the collateral; of all others a fifth
LOAN_INCOMES = {4: 5.0, 5: 9.0, MORTGAGE: 45.0}  # amount in monthly incomes


class Accounts:
    """At most one account of each product a customer (n × products): balances and terms, and what each month left."""

    def __init__(self, p: SimulatedCustomers, who: People, rng: np.random.Generator):
        n, k = len(who), len(PRODUCTS)
        self.p, self.who, self.rng = p, who, rng
        self.holds, self.balance = np.zeros((n, k), bool), np.zeros((n, k))
        self.limit, self.instalment, self.rate = np.zeros((n, k)), np.zeros((n, k)), np.zeros((n, k))
        self.opened_now = np.zeros((n, k))
        self.rows: list[dict[str, np.ndarray]] = []
        self.opened: list[dict[str, np.ndarray]] = []  # columns: a data frame costs more than its rows
        self.closed: dict[str, tuple[pd.Timestamp, str]] = {}
        self.flow: dict[str, np.ndarray] = {}
        self.count, self.code = np.zeros((n, k), int), np.full((n, k), "", dtype=object)
        self.first = who.customer["customer_id"].to_numpy()
        self.running = np.array([int(c[1:]) for c in self.first])

    def number(self, at: np.ndarray, k: int) -> np.ndarray:
        """Return the numbers of the accounts that these customers have of a product."""
        return self.code[at, k]

    def has_loan(self) -> np.ndarray:
        """Return who owes something (n)."""
        return (self.balance[:, list(LOANS)] > 0).any(axis=1)

    def due(self) -> np.ndarray:
        """Return what each owes in a month (n)."""
        cards = 0.03 * self.balance[:, [CARD, OVERDRAFT]].sum(axis=1)
        return self.instalment[:, list(TERM_LOANS)].sum(axis=1) + cards

    def furnish(self, who: People, rng: np.random.Generator) -> None:
        """Give those who are there at the start what they have bought before."""
        old = who.joined < 0
        for k, share in AT_START.items():
            odds = np.log(share / (1 - share)) + 0.7 * who.taste[:, k]
            poor = who.income < PRODUCTS[k].minimum_income
            at = np.flatnonzero(old & ~poor & (rng.random(len(who)) < 1 / (1 + np.exp(-odds))))
            self.open(at, k, -1)
            if k in TERM_LOANS:
                self.balance[at, k] *= rng.uniform(0.2, 1.0, len(at))
        self.open(np.flatnonzero(old), CURRENT, -1)
        self.opened_now[:] = 0.0

    def open(self, at: np.ndarray, k: int, t: int) -> None:
        """Open an account of product k for these customers in month t (before the first one where below 0)."""
        if not len(at):
            return
        income, rng = self.who.income[at], self.rng
        self.holds[at, k], self.count[at, k] = True, self.count[at, k] + 1
        running = (self.running[at] * len(PRODUCTS) + k) * MOST_OF_ONE + self.count[at, k]
        self.code[at, k] = [f"A{v:010d}" for v in running * SPREAD % PRIME]
        self.rate[at, k] = np.clip(PRODUCTS[k].rate - 0.006 * self.who.quality[at] * (k in LOANS), 0.0, None)
        term = np.zeros(len(at), int)
        if k in TERM_LOANS:
            term = rng.integers(TERMS[k][0] // 12, TERMS[k][1] // 12 + 1, len(at)) * 12
            amount, r = income * LOAN_INCOMES[k] * rng.lognormal(-0.1, 0.35, len(at)), self.rate[at, k] / 12
            self.instalment[at, k] = amount * r / (1 - (1 + r) ** -term)
        elif k in (CARD, OVERDRAFT):
            self.limit[at, k] = np.round(income * (2.0 if k == CARD else 0.8), -1)
            amount = self.limit[at, k] * rng.beta(1.2, 3, len(at))
        else:
            amount = (
                income
                * (rng.lognormal(0, 0.8, len(at)) * {SAVINGS: 3, DEPOSIT: 6}.get(k, 0.6))
                * (k not in (LIFE, HOME))
            )
        self.balance[at, k], self.opened_now[at, k] = amount, amount
        earlier = -rng.integers(1, 48, len(at)) if t < 0 else np.full(len(at), t)
        month = self.p.months[0].to_datetime64().astype("datetime64[M]") + earlier
        secured = np.round(amount * 1.25, 2) if k in (5, MORTGAGE) else np.zeros(len(at))
        self.opened.append(
            {
                "account_id": self.number(at, k),
                "customer_id": self.first[at],
                "product_code": np.full(len(at), CODES[k], dtype=object),
                "opened_month": month.astype("datetime64[us]"),
                "original_amt": np.round(amount, 2) if k in LOANS else np.zeros(len(at)),
                "interest_rate": np.round(self.rate[at, k], 4),
                "term_months": term,
                "instalment_amt": np.round(self.instalment[at, k], 2),
                "collateral_amt": secured,
                "limit_amt": self.limit[at, k],
                "channel_code": rng.choice(["branch", "online", "broker"], len(at), p=[0.35, 0.5, 0.15]),
            }
        )

    def pay(self, t: int, before: np.ndarray, s: State, rng: np.random.Generator) -> None:
        """Reckon the month's flows (n × products): opening, disbursed, principal, interest, due, paid."""
        n, k = self.balance.shape
        opening = np.where(self.opened_now > 0, 0.0, self.balance)
        missed = s.delay > np.maximum(before, 0)
        part = np.where(missed, rng.uniform(0, 0.4, n), 1 + np.maximum(before - s.delay, 0))[:, None]
        interest = self.balance * self.rate / 12
        card = np.zeros((n, k))
        card[:, [CARD, OVERDRAFT]] = 0.03 * self.balance[:, [CARD, OVERDRAFT]]
        one = np.minimum(self.instalment, self.balance + interest) + card
        due = one * (1 + np.maximum(before, 0))[:, None] * self.holds
        paid = np.minimum(one * part, self.balance + interest) * self.holds
        loan = np.isin(np.arange(k), LOANS)
        principal = np.clip(paid - interest, 0.0, self.balance) * loan
        spent = np.zeros((n, k))
        room = self.limit - self.balance + principal
        pressed = np.exp(-0.25 * self.who.quality + 0.35 * (s.delay > 0))
        spent[:, [CARD, OVERDRAFT]] = (
            np.clip(room[:, [CARD, OVERDRAFT]], 0, None) * (0.05 * pressed * rng.uniform(0.3, 1.7, n))[:, None]
        )
        saved = rng.normal(0.02, 0.12, (n, k)) * self.balance * ~loan
        self.flow = {
            "opening_balance_amt": opening,
            "disbursed_amt": np.where(self.opened_now > 0, self.opened_now, 0.0)
            + spent * self.holds
            + np.clip(saved, 0, None),
            "principal_paid_amt": principal + np.clip(-saved, 0, None),
            "due_amt": due * loan,
            "paid_amt": paid * loan,
            "interest_amt": interest * self.holds,
        }

    def close_month(self, t: int, s: State, gone: np.ndarray) -> None:
        """Write the month's rows, close what ends, and carry the balances over."""
        shown = self.holds & s.alive[:, None]
        f = {name: np.round(v, 2) for name, v in self.flow.items()}
        fresh = self.opened_now > 0  # opened in this month: nothing was due yet
        f["disbursed_amt"] = np.where(fresh, np.round(self.opened_now, 2), f["disbursed_amt"])
        for name in ("opening_balance_amt", "principal_paid_amt", "due_amt", "paid_amt", "interest_amt"):
            f[name] = np.where(fresh, 0.0, f[name])
        leaving = (gone == 1) | (gone == 2)
        balance = f["opening_balance_amt"] + f["disbursed_amt"] - f["principal_paid_amt"]
        f["principal_paid_amt"] = f["principal_paid_amt"] + np.where(leaving[:, None], balance, 0.0)
        lost = np.array([1 - RECOVERED.get(j, 0.2) if j in LOANS else 0.0 for j in range(len(PRODUCTS))])
        written = np.where((gone == 3)[:, None], balance, 0.0) * lost
        drawn = np.where((gone == 3)[:, None], balance, 0.0) - written
        f["principal_paid_amt"] = np.round(f["principal_paid_amt"] + drawn, 2)
        f["written_off_amt"] = np.round(written, 2)
        closing = np.round(
            f["opening_balance_amt"] + f["disbursed_amt"] - f["principal_paid_amt"] - f["written_off_amt"], 2
        )
        matured = (
            self.holds
            & np.isin(np.arange(len(PRODUCTS)), TERM_LOANS)
            & (closing <= 0.01)
            & (gone == 0)[:, None]
            & ~fresh
        )
        i, k = np.nonzero(shown)
        self._write_month(t, i, k, f, closing, s)
        self.balance = np.where(self.holds, closing, 0.0)
        ends = matured | (self.holds & (gone > 0)[:, None])
        for a, b in zip(*np.nonzero(ends & shown), strict=True):
            reason = REASONS.get(int(gone[a]), "matured")
            self.closed[self.code[a, b]] = (self.p.months[t], reason)
        self.holds &= ~ends
        self.instalment *= self.holds
        self.opened_now = np.zeros_like(self.opened_now)

    def _write_month(
        self, t: int, i: np.ndarray, k: np.ndarray, f: dict[str, np.ndarray], closing: np.ndarray, s: State
    ) -> None:
        salary = np.where(s.salary, self.who.income * self.rng.uniform(0.97, 1.03, len(self.who)), 0.0)
        owes = np.isin(k, LOANS) & (closing[i, k] + f["written_off_amt"][i, k] > 0)
        fee = np.array([x.fee for x in PRODUCTS])[k]
        self.rows.append(
            {
                "account_id": self.code[i, k],
                "customer_id": self.first[i],
                "month": np.full(len(i), self.p.months.to_numpy()[t]),
                **{name: values[i, k] for name, values in f.items()},
                "balance_amt": closing[i, k],
                "days_past_due": 30 * np.where(owes, s.delay[i], 0),
                "limit_amt": self.limit[i, k],
                "inflow_amt": np.round(np.where(k == CURRENT, salary[i], 0.0), 2),
                "outflow_amt": np.round(np.where(k == CURRENT, salary[i] * self.rng.uniform(0.7, 1.1, len(i)), 0.0), 2),
                "fee_amt": fee,
            }
        )

    def monthly(self) -> pd.DataFrame:
        """Return one row an account and month; opening + disbursed − principal − written off is the closing balance."""
        table = pd.DataFrame({name: np.concatenate([r[name] for r in self.rows]) for name in self.rows[0]})
        late = self.rng.random(len(table)) < 0.02
        after = np.where(late, self.rng.integers(20, 40, len(table)), 1)
        ends = table["month"] + pd.offsets.MonthEnd(0)
        return table.assign(recorded_at=ends + pd.to_timedelta(after, unit="D"))

    def table(self) -> pd.DataFrame:
        """Return the accounts with how and when they ended."""
        table = pd.DataFrame({name: np.concatenate([o[name] for o in self.opened]) for name in self.opened[0]})
        ended = table["account_id"].map(self.closed)
        month = pd.to_datetime(ended.map(lambda e: e[0] if isinstance(e, tuple) else pd.NaT))
        reason = ended.map(lambda e: e[1] if isinstance(e, tuple) else None)
        begins = pd.to_datetime(table["opened_month"])
        return table.assign(closed_month=month, close_reason_code=reason, valid_from=begins, recorded_at=begins)
