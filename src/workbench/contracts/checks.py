"""Check a table against its contract: every breach is a finding, all of them in one call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from workbench.contracts.readings import NUMBERS, breach, finding, shown, typed
from workbench.contracts.words import Column, Contract, Finding, mask
from workbench.evidence import Evidence, Verdict
from workbench.params import NO_DAY, UserError, nearest
from workbench.words import Text, names, say

CELLS_AT_ONCE = 100_000_000  # of the columns that are typed and checked together: 0.8 GB of decimal numbers
NOT_ALLOWED = "value is not among the allowed ones"
_MENDS = {  # of a rule that doesn't say itself what to do
    "key is not unique": "remove the rows too many, or name in `role: key` what tells them apart",
    "below ": "correct it, or lower `minimum` in the contract",
    "above ": "correct it, or raise `maximum` in the contract",
    NOT_ALLOWED: "correct it, or add it to `values` in the contract",
    "date is ": "correct it, or name it in `missing` of the contract where it stands for none",
    "value is infinite": "correct it in the file",
    "not a whole number": "correct it, or set `type: number` in the contract",
    "column is constant": "set `role: ignore` in the contract",
    "column is empty": "set `role: ignore` in the contract",
    "column name stands twice": "rename one in the file",
    "outcome is the same in every row": "look which column holds the outcome",
}
NAMED = 5  # more errors that a line names
FUTURE_MARGIN_DAYS = 1  # a file written after midnight in another time zone is not in the future

_FNV_PRIME = np.uint64(1099511628211)
_HASHED_AT_ONCE = 1_000_000  # rows

Made = Callable[[Iterable[tuple[str, pd.Series]]], Any]


def _frame(columns: Iterable[tuple[str, pd.Series]]) -> pd.DataFrame:
    return pd.DataFrame(dict(columns))


def check(raw: Any, contract: Contract, today: pd.Timestamp, made: Made = _frame) -> tuple[Any, list[Finding]]:
    """Return the typed table under the contract's names, and every breach found.

    Values that break a rule whose breach is `warning` become missing; exact duplicates are dropped
    with a warning where there is a key, kept with a warning where there is none; codes read through
    `undocumented` are a warning with their counts. The rules on the typed table are run by pandera,
    all of them (lazily), so that one call shows all findings. `raw` itself isn't changed.

    Parameters: `raw` (n × k, as read: a pandas table or one that gives its columns as one does), `today` the date
    after which dates are impossible, `made` what makes a table of its named columns, which come as many at a time
    as hold `CELLS_AT_ONCE`.
    Returns: a table of at most n rows in the contract's column order, and the findings.
    """
    findings = columns_there(raw, contract)
    if raw.empty:
        findings = [finding(contract, "*", "the table has no rows", "error", 0)]
    if any(f.severity == "error" for f in findings):
        return raw, findings
    once, repeated = _rows_once(raw, contract)
    unread: list[Finding] = []
    rules: list[Finding] = []
    table = made(_typed_columns(raw, once, contract, today, (unread, rules)))
    findings += repeated + unread + _without_followers(unread, rules) + _keys_unique(table, contract)
    return table, findings + _as_of_is_past(contract, today, len(table))


def _without_followers(unread: list[Finding], rules: list[Finding]) -> list[Finding]:
    """Return breaches of rules without those that follow from values that couldn't be read, or aren't allowed."""
    errors = [f for f in unread + rules if f.severity == "error"]
    emptied = {f.column: f.rows for f in errors if f in unread}
    strange = {f.column for f in errors if f.rule == NOT_ALLOWED}
    out = []
    for f in rules:
        if f.column in emptied and f.rule.startswith("value is missing"):
            f = f.model_copy(update={"rows": f.rows - emptied[f.column]})
        follows = f.column in emptied and f.rule.startswith(("column is ", "outcome "))
        if f.rows > 0 and not follows and not (f.column in strange and f.rule.startswith("outcome must")):
            out.append(f)
    return out


def _typed_columns(
    raw: Any, once: pd.Series | None, contract: Contract, today: pd.Timestamp, noted: tuple[list[Finding], ...]
) -> Iterator[tuple[str, pd.Series]]:
    """Yield each column in its type, what breaks a mere warning's rule missing; what is found is noted meanwhile."""
    unread, rules = noted
    at_once = max(CELLS_AT_ONCE // max(len(raw), 1), 1)
    for first in range(0, len(contract.columns), at_once):
        columns = contract.columns[first : first + at_once]
        read = {c.name: typed(_once(raw[c.file_name], once), c, contract) for c in columns}
        table = pd.DataFrame({name: values for name, (values, _) in read.items()})
        unread += [f for _, breaches in read.values() for f in breaches]
        rules += _rules(table, columns, contract, today)
        yield from table.items()


def _once(values: pd.Series, once: pd.Series | None) -> pd.Series:
    return values.reset_index(drop=True) if once is None else values[once.to_numpy()].reset_index(drop=True)


def to_evidence(findings: list[Finding], portfolio: str, tables: Iterable[str] = ()) -> Evidence:
    """Return the contract check of a portfolio's tables as evidence: red where the run must stop."""
    rows = pd.DataFrame([f.model_dump() for f in findings], columns=list(Finding.model_fields))
    errors, warnings = (sum(f.severity == s for f in findings) for s in ("error", "warning"))
    worst = max(findings, key=lambda f: (f.severity == "error", f.rows), default=None)
    verdict = Verdict.red if errors else Verdict.amber if warnings else Verdict.green
    return Evidence(
        key=f"contract.{portfolio}",
        question=_question(list(tables) or [portfolio]),
        verdict=verdict,
        answer=say("{errors: errors} and {warnings: warnings}.", errors=errors, warnings=warnings) + _most(worst),
        value=errors + warnings,
        threshold=say("an error stops the run before modelling; a warning stands in the report"),
        source="contract of the table",
        table=rows.sort_values(["severity", "rows"], ascending=[True, False]).reset_index(drop=True),
    )


def _question(tables: list[str]) -> Text:
    if len(tables) == 1:
        return say("Does table '{table}' keep its contract?", table=tables[0])
    return say("Do the tables {tables} keep their contracts?", tables=tables)


def _most(worst: Finding | None) -> Text:
    if worst is None:
        return Text()
    table = say(worst.table)  # as the table of findings says it
    where = say("{column} ({table:s})", column=worst.column, table=table) if worst.column != "*" else table
    return say("Most rows: {where}: {rule} ({rows:, rows}).", where=where, rule=say(worst.rule), rows=worst.rows)


def stop_on_errors(findings: list[Finding]) -> None:
    """Raise `UserError` with the first error (and how many more there are), where there is one."""
    errors = [f for f in findings if f.severity == "error"]
    if errors:
        n = len(errors) - 1
        more = f"; and {n} more error{'s' if n > 1 else ''}: {_others(errors[1:])}" if n else ""
        raise UserError(f"{errors[0].line()}{_mend(errors[0].rule)}{more}")


def _mend(rule: str) -> str:
    """Return what to do about a breach, where its rule doesn't say it."""
    return next((f"; {mend}" for start, mend in _MENDS.items() if ";" not in rule and rule.startswith(start)), "")


def _others(errors: list[Finding]) -> str:
    """Return where the others are and what each is; what to do about it stands in the report."""
    each = list(dict.fromkeys(f"{e.table}.{e.column} ({e.rule.partition(';')[0]})" for e in errors))
    return ", ".join(each[:NAMED]) + (", …" if len(each) > NAMED else "")


def columns_there(raw: Any, contract: Contract) -> list[Finding]:
    """Return what is wrong with the columns of a table (n × k, as read) by their names alone."""
    wanted = [c.file_name for c in contract.columns]
    unclaimed = [str(c) for c in raw.columns if c not in wanted]
    missing = [
        finding(contract, c, _absent(c, unclaimed or [str(name) for name in raw.columns]), "error", len(raw))
        for c in wanted
        if c not in raw.columns
    ]
    twice = [str(c) for c in raw.columns[raw.columns.duplicated()].unique()]
    rule = "column is not in the contract; add it (role: ignore, where it is not needed)"
    extra = [finding(contract, str(c), rule, contract.extra, len(raw)) for c in raw.columns.unique() if c not in wanted]
    return missing + extra + [finding(contract, c, "column name stands twice", "error", len(raw)) for c in twice]


def _absent(name: str, headers: list[str]) -> str:
    hint = nearest(name, headers)
    if hint.startswith("known") and len(headers) > 1:
        return f"column is missing; {hint}; write its header as `source` in the contract"
    header = headers[0] if len(headers) == 1 else hint.partition("'")[2][:-2]
    source = header if header.isidentifier() else f'"{header}"'
    return f"column is missing; if '{header}' is meant, write `source: {source}` in the contract"


def _rows_once(raw: Any, contract: Contract) -> tuple[pd.Series | None, list[Finding]]:
    """Return which rows stay (n; None for all): of those that stand twice in every value one, where a key names rows.

    Rows with one key are few: all their columns are compared, of those alone.
    """
    columns = [c.file_name for c in contract.columns]
    keys = [contract[name].file_name for name in contract.identity()]
    suspects = _alike(raw, keys or columns)
    twice = suspects[raw.take(suspects)[columns].duplicated()] if len(suspects) else suspects
    if not len(twice):
        return None, []
    if not keys:
        rule = "the same row twice; no key tells whether it is one or two, all are kept"
        return None, [finding(contract, "*", rule, "warning", len(twice))]
    once = pd.Series(True, index=range(len(raw)))
    once[twice] = False
    return once, [finding(contract, "*", "the same row twice, one is kept", "warning", len(twice))]


def _alike(table: Any, columns: list[str]) -> np.ndarray:
    """Return the positions of rows whose values in these columns may stand in another row, too: their hashes do.

    One column and one number a row are in memory at a time; pandas' own `duplicated` takes ten times as much.
    """
    mixed = np.zeros(len(table), np.uint64)
    for name in columns:
        values = table[name]
        for i in range(0, len(values), _HASHED_AT_ONCE):
            part = mixed[i : i + _HASHED_AT_ONCE]
            part ^= pd.util.hash_pandas_object(values.iloc[i : i + _HASHED_AT_ONCE], index=False).to_numpy()
        mixed *= _FNV_PRIME
    ordered = np.sort(mixed)
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    return np.flatnonzero(np.isin(mixed, repeated)) if len(repeated) else np.zeros(0, int)


def _rules(table: pd.DataFrame, columns: tuple[Column, ...], contract: Contract, today: pd.Timestamp) -> list[Finding]:
    """Run the contract's rules on these columns with pandera; bad values of `warning` columns become missing."""
    import pandera.pandas as pa

    schema = pa.DataFrameSchema(
        {c.name: pa.Column(None, _checks(c, today), nullable=_may_miss(c), coerce=False) for c in columns}
    )
    try:
        schema.validate(table, lazy=True)
        failures = pd.DataFrame(columns=["column", "check", "index"])
    except pa.errors.SchemaErrors as e:
        failures = e.failure_cases
    findings = [
        _from_pandera(group, key, table, contract) for key, group in failures.groupby(["column", "check"], sort=False)
    ]
    return findings + _outcome_is_bad_somewhere(table, contract)


def _may_miss(column: Column) -> bool:
    return column.nullable and column.role not in ("key", "outcome", "as_of")


def _from_pandera(group: pd.DataFrame, key: tuple[str, str], table: pd.DataFrame, contract: Contract) -> Finding:
    name, rule = key
    column, rows = contract[name], group["index"].dropna().astype(int)
    if rule == "not_nullable":
        needed = column.role in ("key", "outcome", "as_of")
        what = "leave the row out of the file" if needed else "set `nullable: true` in the contract"
        return finding(contract, name, f"value is missing; fill it in, or {what}", "error", len(rows))
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
        rules.append(Check(lambda s: s.isin(allowed), error=NOT_ALLOWED))
    return rules + _whole_column_rules(column)


def _number_rules(column: Column) -> list[Any]:
    from pandera.pandas import Check

    unit = f" {names.unit_of(column.unit, column.name, column.description)}" if column.unit else ""
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
            Check(  # one value or none is a flag
                lambda s: s.nunique() != 1 or len(s) == 1 or s.isna().any(), error="column is constant", ignore_na=False
            ),
            Check(lambda s: s.notna().any(), error="column is empty", ignore_na=False),
        ]
    if column.role == "outcome" and column.type == "number":  # an amount or a rate
        return [Check(lambda s: s.nunique() > 1, error="outcome is the same in every row", ignore_na=False)]
    if column.role == "outcome":
        rule = "outcome must have two classes; map its codes to two in `values`, and give rows of both"
        return [Check(lambda s: s.nunique() == 2, error=rule, ignore_na=False)]
    return []


def _outcome_is_bad_somewhere(table: pd.DataFrame, contract: Contract) -> list[Finding]:
    """A bad value that no row holds would make every row a good one."""
    findings = []
    for name in [n for n in contract.named("outcome") if contract.event_value and n in table]:
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


def _keys_unique(table: Any, contract: Contract) -> list[Finding]:
    keys = contract.identity()
    if not keys:
        return []
    at = _alike(table, keys)
    identities = pd.DataFrame({name: table[name].to_numpy()[at] for name in keys})
    twice = identities[identities.duplicated(keep=False) & identities.notna().all(axis=1)]
    if twice.empty:
        return []
    examples = ", ".join(_key(row, contract) for row in twice.drop_duplicates().head(3).to_dict("records"))
    return [finding(contract, "+".join(keys), "key is not unique", "error", len(twice), examples)]


def _key(row: dict[str, Any], contract: Contract) -> str:
    return "+".join(mask(shown(v), contract[k]) for k, v in row.items())
