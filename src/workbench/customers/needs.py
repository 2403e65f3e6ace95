"""What a customer comes to the bank for, by what he owes and keeps in a month: one rule in SQL for whoever asks."""

from __future__ import annotations

NEEDS = ("borrower", "saver", "borrower_and_saver", "payments_only")
KEEPS_MONTHS, KEEPS_AMT = 3, 1000  # he keeps money here who has more than so many salaries and this much in deposits


def need_sql(owes: str = "balance_amt") -> str:
    """Return the SQL expression of the need over a month's row; `owes`: expression of what he owed in it."""
    keeps = f"deposit_amt > {KEEPS_MONTHS} * inflow_amt + {KEEPS_AMT}"
    return f"""CASE WHEN {owes} > 0 AND {keeps} THEN 'borrower_and_saver' WHEN {owes} > 0 THEN 'borrower'
        WHEN {keeps} THEN 'saver' ELSE 'payments_only' END"""
