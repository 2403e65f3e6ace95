"""What the simulation of customers planted; for tests and benchmarks alone, which no source returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from workbench import pseudonyms
from workbench.portfolios import (
    intake,
    simulated_chances,
    simulated_customers,
    simulated_defects,
    simulated_feedback,
    simulated_log,
    simulated_whole,
)
from workbench.portfolios.simulated_customers import SHOCK_EMPLOYER, SHOCK_REGION, SimulatedCustomers


def truth(p: SimulatedCustomers) -> dict[str, Any]:
    """Return hazards, campaign, satisfaction, income, duplicates as tables by customer, and what was planted.

    A customer is `customer_id` in the raw tables and `entity_id` in the core tables of a study with the same seed;
    `defects` (month, kind, table, column) are those of the monthly drops, the source's own tables are clean.
    """
    tables = _joined([known for _, known in simulated_whole.with_truth(p)])
    return {**{name: _named(table, p) for name, table in tables.items()}, **planted(p)}


def with_tables(p: SimulatedCustomers) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Return the seven raw tables and, of the same pass, the truth behind them by customer_id."""
    made, known = zip(*simulated_whole.with_truth(p), strict=True)
    whole = {"product": simulated_customers.products(p), "macro": simulated_customers.macro(p)}
    return {**_joined(made), **whole}, {**_joined(known), **planted(p)}


def _joined(parts: Sequence[dict[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    return {name: pd.concat([part[name] for part in parts], ignore_index=True) for name in parts[0]}


def planted(p: SimulatedCustomers) -> dict[str, Any]:
    """Return what was planted: kinds that cause leaving and kinds that don't, shock, topic, bottleneck, defects."""
    return {
        "causal_kinds": tuple(simulated_chances.CAUSAL),
        "irrelevant_kinds": tuple(simulated_chances.IRRELEVANT),
        "shock": {"region_code": SHOCK_REGION, "employer_code": SHOCK_EMPLOYER, "month": p.shock_month},
        "topic": {
            "month": p.topic_month,
            "product_code": simulated_feedback.TOPIC_PRODUCT,
            "words": simulated_feedback.TOPIC,
        },
        "bottleneck": simulated_log.BOTTLENECK,
        "defects": tuple(
            (f"{p.months[d.at]:%Y-%m}", d.kind, d.table, d.column) for d in simulated_defects.plan(p.n_months)
        ),
    }


def _named(table: pd.DataFrame, p: SimulatedCustomers) -> pd.DataFrame:
    """Return a table of customers with `entity_id` beside their numbers: the pseudonym they have in the core tables."""
    key = intake.linking_key(intake.Params(portfolio="simulated_customers", seed=p.seed), b"")
    return table.assign(entity_id=pseudonyms.pseudonym(table["customer_id"], key, "customer"))
