"""The simulated customers as a source: seven raw tables with their contracts, and the core tables made from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from workbench import contracts, engine, personal
from workbench.contracts import Column, Contract
from workbench.portfolios import simulated_whole
from workbench.portfolios.simulated_customers import SimulatedCustomers
from workbench.portfolios.source import DATA, Core, Request, Source, Tables, Words, account_columns, simulation

RAW = ("customer", "account", "monthly", "event", "feedback", "product", "macro")
CORE = ("account", "month", "product", "holding", "performance", "event", "feedback", "macro")
BY_CUSTOMER = ("login", "call", "branch_visit", "product_bought", "statement_downloaded", "rate_page_viewed", "enquiry")

CREDIT = "p.kind_code IN ('loan', 'card')"

# one row a customer-month: accounts summed, events counted, how many days since the customer last did something himself
MONTH_SQL = f"""
    WITH held AS (
        SELECT m.customer_id AS entity_id, CAST(m.month AS DATE) AS month,
            CAST(count(*) AS DOUBLE) AS n_products,
            CAST(sum(CASE WHEN {CREDIT} AND m.balance_amt > 0 THEN 1 ELSE 0 END) AS DOUBLE) AS n_loans,
            sum(CASE WHEN {CREDIT} THEN m.balance_amt ELSE 0 END) AS balance_amt,
            sum(CASE WHEN p.kind_code = 'deposit' THEN m.balance_amt ELSE 0 END) AS deposit_amt,
            sum(m.limit_amt) AS limit_amt, sum(m.due_amt) AS due_amt, sum(m.paid_amt) AS payment_amt,
            CAST(floor(max(m.days_past_due) / 30) AS DOUBLE) AS delay_months,
            sum(m.inflow_amt) AS inflow_amt, sum(m.outflow_amt) AS outflow_amt,
            sum(m.balance_amt * p.margin_rate / 12 + m.fee_amt) AS margin_amt,
            sum(p.service_cost_amt) AS service_cost_amt
        FROM monthly m JOIN account a ON a.account_id = m.account_id JOIN product p ON p.product_code = a.product_code
        GROUP BY m.customer_id, CAST(m.month AS DATE)),
    counted AS (
        SELECT customer_id AS entity_id, CAST(date_trunc('month', happened_at) AS DATE) AS month,
            sum(CASE WHEN event_kind = 'login' THEN 1 ELSE 0 END) AS n_logins,
            sum(CASE WHEN event_kind = 'complaint' THEN 1 ELSE 0 END) AS n_complaints,
            sum(CASE WHEN event_kind = 'enquiry' THEN 1 ELSE 0 END) AS n_enquiries,
            sum(CASE WHEN event_kind IN ('call', 'officer_call', 'branch_visit') THEN 1 ELSE 0 END) AS n_contacts,
            max(CASE WHEN event_kind = 'defaulted' THEN 1 ELSE 0 END) AS defaulted,
            max(CASE WHEN event_kind = 'cured' THEN 1 ELSE 0 END) AS cured,
            max(CASE WHEN event_kind = 'settled_early' THEN 1 ELSE 0 END) AS settled_early,
            max(CASE WHEN event_kind = 'product_bought' THEN 1 ELSE 0 END) AS bought,
            max(CASE WHEN event_kind = 'campaign_touch' THEN 1 ELSE 0 END) AS touched,
            max(CASE WHEN event_kind = 'campaign_touch' AND arm_code <> 'control' THEN 1 ELSE 0 END) AS offered,
            max(CASE WHEN event_kind IN {BY_CUSTOMER} THEN happened_at END) AS active_at
        FROM event GROUP BY customer_id, CAST(date_trunc('month', happened_at) AS DATE)),
    closed AS (
        SELECT customer_id AS entity_id, CAST(closed_month AS DATE) AS month, 1 AS dormant FROM account
        WHERE product_code = 'current_account' AND close_reason_code = 'closed'),
    joined AS (
        SELECT h.*, coalesce(c.n_logins, 0) AS n_logins, coalesce(c.n_complaints, 0) AS n_complaints,
            coalesce(c.n_enquiries, 0) AS n_enquiries, coalesce(c.n_contacts, 0) AS n_contacts,
            max(c.active_at) OVER (PARTITION BY h.entity_id ORDER BY h.month) AS active_at,
            min(h.month) OVER (PARTITION BY h.entity_id) AS first_month,
            coalesce(c.defaulted, 0) AS defaulted, coalesce(c.cured, 0) AS cured,
            coalesce(c.settled_early, 0) AS settled_early, coalesce(d.dormant, 0) AS dormant,
            coalesce(c.bought, 0) AS bought, coalesce(c.offered, 0) AS offered, coalesce(c.touched, 0) AS touched
        FROM held h LEFT JOIN counted c ON c.entity_id = h.entity_id AND c.month = h.month
            LEFT JOIN closed d ON d.entity_id = h.entity_id AND d.month = h.month)
    SELECT entity_id, month, n_products, n_loans, balance_amt, deposit_amt, limit_amt, due_amt, payment_amt,
        delay_months, inflow_amt, outflow_amt, margin_amt, service_cost_amt,
        CAST(n_logins AS DOUBLE) AS n_logins, CAST(n_complaints AS DOUBLE) AS n_complaints,
        CAST(n_enquiries AS DOUBLE) AS n_enquiries, CAST(n_contacts AS DOUBLE) AS n_contacts,
        CAST(date_diff('day', coalesce(CAST(active_at AS DATE), first_month), last_day(month)) AS DOUBLE)
            AS days_since_activity,
        CAST(defaulted AS DOUBLE) AS defaulted, CAST(cured AS DOUBLE) AS cured,
        CAST(settled_early AS DOUBLE) AS settled_early, CAST(dormant AS DOUBLE) AS dormant,
        CAST(CASE WHEN settled_early + dormant > 0 THEN 1 ELSE 0 END AS DOUBLE) AS left_bank,
        CAST(bought AS DOUBLE) AS bought, CAST(offered AS DOUBLE) AS offered, CAST(touched AS DOUBLE) AS touched
    FROM joined ORDER BY entity_id, month"""
_AMOUNTS = {
    "balance_amt": "owed",
    "deposit_amt": "in deposits",
    "limit_amt": "limits",
    "due_amt": "due",
    "payment_amt": "paid",
    "inflow_amt": "salary paid in",
    "outflow_amt": "spent from the current account",
    "margin_amt": "margin and fees",
    "service_cost_amt": "cost of service",
}
_COUNTS = {
    "n_products": "products held",
    "n_loans": "loans and cards in use",
    "n_logins": "logins",
    "n_complaints": "complaints",
    "n_enquiries": "credit enquiries",
    "n_contacts": "calls and visits",
}
FLAGS = {
    "defaulted": "default",
    "cured": "cure",
    "settled_early": "early settlement",
    "dormant": "falling dormant",
    "left_bank": "leaving the bank",
    "bought": "purchase of a product",
    "offered": "offer made",
    "touched": "campaign touch",
}


def parameters(given: dict[str, Any], seed: int, step: str = "portfolios/intake") -> SimulatedCustomers:
    """Return the simulation's parameters, or raise `UserError` with one line that names the step."""
    return simulation(SimulatedCustomers, given, seed, step)


@dataclass(frozen=True)
class Relationships(Source):
    """Customers with all they have, do and say, made by `simulated_customers`."""

    @property
    def title(self) -> str:
        """What it is, in a few words."""
        return "Simulated bank, whole relationships (not real customers)"

    @property
    def takes(self) -> tuple[str, ...]:
        """The simulation's parameters."""
        return ("simulation",)

    def verify(self, asked: Request) -> None:
        """Raise `UserError` for a parameter of the simulation that is unknown or out of range."""
        parameters(asked.simulation, asked.seed)

    def files(self, asked: Request) -> list[Path]:
        """Return the contracts and the economy's series; the rest is made here."""
        return [DATA / "macro_us.parquet", *(_path(name) for name in RAW)]

    def words(self, asked: Request) -> dict[str, Contract]:
        """Return the contract of each table."""
        return {name: contracts.load(_path(name)) for name in RAW}

    def raw(self, asked: Request) -> Tables:
        """Return the simulated tables; what customers wrote has its personal data masked."""
        made = simulated_whole.simulate(parameters(asked.simulation, asked.seed))
        texts = {t: personal.masked(t) for t in made["feedback"]["text"].dropna().unique()}
        made["feedback"] = made["feedback"].assign(text=made["feedback"]["text"].map(texts))
        return {name: made[name] for name in RAW}

    def writes(self, asked: Request) -> list[str]:
        """Return customers, their months, and what these are made of."""
        return [f"core__{name}" for name in CORE]

    def columns(self, words: Words) -> dict[str, list[str]]:
        """Return the columns of customers, their months and their events."""
        account = [*account_columns(words["customer"]), "age_years"]
        months = ["entity_id", "month", *_AMOUNTS, "delay_months", *_COUNTS, "days_since_activity", *FLAGS]
        event = ["entity_id", *(c.name for c in words["event"].columns if c.name != "customer_id")]
        return {"core__account": account, "core__month": months, "core__event": event}

    def of_accounts(self, words: Words) -> Contract:
        """Return the contract of the customers; what is predicted of them happens in their months."""
        return _customer_contract(words["customer"])

    def core(self, tables: Tables, words: Words) -> Core:
        """Return the customer as `core__account`, one row a customer-month as `core__month`, and the other tables.

        Customers without any account are left out of the months; a flag of a month is 1 where it happened in it.
        """
        relations = {name: tables[name] for name in ("monthly", "account", "product", "event")}
        months = engine.frame(MONTH_SQL, relations)
        months["month"] = pd.to_datetime(months["month"])
        performance = tables["monthly"].rename(columns={"paid_amt": "payment_amt", "customer_id": "entity_id"})
        performance = performance.assign(delay_months=(performance["days_past_due"] // 30).astype(float))
        plain = {
            "product": tables["product"].drop(columns=["recorded_at"], errors="ignore"),
            "holding": tables["account"].rename(columns={"customer_id": "entity_id"}),
            "performance": performance.drop(columns=["days_past_due"]),
            "event": tables["event"].rename(columns={"customer_id": "entity_id"}),
            "feedback": tables["feedback"].rename(columns={"customer_id": "entity_id"}),
            "macro": tables["macro"].drop(columns=["recorded_at"], errors="ignore"),
        }
        origin = {"holding": "account", "performance": "monthly"}
        return {
            "core__account": _customer(tables["customer"], words["customer"], months["month"].max()),
            "core__month": (months, _month_contract(words["monthly"], list(months.columns))),
            **{f"core__{n}": _described(words[origin.get(n, n)], n, _lasting(t)) for n, t in plain.items()},
        }

    def listing(self) -> dict[str, Any]:
        """Return what `workbench portfolios` shows."""
        return {**super().listing(), "outcome": "by study: default, churn, purchase", "licence": "made here"}


def _path(name: str) -> Path:
    return DATA / f"simulated_customers__{name}.yaml"


def _lasting(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns=["valid_from"], errors="ignore") if "account_id" in table else table


def _described(words: Contract, name: str, table: pd.DataFrame) -> tuple[pd.DataFrame, Contract]:
    renamed = {"customer_id": "entity_id", "paid_amt": "payment_amt", "days_past_due": "delay_months"}
    columns = [c.model_copy(update={"name": renamed.get(c.name, c.name)}) for c in words.columns]
    months = {"unit": "month", "type": "number", "description": "months past due at the end of the month"}
    columns = [c.model_copy(update=months) if c.name == "delay_months" else c for c in columns]
    named = {c.name: c for c in columns}
    return table, words.replaced([named[c] for c in table.columns], name=f"core__{name}")


def _customer(customer: pd.DataFrame, words: Contract, today: pd.Timestamp) -> tuple[pd.DataFrame, Contract]:
    born = customer["birth_date"] if "birth_date" in customer else pd.Series(pd.NaT, index=customer.index)
    age = ((today - born).dt.days / 365.25).round(1)
    table = customer.assign(age_years=age).rename(columns={"customer_id": "entity_id"})
    contract = _customer_contract(words)
    return table[[c.name for c in contract.columns]], contract


def _customer_contract(words: Contract) -> Contract:
    lasting = [c for c in words.columns if c.role != "ignore" and (not c.personal or c.role == "key")]
    columns = [c.model_copy(update={"name": "entity_id"}) if c.role == "key" else c for c in lasting]
    columns.append(
        Column(
            name="age_years", type="number", role="fact", fairness=True, description="age at the last date of the data"
        )
    )
    return words.replaced(columns, name="core__account")


def _month_contract(words: Contract, order: list[str]) -> Contract:
    facts = {"type": "number", "role": "fact"}
    columns = [
        Column(name="entity_id", type="text", role="key", description="customer"),
        Column(name="month", type="date", role="as_of", description="month"),
        *(Column(name=n, unit="EUR", description=d, **facts) for n, d in _AMOUNTS.items()),
        Column(name="delay_months", unit="month", description="most months past due of the accounts", **facts),
        *(Column(name=n, description=d, **facts) for n, d in _COUNTS.items()),
        Column(name="days_since_activity", unit="day", description="days since the customer did something", **facts),
        *(
            Column(name=n, description=f"{what} (1 in the month in which it happens)", **facts)
            for n, what in FLAGS.items()
        ),
    ]
    return words.replaced(sorted(columns, key=lambda c: order.index(c.name)), name="core__month", entity="month")


SOURCE = Relationships("simulated_customers", simulated=True)
