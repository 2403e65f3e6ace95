"""What each group of customers earns and costs, month by month, and that the groups add up to the bank."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from workbench import engine, metrics
from workbench.customers.needs import need_sql
from workbench.customers.stages import STAGE_SQL
from workbench.evidence import Evidence, Verdict
from workbench.evidence.disclosure import People, few
from workbench.words import say
from workbench.words.names import words_of

if TYPE_CHECKING:
    from workbench.engine import Relations

CENT = 0.005  # by which sums of rounded rows may differ, a row
SEVERAL = "several"  # the need of groups that are told of together
OWED = "balance_amt + coalesce(l.loss, 0)"  # in the month, before what was written off in it


def by_group(relations: Relations, since: pd.Timestamp) -> pd.DataFrame:
    """Return customers, margin, service_cost, loss, profit of each need × stage over the months since then.

    Groups of too few people to be told of are one with others of their stage (`pooled`), so that the sums stay whole.

    relations: `months` (core__month) and `performance` (core__performance), whose write-offs are the loss.
    """
    rows = f"""
        WITH s AS ({STAGE_SQL}),
        lost AS (SELECT entity_id, CAST(month AS DATE) AS month, sum(written_off_amt) AS loss
            FROM performance GROUP BY entity_id, CAST(month AS DATE)),
        r AS (SELECT {need_sql(OWED)} AS need, s.stage, m.entity_id, m.margin_amt, m.service_cost_amt,
                coalesce(l.loss, 0) AS loss
            FROM months m JOIN s ON s.entity_id = m.entity_id AND s.month = CAST(m.month AS DATE)
                LEFT JOIN lost l ON l.entity_id = m.entity_id AND l.month = CAST(m.month AS DATE)
            WHERE CAST(m.month AS DATE) >= DATE '{since:%Y-%m-%d}')"""
    sums = f"""{rows}
        SELECT need, stage, count(DISTINCT entity_id) AS customers, count(*) AS customer_months,
            sum(margin_amt) AS margin, sum(service_cost_amt) AS service_cost, sum(loss) AS loss,
            sum(margin_amt - service_cost_amt - loss) AS profit
        FROM r GROUP BY 1, 2 ORDER BY 1, 2"""

    def together(stage: str, needs: list[str]) -> int:
        which = ", ".join(f"'{need}'" for need in needs)
        one = f"{rows} SELECT count(DISTINCT entity_id) AS n FROM r WHERE stage = '{stage}' AND need IN ({which})"
        return int(engine.frame(one, relations)["n"].iloc[0])

    return pooled(engine.frame(sums, relations), together)


def pooled(groups: pd.DataFrame, together: Callable[[str, list[str]], int]) -> pd.DataFrame:
    """Return the groups, those of too few people joined within their stage until there are enough (need `several`).

    A hidden group would take its loss off the page, and a larger one with it; joined, neither is missing. together: how
    many different people a stage's needs have: who changed his need is one of each.
    """
    rows = groups.sort_values(["stage", "customers"], kind="stable").reset_index(drop=True)
    for stage, part in rows.groupby("stage"):
        joined, people = 1, int(part["customers"].iloc[0])
        while few(people) and joined < len(part):
            joined += 1
            people = together(str(stage), list(part["need"].iloc[:joined]))
        if joined > 1 or few(people):
            rows.loc[part.index[:joined], "need"] = SEVERAL
            rows.loc[part.index[0], "customers"], rows.loc[part.index[1:joined], "customers"] = people, 0
    return rows.groupby(["need", "stage"], as_index=False).sum()


def of_the_bank(relations: Relations, since: pd.Timestamp) -> dict[str, float]:
    """Return the bank's margin, service_cost and loss of the same months from its accounts, not by customers."""
    sql = f"""
        SELECT sum(f.balance_amt * p.margin_rate / 12 + f.fee_amt) AS margin, sum(p.service_cost_amt) AS service_cost,
            sum(f.written_off_amt) AS loss
        FROM performance f JOIN holding h ON h.account_id = f.account_id
            JOIN product p ON p.product_code = h.product_code
        WHERE CAST(f.month AS DATE) >= DATE '{since:%Y-%m-%d}'"""
    return {str(k): float(v) for k, v in engine.frame(sql, relations).iloc[0].items()}


def reconciled(groups: pd.DataFrame, bank: dict[str, float], currency: str) -> Evidence:
    """Return the groups' profit and loss, red where they don't add up to the bank's to the cent a row."""
    off = {name: float(groups[name].sum()) - total for name, total in bank.items()}
    allowed = CENT * float(groups["customer_months"].sum())
    worst = max(off, key=lambda name: abs(off[name]))
    profit = float(groups["profit"].sum())
    people = People(("customers",), ("need", "stage"))
    shown = people.published(groups).dropna(subset="profit")
    poorest = shown.loc[shown["profit"].idxmin()] if len(shown) else None
    answer = say("Profit of the months: {profit:,.0f} {currency}.", profit=profit, currency=currency)
    if poorest is not None:
        answer += say(
            "Least from {need}, {stage}: {least:,.0f}.",
            need=say(poorest["need"]),
            stage=say(words_of(poorest["stage"])),
            least=float(poorest["profit"]),
        )
    answer += (
        say("The groups add up to the bank's accounts.")
        if abs(off[worst]) <= allowed
        else say("The groups' {what} is {off:,.2f} off the bank's accounts.", what=say(worst), off=off[worst])
    )
    return Evidence(
        key="profit",
        question=say("What does each group of customers earn and cost?"),
        verdict=Verdict.green if abs(off[worst]) <= allowed else Verdict.red,
        answer=answer,
        value=profit,
        threshold=say("red where groups and bank differ by more than rounding"),
        table=groups.sort_values("profit", ignore_index=True),
        people=people,
    )


def foretold(values: pd.DataFrame, realised: pd.Series) -> tuple[pd.DataFrame, float]:
    """Return predicted and realised mean of each tenth of the value, highest first, and Gini of the ranking.

    Customers of the same value are in one tenth, so that a file's order says nothing: some tenths may be missing.

    values: entity_id, value; realised: what each brought in the horizon, by entity (absent is 0). The table has the
    95 % interval of the realised mean (low, high), over customers.
    """
    rows = values.assign(realised=values["entity_id"].map(realised).fillna(0.0))
    tenth = metrics.equal_parts(-rows["value"], 10) + 1
    table = pd.DataFrame(
        [
            (n, part["value"].mean(), *metrics.mean_interval(part["realised"], np.ones(len(part)), part["entity_id"]))
            for n, part in rows.groupby(tenth)
        ],
        columns=["tenth", "predicted", "observed", "low", "high"],
    )
    gained = rows["realised"].clip(lower=0).groupby(rows["value"]).agg(["sum", "size"]).sort_index(ascending=False)
    ordered = np.repeat(gained["sum"] / gained["size"], gained["size"]).to_numpy()
    lorenz = np.cumsum(ordered) / max(ordered.sum(), 1e-9)
    return table, float(2 * lorenz.mean() - 1)


def brought(relations: Relations, after: pd.Timestamp, months: int, rate: float) -> pd.Series:
    """Return what each customer brought in the months after a date, discounted: margin less cost less written off."""
    sql = f"""
        WITH lost AS (SELECT entity_id, CAST(month AS DATE) AS month, sum(written_off_amt) AS loss
            FROM performance GROUP BY entity_id, CAST(month AS DATE))
        SELECT m.entity_id, sum((m.margin_amt - m.service_cost_amt - coalesce(l.loss, 0))
            / power(1 + {rate}, date_diff('month', DATE '{after:%Y-%m-%d}', CAST(m.month AS DATE)) / 12.0)) AS value
        FROM months m LEFT JOIN lost l ON l.entity_id = m.entity_id AND l.month = CAST(m.month AS DATE)
        WHERE CAST(m.month AS DATE) > DATE '{after:%Y-%m-%d}'
            AND date_diff('month', DATE '{after:%Y-%m-%d}', CAST(m.month AS DATE)) <= {months}
        GROUP BY m.entity_id"""
    return engine.frame(sql, relations).set_index("entity_id")["value"]
