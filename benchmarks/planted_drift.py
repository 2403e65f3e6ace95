"""How many periods after a planted change monitoring rings, and what other tools do on the same rows.

    python benchmarks/planted_drift.py

Twelve periods of 2,000 real customers; from the sixth on something of stated size is planted (periods.py). For each
tool: in how many of the runs it rang before the change (a false alarm), rang within three periods of it, and the median
delay where it did. The others see inputs only; outcomes are known at once here, so that the delay is
monitoring's alone.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd
from periods import Bank, Plant, banks, dearer, forgotten, missing, shifted, times
from rivals import RIVALS, rings
from stable_periods import watched

RUNS, PERIODS, FROM, ROWS, WITHIN = 10, 12, 5, 2_000, 3
WITH_EVIDENTLY = 2  # runs that Evidently sees: it takes seconds a period
PLANTED: dict[str, Plant] = {
    "customers e^0.25 a sd": shifted(0.25),
    "customers e^0.5 a sd": shifted(0.5),
    "customers e^1 a sd": shifted(1.0),
    "odds x 1.3": dearer(1.3),
    "odds x 1.7": dearer(1.7),
    "odds x 2.5": dearer(2.5),
    "half forgotten": forgotten(0.5),
    "5 % missing": missing(0.05),
    "20 % missing": missing(0.2),
    "times 100": times(100),
}
NAMES = [str(p) for p in pd.period_range("2020-01", periods=PERIODS, freq="M")]


def run(bank: Bank, plant: Plant, seed: int) -> list[pd.DataFrame]:
    """Return the periods of one run."""
    out = []
    for i, name in enumerate(NAMES):
        rng = np.random.default_rng(1000 * seed + i)
        rows = bank.period(rng, name, ROWS)
        out.append(plant(bank, rows, np.random.default_rng(seed)) if i >= FROM else rows)
    return out


def rang(bank: Bank, parts: list[pd.DataFrame], with_evidently: bool) -> Iterator[tuple[str, set[str]]]:
    """Yield each tool with the periods in which it rang."""
    lights = watched(bank, pd.concat(parts, ignore_index=True))
    yield "workbench", set(lights[lights["light"] == "red"]["period"])
    names = [n for n in RIVALS if with_evidently or "Evidently" not in n]
    theirs = {name: rings(bank, part, names) for name, part in zip(NAMES, parts, strict=True)}
    for tool in names:
        yield tool, {name for name, by_tool in theirs.items() if by_tool[tool]}


def main() -> int:
    """Print a table: planted × tool → false alarms, noticed, delay."""
    warnings.filterwarnings("ignore")
    for bank in banks(("taiwan_cards",)):
        for form, plant in PLANTED.items():
            early: dict[str, list[bool]] = {}
            delays: dict[str, list[float]] = {}
            for seed in range(RUNS):
                for tool, periods in rang(bank, run(bank, plant, seed), seed < WITH_EVIDENTLY):
                    early.setdefault(tool, []).append(bool(periods & set(NAMES[:FROM])))
                    after = sorted(NAMES.index(p) - FROM for p in periods if p >= NAMES[FROM])
                    delays.setdefault(tool, []).append(after[0] if after and after[0] < WITHIN else np.nan)
            for tool, values in delays.items():
                seen = np.isfinite(values)
                delay = f"{np.median(np.array(values)[seen]):.0f}" if seen.any() else "-"
                summary = f"{seen.mean():.0%} noticed, delay {delay}, rang before in {np.mean(early[tool]):.0%}"
                print(f"{bank.name} | {form} | {tool} | {summary} of {len(values)} runs", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
