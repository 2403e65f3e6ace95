"""What a store of customer data answers for: totals, freshness, accuracy, balances, versions, persons, lineage."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd

from workbench import engine
from workbench.evidence import Evidence, Verdict
from workbench.portfolios import versions
from workbench.portfolios.drops import TABLES
from workbench.portfolios.store import Params, Store
from workbench.words import Text, say

CENT = 0.01
SHOWN = 12
ADDING = ("duplicate load", "orphan account", "orphan customer")  # alarms of rows that nobody sent, or not twice
_OF_A_VERSION = ("valid_from", "valid_to", "recorded_at", "delivery", "source_row")  # differ uncorrected, too
ALTERING = ("null burst", "unit times 100", "columns swapped", "stale income", "stale values")  # of an amount's values


def reconciled(store: Store) -> Evidence:
    """Return whether every delivery holds the rows and the total that its sender counted."""
    d = store.deliveries
    off = d[(d["rows"] != d["control_rows"]) | ((d["total"] - d["control_total"]).abs() > CENT)]
    explained = off[[_explained(delivery, store.alarms) for delivery in off.to_dict("records")]]
    nameless = d[d["unplaced_rows"] > 0]
    agreed = Verdict.green if off.empty and nameless.empty else Verdict.amber
    columns = ["month", "table", "rows", "control_rows", "unplaced_rows", "total", "control_total"]
    shown = d.loc[off.index.union(nameless.index), columns]
    return Evidence(
        key="reconciliation",
        question=say("Did everything arrive that was sent?"),
        verdict=agreed if len(explained) == len(off) else Verdict.red,
        answer=say(
            "{n:, deliveries}; {off:,} don't agree with the sender's count of rows or its total, {explained:,} of them "
            "with an alarm that says why.",
            n=len(d),
            off=len(off),
            explained=len(explained),
        )
        + _without_version(nameless),
        value=len(off),
        threshold=say("a difference that no alarm explains is red"),
        source="BCBS 239, principle 3",
        table=shown.reset_index(drop=True),
    )


def _explained(delivery: dict[Hashable, Any], alarms: pd.DataFrame) -> bool:
    """Say whether an alarm tells what makes the difference: rows too many, or, of as many rows, the totalled amount.

    Nothing that is conspicuous explains rows that are lost.
    """
    of_it = alarms[(alarms["month"] == delivery["month"]) & (alarms["table"] == delivery["table"])]
    excess = delivery["rows"] - delivery["control_rows"]
    if excess:
        added = of_it[of_it["kind"].isin(ADDING)]
        return bool(0 < excess <= added["rows"].sum())
    return bool((of_it["kind"].isin(ALTERING) & (of_it["column"] == delivery["amount"])).any())


def _without_version(nameless: pd.DataFrame) -> Text:
    """Say how many rows came and are kept nowhere, since they lack their key or a day."""
    if nameless.empty:
        return Text()
    return say(
        "{rows:, rows} of {files: files} lack their key, `valid_from` or `recorded_at` and stand in no version.",
        rows=int(nameless["unplaced_rows"].sum()),
        files=len(nameless),
    )


def alarmed(store: Store) -> Evidence:
    """Return what was conspicuous, month by month."""
    a = store.alarms
    months = a["month"].nunique()
    return Evidence(
        key="alarms",
        question=say("What is conspicuous in the deliveries?"),
        verdict=Verdict.amber if len(a) else Verdict.green,
        answer=say(
            "{n:, alarms} in {months} of {all: months}; each names a table, a column and how many rows.",
            n=len(a),
            months=months,
            all=len(store.months),
        ),
        value=len(a),
        threshold=say("any alarm is amber: somebody looks before the month is used"),
        blind_to=say("what was wrong from the first month on, and what is wrong in few rows without breaking a rule"),
        table=a,
    )


def fresh(store: Store, p: Params) -> Evidence:
    """Return, by table, the share of deliveries on time and how long they took, against the target."""
    d = store.deliveries.assign(on_time=lambda t: t["days"] <= p.due_day)
    by = d.groupby("table", sort=False).agg(
        on_time=("on_time", "mean"), median_days=("days", "median"), latest=("days", "max")
    )
    table = by.reset_index().rename(columns={"on_time": "on_time_rate"})
    low = table[table["on_time_rate"] < p.on_time_share]
    return Evidence(
        key="freshness",
        question=say("Do the data come in time?"),
        verdict=Verdict.amber if len(low) else Verdict.green,
        answer=say(
            "{share:.1%} of the deliveries came by day {day} of the next month; the latest on day {latest}.",
            share=float(d["on_time"].mean()),
            day=p.due_day,
            latest=int(d["days"].max()),
        ),
        value=float(table["on_time_rate"].min()),
        threshold=say("every table at least {least:.0%} on time", least=p.on_time_share),
        source="BCBS 239, principle 5",
        table=table,
    )


def accurate(store: Store, p: Params) -> Evidence:
    """Return, by table, the share of rows that no alarm names, against the target."""
    wrong = store.alarms[~store.alarms["kind"].isin(["late file", "new column"])]  # neither makes a row wrong
    named = wrong.groupby(["month", "table"])["rows"].max().groupby("table").sum()
    rows = store.deliveries.groupby("table")["rows"].sum().reindex(list(TABLES))
    table = pd.DataFrame(
        {"table": rows.index, "rows": rows.to_numpy(), "named": named.reindex(rows.index).fillna(0).to_numpy()}
    )
    table["accurate_rate"] = 1 - table["named"] / table["rows"]
    low = table[table["accurate_rate"] < p.accurate_share]
    worst = table.loc[table["accurate_rate"].idxmin()]
    return Evidence(
        key="accuracy",
        question=say("How much of what came can be relied on?"),
        verdict=Verdict.amber if len(low) else Verdict.green,
        answer=say(
            "{tables} of {n: tables miss} the target of {least:.1%}; the lowest is {table} with {share:.2%}.",
            tables=len(low),
            n=len(table),
            least=p.accurate_share,
            table=str(worst["table"]),
            share=float(worst["accurate_rate"]),
        ),
        value=float(worst["accurate_rate"]),
        threshold=say("every table at least {least:.1%}", least=p.accurate_share),
        source="BCBS 239, principle 3",
        table=table,
    )


ROLL_SQL = f"""
    WITH rolled AS (
        SELECT account_id, strftime(month, '%Y-%m') AS month,
            abs(opening_balance_amt + disbursed_amt - principal_paid_amt - written_off_amt - balance_amt) > {CENT}
                AS broken,
            month = lag(month) OVER w + INTERVAL 1 MONTH
                AND abs(opening_balance_amt - lag(balance_amt) OVER w) > {CENT} AS torn
        FROM latest WINDOW w AS (PARTITION BY account_id ORDER BY month))
    SELECT month, count(*) AS rows, CAST(sum(CASE WHEN broken THEN 1 ELSE 0 END) AS BIGINT) AS broken,
        CAST(sum(CASE WHEN torn THEN 1 ELSE 0 END) AS BIGINT) AS torn FROM rolled GROUP BY month ORDER BY month"""


def rolls_forward(store: Store) -> Evidence:
    """Return whether opening + paid out − repaid − written off = closing, and months open where the last one closed."""
    by = engine.frame(ROLL_SQL, {"latest": _latest(store)})
    breaks = int(by["broken"].sum() + by["torn"].sum())
    return Evidence(
        key="roll_forward",
        question=say("Does every balance follow from the month before?"),
        verdict=Verdict.red if breaks else Verdict.green,
        answer=say(
            "{rows:,} account-months; {broken:,} don't add up, {torn:,} don't begin where the month before ended.",
            rows=int(by["rows"].sum()),
            broken=int(by["broken"].sum()),
            torn=int(by["torn"].sum()),
        ),
        value=breaks,
        threshold=say("none: opening + paid out − repaid − written off = closing"),
        table=by[(by["broken"] > 0) | (by["torn"] > 0)].reset_index(drop=True),
    )


def _latest(store: Store, known_on: str = "9999-12-31") -> pd.DataFrame:
    return engine.frame(versions.as_of_sql("monthly", "9999-12-31", known_on), {"versions": store.path("monthly")})


def known_and_corrected(store: Store, p: Params) -> Evidence:
    """Return, by month, what was known when its drop was due against what is known on the day asked."""
    day = p.as_known_on or store.known_at_once(store.months[-1])
    values = [engine.column(c) for c in engine.columns(store.path("monthly")) if c not in _OF_A_VERSION]
    differs = " OR ".join(f"f.{c} IS DISTINCT FROM l.{c}" for c in values)
    newest = "row_number() OVER (PARTITION BY account_id, month ORDER BY valid_from DESC, recorded_at DESC) AS place"
    sql = f"""
        WITH v AS (SELECT *, CAST(month + INTERVAL 1 MONTH + INTERVAL {p.due_day - 1} DAY AS DATE) AS due
            FROM versions WHERE CAST(recorded_at AS DATE) <= DATE '{day}'),
        first AS (SELECT *, {newest} FROM v WHERE CAST(recorded_at AS DATE) <= due),
        last AS (SELECT *, {newest} FROM v)
        SELECT strftime(l.month, '%Y-%m') AS month, count(*) AS rows,
            CAST(sum(CASE WHEN f.account_id IS NULL THEN 1 ELSE 0 END) AS BIGINT) AS late_rows,
            CAST(sum(CASE WHEN f.account_id IS NOT NULL AND ({differs}) THEN 1 ELSE 0 END) AS BIGINT) AS corrected_rows,
            sum(f.inflow_amt) AS known_amt, sum(l.inflow_amt) AS corrected_amt
        FROM last l LEFT JOIN first f ON f.account_id = l.account_id AND f.month = l.month AND f.place = 1
        WHERE l.place = 1 GROUP BY l.month ORDER BY l.month"""
    by = engine.frame(sql, {"versions": store.path("monthly")})
    late, corrected, rows = (int(by[c].sum()) for c in ("late_rows", "corrected_rows", "rows"))
    return Evidence(
        key="versions",
        question=say("What was known in time, and what was put right later?"),
        verdict=Verdict.info,
        answer=say(
            "As of {day}: {rows:,} account-months, {late:,} of which came late and {corrected:,} were corrected; the "
            "salaries known in time were {share:.2%} of what is known now.",
            day=day,
            rows=rows,
            late=late,
            corrected=corrected,
            share=float(by["known_amt"].sum() / by["corrected_amt"].sum()),
        ),
        value=late + corrected,
        source="Snodgrass (1999), ch. 10",
        table=by,
    )


def persons_once(store: Store) -> Evidence:
    """Return how many numbers are one person."""
    n, people = len(store.person), store.person["person_id"].nunique()
    table = store.same.groupby("points").size().rename("pairs").reset_index()
    return Evidence(
        key="persons",
        question=say("Does every person stand once?"),
        verdict=Verdict.info,
        answer=say(
            "{n:, numbers are} {people:, persons}: {pairs:, pairs agree} on enough to be one, and are joined.",
            n=n,
            people=people,
            pairs=len(store.same),
        ),
        value=n - people,
        blind_to=say("persons who changed name, number, telephone and date of birth at once"),
        source="Fellegi & Sunter (1969), JASA 64(328)",
        table=table,
    )


def lineage(store: Store) -> Evidence:
    """Return one figure, the balance at the last month's end, as the sum of the rows of the files it comes from."""
    last = store.months[-1]
    latest = _latest(store)  # as the roll-forward has them: `valid_from` may be the next month's first day
    latest = latest[latest["month"].dt.strftime("%Y-%m") == last]
    by = latest.groupby("delivery").agg(
        rows=("source_row", "size"),
        first_row=("source_row", "min"),
        last_row=("source_row", "max"),
        balance=("balance_amt", "sum"),
    )
    digests = store.deliveries[store.deliveries["table"] == "monthly"].set_index("month")["sha256"]
    table = by.reset_index().assign(sha256=lambda t: t["delivery"].map(digests).str[:16])
    return Evidence(
        key="lineage",
        question=say("Where does a figure come from?"),
        verdict=Verdict.info,
        answer=say(
            "The balance at the end of {month}, {total:,.2f}, is the sum of {rows:, rows} of {files: files}; each row "
            "keeps its file and its place in it.",
            month=last,
            total=float(latest["balance_amt"].sum()),
            rows=len(latest),
            files=len(table),
        ),
        value=float(latest["balance_amt"].sum()),
        source="BCBS 239, principle 4",
        table=table,
    )


def conclusion(store: Store, answers: list[Evidence]) -> Text:
    """Return what was taken in and what to look at first."""
    rows = int(store.deliveries["rows"].sum())
    text = say(
        "**{rows:, rows} in {months: drops}** are kept with their versions.", rows=rows, months=len(store.months)
    )
    bad = [e for e in answers if e.verdict.rank <= Verdict.amber.rank]
    return sum((Text(e.answer) if isinstance(e.answer, str) else e.answer for e in bad), text)
