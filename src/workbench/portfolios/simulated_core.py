"""The simulated bank's raw tables with their contracts, and the core tables made from them."""

from __future__ import annotations

from typing import Any

import pandas as pd
from pydantic import ValidationError

from workbench import contracts
from workbench.contracts import Column, Contract
from workbench.params import UserError
from workbench.portfolios import simulated_bank
from workbench.portfolios.catalog import DATA

RAW = ("customer", "loan", "performance", "macro")


def parameters(given: dict[str, Any], seed: int) -> simulated_bank.SimulatedBank:
    """Return the simulation's parameters, or raise `UserError` with one line."""
    try:
        return simulated_bank.SimulatedBank(**{"seed": seed, **given})
    except ValidationError as e:
        first = e.errors()[0]
        where = ".".join(map(str, first["loc"])) or "simulation"
        raise UserError(f"portfolios/intake: simulation.{where}: {first['msg']}") from None


def raw_tables(given: dict[str, Any], seed: int) -> dict[str, tuple[pd.DataFrame, Contract]]:
    """Return the simulated raw tables (planted dirt included) with their contracts."""
    tables = simulated_bank.simulate(parameters(given, seed))
    return {name: (tables[name], contracts.load(DATA / f"simulated_bank__{name}.yaml")) for name in RAW}


def core(checked: dict[str, pd.DataFrame], contract: Contract) -> dict[str, tuple[pd.DataFrame, Contract]]:
    """Return `core__account` (loan with its customer), `core__month` and `core__macro`.

    Loans whose customer is unknown are left out; the contract check has told of them.
    """
    words = {name: contracts.load(DATA / f"simulated_bank__{name}.yaml") for name in RAW}
    loan, customer = checked["loan"], checked["customer"]
    account = loan.merge(customer, on="customer_id", how="inner", validate="many_to_one")
    account["debt_burden_rate"] = account["instalment_amt"] / account["income_amt"]
    account["age_years"] = ((account["origination_month"] - account["birth_date"]).dt.days / 365.25).round(1)
    bad = checked["performance"].loc[checked["performance"]["days_past_due"] >= 90, "loan_id"]
    account["is_default"] = account["loan_id"].isin(set(bad)).map({True: "1", False: "0"})
    account = account.rename(columns={"loan_id": "entity_id"})
    columns = _account_columns(words["loan"], words["customer"])
    account = account.rename(columns={"loan_id": "entity_id"})
    kept = account[[c.name for c in columns]]
    frame = words["loan"].replaced(columns, name="core__account", event_value="1")
    months = _months(checked["performance"], set(account["entity_id"]))
    return {
        "core__account": (kept, frame),
        "core__month": (months, _month_contract(words["performance"])),
        "core__macro": (checked["macro"], words["macro"]),
    }


def _account_columns(loan: Contract, customer: Contract) -> list[Column]:
    own = [
        c.model_copy(update={"name": "entity_id", "source": ""}) if c.role == "key" else c
        for c in loan.columns
        if c.role != "ignore" and not (c.personal and c.role not in ("key", "parent"))
    ]
    seen = {c.name for c in own}
    theirs = [c for c in customer.columns if not c.personal and c.role not in ("key", "ignore") and c.name not in seen]
    made = [
        Column(name="debt_burden_rate", type="number", aspect="capacity", monotone=1, description="of income"),
        Column(name="age_years", type="number", role="fact", fairness=True, description="age at origination"),
    ]
    outcome = Column(
        name="is_default", type="category", role="outcome", known="after", description="90 days past due, ever"
    )
    return [*own, *theirs, *made, outcome]


def _months(performance: pd.DataFrame, accounts: set[str]) -> pd.DataFrame:
    kept = performance[performance["loan_id"].isin(accounts)].rename(columns={"loan_id": "entity_id"})
    kept = kept.assign(delay_months=(kept["days_past_due"] // 30).astype(float)).drop(columns="days_past_due")
    return kept.rename(columns={"paid_amt": "payment_amt"}).sort_values(["entity_id", "month"], ignore_index=True)


def _month_contract(performance: Contract) -> Contract:
    renamed = {"loan_id": "entity_id", "paid_amt": "payment_amt", "days_past_due": "delay_months"}
    columns = [c.model_copy(update={"name": renamed.get(c.name, c.name), "source": ""}) for c in performance.columns]
    return performance.replaced(columns, name="core__month")
