"""Who said that he is discontent, a month or two ago: he gets an answer before anybody offers him something."""

from __future__ import annotations

from workbench import engine, tables
from workbench.actions.arrears import MONTHS as OF_MONTHS
from workbench.params import Key

FEEDBACK = "core__feedback"
DETRACTOR = 6  # of 0 to 10: up to. Reichheld (2003), Harvard Business Review 81(12)
MONTHS = 2  # within which a low score is followed up

_LATEST = """
    WITH asked AS (SELECT *, date_trunc('month', invited_at) AS month FROM feedback)
    SELECT entity_id FROM asked WHERE kind_code = 'nps' AND score IS NOT NULL
        AND month > (SELECT max(CAST(month AS DATE)) FROM {dated}) - INTERVAL {months} MONTH
    QUALIFY row_number() OVER (PARTITION BY entity_id ORDER BY answered_at DESC) = 1 AND score <= {detractor}
    ORDER BY entity_id"""


def discontent(key: Key, months: int = MONTHS) -> list[str]:
    """Return whose latest NPS answer of the last so many months is a detractor's; nobody where nobody was asked.

    The last month is that of the data (core__month); where the study has no months, that of the last survey.
    """
    there = tables.names(key)
    if FEEDBACK not in there:
        return []
    files = {"feedback": tables.scan(key, FEEDBACK)}
    if OF_MONTHS in there:
        files["months"] = tables.scan(key, OF_MONTHS)
    sql = _LATEST.format(months=months, detractor=DETRACTOR, dated="months" if "months" in files else "asked")
    return engine.frame(sql, files)["entity_id"].tolist()  # type: ignore[arg-type]
