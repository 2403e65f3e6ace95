"""A funnel over dated events: who reached each step, in strict order and within a window, how surely and how fast."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from workbench import engine
from workbench.metrics.intervals import wilson
from workbench.params import UserError

NEEDED = ("entity_id", "event_kind", "happened_at")
OF_PREVIOUS = ("of_previous", "previous_low", "previous_high")  # made with the step before


@dataclass(frozen=True)
class Funnel:
    """What a funnel asks for, in the definition that event tools share.

    Counted are customers, each once (`hold`: each pair of customer and value of that column, such as `case_id`, whose
    value is then the same at every step; rows without one don't count). The window of `window_days` days of 24 hours,
    its end included, begins with the first event of the first step from `since` (included) to `before` (excluded);
    later repeats don't begin it anew. A step is later than the one before it, never at the same instant.
    `until`: moment up to which events are known, empty is the last event's; who began less than a window before it is
    open: he can still convert, and is told apart.
    """

    steps: tuple[str, ...]
    window_days: int = 30
    hold: str = ""
    since: str = ""
    before: str = ""
    until: str = ""

    def __post_init__(self) -> None:
        if len(self.steps) < 2 or self.window_days < 1:
            raise UserError(f"funnel: steps {list(self.steps)}: give two steps or more and a window of a day or more")

    @property
    def unit(self) -> str:
        """The columns that say who is counted."""
        return f"entity_id, {engine.column(self.hold)}" if self.hold else "entity_id"


def quoted(value: str) -> str:
    """Return a text as SQL writes it.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + value.replace("'", "''") + "'"


def progress_sql(f: Funnel, by: tuple[str, ...] = ()) -> str:
    """Return the SQL over `events` of one row a unit that began: its columns, `by`, at_1 … at_n and is_open.

    by: columns of the event table, as they stood at the event that began the window. at_k is the time of the earliest
    event of step k that is later than at_k−1 and in the window, NULL where there is none: taking the earliest leaves
    most room for the next, so that nobody is lost who could be counted.
    """
    hold = f" AND {engine.column(f.hold)} IS NOT NULL" if f.hold else ""
    names = ", ".join(f"arg_min({engine.column(b)}, happened_at) AS {engine.column(b)}" for b in by)
    kinds = ", ".join(quoted(k) for k in sorted(set(f.steps)))
    carried = "".join(f", b.{engine.column(b)}" for b in by)
    unit = [f"b.{c.strip()}" for c in f.unit.split(",")]
    until = f"CAST({quoted(f.until)} AS TIMESTAMP)" if f.until else "(SELECT max(happened_at) FROM events)"
    texts = [
        f"""e AS (SELECT {f.unit}, event_kind, CAST(happened_at AS TIMESTAMP) AS happened_at
            {"".join(f", {engine.column(b)}" for b in by if b not in (f.hold, *NEEDED))}
            FROM events WHERE event_kind IN ({kinds}){hold})""",
        f"""s1 AS (SELECT {f.unit}{", " + names if names else ""}, min(happened_at) AS at_1
            FROM e WHERE event_kind = {quoted(f.steps[0])}{_between(f)} GROUP BY {f.unit})""",
    ]
    for k, kind in enumerate(f.steps[1:], start=2):
        before = ", ".join(f"b.at_{i}" for i in range(1, k))
        same = " AND ".join(f"e.{c.split('.')[1]} = {c}" for c in unit)
        texts.append(
            f"""s{k} AS (SELECT {", ".join(unit)}{carried}, {before}, min(e.happened_at) AS at_{k}
            FROM s{k - 1} b LEFT JOIN e ON {same} AND e.event_kind = {quoted(kind)} AND e.happened_at > b.at_{k - 1}
                AND e.happened_at <= b.at_1 + INTERVAL {f.window_days} DAY
            GROUP BY {", ".join(unit)}{carried}, {before})"""
        )
    return f"""WITH {", ".join(texts)}
        SELECT *, at_1 + INTERVAL {f.window_days} DAY > {until} AS is_open FROM s{len(f.steps)}"""


def _between(f: Funnel) -> str:
    limits = ((">=", f.since), ("<", f.before))
    return "".join(f" AND happened_at {sign} CAST({quoted(at)} AS TIMESTAMP)" for sign, at in limits if at)


def funnel(events: engine.Relation, f: Funnel, by: tuple[str, ...] = ()) -> pd.DataFrame:
    """Return one row a step (and value of `by`, and closed or open cohort), in order.

    Columns: the `by` columns, `is_open` (cohorts whose window isn't over: their rates can only rise), `step` (1 … n),
    `event_kind`, `reached` (units), `of_previous` with `previous_low`, `previous_high`, `of_first` with `first_low`,
    `first_high` (shares with Wilson's 95 % interval), `median_days`, `p90_days` (from the step before to this one;
    NaN at the first). Raises `UserError` where the events lack a column.
    """
    _has(events, (*NEEDED, *by, *((f.hold,) if f.hold else ())))
    keys = [*(engine.column(b) for b in by), "is_open"]
    parts = []
    for k, kind in enumerate(f.steps, start=1):
        days = f"epoch(at_{k} - at_{k - 1}) / 86400e0" if k > 1 else "CAST(NULL AS DOUBLE)"
        parts.append(
            f"""SELECT {", ".join(keys)}, {k} AS step, {quoted(kind)} AS event_kind, count(at_{k}) AS reached,
            {f"count(at_{k - 1})" if k > 1 else "count(*)"} AS before_it, count(*) AS began,
            quantile_cont({days}, 0.5) AS median_days, quantile_cont({days}, 0.9) AS p90_days
            FROM progress GROUP BY {", ".join(keys)}"""
        )
    whole = engine.arrow(progress_sql(f, by), {"events": events})
    order = ", ".join([*keys, "step"])
    rows = engine.frame(f"SELECT * FROM ({' UNION ALL '.join(parts)}) t ORDER BY {order}", {"progress": whole})
    for name, of in (("previous", "before_it"), ("first", "began")):
        rows[f"of_{name}"] = rows["reached"] / rows[of].where(rows[of] > 0)
        rows[f"{name}_low"], rows[f"{name}_high"] = wilson(rows["reached"], rows[of])
    shares = [c for n in ("previous", "first") for c in (f"of_{n}", f"{n}_low", f"{n}_high")]
    return rows[[*by, "is_open", "step", "event_kind", "reached", *shares, "median_days", "p90_days"]]


def _has(events: engine.Relation, needed: tuple[str, ...]) -> None:
    there = engine.columns(events)
    lacking = [n for n in needed if n not in there]
    if lacking:
        raise UserError(f"funnel: the events have no column '{lacking[0]}'; name one of the event table")
