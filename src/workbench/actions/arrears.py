"""Who is in arrears or in default in the last month known of him: he belongs to collections, and is sold nothing."""

from __future__ import annotations

from workbench import engine, tables
from workbench.params import Key

MONTHS = "core__month"
DELAY = "delay_months"  # past due; 3 and more is in default (`customers/stages.py`)

_LATEST = f"""
    SELECT CAST(entity_id AS VARCHAR) AS entity_id FROM months
    QUALIFY row_number() OVER (PARTITION BY entity_id ORDER BY month DESC) = 1 AND {DELAY} >= 1
    ORDER BY entity_id"""


def in_arrears(key: Key) -> list[str]:
    """Return whose latest month says that he is a month or more past due; nobody where no months tell it."""
    if MONTHS not in tables.names(key):
        return []
    months = tables.scan(key, MONTHS)
    if not {"entity_id", "month", DELAY} <= set(engine.columns(months)):
        return []
    return engine.frame(_LATEST, {"months": months})["entity_id"].tolist()
