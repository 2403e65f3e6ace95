"""Does a propensity hold when the years change: ranking, level and what recalibrating as one goes is worth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from workbench import metrics
from workbench.contracts import Outcome
from workbench.evidence import Evidence, Verdict
from workbench.evidence.disclosure import People
from workbench.models.scorer import Calibration
from workbench.models.tuning import calibrated
from workbench.panel.rates import in_words, observed
from workbench.words import Text, say

LEAST_ROWS, LEAST_EVENTS = 100, 10  # of a period to be told of, and of either kind in it to calibrate by
TOP = 0.1  # of the rows: the lift is that of the highest tenth
HALF = 0.5  # of the rows: what Moro, Cortez & Rita (2014) report the share of subscribers of


@dataclass(frozen=True)
class Known:
    """Scored rows (n) whose outcome is known, with the quarter they are of, the earliest first."""

    rows: pd.DataFrame
    outcome: Outcome

    @property
    def tested(self) -> pd.DataFrame:
        """Those who come later than all that the model was learnt from; where nobody does, those held out."""
        is_learnt = self.rows["sample"] == "development"
        others, last = self.rows[~is_learnt], self.rows.loc[is_learnt, "as_of_date"].max()
        later = others[others["as_of_date"] > last]
        return later if len(later) else others

    @property
    def is_later(self) -> bool:
        """Whether all rows tested are later than all rows learnt from."""
        learnt = self.rows.loc[self.rows["sample"] == "development", "as_of_date"]
        return bool(learnt.max() < self.tested["as_of_date"].min())

    def quarters(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Yield the tested rows quarter by quarter, those of too few rows left out."""
        for name, part in self.tested.groupby("quarter"):
            if len(part) >= LEAST_ROWS and min((part["outcome"] == v).sum() for v in (0, 1)) >= LEAST_EVENTS:
                yield str(name), part


def known(panel: pd.DataFrame, scores: pd.DataFrame, outcome: Outcome) -> Known:
    """Return the panel's rows whose outcome is known, with what the model predicts of each and their quarter."""
    asked = scores[["entity_id", "as_of_date", "predicted"]]
    rows = panel[panel["outcome"].notna()].merge(asked, on=["entity_id", "as_of_date"], validate="one_to_one")
    dates = pd.to_datetime(rows["as_of_date"])
    quarter = dates.dt.year.astype(str) + "-Q" + dates.dt.quarter.astype(str)
    return Known(rows.assign(as_of_date=dates, quarter=quarter).sort_values("as_of_date", kind="stable"), outcome)


def _auc(rows: pd.DataFrame) -> tuple[float, float, float]:
    """Return the weighted AUC and its 95 % interval, the rows of a parent counted together."""
    arrays = tuple(rows[c].to_numpy(float) for c in ("outcome", "predicted", "weight"))
    area = metrics.auc(*arrays)
    half = stats.norm.ppf(0.975) * metrics.clustered_error(metrics.auc_influence(*arrays), rows["parent_id"])
    low, high = np.clip([area - half, area + half], 0, 1)
    return area, float(low), float(high)


def ranking(in_time: Known, random: Known | None = None) -> Evidence:
    """Return AUC on later rows, by quarter and beside it that of a random hold-out: the second flatters."""
    name = say("later rows") if in_time.is_later else say("rows held out")
    rows = [(name, len(in_time.tested), in_time.tested["outcome"].mean(), *_auc(in_time.tested))]
    rows += [(q, len(part), part["outcome"].mean(), *_auc(part)) for q, part in in_time.quarters()]
    answer = say("AUC {auc:.3f} ({low:.3f} to {high:.3f}) on {n:,} {name}.", **_facts(rows[0]))
    if random is not None:
        beside = random.rows[random.rows["sample"] == "holdout"]
        rows.insert(0, (say("random hold-out"), len(beside), beside["outcome"].mean(), *_auc(beside)))
        answer += say(
            "A random hold-out of the same rows says {auc:.3f}: {less:.3f} of it are of the time, not of the model.",
            auc=rows[0][3],
            less=rows[0][3] - rows[1][3],
        )
    table = pd.DataFrame(rows, columns=["rows", "n", "rate", "auc", "low", "high"])
    inside = len(rows) - 1 - (random is not None)
    if inside > 1:
        each = table["auc"].iloc[-inside:]
        answer += say("Within a quarter it is {low:.3f} to {high:.3f}.", low=each.min(), high=each.max())
    return Evidence(
        key="ranking",
        question=say("Does the {predicted} rank those who come later?", predicted=in_time.outcome.predicted)
        if in_time.is_later
        else say("Does the {predicted} rank those held out?", predicted=in_time.outcome.predicted),
        verdict=Verdict.info,
        answer=answer,
        value=float(_auc(in_time.tested)[0]),
        blind_to=say("who was never asked: the past's choice of whom to contact is in the rows"),
        source="Moro, Cortez & Rita (2014), Decision Support Systems 62; Obuchowski (1997), Biometrics 53(2)",
        table=in_words(table, in_time.outcome),
        people=People(("n",), ("rows",)),
    )


def _facts(row: tuple[Text, int, float, float, float, float]) -> dict[str, object]:
    return {"name": row[0], "n": row[1], "auc": row[3], "low": row[4], "high": row[5]}


def recalibrated(k: Known) -> pd.DataFrame:
    """Return the tested rows with `updated`: predictions put right by what was known when their quarter began.

    Known is what came so long before the quarter that its window had closed, the latest quarter of it that has enough
    rows, learnt from or not; a logistic line is fitted to it (Platt (1999); Cox (1958)).
    """
    parts = [part.assign(updated=_updated(k, part)) for _, part in k.tested.groupby("quarter")]
    return pd.concat(parts)


def _updated(k: Known, part: pd.DataFrame) -> np.ndarray:
    raw = part["predicted"].to_numpy(float)
    line = line_known(k, part["as_of_date"].dt.to_period("Q").min().start_time)
    return raw if line is None else line.apply(raw)


def line_known(k: Known, when: pd.Timestamp) -> Calibration | None:
    """Return the calibration of the latest quarter whose outcomes were known at a date; None before there is one."""
    closed = k.rows[k.rows["as_of_date"] + pd.DateOffset(months=k.outcome.window_months) < when]
    for name in sorted(closed["quarter"].unique(), reverse=True):
        last = closed[closed["quarter"] >= name]
        if len(last) >= LEAST_ROWS and min((last["outcome"] == v).sum() for v in (0, 1)) >= LEAST_EVENTS:
            values = (last[c].to_numpy(float) for c in ("predicted", "outcome", "weight"))
            return calibrated(*values)
    return None


def level(k: Known, updated: pd.DataFrame) -> Evidence:
    """Return predicted and observed rate by quarter, as developed and recalibrated; amber where the first is off.

    Off is a quarter whose p-value of its prediction, Holm's over the quarters, is below 5 %.
    """
    parts = [(q, updated.loc[part.index]) for q, part in k.quarters()]
    table = pd.DataFrame([_quarter(q, part, k.outcome) for q, part in parts])
    if table.empty:
        return _too_few(k.outcome)
    off, still = (
        int((metrics.holm([_p_value(part, c) for _, part in parts]) < 0.05).sum()) for c in ("predicted", "updated")
    )
    done = sum(bool((part["updated"] != part["predicted"]).any()) for _, part in parts)
    y, w = updated["outcome"].to_numpy(float), updated["weight"].to_numpy(float)
    errors = [
        metrics.expected_calibration_error(y, updated[c].to_numpy(float), 10, w) for c in ("predicted", "updated")
    ]
    return Evidence(
        key="level",
        question=say("Is the {predicted} as high as what came?", predicted=k.outcome.predicted),
        verdict=Verdict.amber if off else Verdict.green,
        answer=say(
            "In {off} of {n: quarters} the {rate} lies off the {predicted} beyond chance; recalibrated by the latest "
            "quarter known by then, as {done} of the {n} could be, in {still}. Mean error of calibration {before:.1%}, "
            "then {after:.1%}.",
            off=off,
            done=done,
            still=still,
            n=len(table),
            rate=k.outcome.rate,
            predicted=k.outcome.predicted,
            before=errors[0],
            after=errors[1],
        ),
        value=errors[1],
        threshold=say("amber where a quarter's p-value of its prediction (Holm over the quarters) is below 5 %"),
        source="Brown, Cai & DasGupta (2001); Holm (1979); Naeini et al. (2015)",
        table=in_words(table, k.outcome),
        people=People(("rows",), ("quarter",)),
    )


def _too_few(outcome: Outcome) -> Evidence:
    return Evidence(
        key="level",
        question=say("Is the {predicted} as high as what came?", predicted=outcome.predicted),
        verdict=Verdict.not_evaluated,
        answer=say(
            "No quarter of later rows has {rows: rows}, {events} of them with the event and {events} without.",
            rows=LEAST_ROWS,
            events=LEAST_EVENTS,
        ),
    )


def reliability(updated: pd.DataFrame, outcome: Outcome) -> dict[str, pd.DataFrame]:
    """Return predicted and observed by tenths, as developed and recalibrated: predicted, observed, low, high."""
    names = {"as developed": "predicted", "recalibrated": "updated"}
    return {name: _tenths(updated, column, outcome) for name, column in names.items()}


def _tenths(rows: pd.DataFrame, column: str, outcome: Outcome) -> pd.DataFrame:
    parts = rows.groupby(metrics.equal_parts(rows[column], 10))
    table = [(p[column].mean(), *observed(p["outcome"], p["weight"], outcome, p["parent_id"])) for _, p in parts]
    return pd.DataFrame(table, columns=["predicted", "observed", "low", "high"])


def _quarter(name: str, part: pd.DataFrame, outcome: Outcome) -> dict[str, object]:
    rate, low, high = observed(part["outcome"], part["weight"], outcome, part["parent_id"])
    means = {c: float(np.average(part[c], weights=part["weight"])) for c in ("predicted", "updated")}
    shown = {"predicted": means["predicted"], "recalibrated": means["updated"]}
    return {"quarter": name, "rows": len(part), "rate": rate, "low": low, "high": high, **shown}


def _p_value(part: pd.DataFrame, column: str) -> float:
    """Return the p-value, both sides, that a quarter's rate is its mean prediction: Jeffreys on the effective size."""
    events, n = metrics.effective(part["outcome"], part["weight"], part["parent_id"])
    mean = np.average(part[column], weights=part["weight"])
    below = stats.beta.cdf(mean, events + 0.5, n - events + 0.5)
    return float(2 * min(below, 1 - below))


def gains(k: Known, seed: int) -> Evidence:
    """Return how many of the events the first of the order hold: the top half's share, the lift of the top tenth."""
    t = k.tested
    arrays = t["outcome"].to_numpy(float), t["predicted"].to_numpy(float)
    half, tenth = (metrics.bootstrap_interval(_held(s), arrays, t["parent_id"], seed) for s in (HALF, TOP))
    held = {s: _held(s)(*arrays) for s in (HALF, TOP)}
    rows = [(s, _held(s)(*arrays)) for s in np.arange(1, 11) / 10]
    table = pd.DataFrame(rows, columns=["first", "held"]).assign(lift=lambda d: d["held"] / d["first"])
    return Evidence(
        key="gains",
        question=say("How much of it do the first of the order hold?"),
        verdict=Verdict.info,
        answer=say(
            "The top half holds {half:.1%} ({low:.1%} to {high:.1%}) of the {events}; the top tenth has {lift:.2f} "
            "times the average ({lift_low:.2f} to {lift_high:.2f}).",
            half=held[HALF],
            low=half[0],
            high=half[1],
            events=k.outcome.events,
            lift=held[TOP] / TOP,
            lift_low=tenth[0] / TOP,
            lift_high=tenth[1] / TOP,
        ),
        value=held[HALF],
        source="Moro, Cortez & Rita (2014): 79 % in the top half",
        table=table,
    )


def _held(share: float) -> Callable[[np.ndarray, np.ndarray], float]:
    def held(y: np.ndarray, predicted: np.ndarray) -> float:
        return float(metrics.gains(predicted, y, share)[0]) if y.any() else 0.0

    return held
