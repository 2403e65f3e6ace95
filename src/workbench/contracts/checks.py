"""Check a table against its contract: every breach is a finding, all of them in one call."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from workbench.contracts.readings import NUMBERS, breach, finding, shown, typed
from workbench.contracts.words import Column, Contract, Finding, mask
from workbench.evidence import Evidence, Verdict
from workbench.params import NO_DAY, UserError, nearest
from workbench.words import Text, say

FUTURE_MARGIN_DAYS = 1  # a file written after midnight in another time zone is not in the future


def check(raw: pd.DataFrame, contract: Contract, today: pd.Timestamp) -> tuple[pd.DataFrame, list[Finding]]:
    """Return the typed table under the contract's names, and every breach found.

    Values that break a rule whose breach is `warning` become missing; exact duplicates are dropped
    with a warning where there is a key, kept with a warning where there is none; codes read through
    `undocumented` are a warning with their counts. The rules on the typed table are run by pandera,
    all of them (lazily), so that one call shows all findings. `raw` itself isn't changed.

    Parameters: `raw` (n × k, as read), `today` the date after which dates are impossible.
    Returns: a table of at most n rows in the contract's column order, and the findings.
    """
    findings = _columns_there(raw, contract)
    if any(f.severity == "error" for f in findings):
        return raw, findings
    table = raw[[c.file_name for c in contract.columns]].set_axis([c.name for c in contract.columns], axis=1)
    table, repeated = _rows_once(table, contract)
    read = {c.name: typed(table[c.name], c, contract) for c in contract.columns}
    table = pd.DataFrame({name: values for name, (values, _) in read.items()})
    findings += repeated + [f for _, unread in read.values() for f in unread]
    return table, findings + _rules(table, contract, today) + _as_of_is_past(contract, today, len(table))


def to_evidence(findings: list[Finding], table: str) -> Evidence:
    """Return the contract check as evidence: red where the run must stop."""
    rows = pd.DataFrame([f.model_dump() for f in findings], columns=list(Finding.model_fields))
    errors, warnings = (sum(f.severity == s for f in findings) for s in ("error", "warning"))
    worst = max(findings, key=lambda f: (f.severity == "error", f.rows), default=None)
    verdict = Verdict.red if errors else Verdict.amber if warnings else Verdict.green
    return Evidence(
        key=f"contract.{table}",
        question=say("Does table '{table}' keep its contract?", table=table),
        verdict=verdict,
        answer=say("{errors} errors and {warnings} warnings.", errors=errors, warnings=warnings) + _most(worst),
        value=errors + warnings,
        threshold=say("an error stops the run before modelling; a warning stands in the report"),
        source="contract of the table",
        table=rows.sort_values(["severity", "rows"], ascending=[True, False]).reset_index(drop=True),
    )


def _most(worst: Finding | None) -> Text:
    if worst is None:
        return Text()
    where, rule = f"{worst.table}.{worst.column}", say(worst.rule)
    return say("Most rows: {where}: {rule} ({rows:,} rows).", where=where, rule=rule, rows=worst.rows)


def stop_on_errors(findings: list[Finding]) -> None:
    """Raise `UserError` with the first error (and how many more there are), where there is one."""
    errors = [f for f in findings if f.severity == "error"]
    if errors:
        more = f"; and {len(errors) - 1} more errors" if len(errors) > 1 else ""
        raise UserError(f"{errors[0].line()}{more}")


def _columns_there(raw: pd.DataFrame, contract: Contract) -> list[Finding]:
    wanted = [c.file_name for c in contract.columns]
    if raw.empty:
        return [finding(contract, "*", "the table has no rows", "error", 0)]
    missing = [
        finding(contract, c, f"column is missing; {nearest(c, map(str, raw.columns))}", "error", len(raw))
        for c in wanted
        if c not in raw.columns
    ]
    twice = [str(c) for c in raw.columns[raw.columns.duplicated()].unique()]
    rule = "column is not in the contract; add it (role: ignore, where it is not needed)"
    extra = [finding(contract, str(c), rule, contract.extra, len(raw)) for c in raw.columns.unique() if c not in wanted]
    return missing + extra + [finding(contract, c, "column name stands twice", "error", len(raw)) for c in twice]


def _rows_once(table: pd.DataFrame, contract: Contract) -> tuple[pd.DataFrame, list[Finding]]:
    """Drop rows that stand twice in every value, where a key says that a row stands for one thing."""
    keys = contract.identity()
    suspects = table[table.duplicated(keys or None, keep=False)]  # few: comparing all columns of all rows takes seconds
    twice = suspects.index[suspects.duplicated()]
    if not len(twice):
        return table.reset_index(drop=True), []
    if not keys:
        rule = "the same row twice; no key tells whether it is one or two, all are kept"
        return table.reset_index(drop=True), [finding(contract, "*", rule, "warning", len(twice))]
    once = table.drop(index=twice).reset_index(drop=True)
    return once, [finding(contract, "*", "the same row twice, one is kept", "warning", len(twice))]


def _rules(table: pd.DataFrame, contract: Contract, today: pd.Timestamp) -> list[Finding]:
    """Run the contract's rules with pandera; bad values of `warning` columns become missing in `table`."""
    import pandera.pandas as pa

    schema = pa.DataFrameSchema(
        {c.name: pa.Column(None, _checks(c, today), nullable=_may_miss(c), coerce=False) for c in contract.columns}
    )
    try:
        schema.validate(table, lazy=True)
        failures = pd.DataFrame(columns=["column", "check", "index"])
    except pa.errors.SchemaErrors as e:
        failures = e.failure_cases
    findings = [
        _from_pandera(group, key, table, contract) for key, group in failures.groupby(["column", "check"], sort=False)
    ]
    return findings + _outcome_is_bad_somewhere(table, contract) + _keys_unique(table, contract)


def _may_miss(column: Column) -> bool:
    return column.nullable and column.role not in ("key", "outcome", "as_of")


def _from_pandera(group: pd.DataFrame, key: tuple[str, str], table: pd.DataFrame, contract: Contract) -> Finding:
    name, rule = key
    column, rows = contract[name], group["index"].dropna().astype(int)
    if rule == "not_nullable":
        return finding(contract, name, "value is missing", "error", len(rows))
    if not len(rows):  # a rule on the column as a whole
        breached = breach(contract, column, rule, table[name].dropna())
        return breached.model_copy(update={"rows": len(table)})
    breached = breach(contract, column, rule, table.loc[rows, name])
    if breached.severity == "warning":
        table.loc[rows, name] = None
    return breached


def _checks(column: Column, today: pd.Timestamp) -> list[Any]:
    from pandera.pandas import Check

    rules: list[Any] = []
    if column.type in NUMBERS:
        rules += _number_rules(column)
    if column.type == "date":
        last = today + pd.Timedelta(days=FUTURE_MARGIN_DAYS)
        rules += [
            Check(lambda s: (s <= last) | (s.dt.year >= NO_DAY), error="date is in the future"),
            Check(lambda s: s.dt.year < NO_DAY, error="date stands for no day; name it in `missing`"),
            Check.ge(pd.Timestamp("1900-01-01"), error="date is before 1900"),
        ]
    if column.values:
        allowed = [*column.values.values(), *column.undocumented.values()]
        rules.append(Check(lambda s: s.isin(allowed), error="value is not among the allowed ones"))
    return rules + _whole_column_rules(column)


def _number_rules(column: Column) -> list[Any]:
    from pandera.pandas import Check

    unit = f" {column.unit}" if column.unit else ""
    rules = [Check(lambda s: ~np.isinf(s), error="value is infinite")]
    if column.type == "integer":
        rules.append(Check(lambda s: s.mod(1).eq(0) | np.isinf(s), error="not a whole number"))
    if column.minimum is not None:
        rules.append(Check.ge(column.minimum, error=f"below {column.minimum:g}{unit}"))
    if (top := column.maximum) is not None:
        rules.append(Check(lambda s: (s <= top) | np.isinf(s), error=f"above {top:g}{unit}"))
    return rules


def _whole_column_rules(column: Column) -> list[Any]:
    from pandera.pandas import Check

    if column.role == "feature":
        return [
            Check(lambda s: s.nunique() != 1 or len(s) == 1, error="column is constant", ignore_na=False),
            Check(lambda s: s.notna().any(), error="column is empty", ignore_na=False),
        ]
    if column.role == "outcome" and column.type == "number":  # an amount or a rate
        return [Check(lambda s: s.nunique() > 1, error="outcome is the same in every row", ignore_na=False)]
    if column.role == "outcome":
        return [Check(lambda s: s.nunique() == 2, error="outcome must have two classes", ignore_na=False)]
    return []


def _outcome_is_bad_somewhere(table: pd.DataFrame, contract: Contract) -> list[Finding]:
    """A bad value that no row holds would make every row a good one."""
    findings = []
    for name in contract.named("outcome") if contract.event_value else []:
        seen = table[name].dropna().unique()
        bad = contract[name].values.get(contract.event_value, contract.event_value)
        if contract[name].type == "category" and bad not in seen:
            known = [mask(v, contract[name], len(table)).strip("'") for v in seen[:5]]
            rule = f"event_value '{contract.event_value}' stands in no row; {nearest(bad, known)}"
            findings.append(finding(contract, name, rule, "error", len(table)))
    return findings


def _as_of_is_past(contract: Contract, today: pd.Timestamp, rows: int) -> list[Finding]:
    if contract.as_of and contract.as_of > f"{today + pd.Timedelta(days=FUTURE_MARGIN_DAYS):%Y-%m-%d}":
        rule = "as_of is in the future; write a day that is over"
        return [finding(contract, "*", rule, "error", rows, repr(contract.as_of))]
    return []


def _keys_unique(table: pd.DataFrame, contract: Contract) -> list[Finding]:
    keys = contract.identity()
    if not keys:
        return []
    twice = table[table.duplicated(keys, keep=False) & table[keys].notna().all(axis=1)]
    if twice.empty:
        return []
    examples = ", ".join(_key(row, contract) for row in twice[keys].drop_duplicates().head(3).to_dict("records"))
    return [finding(contract, "+".join(keys), "key is not unique", "error", len(twice), examples)]


def _key(row: dict[str, Any], contract: Contract) -> str:
    return "+".join(mask(shown(v), contract[k]) for k, v in row.items())
