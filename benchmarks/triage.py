"""Whether monitoring names the cause of a change rightly: broken data, other customers, or another relation.

    python benchmarks/triage.py

Each is planted apart in periods of real customers, in several forms and sizes, and the diagnosis compared. Exit code 1
where less than 90 % of any of the three are named rightly, or where a period without a change is given a cause.
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter

import numpy as np
from periods import Plant, banks, dearer, forgotten, frozen, missing, shifted, times, torn

from workbench import rules
from workbench.monitoring.triage import diagnose

TRIES, ROWS, GOAL = 10, 3_000, 0.90
PLANTED: dict[str, dict[str, Plant]] = {
    "data quality": {
        "10 % missing": missing(0.1),
        "40 % missing": missing(0.4),
        "times 100": times(100),
        "sign turned": times(-1),
        "torn from its rows": torn(),
        "one value": frozen(),
    },
    "population": {"e^0.5 a standard deviation": shifted(0.5), "e^1": shifted(1.0), "e^1.5": shifted(1.5)},
    "concept": {
        "odds x 1.7": dearer(1.7),
        "odds x 2.5": dearer(2.5),
        "half forgotten": forgotten(0.5),
        "all": forgotten(1),
    },
    "none": {"nothing": lambda bank, rows, rng: rows},
}


def main() -> int:
    """Print, by cause and form, how often each diagnosis was given."""
    warnings.filterwarnings("ignore")
    book, made = rules.load(), banks()
    low = 0
    for cause, forms in PLANTED.items():
        right = total = 0
        for form, plant in forms.items():
            given: Counter = Counter()
            for bank in made:
                development = bank.panel[bank.panel["sample"] == "development"]
                holdout = bank.panel[bank.panel["sample"] == "holdout"]
                for seed in range(TRIES):
                    rng = np.random.default_rng(seed)
                    rows = bank.scored(plant(bank, bank.period(rng, "2020-01", ROWS), rng))
                    given[diagnose(bank.model, development, holdout, rows, book).cause] += 1
            print(f"{cause}, {form}: {dict(given)}")
            right, total = right + given[cause], total + given.total()
        print(f"  {cause}: named rightly in {right / total:.1%} of {total}")
        low += right / total < GOAL
    return int(low > 0)


if __name__ == "__main__":
    sys.exit(main())
