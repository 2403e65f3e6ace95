"""Whom to contact with a budget: expected gain of each, what is affordable, why him, and what a conversion costs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from workbench import metrics
from workbench.actions.action_list import WHOSE, ActionList
from workbench.actions.because import because, medians
from workbench.actions.propensity import Known, line_known
from workbench.evidence import Evidence, Verdict
from workbench.models.scorer import Scorer
from workbench.words import Text, say

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
    def most(self) -> int | None:
        """Contacts that the budget pays, None where they cost nothing."""
        return self.calls if self.cost > 0 else None

    @property
    def calls(self) -> int:
        """Contacts that the budget pays; where they cost nothing, those that can be made."""
        return int(self.budget // self.cost) if self.cost > 0 else self.capacity


def worth(rows: pd.DataFrame, means: Means) -> pd.DataFrame:
    """Return the candidates whose expected gain, chance × value − cost, is above 0; their reasons are told later.

    rows: candidates with chance, and officer_code where there are officers (capacity is then each one's).
    """
    gain = rows["chance"] * means.value - means.cost
    paid = rows[gain > 0]
    return pd.DataFrame(
        {
            "entity_id": paid["entity_id"],
            "priority": gain[gain > 0].round(4),
            "reason": "-",
            "measure": [say("call with the offer")] * len(paid),
            "probability": paid["chance"].round(4),
            "expected_gain_amt": gain[gain > 0].round(2),
            **({WHOSE: paid[WHOSE]} if WHOSE in paid else {}),
        }
    )


def explained(listed: ActionList, rows: pd.DataFrame, model: Scorer) -> ActionList:
    """Return the list with its reasons: what raised each one's prediction, high or low among all candidates."""
    why = reasons(rows, listed.rows["entity_id"], model)
    return replace(listed, rows=listed.rows.assign(reason=listed.rows["entity_id"].map(why)))


def reasons(rows: pd.DataFrame, chosen: pd.Series, model: Scorer) -> dict[str, Text]:
    """Return in words why each of the chosen stands high: the inputs that raised its prediction most."""
    plain = say("{predicted} is high", predicted=model.outcome.predicted)
    if not model.explains:
        return dict.fromkeys(chosen, plain)
    X = rows.set_index("entity_id")[list(model.features)]
    raised = because(model.reasons(X.loc[list(chosen)], REASONS), medians(X))
    return {e: say("{each}", each=raised[e]) if e in raised else plain for e in chosen}


def back_test(k: Known, means: Means, currency: str) -> Evidence:
    """Return what as many calls had cost a conversion, first of the order of each quarter tested, against all alike.

    The interval of cost per conversion is cost over Wilson's interval of the share that converts. Of rows that are
    predicted alike, each is called as far as the calls reach: none is first by where it stands in the table.
    """
    t = k.tested
    share = min(1.0, means.calls / len(t)) if len(t) else 1.0
    first = np.sum([_first(part, share) for _, part in t.groupby("quarter")], axis=0)
    everybody = (len(t), t["outcome"].sum())
    table = pd.DataFrame([_costs(say("by the order"), *first, means), _costs(say("as they came"), *everybody, means)])
    listed_, all_ = table.iloc[0], table.iloc[1]
    return Evidence(
        key="cost",
        question=say("What does a conversion cost by this order?"),
        verdict=Verdict.info,
        answer=say(
            "{by_order:,.2f} {currency} a conversion ({low:,.2f} to {high:,.2f}) for the first {share:.1%} of each "
            "quarter; {all:,.2f} for whoever came.",
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


def _first(part: pd.DataFrame, share: float) -> tuple[float, float]:
    """Return how many of a quarter's rows are called, and how many of them convert."""
    n, events = max(1, round(share * len(part))), float(part["outcome"].sum())
    return n, events * float(metrics.gains(part["predicted"], part["outcome"], n / len(part))[0]) if events else 0.0


def _costs(name: Text, n: float, events: float, means: Means) -> dict[str, object]:
    low, high = (float(v) for v in metrics.wilson(events, n))
    per = [means.cost / r if r > 0 else np.nan for r in (events / n, high, low)]
    gain = events * means.value - n * means.cost
    return {
        "contacts": name,
        "n": int(n),
        "conversions": round(events),
        "cost_per_conversion": per[0],
        "low": per[1],
        "high": per[2],
        "gain": gain,
    }
