"""What a row is: its entity, its key, its parent; and an identifier that repeats without being named as one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pandas as pd

from workbench.contracts import Contract
from workbench.evidence import Evidence, Verdict
from workbench.portfolios import guesses
from workbench.words import say

ROWS_PER_VALUE = 20  # a column whose values stand in more rows each is a group (a branch, a bank), no parent
MANY, EVENLY = 100, 3  # values; a parent's rows, at most times the mean: towns and names are spread less evenly
_NAMED = (
    r"(^|_)(id|nr|no|number|key)$|(customer|client|account|loan)_?(id|nr|no|num|number)$|编号$|号码$"
    rf"|{guesses.CHINESE_NUMBER}"
)
ENTITIES = {
    "account": say("account"),
    "customer": say("customer"),
    "loan": say("loan"),
    "application": say("application"),
    "event": say("event"),
    "month": say("month of an account"),
    "product": say("product"),
    "reply": say("reply of a customer"),
    "economy": say("month of the economy"),
    "region": say("month of a region"),
}
_COLUMNS = ["table", "entity", "rows", "key", "parent", "parents", "rows_per_parent", "most_rows_of_one_parent"]


def examine(tables: Mapping[str, pd.DataFrame], words: Mapping[str, Contract]) -> Evidence:
    """Return what a row of each checked table is, as evidence; amber where rows may belong together unnamed.

    Without a named parent the rows of one customer can stand in development and in the hold-out: a model then
    meets again whom it has learnt.
    """
    rows = pd.DataFrame([_row(n, tables[n], c) for n, c in words.items()], columns=_COLUMNS)
    repeated = [line for n, c in words.items() for line in _repeated(n, tables[n], c)]
    entities = [
        say("a row of {table} is one {entity}", table=say(n), entity=ENTITIES[c.entity]) for n, c in words.items()
    ]
    answer = say("Of {n_tables: tables}: {rows}.", n_tables=len(words), rows=entities)
    if repeated:
        answer += say("Rows may belong together without the contract saying so: {columns}.", columns=repeated)
    return Evidence(
        key="grain",
        question=say("What is a row, and which rows belong together?"),
        verdict=Verdict.amber if repeated else Verdict.info,
        answer=answer,
        value=len(repeated),
        threshold=say(
            "amber where an identifier that is neither key nor parent repeats, in {n: rows} each at most on average: "
            "give it `role: parent`, so that samples and folds keep its rows together",
            n=ROWS_PER_VALUE,
        ),
        source="Kaufman et al. (2012), ACM TKDD 6(4)",
        blind_to=say("rows of one customer that no column connects"),
        table=rows,
    )


def _row(name: str, table: pd.DataFrame, contract: Contract) -> tuple[object, ...]:
    parents = contract.named("parent") or (contract.named("key") if contract.entity == "month" else [])
    size = table[parents[0]].value_counts() if parents else pd.Series(dtype=float)
    key = " + ".join(contract.identity()) or "row number"
    counts = (len(size), len(table) / len(size), size.max()) if len(size) else (None, None, None)
    return (name, contract.entity, len(table), key, ", ".join(parents) or "-", *counts)


def _repeated(name: str, table: pd.DataFrame, contract: Contract) -> Iterator[object]:
    """Yield the identifiers that repeat; beside a named parent those to whom several of its values belong."""
    if contract.entity == "month":
        return
    parent = next(iter(contract.named("parent")), "")
    for column in contract.columns:
        if column.role in ("key", "parent", "as_of", "outcome") or column.type not in ("text", "category", "integer"):
            continue
        named = any(re.search(_NAMED, n) for n in (column.name, column.source.lower()))
        is_identifier = named or column.personal == "identifier"
        if not is_identifier and column.role != "ignore":
            continue
        values = table[column.name].dropna()
        different = values.nunique()
        repeats = different < len(values) <= ROWS_PER_VALUE * different
        if parent:
            repeats = is_identifier and _owns(values, table[parent])
        if repeats and (is_identifier or _is_like_parents(values)):
            yield say(
                "{table:s}.{column:s} ({rows:, rows} of {values:,})",
                table=name,
                column=column.name,
                rows=len(values),
                values=different,
            )


def _owns(values: pd.Series, parents: pd.Series) -> bool:
    """Say whether each parent belongs to one value, and several to one: a customer of loans that have several rows."""
    pairs = pd.DataFrame({"value": values, "parent": parents.reindex(values.index)}).dropna().drop_duplicates()
    different = pairs["value"].nunique()
    return bool(pairs["parent"].is_unique and different < len(pairs) <= ROWS_PER_VALUE * different)


def _is_like_parents(values: pd.Series) -> bool:
    """Say whether values repeat as a parent's do, whatever the column is called: many of them, each in some rows."""
    sizes = values.value_counts()
    return len(sizes) >= MANY and sizes.mean() >= 2 and sizes.max() <= EVENLY * sizes.mean()
