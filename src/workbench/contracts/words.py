"""The words of columns and tables, read from YAML: type, unit, allowed values, personal?, known when?"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from workbench.contracts import computed
from workbench.contracts.fields import OF_STEPS, RESERVED, DateFormat, Delimiter, Entity, Separator
from workbench.contracts.outcome import Outcome
from workbench.params import Day, UserError, from_yaml, mistake, nearest, shown
from workbench.personal import masked_value
from workbench.words import formatted, names

Type = Literal["number", "integer", "category", "text", "date"]
Role = Literal["key", "parent", "as_of", "feature", "outcome", "weight", "sample", "override", "fact", "ignore"]
NUMBERS = ("number", "integer")
SPECIAL = "_special"  # ends the name of the column that tells a number's special codes
HAS_VALUE = "has a value"  # the category of rows without a special code
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
Aspect = Literal["basics", "credit_record", "size", "capacity", "relationship", "economy", "offer"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Column(_Model):
    """One column: what it means, what may stand in it, when it is known and what it may be used for."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="name inside the workbench")
    source: str = Field("", description="name in the file, where it differs")
    sql: str = Field("", description="computed on intake: an SQL expression (DuckDB) over the file's columns")
    made_from: tuple[str, ...] = Field((), description="columns it is derived from; of a computed one read off its sql")
    type: Type
    role: Role = "feature"
    description: str = ""
    unit: str = ""
    aspect: Aspect = "basics"
    known: Literal["before", "after"] = Field(
        "before", description="before or after the as-of date; an outcome is known after"
    )
    dated_by: str = Field("", description="column with the day since which it is known, where that is another day")
    personal: Literal["", "name", "identifier", "address", "contact"] = ""
    privacy: Literal["", "C1", "C2", "C3"] = Field(
        "", description="class by JR/T 0171-2020 where the rule of `contracts/classes.py` says another"
    )
    exposure: bool = Field(False, description="amount at stake for the bank")
    fairness: bool = Field(False, description="groups by which treatment is compared")
    monotone: Literal[-1, 0, 1] = Field(0, description="1: risk rises with the value, -1: falls")
    minimum: float | None = Field(None, allow_inf_nan=False)
    maximum: float | None = Field(None, allow_inf_nan=False)
    values: dict[str, str] = Field({}, description="allowed codes and their labels")
    undocumented: dict[str, str] = Field({}, description="codes seen that no document explains, and how they are read")
    prefix: int = Field(0, ge=0, description="keep the first so many characters of a code (industry, postcode)")
    missing: tuple[str, ...] = Field((), description="codes that stand for missing")
    special: dict[str, str] = Field(
        {}, description="codes in a number that are no value of it, and what each says: NAME_special tells which it was"
    )
    special_of: str = Field(
        "", description="the number whose codes it tells: of a column that `special` adds; no file has it"
    )
    format: DateFormat = Field(
        "", description="how a date is written where it is not ISO 8601: %d/%m/%Y, or excel for its day numbers"
    )
    nullable: bool = True
    empty: str = Field("", description="what an empty cell says, where nothing is missing: still open, not asked")
    breach: Literal["error", "warning"] = Field("error", description="warning: bad values become missing")
    reviewed: str = Field("", description="why a feature the leakage screen suspects may stay, and who said so")
    guessed: bool = Field(False, description="drafted from the file, not yet confirmed by a person")

    @model_validator(mode="before")
    @classmethod
    def _described(cls, given: Any) -> Any:
        """What nobody has described is called as in the file, or by its name in words; an outcome is known afterwards.

        By its header only where that has other letters than a-z: `金额`; `LOAN_AMT` says no more than the name.
        """
        if isinstance(given, dict) and given.get("role") == "outcome":
            given = {"known": "after", **given}
        if isinstance(given, dict) and isinstance(given.get("name"), str) and not given.get("description"):
            header = given.get("source")
            speaks = isinstance(header, str) and not header.isascii()
            return {**given, "description": header if speaks else in_words(given["name"])}
        return given

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        """What is said of numbers is said of numbers only; else it would be passed over without a word."""
        of_numbers = {
            "minimum": self.minimum is not None,
            "maximum": self.maximum is not None,
            "exposure": self.exposure,
            "monotone": self.monotone != 0,
        }
        if self.type not in NUMBERS and (given_field := next((n for n, given in of_numbers.items() if given), "")):
            raise ValueError(f"`{given_field}` is for numbers, and '{self.name}' is {self.type}; leave it out")
        self._special_fits()
        if self.exposure and self.role == "weight":
            raise ValueError(
                "an exposure is no weight; `role: weight` says how many rows of the population a row stands for"
            )
        if self.format and self.type != "date":
            raise ValueError(f"`format` is for dates, and '{self.name}' is {self.type}; leave it out")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum:g} is above maximum {self.maximum:g}")
        return self

    def _special_fits(self) -> None:
        if self.special and (self.type not in NUMBERS or self.role not in ("feature", "fact")):
            raise ValueError(
                f"`special` is for numbers that are features or facts, and '{self.name}' is {self.type}, {self.role}; "
                "write codes that stand for missing into `missing`"
            )
        others = [float(code) for code in self.missing if _NUMBER.fullmatch(code)]
        for code, words in self.special.items():
            if not _NUMBER.fullmatch(code):
                raise ValueError(f"special: {shown(code)} is no number; name the code as the file has it")
            if float(code) in others:
                raise ValueError(f"special: {shown(code)} is named twice, here or in `missing`; leave one out")
            if words in ("", HAS_VALUE):
                raise ValueError(f"special: {shown(code)}: say what it stands for, other than '{HAS_VALUE}'")
            others.append(float(code))

    @property
    def file_name(self) -> str:
        """The column's name in the file; a computed one stands beside the file's under its name and `computed`."""
        return f"{self.name} (computed)" if self.sql else self.source or self.name

    @property
    def special_column(self) -> str:
        """Name of the column that tells this one's special codes; empty without any."""
        return f"{self.name}{SPECIAL}" if self.special else ""


def in_words(name: str) -> str:
    """Return a column's name as words.

    >>> in_words("total_trans_amt")
    'total trans amt'
    """
    return name.replace("_", " ")


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
    encoding: str = Field("utf-8-sig", description="of a CSV file: utf-8-sig, gb18030, cp950, cp932, cp1252, utf-16")
    delimiter: Delimiter = Field(",", min_length=1, max_length=1, description="between the values of a CSV file")
    thousands: Separator = Field("", max_length=1, description="between the thousands of a number")
    decimal: Literal[".", ","] = Field(".", description="before the decimals of a number")
    entity: Entity = Field("account", description="what a row is; month: a month of what the key names")
    outcome: Outcome = Field(Outcome(), description="what is predicted, and how pages speak of it")
    event_value: str = Field("", description="value of the outcome column that is the event (default, churn, yes)")
    as_of: Day = Field("", description="fixed as-of date (YYYY-MM-DD) where no column holds one")
    extra: Literal["error", "warning"] = Field("error", description="what a column the contract doesn't name is")

    @model_validator(mode="after")
    def _names_stand_once(self) -> Self:
        names = [c.name for c in self.columns]
        if twice := sorted({n for n in names if names.count(n) > 1}):
            raise ValueError(f"column '{twice[0]}' stands twice; rename one (the file's name goes into `source`)")
        return self

    @model_validator(mode="after")
    def _signs_differ(self) -> Self:
        if self.thousands == self.decimal == ",":
            raise ValueError("`thousands` and `decimal` are both ','; a comma is one of them")
        return self

    @model_validator(mode="after")
    def _computed(self) -> Self:
        """A computed column knows what it is made from."""
        if any(c.sql for c in self.columns):
            columns = tuple(computed.resolved(c, self.columns) if c.sql else c for c in self.columns)
            object.__setattr__(self, "columns", columns)
        return self

    @model_validator(mode="after")
    def _one_exposure(self) -> Self:
        if len(amounts := [c.name for c in self.columns if c.exposure]) > 1:
            raise ValueError(f"columns {' and '.join(amounts)} are both the exposure; name the one amount at stake")
        return self

    def __getitem__(self, name: str) -> Column:
        columns = {c.name: c for c in self.columns}
        if name not in columns:
            raise UserError(f"contract '{self.name}': no column '{name}'; {nearest(name, columns)}")
        return columns[name]

    def named(self, role: Role) -> list[str]:
        """Return the names of the columns with this role, in order."""
        return [c.name for c in self.columns if c.role == role]

    def one(self, role: Role) -> str:
        """Return the only column with this role; `UserError` where there is none or more than one."""
        holders = self.named(role)
        if len(holders) != 1:
            raise UserError(
                f"contract '{self.name}': role '{role}' is held by {holders or 'no column'}; name exactly one"
            )
        return holders[0]

    def identity(self) -> list[str]:
        """Return the columns that together name a row: the key, with the month where a row is one; [] without a key."""
        keys = self.named("key")
        return [*keys, *self.named("as_of")] if keys and self.entity == "month" else keys

    def exposure(self) -> str | None:
        """Return the name of the amount at stake, None where no column is marked `exposure`."""
        return next((c.name for c in self.columns if c.exposure), None)

    def derived_from(self, name: str) -> list[str]:
        """Return the columns made from `name`, directly or by others made from it, in order."""
        derived = {name}
        while more := {c.name for c in self.columns if derived.intersection(c.made_from)} - derived:
            derived |= more
        return [c.name for c in self.columns if c.name in derived and c.name != name]

    def with_outcome(self) -> Contract:
        """Return the contract; `UserError` where it has no one outcome, or its event is no value of it."""
        outcomes = self.named("outcome")
        if not outcomes:
            raise UserError(
                f"contract '{self.name}': no column has the role outcome; give it to the one that says what happened "
                "(role: outcome, known: after) and name the `event_value`"
            )
        self.one("outcome")
        if not self.outcome.is_binary:
            return self
        bad, allowed = self.event_value, self[outcomes[0]].values
        if not bad or (allowed and bad not in {*allowed, *allowed.values()}):
            raise UserError(
                f"contract '{self.name}': event_value '{bad}' is no value of '{outcomes[0]}'"
                + (f"; {nearest(bad, allowed)}" if allowed else "; name the value that is the event")
            )
        return self

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
        """Return the finding as one line: where, by its code for the contract and as pages call it."""
        seen = f", e.g. {self.examples}" if self.examples else ""
        called = names.display(self.column) if names.is_name(self.column) else ""
        is_new = called.casefold() not in ("", self.column, self.column.replace("_", " "))
        where = f"{self.table}.{self.column}" + (f" ({called})" if is_new else "")
        return f"{where}: {self.rule} ({formatted(self.rows, ', rows')}{seen})"


def load(path: Path) -> Contract:
    """Return the contract in a YAML file; `UserError` names the place of the first mistake."""
    if not path.is_file():
        raise UserError(f"contract {path}: no such file; draft one with `workbench intake FILE`")
    try:
        return _read(path, path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise UserError(f"contract {path}: not UTF-8; save it as UTF-8") from None


@lru_cache(maxsize=64)
def _read(path: Path, text: str) -> Contract:
    """Return the contract that a text holds; an intake asks for the same one several times."""
    content = from_yaml(text, f"contract {path}")
    try:
        contract = Contract.model_validate(content)
    except ValidationError as e:
        raise UserError(f"contract {path}: {_first(e, content)}") from None
    _consistent(contract, content, path)
    return _with_special(contract, path)


def _with_special(contract: Contract, path: Path) -> Contract:
    """Return a contract with a category behind each number that has special codes: which one, or that it has a value.

    So whoever looks at the number sees a gap there, and whoever looks for what a gap says sees that.
    """
    columns = [each for c in contract.columns for each in ([c, _special_of(c)] if c.special else [c])]
    names = [c.name for c in columns]
    if twice := next((n for n in names if names.count(n) > 1), ""):
        raise UserError(f"contract {path}: columns.{twice}: `special` adds a column of this name; rename this one")
    return contract.replaced(columns)


def _special_of(c: Column) -> Column:
    return Column(
        name=c.special_column,
        source=c.file_name,
        type="category",
        made_from=(c.name,),
        special_of=c.name,
        description=f"special code of {c.description}",
        role="fact" if c.fairness else c.role,  # why an age is not stated is no feature either
        **{f: getattr(c, f) for f in ("aspect", "known", "dated_by", "personal")},
    )


def _consistent(contract: Contract, content: Any, path: Path) -> None:
    """Raise `UserError` where columns of a contract's file contradict one another, or the panel's.

    Here rather than in the contract: one made from it may have lost the column since.
    """
    names = {c.name for c in contract.columns}
    if early := next((c for c in content["columns"] if (c.get("role"), c.get("known")) == ("outcome", "before")), None):
        raise UserError(
            f"contract {path}: columns.{early['name']}: an outcome is known after the as-of date; say `known: after`"
        )
    if dropped := next((c for c in contract.columns if c.personal and _is_needed(c)), None):
        role = "exposure" if dropped.exposure else "fairness" if dropped.fairness else dropped.role
        raise UserError(
            f"contract {path}: columns.{dropped.name}: a personal column is dropped, and the {role} is needed; leave "
            f"`personal: {dropped.personal}` out, or {role}"
        )
    named_by = [*contract.named("parent"), *(contract.named("key") if len(contract.named("key")) == 1 else ())]
    if coded := next((c for c in contract.columns if c.name in named_by and c.type in NUMBERS), None):
        raise UserError(
            f"contract {path}: columns.{coded.name}: a {coded.role} is text, leading zeros and all; write `type: text`"
        )
    if unknown := next(((c.name, s) for c in contract.columns for s in c.made_from if s not in names), None):
        name, source = unknown
        raise UserError(
            f"contract {path}: columns.{name}: made_from: no column '{source}'; {nearest(source, names - {name})}"
        )
    if added := next((c.name for c in contract.columns if c.special_of), ""):
        raise UserError(
            f"contract {path}: columns.{added}: special_of: such a column is added; write `special` at the number"
        )
    if contract.entity == "month" and (special := next((c.name for c in contract.columns if c.special), "")):
        raise UserError(
            f"contract {path}: columns.{special}: special: facts of months are summed up as numbers; write the codes "
            "into `missing`"
        )
    dates = [c.name for c in contract.columns if c.type == "date"]
    if undated := next((c for c in contract.columns if c.dated_by and c.dated_by not in dates), None):
        raise UserError(
            f"contract {path}: columns.{undated.name}: dated_by: no date '{undated.dated_by}'; "
            f"{nearest(undated.dated_by, dates)}"
        )
    if taken := next((c for c in contract.columns if _is_taken(c, contract)), None):
        raise UserError(
            f"contract {path}: columns.{taken.name}: the panel keeps this name for itself; "
            f"write `name: {taken.name}_value, source: {shown(taken.file_name)}`"
        )
    if len(as_of := contract.named("as_of")) > 1:
        raise UserError(
            f"contract {path}: columns {' and '.join(as_of)} both have the role as_of; give it to the date as of which "
            "a row is known, and others `role: fact`"
        )


def _is_needed(c: Column) -> bool:
    """Say whether steps stand on a column's values themselves: of a key or a parent a pseudonym does as well."""
    return c.exposure or c.fairness or c.role in ("outcome", "as_of", "sample", "override")


def _is_taken(c: Column, contract: Contract) -> bool:
    """Say whether a name is the panel's own, or one that steps give its rows; months have no rows in the panel."""
    in_panel = contract.entity != "month" and (c.role in ("feature", "override") or c.fairness)
    return RESERVED.get(c.name, c.role) != c.role or (in_panel and c.name in OF_STEPS)


def _first(e: ValidationError, content: Any) -> str:
    """Return the first mistake as `place: what to do`, columns by name rather than by position."""
    where, words = mistake(e, Contract)
    root, _, below = where.partition(".")
    at, _, field = below.partition(".")
    if root == "columns" and at.isdecimal() and isinstance(content["columns"][int(at)], dict):
        at = str(content["columns"][int(at)].get("name", at))[:80]
    place = ".".join(part for part in (root, " ".join(at.split()), field) if part)
    return f"{place}{': ' if place else ''}{words}"


def mask(value: Any, column: Column, rows: int = 1) -> str:
    """Return a value as it may be shown, `rows` of which hold it: first character and stars where it is personal.

    >>> mask("Smith", Column(name="name", type="text", personal="name"))
    "'S****'"
    """
    text = str(value)
    if column.personal:
        return repr(text[:1] + "*" * (len(text) - 1))
    return repr(masked_value(text, rows, f"{column.name} {column.source}".strip())[:40])
