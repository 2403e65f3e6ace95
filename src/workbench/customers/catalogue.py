"""The catalogue of tags: each with owner, formula in SQL, window and class; computed for every customer as of a date.

Only what had happened, and was known, by the date goes in: a tag can be made again for any past date.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field

from workbench import engine
from workbench.evidence import Evidence, Verdict
from workbench.panel.months import number_sql
from workbench.words import say

if TYPE_CHECKING:
    from workbench.engine import Relations

FILE = Path(__file__).parent / "tags.yaml"
CORE_COVERAGE = 0.95  # least share of customers who have a tag of the basics or of the months' facts
MAY_BE_EMPTY = ("since", "declared", "use", "burden", "income", "share", "rate", "spread", "change", "reserve")


class Tag(BaseModel):
    """One tag: what it is, where it comes from, its formula, its window, who answers for it, how private it is."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    block: str = ""
    source: Literal["customer", "months", "events", "holdings"] = Field(alias="from")
    sql: str
    window: str
    privacy_class: Literal["C1", "C2", "C3"] = Field(alias="class")
    owner: str
    description: str

    @property
    def is_core(self) -> bool:
        """Whether every customer is to have it; others are empty by nature (never late, no limit, no salary here)."""
        return not any(part in self.name for part in MAY_BE_EMPTY)


@dataclass(frozen=True)
class Tagged:
    """The tags of all customers as of a date (n × tags, first entity_id), and the SQL they were made with."""

    table: pd.DataFrame
    sql: str


@cache
def tags() -> tuple[Tag, ...]:
    """Return the tags, block by block."""
    blocks = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return tuple(Tag.model_validate({"block": block, **tag}) for block, many in blocks.items() for tag in many)


def sql(as_of: pd.Timestamp, most_private: str = "C3") -> str:
    """Return the SQL of the tags as of the end of a month; those above the reader's class are left out."""
    asked = [t for t in tags() if t.privacy_class <= most_private]
    made = {
        s: "".join(f",\nCAST({t.sql} AS DOUBLE) AS {t.name}" for t in asked if t.source == s)
        for s in ("months", "events", "holdings")
    }
    named = "".join(f",\n{'' if t.source == 'customer' else t.source[0] + '.'}{_chosen(t)}" for t in asked)
    end = (as_of + pd.offsets.MonthEnd(0)).date()
    return f"""
        WITH asked AS (SELECT DATE '{end}' AS as_of, {as_of.year * 12 + as_of.month} AS anchor),
        dated AS (SELECT x.*, q.anchor - {number_sql("x.month")} AS k FROM months x CROSS JOIN asked q
            WHERE CAST(x.month AS DATE) <= q.as_of AND q.anchor - {number_sql("x.month")} < 24),
        happened AS (SELECT x.entity_id, x.event_kind, date_diff('day', CAST(x.happened_at AS DATE), q.as_of) AS days
            FROM events x CROSS JOIN asked q WHERE CAST(x.happened_at AS DATE) <= q.as_of
                AND CAST(x.recorded_at AS DATE) <= q.as_of),
        held AS (SELECT x.entity_id, x.product_code, x.interest_rate, x.original_amt, x.collateral_amt,
                CASE WHEN x.closed_month IS NULL OR CAST(x.closed_month AS DATE) > q.as_of THEN 1 ELSE 0 END AS is_open,
                CASE WHEN CAST(x.closed_month AS DATE) <= q.as_of
                    THEN date_diff('day', CAST(x.closed_month AS DATE), q.as_of) END AS closed_days
            FROM holdings x CROSS JOIN asked q WHERE CAST(x.opened_month AS DATE) <= q.as_of),
        m AS (SELECT entity_id, max(CASE WHEN k = 0 THEN 1 ELSE 0 END) AS is_there{made["months"]}
            FROM dated GROUP BY entity_id),
        e AS (SELECT entity_id{made["events"]} FROM happened GROUP BY entity_id),
        h AS (SELECT entity_id{made["holdings"]} FROM held GROUP BY entity_id)
        SELECT c.entity_id{named}
        FROM customers c JOIN m ON m.entity_id = c.entity_id AND m.is_there = 1
            LEFT JOIN e ON e.entity_id = c.entity_id LEFT JOIN h ON h.entity_id = c.entity_id
        ORDER BY c.entity_id"""


def _chosen(tag: Tag) -> str:
    return f"{tag.sql} AS {tag.name}" if tag.source == "customer" else tag.name


def tagged(relations: Relations, as_of: pd.Timestamp, most_private: str = "C3") -> Tagged:
    """Return the tags of who is with the bank at the end of a month.

    relations: customers, months, events, holdings. Counts of events are 0 where nothing was ever recorded.
    """
    text = sql(as_of, most_private)
    table = engine.frame(text, relations)
    counts = [t.name for t in tags() if t.source == "events" and "since" not in t.name and t.name in table]
    return Tagged(table.assign(**{name: table[name].fillna(0) for name in counts}), text)


def coverage(table: pd.DataFrame) -> Evidence:
    """Return the catalogue with the share of customers who have each tag; amber where a core tag is below 95 %."""
    rows = [
        (
            say(t.block.replace("_", " ")),
            t.name,
            say(t.description),
            t.window,
            t.owner,
            t.privacy_class,
            table[t.name].notna().mean(),
            t.is_core,
        )
        for t in tags()
        if t.name in table
    ]
    listed = pd.DataFrame(rows, columns=["block", "tag", "meaning", "window", "owner", "class", "coverage", "core"])
    thin = listed[listed["core"] & (listed["coverage"] < CORE_COVERAGE)]
    return Evidence(
        key="tags",
        question=say("What is known of each customer, by what formula, and how completely?"),
        verdict=Verdict.amber if len(thin) else Verdict.green,
        answer=say(
            "{n: tags} of {customers:, customers}; {core} of them are to be there for everybody, {thin} are below "
            "{least:.0%}.",
            n=len(listed),
            customers=len(table),
            core=int(listed["core"].sum()),
            thin=len(thin),
            least=CORE_COVERAGE,
        ),
        value=len(listed),
        threshold=say("amber where a core tag covers less than {least:.0%}", least=CORE_COVERAGE),
        source="JR/T 0171-2020: classes C1 to C3",
        table=listed.drop(columns="core"),
    )
