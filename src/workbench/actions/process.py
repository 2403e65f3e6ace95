"""A process as its events tell it: what follows what and how fast, variants, what is not allowed, rework."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from workbench import engine
from workbench.actions.funnel import quoted

ARROW = " → "
TWICE = " × 2"  # after a kind that a case does more than once
# of two events at one instant the kind that comes first in the alphabet is first: an order that every engine keeps
STEPS = """SELECT case_id, event_kind, CAST(happened_at AS TIMESTAMP) AS happened_at,
    row_number() OVER (PARTITION BY case_id ORDER BY happened_at, event_kind) AS place FROM events
    WHERE case_id IS NOT NULL"""
ARCS = """SELECT a.case_id, a.event_kind AS from_kind, b.event_kind AS to_kind,
    epoch(b.happened_at - a.happened_at) / 86400e0 AS days
    FROM steps a JOIN steps b ON b.case_id = a.case_id AND b.place = a.place + 1"""
TRACES = f"""SELECT case_id, string_agg(event_kind, '{ARROW}' ORDER BY place) AS variant, count(*) AS n_steps,
    epoch(max(happened_at) - min(happened_at)) / 86400e0 AS days,
    max(CASE WHEN place = 1 THEN event_kind END) AS begins, arg_max(event_kind, place) AS ends
    FROM steps GROUP BY case_id"""


def _over(sql: str, events: engine.Relation) -> pd.DataFrame:
    """Return the rows of a SQL text over `steps`, `arcs` and `traces` of the cases."""
    return engine.frame(f"WITH steps AS ({STEPS}), arcs AS ({ARCS}), traces AS ({TRACES}) {sql}", {"events": events})


def graph(events: engine.Relation) -> pd.DataFrame:
    """Return the directly-follows graph: `from_kind`, `to_kind`, `n` (times), `cases`, `median_days`, `p90_days`.

    Source: van der Aalst (2016), Process Mining, ch. 6. Most frequent first.
    """
    return _over(
        """SELECT from_kind, to_kind, count(*) AS n, count(DISTINCT case_id) AS cases,
        quantile_cont(days, 0.5) AS median_days, quantile_cont(days, 0.9) AS p90_days
        FROM arcs GROUP BY from_kind, to_kind ORDER BY n DESC, from_kind, to_kind""",
        events,
    )


def variants(events: engine.Relation) -> pd.DataFrame:
    """Return each course a case took: `variant` (kinds in order), `cases`, `share`, `n_steps`, `median_days`."""
    return _over(
        """SELECT variant, count(*) AS cases, count(*) / sum(count(*)) OVER () AS share,
        max(n_steps) AS n_steps, quantile_cont(days, 0.5) AS median_days
        FROM traces GROUP BY variant ORDER BY cases DESC, variant""",
        events,
    )


def conformance(events: engine.Relation, official: Mapping[str, Sequence[str]]) -> tuple[int, int, pd.DataFrame]:
    """Return how many cases the official process allows, of how many, and what it doesn't allow, most cases first.

    official: each kind and the kinds that may follow it directly; the first is the one a case begins with. A case
    conforms that begins so, goes by allowed steps, and does none twice; it may be under way still. Deviations:
    `deviation`, `cases`, `share` of all cases; a case can have several.
    """
    start = next(iter(official))
    pairs = [f"({quoted(a)}, {quoted(b)})" for a, after in official.items() for b in after]
    allowed = f"(from_kind, to_kind) IN ({', '.join(pairs)})" if pairs else "FALSE"
    wrong = f"""wrong AS (
        SELECT case_id, from_kind || '{ARROW}' || to_kind AS deviation FROM arcs WHERE NOT ({allowed})
        UNION SELECT case_id, '… {ARROW.strip()} ' || begins FROM traces WHERE begins <> {quoted(start)}
        UNION SELECT case_id, event_kind || '{TWICE}' FROM steps GROUP BY case_id, event_kind HAVING count(*) > 1)"""
    of = "(SELECT count(*) FROM traces)"
    rows = _over(
        f""", {wrong} SELECT deviation, count(*) AS cases, count(*) / {of} AS share FROM wrong
        GROUP BY deviation ORDER BY cases DESC, deviation""",
        events,
    )
    counts = _over(f", {wrong} SELECT {of} AS cases, (SELECT count(DISTINCT case_id) FROM wrong) AS bad", events)
    n, bad = int(counts["cases"][0]), int(counts["bad"][0])
    return n - bad, n, rows


def waits(events: engine.Relation) -> pd.DataFrame:
    """Return what is waited for, by delay × volume: `event_kind` (the step that ends the wait), `n`, days in all.

    Columns beside these: `total_days`, `share` of all days waited, `median_days`, `p90_days`.
    """
    return _over(
        """SELECT to_kind AS event_kind, count(*) AS n, sum(days) AS total_days,
        sum(days) / sum(sum(days)) OVER () AS share,
        quantile_cont(days, 0.5) AS median_days, quantile_cont(days, 0.9) AS p90_days
        FROM arcs GROUP BY to_kind ORDER BY total_days DESC, to_kind""",
        events,
    )


def rework(events: engine.Relation) -> pd.DataFrame:
    """Return what is done more than once in a case: `event_kind`, `cases`, `share` of cases, `extra`, `median_days`.

    extra: times beyond the first, of all cases; median_days: from the first to the last, over cases with more than one.
    """
    return _over(
        """, loops AS (SELECT case_id, event_kind, count(*) - 1 AS extra,
            epoch(max(happened_at) - min(happened_at)) / 86400e0 AS days
            FROM steps GROUP BY case_id, event_kind HAVING count(*) > 1)
        SELECT event_kind, count(*) AS cases, count(*) / (SELECT count(*) FROM traces) AS share,
        CAST(sum(extra) AS BIGINT) AS extra, quantile_cont(days, 0.5) AS median_days
        FROM loops GROUP BY event_kind ORDER BY cases DESC, event_kind""",
        events,
    )


def cases(events: engine.Relation, final: Sequence[str]) -> tuple[int, int]:
    """Return how many cases there are, and how many of them haven't ended in a final kind."""
    ends = ", ".join(quoted(k) for k in final)
    row = _over(f"SELECT count(*) AS n, count(*) FILTER (ends NOT IN ({ends})) AS open FROM traces", events)
    return int(row["n"][0]), int(row["open"][0])
