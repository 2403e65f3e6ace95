"""Customer 360 on 20,000 simulated customers: time of all tags and of one page, income against the truth.

python benchmarks/customer_page.py [--customers 20000] [--seed 42]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from workbench.customers import capacity, catalogue, tags
from workbench.portfolios import simulated_customers, simulated_relationships, simulated_whole
from workbench.portfolios.source import Request

LABELS = {"account": "customers", "month": "months", "event": "events", "holding": "holdings"}
PAGES = 20


def main() -> None:
    """Print the figures, one line each."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--customers", type=int, default=20_000)
    asked.add_argument("--seed", type=int, default=42)
    a = asked.parse_args()
    request = Request(portfolio="simulated_customers", simulation={"n_customers": a.customers}, seed=a.seed)
    p = simulated_relationships.parameters(request.simulation, a.seed)
    parts = list(simulated_whole.with_truth(p))
    made = {n: pd.concat([tables[n] for tables, _ in parts], ignore_index=True) for n in parts[0][0]}
    made |= {"product": simulated_customers.products(p), "macro": simulated_customers.macro(p)}
    truth = pd.concat([known["income"] for _, known in parts], ignore_index=True)
    core = simulated_relationships.SOURCE.core(made, simulated_relationships.SOURCE.words(request))
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for name, label in LABELS.items():
            core[f"core__{name}"][0].to_parquet(path := Path(folder) / name)
            files[label] = path
        began = time.perf_counter()
        tagged = catalogue.tagged(files, p.months[-1]).table
        print(f"{len(catalogue.tags())} tags of {len(tagged):,} customers in {time.perf_counter() - began:.1f} s")
        earned = capacity.income(tagged, a.seed)
        took = []
        for one in tagged["entity_id"].sample(PAGES, random_state=a.seed):
            began = time.perf_counter()
            tags.page(tagged, one, files, p.months[-1], earned)._repr_html_()
            took.append(time.perf_counter() - began)
        print(f"one customer's page: median {np.median(took):.2f} s, longest {max(took):.2f} s of {PAGES}")
    known = earned.table.merge(truth.rename(columns={"customer_id": "entity_id"}), on="entity_id")
    inside = known["income_amt"].between(known["low"], known["high"])
    error = (known["income"] / known["income_amt"] - 1).abs()
    for basis in ("estimated", "salary"):
        at = known["basis"] == basis
        print(
            f"{basis}: {at.sum():,} incomes; truth in the interval {inside[at].mean():.1%}; "
            f"median error {error[at].median():.1%}"
        )
    for kind, part in (
        known.assign(error=error).merge(tagged[["entity_id", "employment_code"]]).groupby("employment_code")
    ):
        print(f"{kind}: median error {part['error'].median():.1%} of {len(part):,}")


if __name__ == "__main__":
    main()
