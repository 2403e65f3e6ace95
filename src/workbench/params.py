"""Parameters in: frozen, typed, ranges checked; an unknown name is refused with the nearest right one."""

from __future__ import annotations

import difflib
import errno
import hashlib
import json
import re
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Self, get_args

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails

MONTH = r"^[0-9]{4}-(0[1-9]|1[0-2])$"
DAY_OR_NONE = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$|^$"
ONCE = "once"
PERIOD = r"^(once|[0-9]{4}(-Q[1-4]|-(0[1-9]|1[0-2]))?)$"


_FORMS = (  # parts of patterns, and what a text of such a form is
    ("(0[1-9]|[12][0-9]|3[01])", "a day, YYYY-MM-DD"),
    (r"\d{4}-\d{2}-\d{2}", "a day, YYYY-MM-DD"),
    ("Q[1-4]", "a year (2018), a quarter (2018-Q1) or a month (2018-03)"),
    (MONTH, "a month, YYYY-MM"),
    ("^mart__", "mart__ and a name of a-z, 0-9 and _"),
    (r"_]+\.[a-z0-9_]+$", "STUDY.MODEL, both of a-z, 0-9 and _"),
    ("@", "a mail address: a name, @ and a domain"),
    ("^[a-z][a-z0-9_]*$", "a name of a-z, 0-9 and _, a letter first"),
    ("^[a-z", "a name of a-z, 0-9 and _"),
    ("^(https?", "an http(s) address, https://reports.bank.example"),
)
_WHOLE, _LIST = "write a whole number, such as 12", "write a list: [a, b]"
_PAIRS, _DAY = "write pairs: {{name: value}}", "write a day, YYYY-MM-DD"
_WANTED = {  # by pydantic's type of error, filled with its limits
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing_size": _WHOLE,
    "finite_number": "write a finite number",
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "string_type": "write one text",
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
    "dict_type": _PAIRS,
    "mapping_type": _PAIRS,
    "model_type": _PAIRS,
    "model_attributes_type": _PAIRS,
    "literal_error": "write {expected}",
    "greater_than": "write more than {gt}",
    "greater_than_equal": "write {ge} or more",
    "less_than": "write less than {lt}",
    "less_than_equal": "write {le} or less",
    "missing": "add it",
    "date_type": _DAY,
    "date_parsing": _DAY,
    "date_from_datetime_parsing": _DAY,
    "date_from_datetime_inexact": _DAY,
}
LISTED = 40  # names in a hint
ALIKE = 4  # first letters of names that begin alike


class UserError(Exception):
    """What a user can cause and mend: one line that says what was wrong, where, and what to do."""


def no_space(error: OSError) -> UserError | None:
    """Return what to say where an error of the system is a full disk, or a used-up share of it; None for another."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return None
    return UserError(f"the disk is full ({error.filename or 'no file named'}); make room and run again")


def once(names: Iterable[str], place: str) -> None:
    """Raise `UserError` for the first name that a list has twice; place: step and parameter."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise UserError(f"{place}: '{name}' stands twice; name each once")
        seen.add(name)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint naming the closest known name, of those that begin alike if one does, or all where none is close.

    >>> nearest("sede", ["seed", "study"])
    "did you mean 'seed'?"
    >>> nearest("windw", ["kind", "window_months"])
    "did you mean 'window_months'?"
    """
    if not (known := sorted(known)):
        return "none is there yet"
    alike = [k for k in known if len(name) >= ALIKE and k.startswith(name[:ALIKE])]
    for names in (alike, known):
        if close := difflib.get_close_matches(name, names, n=1, cutoff=0.5):
            return f"did you mean '{close[0]}'?"
    more = f" and {len(known) - LISTED} more" if len(known) > LISTED else ""
    return f"known: {', '.join(known[:LISTED])}{more}"


@dataclass(frozen=True)
class Columns:
    """Columns that a parameter of a step names, and the tables of which one has to have each of them.

    `conditions`: the SQL conditions that name them, where it is by those, to be held against the columns' types.
    """

    parameter: str
    names: tuple[str, ...]
    tables: tuple[str, ...]
    conditions: tuple[str, ...] = ()

    def within(self, known: Iterable[str], step: str) -> None:
        """Raise `UserError` for the first name that is none of the known ones."""
        known = list(dict.fromkeys(known))
        for name in self.names:
            if name not in known:
                where = " or ".join(self.tables)
                raise UserError(f"{step}: {self.parameter} '{name}' is no column of {where}; {nearest(name, known)}")


@dataclass(frozen=True)
class OfPanel:
    """A parameter of a step that names a model or its scores (`made`: their name as a table), and its panel's rows.

    The step takes both to be of the same rows; `panel_parameter` is the one that names the panel.
    """

    parameter: str
    made: str
    panel: str
    panel_parameter: str = "panel"

    def within(self, made_with: Params, maker: str, step: str) -> None:
        """Raise `UserError` where the step that makes it (`maker`) does so of another panel."""
        panel = getattr(made_with, "panel", self.panel)
        if panel != self.panel:
            value = self.made.removeprefix("model__")
            raise UserError(
                f"{step}: {self.parameter} '{value}' is of {panel} ({maker}), not of {self.panel}; "
                f"write {self.panel_parameter}: {panel}, or name what is learnt from {self.panel}"
            )


@dataclass(frozen=True)
class Watching:
    """A panel (`made`) whose monitoring rows a step watches, up to a period; an empty one is all."""

    made: str
    until: str = ""

    def within(self, made_with: Params, maker: str, step: str) -> None:
        """Raise `UserError` where the step that makes the panel (`maker`) leaves no row to watch up to then."""
        begins = getattr(made_with, "monitoring_from", None)
        if begins == "":
            raise UserError(f"{step}: panel '{self.made}' has no monitoring rows; set monitoring_from in {maker}")
        if begins and self.until and months_of(self.until)[1] < begins:
            raise UserError(
                f"{step}: until {self.until} is before {begins}, monitoring_from of {self.made} ({maker}); "
                "no row would be watched"
            )


def day(text: str) -> str:
    """Return a day as it is written, '' too; `ValueError` where it is none.

    >>> day("2024-02-29")
    '2024-02-29'
    """
    try:
        if not text or date.fromisoformat(text).isoformat() == text:
            return text
    except ValueError:
        pass
    raise ValueError(f"{text[:40]!r} is no day; write YYYY-MM-DD")


def all_or(least: int) -> AfterValidator:
    """Return what a number of rows is checked by where 0 takes all: fewer than `least` tell nothing."""

    def checked(rows: int) -> int:
        if 0 < rows < least:
            raise ValueError(f"write {least} or more, or 0 for all")
        return rows

    return AfterValidator(checked)


Day = Annotated[str, AfterValidator(day)]
NO_DAY = 2100  # days of this year and later say "open", "never" or "unknown": 2999-12-31, 9999-12-31
LARGEST = 10**12  # of any number a parameter takes
HIGHEST_SEED = 2**32 - 1  # numpy's generators of old, and with them scikit-learn, take no more


@dataclass(frozen=True)
class Key:
    """What tables, runs and pages belong to: a study, and a period of it (`once`, `2018`, `2018-Q1`, `2018-03`)."""

    study: str
    period: str = ONCE

    @property
    def place(self) -> str:
        """The key's folder below `mlruns/tables/`, `mlruns/current/` and `reports/`."""
        return f"{self.study}/{self.period}"

    @property
    def command(self) -> str:
        """The command that makes what belongs to the key."""
        return f"workbench run params/{self.study}.yaml" + self._suffix(" --period {}")

    def __str__(self) -> str:
        return f"study '{self.study}'" + self._suffix(", {}")

    def _suffix(self, form: str) -> str:
        return "" if self.period == ONCE else form.format(self.period)


def months_of(period: str) -> tuple[str, str]:
    """Return the first and the last month of a period, or raise `UserError` where it is none.

    >>> months_of("2018-Q2"), months_of("2018"), months_of("2018-03")
    (('2018-04', '2018-06'), ('2018-01', '2018-12'), ('2018-03', '2018-03'))
    """
    if period == ONCE or not re.match(PERIOD, period):
        raise UserError(f"period '{period}' is none; write a year (2018), a quarter (2018-Q1) or a month (2018-03)")
    year, _, part = period.partition("-")
    if part.startswith("Q"):
        last = 3 * int(part[1])
        return f"{year}-{last - 2:02d}", f"{year}-{last:02d}"
    return (f"{year}-{part}",) * 2 if part else (f"{year}-01", f"{year}-12")


def ends(period: str) -> tuple[str, int]:
    """Return what periods are ordered by: the last month, the shorter of two that end together first; `once` first.

    >>> sorted(["2018", "2018-Q4", "2018-12", "once", "2018-09"], key=ends)
    ['once', '2018-09', '2018-12', '2018-Q4', '2018']
    """
    if period in ("", ONCE):
        return "", 0
    return months_of(period)[1], 12 if len(period) == 4 else 3 if "Q" in period else 1


def before(period: str) -> str:
    """Return the period before one of the same length, '' before `once`.

    >>> before("2018-Q1"), before("2018-03"), before("2018-01"), before("2018")
    ('2017-Q4', '2018-02', '2017-12', '2017')
    """
    if period == ONCE:
        return ""
    year, _, part = period.partition("-")
    if not part:
        return f"{int(year) - 1}"
    mark, number, last = ("Q", int(part[1]), 4) if part[0] == "Q" else ("", int(part), 12)
    year, number = (year, number - 1) if number > 1 else (f"{int(year) - 1}", last)
    return f"{year}-{mark}{number if mark else f'{number:02d}'}"


class _Strict(yaml.SafeLoader):
    """YAML as a person writes it: a key stands once (of two, PyYAML takes the last), a day is text, no aliases."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own name and form
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not read; write the value out", mark)
        return super().compose_node(parent, index)

    def construct_scalar(self, node: yaml.ScalarNode) -> Any:
        value = super().construct_scalar(node)
        if isinstance(value, str) and any("\ud800" <= c <= "\udfff" for c in value):
            problem = "holds half a character (\\ud800 to \\udfff), which no file can hold"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        return value

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: list[str] = []
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"'{key.value}' stands twice", key.start_mark)
            seen.append(key.value)
        return super().construct_mapping(node, deep)


def from_yaml(text: str, where: str) -> Any:
    """Return what a YAML text holds, or raise `UserError` with its place and line."""
    try:
        return yaml.load(text, Loader=_Strict)
    except yaml.YAMLError as e:
        mark = getattr(e, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        raise UserError(f"{where}: not YAML: {line}{getattr(e, 'problem', None) or ' '.join(str(e).split())}") from None
    except RecursionError:
        raise UserError(f"{where}: not YAML: nested too deeply; write it flatter") from None
    except (
        ValueError,
        LookupError,
        AttributeError,
        TypeError,
    ):  # a tag or a number that PyYAML's own readers trip over
        raise UserError(
            f"{where}: not YAML: a value can't be read (a number of thousands of digits?); quote it"
        ) from None


def shown(value: Any) -> str:
    """Return a value a user gave as it may stand in a line: short, however long or deep it is.

    >>> shown("many"), len(shown("x" * 10_000)) < 100
    ("'many'", True)
    """
    try:
        return _SHORT.repr(value)
    except ValueError:  # Python doesn't write whole numbers of more than 4,300 digits
        return "a number of thousands of digits"


_SHORT = reprlib.Repr()
_SHORT.maxstring, _SHORT.maxother, _SHORT.maxlong, _SHORT.maxlevel = 80, 80, 40, 3


class Params(BaseModel):
    """What a step is told: a frozen set of typed values; extras are refused.

    Subclass it in a step's module; the names in the notebook's `parameters` cell are its fields.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    study: str = Field("sample", pattern=r"^[a-z0-9_]+$", description="study whose tables are read and written")
    period: str = Field(ONCE, pattern=PERIOD, description="once, or the period this run belongs to")

    @property
    def key(self) -> Key:
        """Study and period: what the step's tables, runs and pages belong to."""
        return Key(self.study, self.period)

    @classmethod
    def of(cls, namespace: Mapping[str, Any]) -> Self:
        """Return the parameters that stand in a notebook's namespace (call it with `globals()`)."""
        return cls.checked({k: namespace[k] for k in cls.model_fields if k in namespace})

    @classmethod
    def checked(cls, values: Mapping[str, Any], where: str = "parameters") -> Self:
        """Return the parameters, or raise `UserError` with one line: what, where, what to do."""
        for name in values:
            if name not in cls.model_fields:
                raise UserError(f"{where}: unknown parameter '{name}'; {nearest(name, cls.model_fields)}")
        try:
            return cls(**values)
        except ValidationError as e:
            first = e.errors()[0]
            name = ".".join(str(part) for part in first["loc"]) or "values"
            raise UserError(f"{where}: '{name}' = {shown(first['input'])}: {why(first)}") from None

    @field_validator("seed", check_fields=False)
    @classmethod
    def _seed_in_range(cls, seed: int) -> int:
        """Every step's `seed`, wherever it is declared."""
        if seed > HIGHEST_SEED:
            raise ValueError(f"a seed is at most {HIGHEST_SEED}")
        return seed

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Of `yes` and `true` pydantic makes 1."""
        if isinstance(value, bool) and cls.model_fields[str(info.field_name)].annotation in (int, float):
            raise ValueError("write a number; YAML reads yes, no, true and false as true or false")
        return value

    @field_validator("*")
    @classmethod
    def _within_reason(cls, value: Any) -> Any:
        """No field means a number beyond these; the engine and pandas trip over it."""
        if isinstance(value, int | float) and not -LARGEST <= value <= LARGEST:
            raise ValueError(f"a number here is at most {LARGEST:,}")
        return value

    @field_validator("today", check_fields=False)
    @classmethod
    def _today_is_a_day(cls, text: str) -> str:
        if text >= f"{NO_DAY}-01-01":
            raise ValueError(f"{text!r} is no day that anybody has seen; write today's, or leave it empty")
        return day(text)

    def verify(self) -> None:
        """Raise `UserError` for what the type of a value can't show; asked before the first kernel starts."""

    def digest(self) -> str:
        """Return the SHA-256 of the parameters' canonical JSON (hex, 64 characters)."""
        return hashlib.sha256(canonical(self.model_dump(mode="json"))).hexdigest()


def why(error: ErrorDetails) -> str:
    """Return what to write in place of a value that pydantic refuses; what it says itself where we know no better."""
    kind, given, limits = error["type"], error["input"], error.get("ctx", {})
    if kind == "string_pattern_mismatch" and (form := _form(limits["pattern"])):
        return f"write {form}"
    if kind == "string_type" and isinstance(given, int | float):
        return "write it in quotes"
    if kind in ("string_too_short", "string_too_long"):
        n = limits["min_length" if kind == "string_too_short" else "max_length"]
        bound = "or more" if kind == "string_too_short" else "at most"
        return f"write {n} {'character' if n == 1 else 'characters'} {bound}"
    if kind == "too_short":
        return f"name at least {'one' if limits['min_length'] == 1 else limits['min_length']}"
    if kind in ("float_type", "float_parsing"):
        return f"write a number, {_meant(given) or 'such as 0.3'}"
    limits = {k: int(v) if isinstance(v, float) and v.is_integer() else v for k, v in limits.items()}
    return _WANTED[kind].format(**limits) if kind in _WANTED else error["msg"].removeprefix("Value error, ")


def mistake(e: ValidationError, model: type[BaseModel]) -> tuple[str, str]:
    """Return where the first mistake in a file stands (`a.b.c`, empty: the whole) and what to write there.

    A name that nobody knows comes before one that is missing: it is that one, misspelt.
    """
    first = min(e.errors(), key=lambda error: error["type"] != "extra_forbidden")
    place = [part for part in first["loc"] if part != "[key]"]
    where = ".".join(" ".join(str(part)[:80].split()) for part in place)
    if first["type"] != "extra_forbidden":
        return where, why(first)
    return where, f"unknown; {nearest(str(place[-1]), _fields(model, place[:-1]))}"


def _fields(model: type[BaseModel], place: Iterable[Any]) -> list[str]:
    """Return the names that a file may hold at a place, where it is that of another model; else none."""
    for part in place:
        inside = model.model_fields[part].annotation if part in model.model_fields else None
        while inside is not None and not (isinstance(inside, type) and issubclass(inside, BaseModel)):
            inside = next((a for a in get_args(inside)[::-1] if a not in (type(None), ...)), None)
        model = inside or model
    return list(model.model_fields)


def _form(pattern: str) -> str:
    """Return what a text of a pattern is; of a choice of plain words, those.

    >>> _form("^(logistic|boosted|both)$"), _form("^C[123]$")
    ('logistic, boosted or both', 'C1, C2 or C3')
    """
    if choice := re.fullmatch(r"\^\((\w+(?:\|\w+)+)\)\$", pattern):
        words = choice[1].split("|")
    elif choice := re.fullmatch(r"\^(\w+)\[(\w+)\]\$", pattern):
        words = [choice[1] + last for last in choice[2]]
    else:
        return next((words for part, words in _FORMS if part in pattern), "")
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _meant(given: Any) -> str:
    """Return the number that a text of a percentage, or with a decimal comma, means; '' of any other value.

    >>> _meant("30%"), _meant("0,3"), _meant("many")
    ('0.3', '0.3', '')
    """
    parts = re.fullmatch(r"\s*(\d{1,9})(?:[.,](\d{1,9}))?\s*([%％]?)\s*", given) if isinstance(given, str) else None
    return f"{float(f'{parts[1]}.{parts[2] or 0}') / (100 if parts[3] else 1):g}" if parts else ""


def canonical(value: Any) -> bytes:
    """Return JSON bytes that are the same for the same content: sorted keys, no spaces.

    >>> canonical({"b": 1, "a": [1.0, None]})
    b'{"a":[1.0,null],"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
