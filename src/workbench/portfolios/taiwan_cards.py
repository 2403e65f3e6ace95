"""Taiwan card customers: one wide row per account becomes an account table and six account-months."""

from __future__ import annotations

import pandas as pd

from workbench.contracts import Column, Contract

_MONTHS = ("2005-04", "2005-05", "2005-06", "2005-07", "2005-08", "2005-09")


def core(checked: dict[str, pd.DataFrame], contract: Contract) -> dict[str, tuple[pd.DataFrame, Contract]]:
    """Return `core__account` (one row per account) and `core__month` (one row per account and month).

    A status such as `late_2` is two months past due; every other status is none.
    """
    wide = checked["taiwan_cards"]
    static = [c for c in contract.columns if c.role != "fact"]
    months = pd.concat([_month(wide, m) for m in _MONTHS], ignore_index=True)
    return {
        "core__account": (wide[[c.name for c in static]], contract.replaced(static)),
        "core__month": (
            months.sort_values(["entity_id", "month"], ignore_index=True),
            month_contract(contract),
        ),
    }


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
    """Return the contract of `core__month`."""
    unit = contract.currency
    columns = [
        Column(name="entity_id", type="text", role="key"),
        Column(name="month", type="date", role="as_of"),
        Column(name="status_code", type="category", role="fact", description="repayment status of the month"),
        Column(name="delay_months", type="number", role="fact", unit="month", description="months past due"),
        Column(name="balance_amt", type="number", role="fact", unit=unit, description="bill statement"),
        Column(name="payment_amt", type="number", role="fact", unit=unit, description="amount paid"),
    ]
    return contract.replaced(columns, name="core__month", title=f"{contract.title}: account-months")
