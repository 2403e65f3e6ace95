"""How often monitoring rings where nothing has changed: 200 periods of real customers, drawn at random.

    python benchmarks/stable_periods.py

Share of periods with any red light; beside it, on the same periods, the share in which Evidently's default preset calls
any column drifted, or the data set, and in which univariate tests of the kind NannyML uses ring for any column: KS and
chi-square with p < 0.05, Jensen-Shannon distance from 0.1. Exit code 1 where more than 5 % of ours are red.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pandas as pd
from periods import Bank, banks
from rivals import RIVALS, rings

from workbench.monitoring import through_time

PERIODS, ROWS, GOAL = 200, 2_000, 0.05
YEAR = 20  # periods in a row, among which ambers in a row count
EVIDENTLY = 40  # of the periods are handed to Evidently, which takes seconds for each


def watched(bank: Bank, rows: pd.DataFrame) -> pd.DataFrame:
    """Return all lights of a bank's periods."""
    everything = pd.concat([bank.panel, bank.scored(rows)], ignore_index=True)
    return through_time.watch(everything, bank.model, bank.contract, bank.reference, through_time.Params()).lights


def year(bank: Bank, seed: int) -> pd.DataFrame:
    """Return a run of periods in which nothing has changed."""
    rng = np.random.default_rng(seed)
    names = [str(p) for p in pd.period_range("2020-01", periods=YEAR, freq="M")]
    return pd.concat([bank.period(rng, name, ROWS) for name in names], ignore_index=True)


def main() -> int:
    """Print the shares by bank."""
    warnings.filterwarnings("ignore")
    bad = 0
    for bank in banks():
        ours, by_kind = [], []
        theirs: dict[str, list[bool]] = {name: [] for name in RIVALS}
        for seed in range(PERIODS // YEAR):
            rows = year(bank, seed)
            lights = watched(bank, rows)
            red = lights[lights["light"] == "red"]
            by_kind += list(red["kind"])
            ours += [p in set(red["period"]) for p in rows["period"].unique()]
            for i, (_, part) in enumerate(rows.groupby("period")):
                names = [n for n in RIVALS if "Evidently" not in n or seed * YEAR + i < EVIDENTLY]
                for name, rang in rings(bank, part, names).items():
                    theirs[name].append(rang)
        share = float(np.mean(ours))
        bad += share > GOAL
        counts = pd.Series(by_kind, dtype=object).value_counts().to_dict()
        print(f"{bank.name}: any red in {share:.1%} of {len(ours)} periods of {ROWS:,} rows (goal {GOAL:.0%}) {counts}")
        for name, rang in theirs.items():
            print(f"    {name}: {np.mean(rang):.1%} of {len(rang)}")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
