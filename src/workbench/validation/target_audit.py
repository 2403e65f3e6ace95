"""Is the recorded outcome what the raw months say?

**Method** the event of every row derived again from the bank's months (of at most 20,000 entities): the contract's condition month by month, window, competing events and open ends counted anew, apart from the panel's SQL; confusion with what the panel recorded, and the month of the event. At every limit in the condition, the rows that just reach it and those that just don't.
**Reads as bad** a single difference that nothing explains.
**Blind to** months that are wrong themselves, and to a definition of the event that is not the bank's.
**Source** EBA (2023), Supervisory handbook on the validation of IRB rating systems (definition of default).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.evidence import Evidence, Sight, Verdict
from workbench.panel.outcome import EVENT_AFTER, is_dated
from workbench.validation.raw import Raw, derived
from workbench.validation.sight import everything, sight
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS = "process", {"binary"}
READS_OUTCOME = False
OPEN = "unknown"


def audited(s: Subject, raw: Raw) -> pd.DataFrame:
    """Return the panel's rows whose months were read: entity_id, as_of_date, recorded, derived, dated_alike."""
    rows = raw.of(s.panel)
    again = derived(rows, raw, s.outcome)
    names = {1.0: "event", 0.0: "none"}
    recorded, value = rows["outcome"].map(names).fillna(OPEN), again["derived"].map(names).fillna(OPEN)
    alike = (rows[EVENT_AFTER] == again[EVENT_AFTER]) | (rows[EVENT_AFTER].isna() & again[EVENT_AFTER].isna())
    return rows[["entity_id", "as_of_date"]].assign(recorded=recorded, derived=value, dated_alike=alike)


def confusion(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how many rows are recorded as what, by what is derived: recorded, derived, rows, differ."""
    table = rows.groupby(["recorded", "derived"], as_index=False).size().rename(columns={"size": "rows"})
    return table.assign(differ=table["recorded"] != table["derived"])


def limits(event: str) -> list[tuple[str, float, bool]]:
    """Return the limits of a condition: column, number, whether the number itself is the event.

    >>> limits("delay_months >= 3 OR written_off > 0")
    [('delay_months', 3.0, True), ('written_off', 0.0, False)]
    """
    import sqlglot
    from sqlglot import exp

    out = []
    for node in sqlglot.parse_one(event, read="duckdb").find_all(exp.GTE, exp.GT):
        column, value = node.this, node.expression
        if isinstance(column, exp.Column) and isinstance(value, exp.Literal) and not value.is_string:
            out.append((column.name, float(value.this), isinstance(node, exp.GTE)))
    return sorted(out)


def boundaries(s: Subject, raw: Raw, rows: pd.DataFrame) -> pd.DataFrame:
    """Return, per limit, the rows whose worst month of the window just reaches it, and just doesn't: rows, events recorded."""
    known = rows[rows["recorded"] != OPEN].reset_index(drop=True)
    places = pd.DataFrame({"row": known.index, "entity_id": known["entity_id"], "anchor": raw.anchors(known)})
    met = places.merge(raw.months, on="entity_id")
    after, out = met["month_no"] - met["anchor"], []
    inside = met[(after > 0) & (after <= s.outcome.window_months)]
    for column, limit, reached in limits(s.outcome.event):
        worst = inside.groupby("row")[column].max()
        just = worst[worst >= limit].min() if reached else worst[worst > limit].min()
        below = worst[worst < limit].max() if reached else worst[worst <= limit].max()
        for value in (below, just):
            at = known.loc[worst.index[worst == value], "recorded"] if pd.notna(value) else known["recorded"].head(0)
            out.append((column, limit, value, len(at), int((at == "event").sum())))
    return pd.DataFrame(out, columns=["column", "limit", "worst month", "rows", "events recorded"])


def test(s: Subject) -> Evidence:
    """Return how many recorded outcomes are not what the raw months say; not evaluated where the event has no months."""
    raw = s.raw
    if raw is None or EVENT_AFTER not in s.panel:
        return _evidence(Verdict.not_evaluated, _why_not(s))
    rows = audited(s, raw)
    if rows.empty:
        return _evidence(Verdict.not_evaluated, say("No row of the panel is of an entity whose months were read."))
    table, edges = confusion(rows), boundaries(s, raw, rows)
    wrong, moved = int(table.loc[table["differ"], "rows"].sum()), int((~rows["dated_alike"]).sum())
    answer = say(
        "{rows:, rows} of {entities:, entities} derived again: {wrong:,} recorded otherwise, {moved:,} with the event in another "
        "month.",
        rows=len(rows),
        entities=rows["entity_id"].nunique(),
        wrong=wrong,
        moved=moved,
    ) + _at_limits(edges)
    stands = sight(s, float(max(wrong, moved)), everything(1), rows=rows.assign(outcome=rows["recorded"] == "event"))
    return _evidence(Verdict.red if wrong or moved else Verdict.green, answer, table, stands)


def _why_not(s: Subject) -> Text:
    if not is_dated(s.outcome):
        return say("The outcome is recorded in a column of its own: no raw months say when it came.")
    return say("The bank's months can't be read: the panel's rows have nothing to be held against.")


def _at_limits(edges: pd.DataFrame) -> Text:
    each = [
        say("{column} {value:g}: {events:,} of {rows:,}", column=r[0], value=r[2], events=r[4], rows=r[3])
        for r in edges.itertuples(index=False)
        if np.isfinite(r[2])
    ]
    return (
        say("Events recorded at the limits, by the worst month of the window: {each}.", each=each) if each else Text()
    )


def _evidence(
    verdict: Verdict, answer: Text, table: pd.DataFrame | None = None, stands: Sight | None = None
) -> Evidence:
    return Evidence(
        key="target_audit",
        question=say("Is the recorded outcome what the raw months say?"),
        verdict=verdict,
        answer=answer,
        value=stands and stands.statistic,
        threshold=say("Red from one difference on."),
        source="EBA (2023), Supervisory handbook on the validation of IRB rating systems",
        table=table,
        sight=stands,
    )
