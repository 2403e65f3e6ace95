"""Whether the data broke, the customers changed, or the relation did: what an alarm is most likely of.

Written here because no library names the three apart. Data are looked at first: a broken column moves everything that
stands on it. What is left of a change of the outcome's rate is cut in two: what the model expected of these customers
(population), and what came otherwise (concept); of the separation likewise.
Source: Moreno-Torres et al. (2012), Pattern Recognition 45(1), for the two kinds of shift.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from workbench import metrics
from workbench.evidence import Verdict
from workbench.models.scorer import Scorer
from workbench.monitoring import drift as shifts
from workbench.monitoring import estimated
from workbench.panel.bins import Bins, is_category
from workbench.rules import Rules

Cause = Literal["data quality", "population", "concept", "none"]
SCALES = (-1.0, 10.0, 100.0, 1000.0, 0.1, 0.01, 0.001, 12.0, 1 / 12)  # units and signs that get mixed up
ONE_VALUE, FEW_BEFORE = 0.995, 0.95  # share of the commonest value, now and before, of a column that froze
TORN_FROM, TORN_TO = 0.30, 0.10  # strongest rank correlation, before and now, of a column torn from its rows
SURE = 2.58  # standard errors of a fall of AUC that is no chance (99 %)
ROWS = 20_000  # of either side whose rank correlations are worked out


@dataclass(frozen=True)
class Defect:
    """Something a column does that customers don't: which column, what, and how much (a share, a factor)."""

    feature: str
    what: str
    size: float


@dataclass(frozen=True)
class Diagnosis:
    """The likeliest cause, and what speaks for it; changes of the outcome's rate and of AUC by their two parts.

    `rate`, `auc`: (population, concept), None where outcomes aren't known or there are none to compare.
    """

    cause: Cause
    defects: tuple[Defect, ...]
    shifted: tuple[str, ...]
    rate: tuple[float, float] | None
    auc: tuple[float, float] | None


def diagnose(
    model: Scorer, development: pd.DataFrame, holdout: pd.DataFrame, now: pd.DataFrame, rules: Rules
) -> Diagnosis:
    """Return what a period's change is most likely of.

    Rows of the development sample, of its hold-out (what came of it is what a period's outcome is compared with) and of
    the period: features, predicted, outcome (NaN while open), weight, parent_id.
    """
    moved, gaps = shifts.by_period(model, now.assign(period=""), rules, shifts.draws_per_weight(development))
    moved = moved[moved["light"] != str(Verdict.green)].sort_values("psi", ascending=False, kind="stable")
    shifted = tuple(moved["feature"])
    broken = defects(development, now, gaps, model, rules)
    came = _realised(holdout, now, rules) if model.outcome.is_binary else None
    cause = _cause(broken, shifted, came)
    return Diagnosis(cause, tuple(broken), shifted, came and came.rate, came and came.auc)


def _cause(broken: list[Defect], shifted: tuple[str, ...], came: _Realised | None) -> Cause:
    if broken:
        return "data quality"
    if came is None or not came.is_otherwise:
        return "population" if shifted else "none"
    weighs = abs(came.rate[1]) > abs(came.rate[0]) or abs(came.auc[1]) > abs(came.auc[0])
    return "concept" if weighs or not shifted else "population"


@dataclass(frozen=True)
class _Realised:
    """What came of a period: changes of rate and AUC as (population, concept), and whether it came otherwise.

    Otherwise than expected of these very customers: surely, and by enough to matter.
    """

    rate: tuple[float, float]
    auc: tuple[float, float]
    is_otherwise: bool


def _realised(before: pd.DataFrame, now: pd.DataFrame, rules: Rules) -> _Realised | None:
    first, known = (rows[rows["outcome"].notna()] for rows in (before, now))
    if first.empty or metrics.rarer(known["outcome"]) < rules.number("least_events"):
        return None
    y, p, w = ([r[c].to_numpy(float) for r in (first, known)] for c in ("outcome", "predicted", "weight"))
    expected = [estimated.expected_auc(p[i], w[i]) for i in (0, 1)]
    above = [metrics.auc(y[i], p[i], w[i]) - expected[i] for i in (0, 1)]
    mean = [(float(np.average(y[i], weights=w[i])), float(np.average(p[i], weights=w[i]))) for i in (0, 1)]
    rate = (mean[1][1] - mean[0][1], (mean[1][0] - mean[1][1]) - (mean[0][0] - mean[0][1]))
    auc = (expected[1] - expected[0], above[1] - above[0])
    parts = zip((metrics.auc_influence(y[i], p[i], w[i]) for i in (0, 1)), (first, known), strict=True)
    error = np.hypot(*(metrics.clustered_error(influence, rows["parent_id"]) for influence, rows in parts))
    fell = -auc[1] >= rules["auc_drop"].amber and -auc[1] > SURE * error
    return _Realised(rate, auc, bool(_off(known, mean[1][1], rules) or fell))


def _off(known: pd.DataFrame, expected: float, rules: Rules) -> bool:
    events, n = metrics.effective(known["outcome"], known["weight"], known["parent_id"])
    low, high = metrics.rate_interval(events, n, rules.number("interval_level"))
    ratio = max(events / n / expected, expected * n / events) if events else np.inf
    return not low <= expected <= high and ratio >= rules["rate_off_period"].amber


def defects(before: pd.DataFrame, now: pd.DataFrame, gaps: pd.DataFrame, model: Scorer, rules: Rules) -> list[Defect]:
    """Return what columns do that customers don't, the first sign of each: missing, unseen, frozen, scaled, torn.

    `gaps`: the period's, as `drift.by_period` tests them. Values that are missing or unseen count where they are lit
    there; a value that is missing oftener because there are more customers of a kind that never had one is no defect.
    """
    features, lit = list(gaps["feature"]), set(gaps.loc[gaps["light"] != str(Verdict.green), "feature"])
    out, signs = [], _gaps(before, now, features, model, rules)
    for feature in features:
        bins, expected = model.reference[feature]
        sign = (signs.get(feature) if feature in lit else None) or _frozen(before[feature], now[feature])
        if sign is None and not is_category(now[feature]):
            sign = _scaled(bins, expected, now, rules)
        if sign is not None:
            out.append(Defect(feature, *sign))
    known = {d.feature for d in out}
    return out + [d for d in _torn(before, now, features) if d.feature not in known]


def _gaps(
    before: pd.DataFrame, now: pd.DataFrame, features: list[str], model: Scorer, rules: Rules
) -> dict[str, tuple[str, float]]:
    """Return the features that lack a value, or have one never seen, oftener than the others explain."""
    level, codes = rules["newly_missing"].amber, {}
    for feature in features:
        bins = model.reference[feature][0]
        codes[feature] = tuple(
            bins.codes(rows[feature]) - bins.inner - len(set(n for _, n in bins.special)) for rows in (before, now)
        )
    rise = {f: [float(np.mean(c[1] == k) - np.mean(c[0] == k)) for k in (0, 1)] for f, c in codes.items()}
    steady = [f for f in features if max(rise[f]) < level]
    out: dict[str, tuple[str, float]] = {}
    for feature, (missing, unseen) in rise.items():
        if unseen >= level:
            out[feature] = ("values never seen", unseen)
        elif missing >= level:
            is_missing = codes[feature][0] == 0
            unexplained = float(np.mean(codes[feature][1] == 0)) - _explained(is_missing, before, now, steady, model)
            if unexplained >= level:
                out[feature] = ("missing", unexplained)
    return out


def _explained(
    is_missing: np.ndarray, before: pd.DataFrame, now: pd.DataFrame, steady: list[str], model: Scorer
) -> float:
    """Return the share missing to expect now from the column that went with it most closely in development."""
    best, expected = 0.0, float(is_missing.mean())
    for name in steady:
        bins = model.reference[name][0]
        first, second = (np.bincount(bins.codes(rows[name]), minlength=len(bins.labels)) for rows in (before, now))
        share = np.bincount(bins.codes(before[name]), is_missing, len(bins.labels)) / np.maximum(first, 1)
        spread = float((first / first.sum() * (share - is_missing.mean()) ** 2).sum())
        if spread > best:
            best, expected = spread, float((second / second.sum() * share).sum())
    return expected


def _frozen(before: pd.Series, now: pd.Series) -> tuple[str, float] | None:
    commonest = [float(v.value_counts(normalize=True).iloc[0]) if v.notna().any() else 0.0 for v in (before, now)]
    return ("one value", commonest[1]) if commonest[1] >= ONE_VALUE and commonest[0] < FEW_BEFORE else None


def _scaled(bins: Bins, expected: tuple, now: pd.DataFrame, rules: Rules) -> tuple[str, float] | None:
    """Return the factor by which a column is off: divided by it, it stands as in development again."""
    if _psi(bins, expected, now) < rules["psi"].red:
        return None
    values = now[bins.name].astype(float)
    by = {k: _psi(bins, expected, now.assign(**{bins.name: values / k})) for k in SCALES}
    factor = min(by, key=by.__getitem__)
    return ("scaled", factor) if by[factor] < rules["psi"].amber / 2 else None


def _torn(before: pd.DataFrame, now: pd.DataFrame, features: list[str]) -> list[Defect]:
    """Return numbers that no longer go with any other: their values stand beside the wrong rows."""
    names = [f for f in features if not is_category(now[f])]
    if len(names) < 3:
        return []
    strongest = []
    for rows in (before, now):
        ranks = rows[names].astype(float).iloc[:ROWS].rank()
        strongest.append(ranks.corr().abs().where(~np.eye(len(names), dtype=bool)).fillna(0.0))
    out = []
    for name in names:
        partners = strongest[0][name][strongest[0][name] >= TORN_FROM].index
        if len(partners) and strongest[1].loc[partners, name].max() <= TORN_TO:
            out.append(Defect(name, "torn from its rows", float(strongest[1].loc[partners, name].max())))
    return out


def _psi(bins: Bins, expected: tuple, rows: pd.DataFrame) -> float:
    return metrics.psi(expected, bins.counts(rows[bins.name], rows["weight"].to_numpy(float)))
