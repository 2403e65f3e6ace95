"""Model performance by period: AUC and KS with intervals, observed against expected default rate."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench import metrics
from workbench.evidence import Verdict
from workbench.panel.describe import effective

LEVEL = 0.99  # of the interval outside which an expected rate is out of line
MATERIAL_AMBER, MATERIAL_RED = 1.25, 1.5  # observed over expected, or its inverse


def by_period(rows: pd.DataFrame, reference_auc: float, drop: tuple[float, float], min_defaults: int) -> pd.DataFrame:
    """Return one row per period: n, observed and expected rate with interval, AUC, KS, and their lights.

    `rows`: period, pd, outcome (NaN while the performance window is open), weight. Rates are weighted;
    intervals are of the effective sample size. AUC is red where it lies `drop[1]` below `reference_auc`
    and its interval excludes that level; calibration is red where the expected rate lies outside the
    99 % interval of the observed one and is wrong by half. Periods with fewer than `min_defaults`
    defaults are not evaluated.
    """
    return pd.DataFrame(
        [_row(period, part, reference_auc, drop, min_defaults) for period, part in rows.groupby("period")]
    )


def _row(period: str, part: pd.DataFrame, reference: float, drop: tuple[float, float], least: int) -> dict[str, object]:
    known = part[part["outcome"].notna()]
    row: dict[str, object] = {
        "period": period,
        "n": len(part),
        "known": len(known),
        "defaults": int(known["outcome"].sum()),
    }
    row["expected"] = float(np.average(part["pd"], weights=part["weight"]))
    names = ("observed", "observed_low", "observed_high", "auc", "auc_low", "auc_high", "ks")
    if row["defaults"] < least or row["defaults"] == len(known):
        none = str(Verdict.not_evaluated)
        return row | dict.fromkeys(names, np.nan) | {"ratio": np.nan, "auc_light": none, "calibration_light": none}
    bad, n = effective(known["outcome"], known["weight"])
    expected = row["expected"] = float(np.average(known["pd"], weights=known["weight"]))
    low, high = metrics.rate_interval(bad, n, LEVEL)
    auc = metrics.auc(known["outcome"], known["pd"], known["weight"])
    auc_low, auc_high = metrics.auc_interval(known["outcome"], known["pd"])
    values = (bad / n, low, high, auc, auc_low, auc_high, metrics.ks(known["outcome"], known["pd"], known["weight"]))
    return (
        row
        | dict(zip(names, values, strict=True))
        | {
            "ratio": bad / n / expected,
            "auc_light": str(_auc_light(auc, auc_high, reference, drop)),
            "calibration_light": str(_calibration_light(bad / n, low, high, expected)),
        }
    )


def _auc_light(auc: float, high: float, reference: float, drop: tuple[float, float]) -> Verdict:
    fall = reference - auc
    if high >= reference or fall < drop[0]:
        return Verdict.green
    return Verdict.red if fall >= drop[1] else Verdict.amber


def _calibration_light(observed: float, low: float, high: float, expected: float) -> Verdict:
    wrong = max(observed / expected, expected / max(observed, 1e-9))
    if low <= expected <= high or wrong < MATERIAL_AMBER:
        return Verdict.green
    return Verdict.red if wrong >= MATERIAL_RED else Verdict.amber
