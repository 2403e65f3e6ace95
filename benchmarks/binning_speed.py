"""CPU seconds and peak memory of a whole scorecard fit on 1,000,000 rows × 30 columns, one thread.

Run: `OMP_NUM_THREADS=1 python benchmarks/binning_speed.py [ROWS]`. Goals: 8 CPU seconds, twice the data's memory.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np
import pandas as pd

from workbench import metrics
from workbench.models.scorecard import Scorecard

COLUMNS = 30


def sample(n: int) -> tuple[pd.DataFrame, np.ndarray, dict[str, int]]:
    """Return n rows of amounts, counts and values with gaps; a third of the columns bend, a third say nothing."""
    rng = np.random.default_rng(0)
    X, z = np.empty((n, COLUMNS), order="F"), np.full(n, -2.3)
    signs = {}
    for i in range(COLUMNS):
        raw = rng.normal(size=n)
        X[:, i] = (np.exp(raw), np.floor(np.exp(raw)), raw)[i % 3]
        if i % 3 == 2:
            X[rng.random(n) < 0.03, i] = np.nan
        if i < COLUMNS // 3:
            z += 0.25 * raw
            signs[f"x{i}"] = 1
        elif i < 2 * COLUMNS // 3:
            z += 0.25 * (raw**2 - 1)
    y = (rng.random(n) < 1 / (1 + np.exp(-z))).astype(float)
    return pd.DataFrame(X, columns=[f"x{i}" for i in range(COLUMNS)], copy=False), y, signs


def peak() -> float:
    """Return the peak memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(n: int) -> None:
    """Print one row."""
    X, y, signs = sample(n)
    before, size = peak(), X.memory_usage(index=False).sum() / 2**20
    began = time.process_time()
    card = Scorecard(signs).fit(X, y)
    fitted, after = time.process_time() - began, peak()
    began = time.process_time()
    auc = metrics.auc(y, card.predict_proba(X)[:, 1])
    scored = time.process_time() - began
    print("| rows × columns | fit, CPU s | data MB | more at the peak, MB | scored, CPU s | characteristics | AUC |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    print(
        f"| {n:,} × {COLUMNS} | {fitted:.1f} | {size:.0f} | {after - before:.0f} | {scored:.1f} | "
        f"{len(card.bins_)} | {auc:.4f} |"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
