"""Where each customer stands in the life of the relationship: one stage a customer and month, by one rule in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from workbench import engine
from workbench.panel.months import number_sql

if TYPE_CHECKING:
    from workbench.engine import Relation

STAGES = ("new", "growing", "steady", "quiet", "late", "in_default", "recovered", "gone")
UNPAID = ("late", "in_default")  # stages that collections work through
NEW_MONTHS, GROWING_MONTHS, RECOVERED_MONTHS, QUIET_DAYS = 6, 6, 6, 60

# the first rule that holds; what isn't paid counts before everything else
_SQL = f"""
    WITH m AS (
        SELECT entity_id, CAST(month AS DATE) AS month, {number_sql("month")} AS month_no, delay_months, left_bank,
            days_since_activity, bought, cured FROM months {{whose}}),
    seen AS (
        SELECT m.*, m.month_no - min(m.month_no) OVER (PARTITION BY m.entity_id) AS age_months,
            (SELECT min({number_sql("month")}) FROM months) AS first_no,
            max(CASE WHEN bought = 1 THEN m.month_no END) OVER before AS bought_no,
            max(CASE WHEN cured = 1 THEN m.month_no END) OVER before AS cured_no
        FROM m WINDOW before AS (PARTITION BY m.entity_id ORDER BY m.month_no))
    SELECT entity_id, month, CASE
        WHEN delay_months >= 3 THEN 'in_default'
        WHEN delay_months >= 1 THEN 'late'
        WHEN left_bank = 1 THEN 'gone'
        WHEN month_no - cured_no < {RECOVERED_MONTHS} THEN 'recovered'
        WHEN age_months < {NEW_MONTHS} AND month_no - age_months > first_no THEN 'new'
        WHEN days_since_activity > {QUIET_DAYS} THEN 'quiet'
        WHEN month_no - bought_no < {GROWING_MONTHS} THEN 'growing'
        ELSE 'steady' END AS stage
    FROM seen"""
STAGE_SQL = _SQL.format(whose="")


def stage_of(months: Relation, entity: str, date: pd.Timestamp) -> str:
    """Return the stage of one customer in a month, `gone` where he isn't there."""
    text = _SQL.format(whose="WHERE entity_id = (SELECT entity_id FROM asked)")
    asked = pd.DataFrame({"entity_id": [entity]})
    at = engine.frame(
        f"SELECT stage FROM ({text}) WHERE month = DATE '{date:%Y-%m-%d}'", {"months": months, "asked": asked}
    )
    return str(at["stage"].iloc[0]) if len(at) else "gone"


def stages(months: Relation, date: pd.Timestamp | None = None) -> pd.DataFrame:
    """Return entity_id, month, stage: of all months, or of one; who was there at the very beginning is not `new`."""
    at = f"WHERE month = DATE '{date:%Y-%m-%d}'" if date is not None else ""
    return engine.frame(f"SELECT * FROM ({STAGE_SQL}) {at} ORDER BY entity_id, month", {"months": months})


def migration(months: Relation, since: pd.Timestamp, until: pd.Timestamp) -> pd.DataFrame:
    """Return how many customers of each stage (rows) are in each stage a while later (columns).

    Who isn't there any more is `gone`.
    """
    first, then = (stages(months, d).set_index("entity_id")["stage"] for d in (since, until))
    first = first[first != "gone"]
    later = then.reindex(first.index).fillna("gone")
    moved = pd.crosstab(first, later)
    order = [s for s in STAGES if s in moved.index], [s for s in STAGES if s in moved.columns]
    return moved.loc[order[0], order[1]].rename_axis(index="stage", columns=None)
