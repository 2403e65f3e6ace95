"""Parameters in: frozen, typed, ranges checked; an unknown name is refused with the nearest right one."""

from __future__ import annotations

import difflib
import hashlib
import json
import reprlib
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated, Any, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

MONTH = r"^\d{4}-(0[1-9]|1[0-2])$"


LISTED = 40  # names in a hint


class UserError(Exception):
    """What a user can cause and mend: one line that says what was wrong, where, and what to do."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint naming the closest known name, or all of them where none is close.

    >>> nearest("sede", ["seed", "study"])
    "did you mean 'seed'?"
    """
    known = sorted(known)
    if close := difflib.get_close_matches(name, known, n=1, cutoff=0.5):
        return f"did you mean '{close[0]}'?"
    more = f" and {len(known) - LISTED} more" if len(known) > LISTED else ""
    return f"known: {', '.join(known[:LISTED])}{more}"


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


Day = Annotated[str, AfterValidator(day)]
HIGHEST_SEED = 2**32 - 1  # numpy's generators of old, and with them scikit-learn, take no more


class _Strict(yaml.SafeLoader):
    """YAML as a person writes it: a key stands once (of two, PyYAML takes the last), a day is text, no aliases."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own name and form
        first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not read; write the value out", mark)
        return super().compose_node(parent, index)

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
            raise UserError(
                f"{where}: '{name}' = {shown(first['input'])}: {first['msg'].removeprefix('Value error, ')}"
            ) from None

    @field_validator("seed", check_fields=False)
    @classmethod
    def _seed_in_range(cls, seed: int) -> int:
        """Every step's `seed`, wherever it is declared."""
        if seed > HIGHEST_SEED:
            raise ValueError(f"a seed is at most {HIGHEST_SEED}")
        return seed

    @field_validator("today", check_fields=False)
    @classmethod
    def _today_is_a_day(cls, text: str) -> str:
        return day(text)

    def verify(self) -> None:
        """Raise `UserError` for what the type of a value can't show; asked before the first kernel starts."""

    def digest(self) -> str:
        """Return the SHA-256 of the parameters' canonical JSON (hex, 64 characters)."""
        return hashlib.sha256(canonical(self.model_dump(mode="json"))).hexdigest()


def canonical(value: Any) -> bytes:
    """Return JSON bytes that are the same for the same content: sorted keys, no spaces.

    >>> canonical({"b": 1, "a": [1.0, None]})
    b'{"a":[1.0,null],"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
