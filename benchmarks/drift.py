"""Drift of a million rows × 30 features over 24 periods: CPU seconds, and those of the counting alone in numpy."""

from __future__ import annotations

import resource
import time
from types import SimpleNamespace

import numpy as np
import pandas as pd

from workbench import rules
from workbench.monitoring.drift import by_period
from workbench.panel.bins import quantile_bins

ROWS, FEATURES, PERIODS = 1_000_000, 30, 24
GOAL = 5.0  # CPU seconds


def bank(rng: np.random.Generator) -> pd.DataFrame:
    """Return numbers (a fifth of them with missing values), three columns of categories, and 24 months."""
    columns: dict[str, np.ndarray] = {f"n{i}": rng.lognormal(size=ROWS) for i in range(FEATURES - 3)}
    for i in range(0, FEATURES - 3, 5):
        columns[f"n{i}"][rng.random(ROWS) < 0.1] = np.nan
    for i in range(3):
        columns[f"c{i}"] = np.array(["red", "green", "blue", "grey"])[rng.integers(0, 4, ROWS)]
    months = pd.period_range("2018-01", periods=PERIODS, freq="M").astype(str).to_numpy()
    return pd.DataFrame(
        {**columns, "period": months[rng.integers(0, PERIODS, ROWS)], "weight": 1.0, "parent_id": np.arange(ROWS)}
    )


def numpy_alone(rows: pd.DataFrame, model: SimpleNamespace) -> None:
    """Count the same numbers into the same bins: searchsorted and one bincount a feature."""
    at = pd.factorize(rows["period"])[0]
    for name, (bins, _) in model.reference.items():
        if bins.edges:
            codes = np.searchsorted(bins.edges, rows[name].to_numpy())
            np.bincount(at * 20 + codes, minlength=PERIODS * 20)


def cpu(call) -> float:
    """Return the CPU seconds a call takes."""
    began = time.process_time()
    call()
    return time.process_time() - began


def main() -> None:
    """Print CPU seconds and peak memory."""
    rows = bank(np.random.default_rng(1))
    features = [c for c in rows.columns if c not in ("period", "weight", "parent_id")]
    bins = {c: quantile_bins(rows[c].head(50_000)) for c in features}
    model = SimpleNamespace(reference={c: (b, tuple(b.counts(rows[c].head(50_000)))) for c, b in bins.items()})
    ours, counting = cpu(lambda: by_period(model, rows, rules.load())), cpu(lambda: numpy_alone(rows, model))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"drift of {ROWS:,} x {FEATURES} over {PERIODS} periods: {ours:.1f} CPU s (goal {GOAL:.0f})")
    print(f"numpy counting alone: {counting:.1f} CPU s; peak memory {peak:.1f} GB, data included")


if __name__ == "__main__":
    main()
