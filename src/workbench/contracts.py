"""The words of columns: type, unit, allowed values, personal?, known when?; a table is checked against them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.evidence import Evidence, Verdict
from workbench.params import UserError, nearest

Type = Literal["number", "integer", "category", "text", "date"]
Role = Literal["key", "parent", "as_of", "feature", "outcome", "weight", "sample", "fact", "ignore"]
Aspect = Literal["basics", "credit_record", "size", "capacity", "relationship", "economy", "offer"]

FUTURE_MARGIN_DAYS = 1  # a file written after midnight in another time zone is not in the future


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Column(_Model):
    """One column: what it means, what may stand in it, when it is known and what it may be used for."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="name inside the workbench")
    source: str = Field("", description="name in the file, where it differs")
    type: Type
    role: Role = "feature"
    description: str = ""
    unit: str = ""
    aspect: Aspect = "basics"
    known: Literal["before", "after"] = Field("before", description="before or after the as-of date")
    personal: Literal["", "name", "identifier", "address", "contact"] = ""
    fairness: bool = Field(False, description="groups by which treatment is compared")
    monotone: Literal[-1, 0, 1] = Field(0, description="1: risk rises with the value, -1: falls")
    minimum: float | None = None
    maximum: float | None = None
    values: dict[str, str] = Field({}, description="allowed codes and their labels")
    undocumented: dict[str, str] = Field({}, description="codes seen that no document explains, and how they are read")
    prefix: int = Field(0, ge=0, description="keep the first so many characters of a code (industry, postcode)")
    missing: tuple[str, ...] = Field((), description="codes that stand for missing")
    nullable: bool = True
    breach: Literal["error", "warning"] = Field("error", description="warning: bad values become missing")
    reviewed: str = Field("", description="why a feature the leakage screen suspects may stay, and who said so")
    guessed: bool = Field(False, description="drafted from the file, not yet confirmed by a person")

    @property
    def file_name(self) -> str:
        """The column's name in the file."""
        return self.source or self.name


class Contract(_Model):
    """What a table is: its columns, where it comes from and under which licence it may be used."""

    name: str = Field(pattern=r"^[a-z0-9_]+$")
    title: str
    columns: tuple[Column, ...]
    source: str = ""
    licence: str = ""
    citation: str = ""
    notes: tuple[str, ...] = ()
    currency: str = ""
    encoding: str = "utf-8-sig"
    delimiter: str = ","
    thousands: str = Field("", max_length=1)
    bad_value: str = Field("", description="outcome value that means bad; the other value is good")
    as_of: str = Field("", description="fixed as-of date (YYYY-MM-DD) where no column holds one")
    extra: Literal["error", "warning"] = Field("error", description="what a column the contract doesn't name is")

    def __getitem__(self, name: str) -> Column:
        found = {c.name: c for c in self.columns}
        if name not in found:
            raise UserError(f"contract '{self.name}': no column '{name}'; {nearest(name, found)}")
        return found[name]

    def named(self, role: Role) -> list[str]:
        """Return the names of the columns with this role, in order."""
        return [c.name for c in self.columns if c.role == role]

    def one(self, role: Role) -> str:
        """Return the only column with this role; `UserError` where there is none or more than one."""
        found = self.named(role)
        if len(found) != 1:
            raise UserError(
                f"contract '{self.name}': role '{role}' is held by {found or 'no column'}; name exactly one"
            )
        return found[0]

    def features(self) -> list[Column]:
        """Return the columns a model may use: known before the as-of date, not personal, not a protected group."""
        return [
            c for c in self.columns if c.role == "feature" and c.known == "before" and not c.personal and not c.fairness
        ]

    def replaced(self, columns: list[Column], **changes: Any) -> Contract:
        """Return a new contract with these columns in place of the old ones."""
        return self.model_copy(update={"columns": tuple(columns), **changes})


class Finding(_Model):
    """One breach of a contract: where, which rule, how many rows, examples (masked where personal)."""

    table: str
    column: str
    rule: str
    severity: Literal["error", "warning"]
    rows: int
    examples: str = ""

    def line(self) -> str:
        """Return the finding as one line."""
        seen = f", e.g. {self.examples}" if self.examples else ""
        return f"{self.table}.{self.column}: {self.rule} ({self.rows:,} rows{seen})"


def load(path: Path) -> Contract:
    """Return the contract in a YAML file; `UserError` names the place of the first mistake."""
    if not path.exists():
        raise UserError(f"contract {path}: no such file; draft one with `workbench intake FILE`")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Contract.model_validate(content)
    except yaml.YAMLError as e:
        raise UserError(f"contract {path}: not YAML: {' '.join(str(e).split())}") from None
    except ValidationError as e:
        raise UserError(f"contract {path}: {_first(e, content)}") from None


def _first(e: ValidationError, content: Any) -> str:
    first = e.errors()[0]
    loc = list(first["loc"])
    if len(loc) > 1 and loc[0] == "columns" and isinstance(loc[1], int):
        loc[1] = content["columns"][loc[1]].get("name", loc[1])
    hint = ""
    if first["type"] == "extra_forbidden":
        hint = f"; {nearest(str(loc[-1]), (Column if loc[0] == 'columns' else Contract).model_fields)}"
    return f"{'.'.join(map(str, loc))}: {first['msg']}{hint}"


def mask(value: Any, column: Column) -> str:
    """Return a value as it may be shown: first character and stars where it is personal.

    >>> mask("Smith", Column(name="name", type="text", personal="name"))
    "'S****'"
    """
    text = str(value)
    return repr(text[:1] + "*" * (len(text) - 1)) if column.personal else repr(text[:40])


def check(raw: pd.DataFrame, contract: Contract, today: pd.Timestamp) -> tuple[pd.DataFrame, list[Finding]]:
    """Return the typed table under the contract's names, and every breach found.

    Values that break a rule whose breach is `warning` become missing; exact duplicates are dropped
    with a warning; codes read through `undocumented` are a warning with their counts. The rules on
    the typed table are run by pandera, all of them (lazily), so that one call shows all findings.

    Parameters: `raw` (n × k, as read), `today` the date after which dates are impossible.
    Returns: a table of at most n rows in the contract's column order, and the findings.
    """
    findings = _columns_there(raw, contract)
    if any(f.severity == "error" for f in findings):
        return raw, findings
    kept = raw[[c.file_name for c in contract.columns]].set_axis([c.name for c in contract.columns], axis=1)
    n = len(kept)
    kept = kept[~kept.duplicated()].reset_index(drop=True) if contract.named("key") else kept.copy()
    if len(kept) < n:
        findings.append(_finding(contract, "*", "the same row twice, one is kept", "warning", n - len(kept)))
    for column in contract.columns:
        kept[column.name], found = _typed(kept[column.name], column, contract)
        findings += found
    findings += _rules(kept, contract, today)
    return kept, findings


def to_evidence(findings: list[Finding], table: str) -> Evidence:
    """Return the contract check as evidence: red where the run must stop."""
    rows = pd.DataFrame([f.model_dump() for f in findings], columns=list(Finding.model_fields))
    errors, warnings = (sum(f.severity == s for f in findings) for s in ("error", "warning"))
    worst = max(findings, key=lambda f: (f.severity == "error", f.rows), default=None)
    verdict = Verdict.red if errors else Verdict.amber if warnings else Verdict.green
    return Evidence(
        name=f"contract.{table}",
        question=f"Does table '{table}' keep its contract?",
        verdict=verdict,
        answer=f"{errors} errors and {warnings} warnings" + (f"; most rows: {worst.line()}." if worst else "."),
        value=errors + warnings,
        threshold="an error stops the run before modelling; a warning stands in the report",
        source="contract of the table",
        table=rows.sort_values(["severity", "rows"], ascending=[True, False]).reset_index(drop=True),
    )


def stop_on_errors(findings: list[Finding]) -> None:
    """Raise `UserError` with the first error (and how many more there are), where there is one."""
    errors = [f for f in findings if f.severity == "error"]
    if errors:
        more = f"; and {len(errors) - 1} more errors" if len(errors) > 1 else ""
        raise UserError(f"{errors[0].line()}{more}")


def _finding(contract: Contract, column: str, rule: str, severity: str, rows: int, examples: str = "") -> Finding:
    return Finding(table=contract.name, column=column, rule=rule, severity=severity, rows=rows, examples=examples)


def _columns_there(raw: pd.DataFrame, contract: Contract) -> list[Finding]:
    wanted = [c.file_name for c in contract.columns]
    if raw.empty:
        return [_finding(contract, "*", "the table has no rows", "error", 0)]
    missing = [
        _finding(contract, c, f"column is missing; {nearest(c, map(str, raw.columns))}", "error", len(raw))
        for c in wanted
        if c not in raw.columns
    ]
    twice = [str(c) for c in raw.columns[raw.columns.duplicated()]]
    rule = "column is not in the contract; add it (role: ignore, where it is not needed)"
    extra = [_finding(contract, str(c), rule, contract.extra, len(raw)) for c in raw.columns if c not in wanted]
    return missing + extra + [_finding(contract, c, "column name stands twice", "error", len(raw)) for c in twice]


def _typed(values: pd.Series, column: Column, contract: Contract) -> tuple[pd.Series, list[Finding]]:
    """Return the values in the contract's type; what can't be read is a finding and missing."""
    text = as_text(values)
    if contract.thousands and column.type in ("number", "integer"):
        text = text.str.replace(contract.thousands, "", regex=False)
    text = text.mask(text.isin(["", *column.missing]))
    findings = []
    if column.type in ("number", "integer"):
        typed = pd.to_numeric(values.mask(text.isna()) if _is_number(values) else text, errors="coerce").astype(float)
    elif column.type == "date":
        parsed = values if str(values.dtype).startswith("datetime") else pd.to_datetime(text, errors="coerce")
        typed = parsed.mask(text.isna()).astype("datetime64[us]")
    else:
        typed = text.astype("str").where(text.notna(), None)
        typed = typed.str[: column.prefix] if column.prefix else typed
        typed, findings = _documented(typed, column, contract)
    unread = (
        typed.isna() & text.notna()
        if column.type in ("number", "integer", "date")
        else pd.Series(False, index=values.index)
    )
    if unread.any():
        rule = f"not a {column.type}{_thousands_hint(text[unread])}"
        findings.append(_breach(contract, column, rule, text[unread]))
    return typed, findings


def _is_number(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values)


def as_text(values: pd.Series) -> pd.Series:
    """Codes that a file holds as floats (1.0) are the integers they stand for."""
    text = values.astype("string").str.strip()
    return text.str.replace(r"\.0$", "", regex=True) if pd.api.types.is_float_dtype(values) else text


def _documented(typed: pd.Series, column: Column, contract: Contract) -> tuple[pd.Series, list[Finding]]:
    findings = []
    for code, reading in column.undocumented.items():
        if n := int((typed == code).sum()):
            rule = f"code '{code}' is in no document; read as '{reading}'"
            findings.append(_finding(contract, column.name, rule, "warning", n, repr(code)))
    mapping = {**column.values, **column.undocumented}
    return (typed.map(lambda v: mapping.get(v, v)) if mapping else typed), findings


def _thousands_hint(bad: pd.Series) -> str:
    grouped = bad.str.fullmatch(r"-?\d{1,3}([, ]\d{3})+(\.\d+)?").any()
    return "; has thousand separators: set `thousands` in the contract" if grouped else ""


def _breach(contract: Contract, column: Column, rule: str, bad: pd.Series) -> Finding:
    examples = ", ".join(mask(v, column) for v in bad.dropna().unique()[:3])
    return _finding(contract, column.name, rule, column.breach, len(bad), examples)


def _rules(table: pd.DataFrame, contract: Contract, today: pd.Timestamp) -> list[Finding]:
    """Run the contract's rules with pandera; bad values of `warning` columns become missing in `table`."""
    import pandera.pandas as pa

    schema = pa.DataFrameSchema(
        {
            c.name: pa.Column(None, _checks(c, table[c.name], today), nullable=_may_miss(c), coerce=False)
            for c in contract.columns
        }
    )
    try:
        schema.validate(table, lazy=True)
        failures = pd.DataFrame(columns=["column", "check", "index"])
    except pa.errors.SchemaErrors as e:
        failures = e.failure_cases
    findings = [
        _from_pandera(group, key, table, contract) for key, group in failures.groupby(["column", "check"], sort=False)
    ]
    return findings + _keys_unique(table, contract)


def _may_miss(column: Column) -> bool:
    return column.nullable and column.role not in ("key", "outcome", "as_of")


def _from_pandera(group: pd.DataFrame, key: tuple[str, str], table: pd.DataFrame, contract: Contract) -> Finding:
    name, rule = key
    column = contract[name]
    rows = group["index"].dropna().astype(int) if group["index"].notna().any() else pd.Series(dtype=int)
    if rule == "not_nullable":
        return _finding(contract, name, "value is missing", "error", len(rows))
    found = _breach(contract, column, rule, table.loc[rows, name] if len(rows) else table[name].head(1))
    if len(rows) and column.breach == "warning":
        table[name] = table[name].mask(table.index.isin(rows))
    return found if len(rows) else found.model_copy(update={"rows": len(table)})


def _checks(column: Column, values: pd.Series, today: pd.Timestamp) -> list[Any]:
    from pandera.pandas import Check

    checks = []
    if column.type in ("number", "integer"):
        checks.append(Check(lambda s: ~np.isinf(s), error="value is infinite"))
    if column.type == "integer":
        checks.append(Check(lambda s: s.mod(1).eq(0) | np.isinf(s), error="not a whole number"))
    if column.minimum is not None:
        checks.append(Check.ge(column.minimum, error=f"below {column.minimum:g}{_unit(column)}"))
    if column.maximum is not None:
        checks.append(
            Check(
                lambda s, top=column.maximum: (s <= top) | np.isinf(s),
                error=f"above {column.maximum:g}{_unit(column)}",
            )
        )
    if column.type == "date":
        last = today + pd.Timedelta(days=FUTURE_MARGIN_DAYS)
        checks += [
            Check.le(last, error="date is in the future"),
            Check.ge(pd.Timestamp("1900-01-01"), error="date is before 1900"),
        ]
    if column.values:
        allowed = {*column.values.values(), *column.undocumented.values()}
        checks.append(Check.isin(allowed, error="value is not among the allowed ones"))
    if column.role == "feature" and len(values) > 1:
        checks.append(
            Check(
                lambda s: s.nunique(dropna=True) > 1 or s.isna().all(),
                error="column is constant",
                ignore_na=False,
            )
        )
    if column.role == "outcome":
        checks.append(Check(lambda s: s.nunique() == 2, error="outcome must have two classes", ignore_na=False))
    return checks


def _unit(column: Column) -> str:
    return f" {column.unit}" if column.unit else ""


def _keys_unique(table: pd.DataFrame, contract: Contract) -> list[Finding]:
    keys = contract.named("key")
    if not keys:
        return []
    twice = table.duplicated(keys, keep=False) & table[keys].notna().all(axis=1)
    if not twice.any():
        return []
    examples = ", ".join(mask(v, contract[keys[0]]) for v in table.loc[twice, keys[0]].unique()[:3])
    return [_finding(contract, "+".join(keys), "key is not unique", "error", int(twice.sum()), examples)]
