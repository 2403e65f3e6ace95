"""Model performance by period: how well it separates, with interval, and observed against expected outcome."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from workbench import metrics
from workbench.contracts import Outcome
from workbench.evidence import Verdict, judged
from workbench.rules import Rules, Threshold
from workbench.words import Text, say

Interval = tuple[float, float, float]
FARTHEST = 1e6  # a ratio to nothing


@dataclass(frozen=True)
class Separation:
    """How separation is measured: AUC of an event, rank correlation of an amount or a rate; how far it may fall."""

    label: Text
    figure: str
    drop: Threshold

    @classmethod
    def of(cls, outcome: Outcome, rules: Rules) -> Separation:
        """Return the measure that fits an outcome."""
        if outcome.is_binary:
            return cls(say("AUC"), "holdout_auc", rules["auc_drop"])
        return cls(say("rank correlation"), "holdout_spearman", rules["spearman_drop"])


def by_period(rows: pd.DataFrame, outcome: Outcome, reference: float, rules: Rules) -> pd.DataFrame:
    """Return one row per period: n, observed and expected with interval, separation, KS, and their lights.

    `rows`: period, predicted, outcome (NaN while the performance window is open), weight, parent_id. Means are
    weighted, intervals go by parent. Separation (AUC, or rank correlation) has a light where it lies below `reference`
    by the rules and its 95 % interval does, too; calibration where the expected mean lies outside the interval of the
    observed one and is off by the rules. Periods with too few events (or rows, of an amount) are not evaluated.
    """
    return pd.DataFrame([_row(p, part, outcome, reference, rules) for p, part in rows.groupby("period")])


def _row(period: str, part: pd.DataFrame, outcome: Outcome, reference: float, rules: Rules) -> dict[str, object]:
    known = part[part["outcome"].notna()]
    row: dict[str, object] = {"period": period, "n": len(part), "known": len(known)}
    row["events"] = int(known["outcome"].sum()) if outcome.is_binary else None
    row["expected"] = float(np.average(part["predicted"], weights=part["weight"]))
    names = ("observed", "observed_low", "observed_high", "separation", "separation_low", "separation_high", "ks")
    if not _is_judged(known, outcome, rules):
        none = str(Verdict.not_evaluated)
        empty = dict.fromkeys((*names, "ratio"), np.nan)
        return row | empty | {"separation_light": none, "calibration_light": none}
    expected = row["expected"] = float(np.average(known["predicted"], weights=known["weight"]))
    level = rules.number("interval_level")
    observed, power = _observed(known, outcome, level), _separation(known, outcome)
    ks = metrics.ks(known["outcome"], known["predicted"], known["weight"]) if outcome.is_binary else np.nan
    lights = {
        "separation_light": str(_separation_light(power, reference, Separation.of(outcome, rules).drop)),
        "calibration_light": str(_calibration_light(observed, expected, rules["rate_off_period"])),
    }
    ratio = observed[0] / expected if expected else np.nan
    return row | dict(zip(names, (*observed, *power, ks), strict=True)) | {"ratio": ratio} | lights


def _is_judged(known: pd.DataFrame, outcome: Outcome, rules: Rules) -> bool:
    if outcome.is_binary:
        events = int(known["outcome"].sum())
        return rules.number("least_events") <= events < len(known)
    return len(known) >= rules.number("least_period_rows") and known["outcome"].nunique() > 1


def _observed(known: pd.DataFrame, outcome: Outcome, level: float) -> Interval:
    columns = (known["outcome"], known["weight"], known["parent_id"])
    if not outcome.is_binary:
        return metrics.mean_interval(*columns, level)
    events, n = metrics.effective(*columns)
    return (events / n, *metrics.rate_interval(events, n, level))


def _separation(known: pd.DataFrame, outcome: Outcome) -> Interval:
    arrays = tuple(known[c].to_numpy(float) for c in ("outcome", "predicted", "weight"))
    if outcome.is_binary:
        value = metrics.auc(*arrays)
        error = metrics.clustered_error(metrics.auc_influence(*arrays), known["parent_id"])
        half = float(stats.norm.ppf(0.975)) * error
        return value, max(value - half, 0.0), min(value + half, 1.0)
    value = metrics.spearman(*arrays)
    return (value, *metrics.spearman_interval(value, known["parent_id"].nunique()))


def _separation_light(power: Interval, reference: float, drop: Threshold) -> Verdict:
    value, _, high = power
    return Verdict.green if high >= reference else judged(reference - value, drop)


def _calibration_light(observed: Interval, expected: float, off: Threshold) -> Verdict:
    value, low, high = observed
    if low <= expected <= high:
        return Verdict.green
    small, large = sorted((abs(value), abs(expected)))
    return judged(large / small if value * expected > 0 and large < FARTHEST * small else FARTHEST, off)
