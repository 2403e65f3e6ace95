"""What other tools ring for, on the same rows: Evidently's default preset, and univariate tests of NannyML's kind."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
from periods import Bank
from scipy import stats
from scipy.spatial.distance import jensenshannon

from workbench.panel.bins import is_category, quantile_bins

os.environ.setdefault("EVIDENTLY_DISABLE_TELEMETRY", "1")
RIVALS = ("Evidently, any column", "Evidently, data set", "KS and chi-square, p < 0.05", "Jensen-Shannon from 0.1")
ROWS = 5_000


def rings(bank: Bank, period: pd.DataFrame, names: list[str] | tuple[str, ...] = RIVALS) -> dict[str, bool]:
    """Return which of the tools ring for a period against development."""
    inputs = list(bank.model.features)
    development = bank.panel[bank.panel["sample"] == "development"][inputs]
    now, out = period[inputs], {}
    if any("Evidently" in n for n in names):
        share = _evidently(development.sample(min(ROWS, len(development)), random_state=1), now)
        out |= {RIVALS[0]: share > 0, RIVALS[1]: share >= 0.5}
    if RIVALS[2] in names:
        out[RIVALS[2]] = any(_p(development[n], now[n]) < 0.05 for n in inputs)
    if RIVALS[3] in names:
        out[RIVALS[3]] = any(_distance(development[n], now[n]) >= 0.1 for n in inputs)
    return out


def _evidently(development: pd.DataFrame, now: pd.DataFrame) -> float:
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    categories = [n for n in now if is_category(now[n])]
    definition = DataDefinition(
        numerical_columns=[n for n in now if n not in categories], categorical_columns=categories or None
    )
    sides = [Dataset.from_pandas(f.reset_index(drop=True), data_definition=definition) for f in (now, development)]
    snapshot = Report([DataDriftPreset()]).run(*sides).dict()
    drifted = next(m for m in snapshot["metrics"] if "DriftedColumnsCount" in m["metric_name"])
    return float(drifted["value"]["share"])


def _p(before: pd.Series, now: pd.Series) -> float:
    if is_category(now):
        counts = pd.DataFrame({"before": before.value_counts(), "now": now.value_counts()}).fillna(0)
        return float(stats.chi2_contingency(counts.to_numpy()[counts.sum(axis=1) > 0]).pvalue)
    return float(stats.ks_2samp(before.dropna().astype(float), now.dropna().astype(float)).pvalue)


def _distance(before: pd.Series, now: pd.Series) -> float:
    bins = quantile_bins(before)
    shares = [np.maximum(bins.counts(v), 0) / len(v) for v in (before, now)]
    return float(jensenshannon(*shares, base=2))
