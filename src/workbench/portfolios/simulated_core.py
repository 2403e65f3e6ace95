"""The simulated bank as a source: its raw tables with their contracts, and the core tables made from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from workbench import contracts
from workbench.contracts import Column, Contract
from workbench.portfolios import simulated_bank
from workbench.portfolios.source import DATA, Core, Request, Source, Tables, Words, simulation

RAW = ("customer", "loan", "performance", "macro")
_RENAMED = {"loan_id": "entity_id", "paid_amt": "payment_amt", "days_past_due": "delay_months"}
_DELAY = {
    "days_past_due": {"unit": "month", "description": "months past due at the end of the month", "type": "number"}
}


def parameters(given: dict[str, Any], seed: int) -> simulated_bank.SimulatedBank:
    """Return the simulation's parameters, or raise `UserError` with one line."""
    return simulation(simulated_bank.SimulatedBank, given, seed, "portfolios/intake")


@dataclass(frozen=True)
class Simulated(Source):
    """Customers, their loans, the loans' months and the economy, made by `simulated_bank`."""

    @property
    def title(self) -> str:
        """What it is, in a few words."""
        return "Simulated bank (not real customers)"

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
        """Return the simulated tables, planted dirt included."""
        tables = simulated_bank.simulate(parameters(asked.simulation, asked.seed))
        return {name: tables[name] for name in RAW}

    def writes(self, asked: Request) -> list[str]:
        """Return loans, their months, the economy."""
        return ["core__account", "core__month", "core__macro"]

    def columns(self, words: Words) -> dict[str, list[str]]:
        """Return the columns of loans and of their months."""
        account = _account_columns(words["loan"], words["customer"])
        months = _month_contract(words["performance"]).columns
        return {"core__account": [c.name for c in account], "core__month": [c.name for c in months]}

    def of_accounts(self, words: Words) -> Contract:
        """Return the contract of the loans, each with its customer."""
        return _account_contract(words)

    def core(self, tables: Tables, words: Words) -> Core:
        """Return `core__account` (loan with its customer), `core__month` and `core__macro`.

        Loans whose customer is unknown are left out; the contract check has told of them.
        """
        account, contract = _account(tables, words)
        of_months = _month_contract(words["performance"])
        months = _months(tables["performance"], of_months, set(account["entity_id"]))
        return {
            "core__account": (account, contract),
            "core__month": (months, of_months),
            "core__macro": (tables["macro"], words["macro"]),
        }

    def listing(self) -> dict[str, Any]:
        """Return what `workbench portfolios` shows."""
        return {**super().listing(), "outcome": "default in 6 months", "licence": "made here"}


def _path(name: str) -> Path:
    return DATA / f"simulated_bank__{name}.yaml"


def _account(tables: Tables, words: Words) -> tuple[pd.DataFrame, Contract]:
    account = tables["loan"].merge(tables["customer"], on="customer_id", how="inner", validate="many_to_one")
    account["debt_burden_rate"] = account["instalment_amt"] / account["income_amt"]
    account["age_years"] = ((account["origination_month"] - account["birth_date"]).dt.days / 365.25).round(1)
    bad = tables["performance"].loc[tables["performance"]["days_past_due"] >= 90, "loan_id"]
    account["is_default"] = account["loan_id"].isin(set(bad)).map({True: "1", False: "0"})
    contract = _account_contract(words)
    return account.rename(columns={"loan_id": "entity_id"})[[c.name for c in contract.columns]], contract


def _account_contract(words: Words) -> Contract:
    columns = _account_columns(words["loan"], words["customer"])
    return words["loan"].replaced(columns, name="core__account", event_value="1")


def _account_columns(loan: Contract, customer: Contract) -> list[Column]:
    loans = [
        c.model_copy(update={"name": "entity_id", "source": ""}) if c.role == "key" else c
        for c in loan.columns
        if c.role != "ignore" and not (c.personal and c.role not in ("key", "parent"))
    ]
    seen = {c.name for c in loans}
    theirs = [c for c in customer.columns if not c.personal and c.role not in ("key", "ignore") and c.name not in seen]
    made = [
        Column(
            name="debt_burden_rate",
            type="number",
            aspect="capacity",
            monotone=1,
            description="instalment as share of income",
            made_from=("instalment_amt", "income_amt"),
        ),
        Column(name="age_years", type="number", role="fact", fairness=True, description="age at origination"),
    ]
    outcome = Column(
        name="is_default", type="category", role="outcome", known="after", description="90 days past due, ever"
    )
    return [*loans, *theirs, *made, outcome]


def _months(performance: pd.DataFrame, contract: Contract, accounts: set[str]) -> pd.DataFrame:
    rows = performance[performance["loan_id"].isin(accounts)].rename(columns=_RENAMED)
    rows = rows.assign(delay_months=(rows["delay_months"] // 30).astype(float))
    return rows[[c.name for c in contract.columns]].sort_values(["entity_id", "month"], ignore_index=True)


def _month_contract(performance: Contract) -> Contract:
    columns = [
        c.model_copy(update={"name": _RENAMED.get(c.name, c.name), **_DELAY.get(c.name, {})})
        for c in performance.columns
    ]
    return performance.replaced(columns, name="core__month")


SOURCE = Simulated("simulated_bank", simulated=True)
