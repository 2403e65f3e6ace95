"""How good the data are: completeness, validity, uniqueness, consistency, timeliness, column by column."""

from __future__ import annotations

import pandas as pd

from workbench import rules
from workbench.contracts import Column, Contract, Finding
from workbench.evidence import Evidence, Verdict, judged
from workbench.words import say

DIMENSIONS = ("completeness", "validity", "uniqueness", "consistency", "timeliness")
TERMS = {
    "completeness": say("completeness"),
    "validity": say("validity"),
    "uniqueness": say("uniqueness"),
    "consistency": say("consistency"),
    "timeliness": say("timeliness"),
}

_KIND = {
    "key is not unique": "uniqueness",
    "the same row twice": "uniqueness",
    "names a ": "consistency",
    "has no row in ": "completeness",
    "date is in the future": "timeliness",
    "date is before 1900": "timeliness",
    "code ": "consistency",
}


def dimension(rule: str) -> str:
    """Return the dimension a contract rule belongs to; validity where it is none of the others."""
    return next((d for start, d in _KIND.items() if rule.startswith(start)), "validity")


def measure(checked: dict[str, pd.DataFrame], contracts: dict[str, Contract], findings: list[Finding]) -> pd.DataFrame:
    """Return one row per table and column with the share of good rows (0 to 1) in each of the five dimensions.

    Completeness is the share not missing, after bad values were set missing; NaN for what is filled in only where
    something happened later (a date of repayment), for there it tells of the event, not of the data, and for what is
    ignored. The others are one minus the share of rows with a finding of that kind; NaN where nothing was asked:
    uniqueness of a column that isn't a key, timeliness of one that isn't a date. Consistency counts codes no document
    explains.
    Source: the dimensions of DAMA-DMBOK (2017), ch. 13.
    """
    rows = []
    for name, table in checked.items():
        for column in (c for c in contracts[name].columns if not c.special_of):
            column_findings = [
                f for f in findings if f.table == contracts[name].name and f.column in (column.name, "*")
            ]
            row = {
                "table": name,
                "column": column.name,
                "completeness": _completeness(table[column.special_column or column.name], column),
            }
            for d in DIMENSIONS[1:]:
                bad = sum(
                    f.rows
                    for f in column_findings
                    if dimension(f.rule) == d and (f.column != "*" or column.role == "key")
                )
                row[d] = max(1 - bad / max(len(table), 1), 0.0) if _is_asked(d, column) else float("nan")
            rows.append(row)
    return pd.DataFrame(rows)


def _is_asked(dimension_: str, column: Column) -> bool:
    asked = {"uniqueness": column.role == "key", "timeliness": column.type == "date"}
    return asked.get(dimension_, True)


def _completeness(values: pd.Series, column: Column) -> float:
    is_due = column.known == "before" or column.role == "outcome" or not column.nullable
    # Nobody overrode the model: nothing is missing. What is ignored is asked nothing.
    says_nothing = bool(column.empty) or column.role in ("override", "ignore")
    return float(values.notna().mean()) if is_due and not says_nothing else float("nan")


def to_evidence(shares: pd.DataFrame) -> Evidence:
    """Return the data quality as evidence: the worst dimension's mean decides the light."""
    means = shares[list(DIMENSIONS)].mean()
    worst = means.idxmin()
    lowest = shares.loc[shares[worst].idxmin()]
    rule = rules.load()["data_quality"]
    verdict = judged(float(means[worst]), rule)
    if worst == "consistency" and verdict is Verdict.red:  # undocumented codes are read as the contract says
        verdict = Verdict.amber
    return Evidence(
        key="quality",
        question=say("How complete, valid, unique, consistent and timely are the data?"),
        verdict=verdict,
        answer=say(
            "Weakest is {dimension}: {mean:.2%} on average, lowest in {column} of {table:s} ({lowest:.1%}); "
            "all that were measured together {all:.2%}.",
            dimension=TERMS[str(worst)],
            mean=float(means[worst]),
            table=say(lowest["table"]),
            column=lowest["column"],
            lowest=float(lowest[worst]),
            all=float(means.mean()),
        ),
        value=float(means[worst]),
        threshold=say(
            "amber below {amber:.1%}, red below {red:.0%} in the mean of the weakest dimension; "
            "consistency amber at most (convention)",
            amber=rule.amber,
            red=rule.red,
        ),
        source="DAMA-DMBOK (2017), ch. 13",
        table=shares.sort_values(list(DIMENSIONS)).reset_index(drop=True),
    )
