"""Scorecards of few rows: learnt on small draws of larger samples, AUC on the rows that were not drawn.

Run: `python benchmarks/small_samples.py [DRAWS] [SAMPLE ...]`. Shown are the scorecard as it is, and the two cards it
chooses between where events are few: a choice of characteristics, and a conventional card of all.
"""

from __future__ import annotations

import sys
import warnings
from unittest.mock import patch

import numpy as np
from frames import Frame, frames

from workbench import metrics
from workbench.models.characteristics import Characteristics, fitted_bins
from workbench.models.scorecard import Scorecard

DRAWS, ROWS, TESTED = 10, (1000, 2500), 20_000
SAMPLES = ["taiwan_cards", "card_records", "lendingclub", "sba_loans"]
CARDS = {
    "as it is": Characteristics._conventional,
    "of few": None,
    "of all": Characteristics._at_no_price,
}


def drawn(f: Frame, n: int, seed: int) -> tuple[list[float], bool]:
    """Return the AUC of each card on rows that weren't drawn, and whether events are few."""
    order = np.random.default_rng(seed).permutation(len(f.y))
    learn, test = order[:n], order[n : n + TESTED]
    X, y, asked = f.X.iloc[learn].reset_index(drop=True), f.y[learn], f.X.iloc[test]
    aucs = []
    for conventional in CARDS.values():
        with patch.object(Characteristics, "_conventional", conventional):
            bins = fitted_bins(X, y, f.signs, Scorecard().min_bin_size)
            card = Scorecard(f.signs).fit(X, y, bins=bins)
        aucs.append(metrics.auc(f.y[test], card.predict_proba(asked)[:, 1]))
    return aucs, bool(bins._few_events)


def main(draws: int, names: list[str]) -> None:
    """Print one row per sample and number of rows: AUC of each card, and how often events are few."""
    warnings.simplefilter("ignore")
    print(f"| sample | rows | events | events are few | {' | '.join(CARDS)} |\n| --- |{' --- |' * (3 + len(CARDS))}")
    for sample, f in frames(names).items():
        for n in ROWS:
            aucs, few = zip(*(drawn(f, n, seed) for seed in range(draws)), strict=True)
            each = " | ".join(f"{a:.4f}" for a in np.mean(aucs, axis=0))
            print(f"| {sample} | {n:,} | {f.y.mean() * n:.0f} | {np.mean(few):.0%} | {each} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else DRAWS, sys.argv[2:] or SAMPLES)
