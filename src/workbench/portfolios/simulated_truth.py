"""What the simulation of customers planted; for tests and benchmarks alone, which no source returns."""

from __future__ import annotations

from typing import Any

import pandas as pd

from workbench.portfolios import simulated_chances, simulated_feedback, simulated_log, simulated_whole
from workbench.portfolios.simulated_customers import SHOCK_EMPLOYER, SHOCK_REGION, SimulatedCustomers


def truth(p: SimulatedCustomers) -> dict[str, Any]:
    """Return hazards, campaign, satisfaction, income, duplicates as tables by customer_id, and what was planted."""
    parts = [known for _, known in simulated_whole.with_truth(p)]
    tables = {name: pd.concat([part[name] for part in parts], ignore_index=True) for name in parts[0]}
    return {
        **tables,
        "causal_kinds": tuple(simulated_chances.CAUSAL),
        "irrelevant_kinds": tuple(simulated_chances.IRRELEVANT),
        "shock": {"region_code": SHOCK_REGION, "employer_code": SHOCK_EMPLOYER, "month": p.shock_month},
        "topic": {
            "month": p.topic_month,
            "product_code": simulated_feedback.TOPIC_PRODUCT,
            "words": simulated_feedback.TOPIC,
        },
        "bottleneck": simulated_log.BOTTLENECK,
    }
