"""Taiwan card customers: one wide row per account becomes an account table and six account-months."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from workbench.contracts import Column, Contract
from workbench.portfolios.source import Core, Request, Shipped, Tables, Words, account, account_columns

_MONTHS = ("2005-04", "2005-05", "2005-06", "2005-07", "2005-08", "2005-09")


@dataclass(frozen=True)
class TaiwanCards(Shipped):
    """The months stand side by side in the file, one column per month and fact."""

    def writes(self, asked: Request) -> list[str]:
        """Return accounts and months."""
        return ["core__account", "core__month"]

    def columns(self, words: Words) -> dict[str, list[str]]:
        """Return the columns of both tables."""
        months = [c.name for c in month_contract(words[self.name]).columns]
        return {"core__account": account_columns(_static(words[self.name])), "core__month": months}

    def core(self, tables: Tables, words: Words) -> Core:
        """Return `core__account` (one row per account) and `core__month` (one row per account and month).

        A status such as `late_2` is two months past due; every other status is none.
        """
        wide, contract = tables[self.name], words[self.name]
        months = pd.concat([_month(wide, m) for m in _MONTHS], ignore_index=True)
        return {
            "core__account": account(wide, _static(contract)),
            "core__month": (months.sort_values(["entity_id", "month"], ignore_index=True), month_contract(contract)),
        }


def _static(contract: Contract) -> Contract:
    return contract.replaced([c for c in contract.columns if c.role != "fact"])


def _month(wide: pd.DataFrame, month: str) -> pd.DataFrame:
    suffix = month.replace("-", "_")
    status = wide[f"status_{suffix}"]
    delay = status.str.extract(r"late_(\d)", expand=False).astype(float)
    return pd.DataFrame(
        {
            "entity_id": wide["entity_id"],
            "month": pd.Timestamp(month),
            "status_code": status,
            "delay_months": delay.fillna(0.0).where(status.notna()),
            "balance_amt": wide[f"balance_{suffix}_amt"],
            "payment_amt": wide[f"payment_{suffix}_amt"],
        }
    )


def month_contract(contract: Contract) -> Contract:
    """Return the contract of `core__month`; each column says which of the file's it is made from."""
    unit = contract.currency
    columns = [
        Column(name="entity_id", type="text", role="key"),
        Column(name="month", type="date", role="as_of"),
        _fact("status_code", "status_{}", type="category", description="repayment status of the month"),
        _fact("delay_months", "status_{}", type="number", unit="month", description="months past due"),
        _fact("balance_amt", "balance_{}_amt", type="number", unit=unit, description="bill statement"),
        _fact("payment_amt", "payment_{}_amt", type="number", unit=unit, description="amount paid"),
    ]
    title = f"{contract.title}: account-months"
    return contract.replaced(columns, name="core__month", title=title, entity="month", event_value="")


def _fact(name: str, source: str, **facts: str) -> Column:
    made_from = tuple(source.format(m.replace("-", "_")) for m in _MONTHS)
    return Column.model_validate({"name": name, "role": "fact", "made_from": made_from, **facts})


SOURCE = TaiwanCards("taiwan_cards")
