"""What customers do after something, and when: paths, the time to the next event, who comes back month by month."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from workbench import engine
from workbench.actions.funnel import quoted
from workbench.actions.process import ARROW
from workbench.panel.months import number_sql

MOST_STEPS = 5


def _kinds(kinds: Sequence[str]) -> str:
    return f"event_kind IN ({', '.join(quoted(k) for k in kinds)})" if kinds else "TRUE"


def paths(events: engine.Relation, start: str, kinds: Sequence[str] = (), window_days: int = 30) -> pd.DataFrame:
    """Return what followed a customer's first event of a kind: `path` (its kinds, five at most), `customers`, `share`.

    kinds: those that count as steps, none is all; a step is later than the start and in its window of `window_days`
    days of 24 hours, end included. Whose window isn't over by the last event of the log isn't counted: more may
    follow. Most frequent first.
    """
    return engine.frame(
        f"""WITH s AS (SELECT entity_id, min(happened_at) AS at FROM events WHERE event_kind = {quoted(start)}
            GROUP BY entity_id
            HAVING min(happened_at) + INTERVAL {window_days} DAY <= (SELECT max(happened_at) FROM events)),
        e AS (SELECT s.entity_id, e.event_kind, row_number() OVER (
                PARTITION BY s.entity_id ORDER BY e.happened_at, e.event_kind) AS place
            FROM s JOIN events e ON e.entity_id = s.entity_id AND e.happened_at > s.at
                AND e.happened_at <= s.at + INTERVAL {window_days} DAY AND {_kinds(kinds)}),
        p AS (SELECT entity_id, string_agg(event_kind, '{ARROW}' ORDER BY place) AS tail FROM e
            WHERE place < {MOST_STEPS} GROUP BY entity_id)
        SELECT {quoted(start)} || coalesce('{ARROW}' || tail, '') AS path, count(*) AS customers,
            count(*) / sum(count(*)) OVER () AS share
        FROM s LEFT JOIN p ON p.entity_id = s.entity_id GROUP BY path ORDER BY customers DESC, path""",
        {"events": events},
    )


def between(events: engine.Relation, kinds: Sequence[str]) -> pd.DataFrame:
    """Return the time from an event to the customer's next of the same kind, of these kinds.

    Columns: `event_kind`, `n` (events), `followed` (share that had a next one by the end of the data), `p10_days`,
    `median_days`, `p90_days` (of those followed: the longest waits are the last to be seen).
    """
    return engine.frame(
        f"""WITH e AS (SELECT event_kind, happened_at, lead(happened_at) OVER (
            PARTITION BY entity_id, event_kind ORDER BY happened_at) AS later FROM events WHERE {_kinds(kinds)}),
        d AS (SELECT event_kind, epoch(later - happened_at) / 86400e0 AS days FROM e)
        SELECT event_kind, count(*) AS n, count(days) / count(*) AS followed, quantile_cont(days, 0.1) AS p10_days,
            quantile_cont(days, 0.5) AS median_days, quantile_cont(days, 0.9) AS p90_days
        FROM d GROUP BY event_kind ORDER BY n DESC, event_kind""",
        {"events": events},
    )


def triangle(events: engine.Relation, start: str, kinds: Sequence[str] = ()) -> pd.DataFrame:
    """Return who came back: `cohort` (month of the first `start`), `age` in months, `customers`, `active`, `share`.

    active: customers of the cohort with an event of `kinds` (none is all) in that month. The last month of the data
    is left out where it isn't a whole one: nobody can come back in days that haven't been.
    """
    month = number_sql("happened_at")
    return engine.frame(
        f"""WITH s AS (SELECT entity_id, min({month}) AS cohort FROM events
            WHERE event_kind = {quoted(start)} GROUP BY entity_id),
        a AS (SELECT DISTINCT entity_id, {month} AS month_no FROM events WHERE {_kinds(kinds)}),
        ends AS (SELECT max({month}) - CASE WHEN max(happened_at) + INTERVAL 1 DAY
            < date_trunc('month', max(happened_at)) + INTERVAL 1 MONTH THEN 1 ELSE 0 END AS last FROM events),
        sizes AS (SELECT cohort, count(*) AS customers FROM s GROUP BY cohort),
        grid AS (SELECT cohort, customers, unnest(generate_series(0, last - cohort)) AS age FROM sizes, ends
            WHERE cohort <= last),
        back AS (SELECT s.cohort, a.month_no - s.cohort AS age, count(*) AS active
            FROM s JOIN a ON a.entity_id = s.entity_id GROUP BY s.cohort, a.month_no - s.cohort)
        SELECT g.cohort, g.age, g.customers, coalesce(b.active, 0) AS active,
            coalesce(b.active, 0) / g.customers AS share
        FROM grid g LEFT JOIN back b ON b.cohort = g.cohort AND b.age = g.age ORDER BY g.cohort, g.age""",
        {"events": events},
    )
