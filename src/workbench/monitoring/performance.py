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
_NAMES = ("observed", "observed_low", "observed_high", "separation", "separation_low", "separation_high", "ks", "brier")


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
    """Return one row per period: n, observed and expected with interval, separation, KS, Brier, and their lights.

    `rows`: period, predicted, outcome (NaN while the performance window is open), weight, parent_id, known_in. Means
    are weighted, intervals go by parent. Separation (AUC, or rank correlation) has a light where it lies below
    `reference` by the rules and its 95 % interval does, too; an AUC has another where its interval lies below what a
    model in use must reach; calibration where the expected mean lies outside the interval of the observed one and is
    off by the rules. Periods with too few of the rarer outcome (or rows, of an amount) are not evaluated.
    """
    return pd.DataFrame([_row(p, part, outcome, reference, rules) for p, part in rows.groupby("period")])


def _row(period: str, part: pd.DataFrame, outcome: Outcome, reference: float, rules: Rules) -> dict[str, object]:
    known = part[part["outcome"].notna()]
    row: dict[str, object] = {"period": period, "n": len(part), "known": len(known)}
    row["events"] = int(known["outcome"].sum()) if outcome.is_binary else None
    row["expected"] = float(np.average(part["predicted"], weights=part["weight"]))
    row["known_in"] = (known if len(known) else part)["known_in"].max()
    if not _is_judged(known, outcome, rules):
        none = dict.fromkeys(("separation_light", "floor_light", "calibration_light"), str(Verdict.not_evaluated))
        return row | dict.fromkeys((*_NAMES, "ratio"), np.nan) | none
    expected = row["expected"] = float(np.average(known["predicted"], weights=known["weight"]))
    observed, power = _observed(known, outcome, rules.number("interval_level")), _separation(known, outcome)
    columns = (known["outcome"], known["predicted"], known["weight"])
    plain = (metrics.ks(*columns), metrics.brier(*columns)) if outcome.is_binary else (np.nan, np.nan)
    ratio = observed[0] / expected if expected else np.nan
    lights = {
        "separation_light": _separation_light(power, reference, Separation.of(outcome, rules).drop),
        "floor_light": _floor_light(power, rules["auc_floor"]) if outcome.is_binary else Verdict.not_evaluated,
        "calibration_light": _calibration_light(observed, expected, rules["rate_off_period"]),
    }
    values = dict(zip(_NAMES, (*observed, *power, *plain), strict=True))
    return row | values | {"ratio": ratio} | {name: str(light) for name, light in lights.items()}


def by_grade(rows: pd.DataFrame, outcome: Outcome, rules: Rules) -> pd.DataFrame:
    """Return observed and expected of every grade and period, tested on both sides, and the light of each.

    `rows` as in `by_period`, with grade_code. p is twice the smaller tail of Jeffreys' posterior beyond what was
    expected, on effective counts by parent, Holm among the grades of a period; a light needs it and a ratio off by the
    rules; a grade that errs on the safe side is amber at most. Grades with too few events expected are not evaluated;
    only events have grades that are judged.
    Source: ECB (2019), Instructions for reporting the validation results of internal models, 2.5.3.1.
    """
    names = ["period", "grade_code", "n", "observed", "expected", "ratio", "p", "light", "known_in", "is_safe"]
    known = rows[rows["outcome"].notna()]
    if not outcome.is_binary or known.empty:
        return pd.DataFrame(columns=names)
    by = known.groupby(["period", "grade_code"], observed=True)
    table = pd.DataFrame([(*key, *_grade(part)) for key, part in by], columns=[*names[:7], "known_in"])
    enough = table["n"] * table["expected"] >= rules.number("least_expected")
    table["light"] = str(Verdict.not_evaluated)
    level = 1 - rules.number("interval_level")
    for _, part in table[enough].groupby("period"):
        for at, p in zip(part.index, metrics.holm(part["p"]), strict=True):
            table.loc[at, "light"] = str(_grade_light(part["ratio"][at], outcome, rules["grade_off"], p < level))
    return table.assign(is_safe=[_is_safe(r, outcome) for r in table["ratio"]])[names]


def _grade_light(ratio: float, outcome: Outcome, rule: Threshold, is_sure: bool) -> Verdict:
    light = judged(max(ratio, 1 / ratio) if ratio else FARTHEST, rule) if is_sure else Verdict.green
    return Verdict.amber if _is_safe(ratio, outcome) and light is Verdict.red else light


def _is_safe(ratio: float, outcome: Outcome) -> bool:
    return ratio < 1 if outcome.direction == "adverse" else ratio > 1


def _grade(part: pd.DataFrame) -> tuple:
    events, n = metrics.effective(part["outcome"], part["weight"], part["parent_id"])
    expected = float(np.average(part["predicted"], weights=part["weight"]))
    tail = float(stats.beta.cdf(expected, events + 0.5, n - events + 0.5))
    return n, events / n, expected, events / n / expected, 2 * min(tail, 1 - tail), part["known_in"].max()


def _is_judged(known: pd.DataFrame, outcome: Outcome, rules: Rules) -> bool:
    if outcome.is_binary:
        return metrics.rarer(known["outcome"]) >= rules.number("least_events")
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
    return (value, *metrics.spearman_interval(value, metrics.independent(known["weight"], known["parent_id"])))


def _separation_light(power: Interval, reference: float, drop: Threshold) -> Verdict:
    value, _, high = power
    if not np.isfinite([value, reference]).all():  # the same prediction for every row: no order to lose
        return Verdict.not_evaluated
    return Verdict.green if high >= reference else judged(reference - value, drop)


def _floor_light(power: Interval, floor: Threshold) -> Verdict:
    value, _, high = power
    return Verdict.green if high >= floor.amber else judged(value, floor)


def _calibration_light(observed: Interval, expected: float, off: Threshold) -> Verdict:
    value, low, high = observed
    if low <= expected <= high:
        return Verdict.green
    small, large = sorted((abs(value), abs(expected)))
    return judged(large / small if value * expected > 0 and large < FARTHEST * small else FARTHEST, off)
