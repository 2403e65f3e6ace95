"""Tables that remember what was known when: each row from when it holds to when it holds no more, and when it was told.

Two questions differ and both have one answer: what held on a day as it was known then, and as it was corrected later.
Source: Snodgrass (1999), Developing Time-Oriented Database Applications in SQL, ch. 10 (bitemporal tables).
"""

from __future__ import annotations

from workbench import engine

KEY = {
    "customer": ("customer_id",),
    "account": ("account_id",),
    "monthly": ("account_id", "month"),
    "event": ("event_id",),
}


def named_by(table: str) -> tuple[str, ...]:
    """Return the columns without which a row of a table is no version: its key, since when it holds, when it was told.

    >>> named_by("account"), named_by("event")
    (('account_id', 'valid_from', 'recorded_at'), ('event_id',))
    """
    return KEY[table] if table == "event" else (*KEY[table], "valid_from", "recorded_at")


def bitemporal_sql(table: str, columns: tuple[str, ...]) -> str:
    """Return the SQL of a table's versions over the relation `delivered`, each once, with `valid_to`.

    `valid_to` is where the next version with a later `valid_from` begins, NULL for the last; a correction (the same
    `valid_from`, a later `recorded_at`) ends nothing. A row that was delivered twice stands once. One that lacks its
    key or a day of these is no version of anything and left out; `alarms` names it.
    """
    key = ", ".join(KEY[table])
    listed = ", ".join(engine.column(c) for c in columns)
    named = " AND ".join(f"{c} IS NOT NULL" for c in named_by(table))
    return f"""
        WITH once AS (
            SELECT {listed}, row_number() OVER (
                PARTITION BY {key}, valid_from, recorded_at ORDER BY delivery, source_row) AS copy
            FROM delivered WHERE {named}),
        starts AS (SELECT DISTINCT {key}, valid_from FROM once),
        ends AS (
            SELECT {key}, valid_from, lead(valid_from) OVER (PARTITION BY {key} ORDER BY valid_from) AS valid_to
            FROM starts)
        SELECT {", ".join(f"o.{engine.column(c)}" for c in columns)}, e.valid_to
        FROM once o JOIN ends e ON {_same(KEY[table])} AND o.valid_from = e.valid_from
        WHERE o.copy = 1 ORDER BY {", ".join(f"o.{k}" for k in KEY[table])}, o.valid_from, o.recorded_at"""


def contradicted_sql(table: str, columns: tuple[str, ...]) -> str:
    """Return the SQL of rows by `delivery` that say something else of a key and the same two days than one before them.

    Of such rows `bitemporal_sql` keeps the first: by its own date of record, the other one says nothing newer.
    """
    listed = ", ".join(engine.column(c) for c in columns if c not in ("delivery", "source_row"))
    named = " AND ".join(f"{c} IS NOT NULL" for c in named_by(table))
    key = ", ".join((*KEY[table], "valid_from", "recorded_at"))
    return f"""
        WITH told AS (SELECT {listed}, min(delivery) AS delivery FROM delivered WHERE {named} GROUP BY {listed}),
        places AS (SELECT delivery, row_number() OVER (PARTITION BY {key} ORDER BY delivery) AS place FROM told)
        SELECT delivery, count(*) AS n FROM places WHERE place > 1 GROUP BY delivery ORDER BY delivery"""


def _same(key: tuple[str, ...]) -> str:
    return " AND ".join(f"o.{k} = e.{k}" for k in key)


def as_of_sql(table: str, holds_on: str, known_on: str, relation: str = "versions") -> str:
    """Return the SQL of what held on a day (YYYY-MM-DD) as it was known on another, one row a key.

    Days are compared, whatever the hour: what was recorded at ten is known on that day.

    >>> "CAST(recorded_at AS DATE) <= DATE '2019-01-31'" in as_of_sql("account", "2018-12-31", "2019-01-31")
    True
    """
    key = ", ".join(KEY[table])
    return f"""SELECT * EXCLUDE (place) FROM (
            SELECT *, row_number() OVER (PARTITION BY {key} ORDER BY valid_from DESC, recorded_at DESC) AS place
            FROM {relation}
            WHERE CAST(valid_from AS DATE) <= DATE '{holds_on}' AND CAST(recorded_at AS DATE) <= DATE '{known_on}')
        WHERE place = 1"""
