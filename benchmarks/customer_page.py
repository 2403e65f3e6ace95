"""Customer 360 on 20,000 simulated customers: time of all tags and of one page, income against the truth.

python benchmarks/customer_page.py [--customers 20000] [--seed 42]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from whole_bank import bank

from workbench.customers import capacity, catalogue, tags
from workbench.portfolios.simulated_customers import SimulatedCustomers

PAGES = 20


def main() -> None:
    """Print the figures, one line each."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--customers", type=int, default=20_000)
    asked.add_argument("--seed", type=int, default=42)
    a = asked.parse_args()
    made = bank(SimulatedCustomers(n_customers=a.customers, seed=a.seed))
    today, truth = made.p.months[-1], made.truth["income"]
    with tempfile.TemporaryDirectory() as folder:
        files = made.files(Path(folder))
        began = time.perf_counter()
        tagged = catalogue.tagged(files, today).table
        print(f"{len(catalogue.tags())} tags of {len(tagged):,} customers in {time.perf_counter() - began:.1f} s")
        earned = capacity.income(tagged, a.seed)
        took = []
        for one in tagged["entity_id"].sample(PAGES, random_state=a.seed):
            began = time.perf_counter()
            tags.page(tagged, one, files, today, earned)._repr_html_()
            took.append(time.perf_counter() - began)
        print(f"one customer's page: median {np.median(took):.2f} s, longest {max(took):.2f} s of {PAGES}")
    known = earned.table.merge(truth, on="entity_id")
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
