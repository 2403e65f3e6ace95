"""Whom to contact with a budget: expected gain of each, what is affordable, why him, and what a conversion costs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from workbench import metrics
from workbench.actions.action_list import WHOSE, ActionList, action_list
from workbench.actions.propensity import Known, line_known
from workbench.evidence import Evidence, Verdict
from workbench.models.scorer import Scorer
from workbench.words import Text, number, say
from workbench.words.names import words_of

REASONS = 2  # of a row: what raised its prediction most


def candidates(k: Known, panel: pd.DataFrame, months: int) -> pd.DataFrame:
    """Return the latest row of each entity in the panel's last months, with `chance`: recalibrated where it can be.

    panel: rows with predicted, whether their outcome is known or not.
    """
    dates = pd.to_datetime(panel["as_of_date"])
    first = dates.max().to_period("M") - (months - 1)
    rows = panel[dates.dt.to_period("M") >= first].sort_values("as_of_date", kind="stable")
    line = line_known(k, first.start_time)
    raw = rows["predicted"].to_numpy(float)
    chance = raw if line is None else line.apply(raw)
    return rows.assign(chance=chance).drop_duplicates("entity_id", keep="last")


@dataclass(frozen=True)
class Means:
    """What a conversion is worth and a contact costs, the budget, and how many contacts can be made (by an officer)."""

    value: float
    cost: float
    budget: float
    capacity: int

    @property
    def calls(self) -> int:
        """Contacts that the budget pays; where they cost nothing, those that can be made."""
        return int(self.budget // self.cost) if self.cost > 0 else self.capacity


def listed(rows: pd.DataFrame, model: Scorer, means: Means, opted_out: Collection[str]) -> ActionList:
    """Return who is contacted: expected gain chance × value − cost above 0, highest first, within capacity and budget.

    rows: candidates with chance, and officer_code where there are officers (capacity is then each one's).
    """
    gain = rows["chance"] * means.value - means.cost
    worth = rows[gain > 0]
    made = pd.DataFrame(
        {
            "entity_id": worth["entity_id"],
            "priority": gain[gain > 0].round(4),
            "reason": "",
            "measure": [say("call with the offer")] * len(worth),
            "chance": worth["chance"].round(4),
            "expected_gain_amt": gain[gain > 0].round(2),
            **({WHOSE: worth[WHOSE]} if WHOSE in worth else {}),
        }
    )
    first = action_list(made.assign(reason="-"), capacity=means.capacity, opted_out=opted_out)
    affordable = first.rows.sort_values(["priority", "entity_id"], ascending=[False, True])
    affordable = affordable.head(means.calls if means.cost > 0 else len(affordable)).sort_index()
    why = reasons(rows[rows["entity_id"].isin(set(affordable["entity_id"]))], model)
    chosen = affordable.assign(reason=affordable["entity_id"].map(why)).reset_index(drop=True)
    cut = len(first.rows) - len(chosen)
    return replace(first, rows=chosen, beyond_capacity=first.beyond_capacity + cut)


def reasons(rows: pd.DataFrame, model: Scorer) -> dict[str, Text]:
    """Return in words why each entity stands high: the inputs that raised its prediction most, with their values."""
    if not model.explains:
        because = {}
    else:
        X = rows[list(model.features)].set_axis(rows["entity_id"].to_numpy(), axis=0)
        because = {row: part for row, part in model.reasons(X, REASONS).groupby("row", sort=False)}
    plain = say("{predicted} is high", predicted=model.outcome.predicted)
    return {e: _sentence(because[e]) if e in because else plain for e in rows["entity_id"]}


def _sentence(because: pd.DataFrame) -> Text:
    each = [say("{what}: {value}", what=say(r.words), value=_value(r.value)) for r in because.itertuples()]
    return say("{each}", each=each)


def _value(v: object) -> Text | str:
    if pd.isna(v):  # type: ignore[call-overload]
        return say("missing")
    return say(words_of(v)) if isinstance(v, str) else number(float(v))  # type: ignore[arg-type]


def back_test(k: Known, means: Means, currency: str) -> Evidence:
    """Return what as many calls had cost a conversion, first of the order of each later quarter, against all alike.

    The interval of cost per conversion is cost over Wilson's interval of the share that converts.
    """
    t = k.tested
    share = min(1.0, means.calls / len(t)) if len(t) else 1.0
    first = pd.concat(
        [part.nlargest(max(1, round(share * len(part))), "predicted") for _, part in t.groupby("quarter")]
    )
    table = pd.DataFrame([_costs(say("by the order"), first, means), _costs(say("as they came"), t, means)])
    listed_, all_ = table.iloc[0], table.iloc[1]
    return Evidence(
        key="cost",
        question=say("What does a conversion cost by this order?"),
        verdict=Verdict.info,
        answer=say(
            "{by_order:,.2f} {currency} a conversion ({low:,.2f} to {high:,.2f}) for the first {share:.1%} of each "
            "later quarter; {all:,.2f} for whoever came.",
            currency=currency,
            by_order=listed_["cost_per_conversion"],
            low=listed_["low"],
            high=listed_["high"],
            share=share,
            all=all_["cost_per_conversion"],
        ),
        value=float(listed_["cost_per_conversion"]),
        blind_to=say("who would have converted without a call: the data hold nobody who wasn't called"),
        source="Wilson (1927), JASA 22(158)",
        table=table,
    )


def _costs(name: Text, rows: pd.DataFrame, means: Means) -> dict[str, object]:
    n, events = len(rows), float(rows["outcome"].sum())
    low, high = (float(v) for v in metrics.wilson(events, n))
    per = [means.cost / r if r > 0 else np.nan for r in (events / n, high, low)]
    gain = events * means.value - n * means.cost
    return {
        "contacts": name,
        "n": n,
        "conversions": int(events),
        "cost_per_conversion": per[0],
        "low": per[1],
        "high": per[2],
        "gain": gain,
    }
