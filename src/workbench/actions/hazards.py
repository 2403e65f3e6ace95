"""When customers leave, and how: monthly hazards of competing events, and the share that has had each by each month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler

from workbench import engine, metrics
from workbench.customers.needs import need_sql
from workbench.evidence import Evidence, Verdict
from workbench.panel.months import number, number_sql
from workbench.words import say

if TYPE_CHECKING:
    from workbench.engine import Relation

EVENTS = {"defaulted": "default", "settled_early": "settled early", "dormant": "dormant"}  # the first ends the wait
IN_DEFAULT = 3  # months past due
LEVEL_MONTHS, SURE_EVENTS = 6, 50.0  # the level is that of so many months; so many events tell half of it
MOST = 0.99  # that all events of a month together can have for a chance
STATE = {  # what is known of a customer at the as-of date, in SQL over its month `m`
    "delay_months": "m.delay_months",
    "n_products": "m.n_products",
    "n_loans": "m.n_loans",
    "log_balance": "ln(1 + greatest(m.balance_amt, 0))",
    "log_deposit": "ln(1 + greatest(m.deposit_amt, 0))",
    "log_inflow": "ln(1 + greatest(m.inflow_amt, 0))",
    "days_since_activity": "least(m.days_since_activity, 180)",
    "n_logins": "least(m.n_logins, 30)",
    "n_complaints": "m.n_complaints",
}


@dataclass(frozen=True)
class Hazards:
    """A fitted discrete-time model of competing events (multinomial logit of each month at risk, by months ahead).

    level: by event, what the hazards are multiplied by so that they are those of the last months learnt from.
    """

    model: Pipeline
    events: tuple[str, ...]
    months: int
    level: np.ndarray

    def incidence(self, state: pd.DataFrame) -> np.ndarray:
        """Return the chance of each event by each month ahead (n × months × events) of customers in this state."""
        return metrics.incidence_of(self.hazards(state))

    def hazards(self, state: pd.DataFrame) -> np.ndarray:
        """Return the chance of each event in each month ahead, of who still waits (n × months × events)."""
        ahead = np.tile(np.arange(1, self.months + 1), len(state))
        rows = state[list(STATE)].loc[state.index.repeat(self.months)].assign(ahead=ahead)
        chances = pd.DataFrame(self.model.predict_proba(rows), columns=self.model.classes_)
        ordered = chances.reindex(columns=range(1, len(self.events) + 1), fill_value=0.0)
        levelled = np.minimum(ordered.to_numpy() * self.level, MOST / len(self.events))
        return levelled.reshape(len(state), self.months, len(self.events))


def states(months: Relation, as_of: list[pd.Timestamp]) -> pd.DataFrame:
    """Return who is with the bank at the end of each of these months, neither gone nor in default, with their state."""
    dates = ", ".join(f"DATE '{d:%Y-%m-%d}'" for d in as_of)
    state = ", ".join(f"CAST(coalesce({sql}, 0) AS DOUBLE) AS {name}" for name, sql in STATE.items())
    return engine.frame(
        f"""SELECT m.entity_id, CAST(m.month AS DATE) AS as_of_date, {number_sql("m.month")} AS anchor, {state},
            {need_sql()} AS need
        FROM months m WHERE CAST(m.month AS DATE) IN ({dates}) AND m.n_products > 0 AND m.delay_months < {IN_DEFAULT}
            AND {_none("m")}
        ORDER BY m.month, m.entity_id""",
        {"months": months},
    )


def _none(alias: str) -> str:
    return " AND ".join(f"coalesce({alias}.{name}, 0) = 0" for name in EVENTS)


def followed(months: Relation, state: pd.DataFrame, ahead: int, until: pd.Timestamp | None = None) -> pd.DataFrame:
    """Return one row a customer and as-of date: `first` event of the next months (0 none) and `after` how many.

    Whose data end before, or what is known by `until`, is followed without an event as far as they go (censored).
    """
    kind = " ".join(f"WHEN {name} = 1 THEN {i}" for i, name in enumerate(EVENTS, 1))
    sql = f"""
        WITH happened AS (
            SELECT entity_id, {number_sql("month")} AS month_no, CASE {kind} ELSE 0 END AS kind FROM months
            WHERE {f"{number_sql('month')} <= {number(until)}" if until is not None else "1 = 1"}),
        last AS (SELECT max(month_no) AS month_no FROM happened),
        firsts AS (
            SELECT s.entity_id, s.anchor, min(h.month_no) AS month_no FROM state s JOIN happened h
            ON h.entity_id = s.entity_id AND h.month_no > s.anchor AND h.month_no <= s.anchor + {ahead} AND h.kind > 0
            GROUP BY s.entity_id, s.anchor)
        SELECT s.entity_id, s.anchor, coalesce(h.kind, 0) AS first,
            CASE WHEN f.month_no IS NULL THEN least({ahead}, (SELECT month_no FROM last) - s.anchor)
                ELSE f.month_no - s.anchor END AS after
        FROM state s LEFT JOIN firsts f ON f.entity_id = s.entity_id AND f.anchor = s.anchor
        LEFT JOIN happened h ON h.entity_id = s.entity_id AND h.month_no = f.month_no
        ORDER BY s.anchor, s.entity_id"""
    return engine.frame(sql, {"months": months, "state": state[["entity_id", "anchor"]]})


def fitted(state: pd.DataFrame, after: pd.DataFrame, ahead: int, most_rows: int, seed: int) -> Hazards:
    """Learn the hazards of the months ahead from who was followed; of too many months without an event some are drawn.

    Their level is that of the last LEVEL_MONTHS, as surely as the events seen in them tell it.
    Source: Tutz & Schmid (2016), Modeling Discrete Time-to-Event Data, ch. 8 (competing events).
    """
    rows = state.merge(after, on=["entity_id", "anchor"], validate="one_to_one")
    rows = rows[rows["after"] > 0]
    length = rows["after"].to_numpy(int)
    long = rows.loc[rows.index.repeat(length)].reset_index(drop=True)
    long["ahead"] = np.concatenate([np.arange(1, n + 1) for n in length]) if len(rows) else []
    long["kind"] = np.where(long["ahead"] == long["after"], long["first"], 0)
    long = _drawn(long, most_rows, seed)
    model = _estimator().fit(long[[*STATE, "ahead"]], long["kind"], logisticregression__sample_weight=long["weight"])
    return Hazards(model, tuple(EVENTS), ahead, _level(model, long))


def _drawn(long: pd.DataFrame, most_rows: int, seed: int) -> pd.DataFrame:
    """Return all months with an event and as many of the others, drawn, as there is room for, with their weight.

    Source: King & Zeng (2001), Political Analysis 9(2): of rare events each row tells much, of the others little.
    """
    quiet, eventful = long[long["kind"] == 0], long[long["kind"] > 0]
    taken = quiet.sample(min(len(quiet), max(most_rows - len(eventful), len(eventful))), random_state=seed)
    weight = len(quiet) / max(len(taken), 1)
    return pd.concat([eventful.assign(weight=1.0), taken.assign(weight=weight)], ignore_index=True)


def _level(model: Pipeline, long: pd.DataFrame) -> np.ndarray:
    """Return events seen over events expected in the last months, by event, drawn to 1 where few were expected.

    Source: Bühlmann & Gisler (2005), A Course in Credibility Theory, ch. 2 (Poisson–gamma).
    """
    month = long["anchor"] + long["ahead"]
    recent = long[month > month.max() - LEVEL_MONTHS]
    chances = pd.DataFrame(model.predict_proba(recent[[*STATE, "ahead"]]), columns=model.classes_)
    events = range(1, len(EVENTS) + 1)
    expected = recent["weight"].to_numpy() @ chances.reindex(columns=events, fill_value=0.0).to_numpy()
    seen = np.array([(recent["kind"] == i).sum() for i in events])
    return (seen + SURE_EVENTS) / (expected + SURE_EVENTS)


def _estimator() -> Pipeline:
    smooth = SplineTransformer(n_knots=4, degree=2, knots="quantile", extrapolation="constant", include_bias=False)
    return make_pipeline(smooth, StandardScaler(), LogisticRegression(C=0.3, max_iter=300))


def observed(after: pd.DataFrame, ahead: int) -> pd.DataFrame:
    """Return the share that had each event by month (Aalen–Johansen), `staying`, and `naive`: 1 − KM of default."""
    months = np.arange(1, ahead + 1)
    at_risk = np.array([(after["after"] >= m).sum() for m in months])
    counts = pd.DataFrame(
        {n: [((after["after"] == m) & (after["first"] == i)).sum() for m in months] for i, n in enumerate(EVENTS, 1)},
        index=pd.Index(months, name="month"),
    )
    naive = metrics.naive_incidence(at_risk, counts["defaulted"])
    return metrics.cumulative_incidence(at_risk, counts).assign(naive=naive)


def held_against(hazards: Hazards, state: pd.DataFrame, after: pd.DataFrame, tolerance: float) -> Evidence:
    """Return what was predicted of later customers against what came of them, by event, at the horizon.

    Amber where the mean of an event is off by more than `tolerance` (relative) and more than chance explains.
    """
    predicted = hazards.incidence(state)[:, -1, :]
    turned_out = observed(after, hazards.months).iloc[-1]
    rows = []
    for i, event in enumerate(hazards.events):
        n, share = len(state), float(turned_out[event])
        low, high = metrics.rate_interval(share * n, n)
        mean = float(predicted[:, i].mean())
        ranked = metrics.auc((after["first"] == i + 1).to_numpy(int), predicted[:, i]) if share > 0 else np.nan
        off = abs(mean / share - 1) if share > 0 else np.inf * (mean > 0)  # none seen: no ratio is large enough
        rows.append(
            (say(EVENTS[event]), mean, share, low, high, ranked, bool(off > tolerance and not low <= mean <= high))
        )
    table = pd.DataFrame(rows, columns=["event", "predicted", "observed", "low", "high", "AUC", "off"])
    wrong = [str(e) for e, off in zip(table["event"], table["off"], strict=True) if off]
    far = table.loc[(table["predicted"] / table["observed"] - 1).abs().fillna(0).idxmax()]
    answer = (
        say(
            "Of {n:, later customers} no share is off by more than {tolerance:.0%} and by more than chance; farthest "
            "is {event}: {predicted:.1%} predicted, {observed:.1%} observed.",
            n=len(state),
            tolerance=tolerance,
            event=far["event"],
            predicted=far["predicted"],
            observed=far["observed"],
        )
        if not wrong
        else say(
            "Of {n:, later customers}, the level is off for {n_wrong} of the ways to leave.",
            n=len(state),
            n_wrong=len(wrong),
        )
    )
    return Evidence(
        key="hazards",
        question=say("How many leave within {months: months}, and by which way?", months=hazards.months),
        verdict=Verdict.amber if wrong else Verdict.green,
        answer=answer,
        value=float(1 - turned_out["staying"]),
        threshold=say(
            "amber where a share is off by more than {tolerance:.0%} and by more than chance", tolerance=tolerance
        ),
        source="Tutz & Schmid (2016); Aalen & Johansen (1978)",
        table=table.drop(columns="off"),
    )
