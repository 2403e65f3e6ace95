"""Parameters in: frozen, typed, ranges checked; an unknown name is refused with the nearest right one."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

MONTH = r"^\d{4}-(0[1-9]|1[0-2])$"


class UserError(Exception):
    """What a user can cause and mend: one line that says what was wrong, where, and what to do."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint naming the closest known name, or all of them where none is close.

    >>> nearest("sede", ["seed", "study"])
    "did you mean 'seed'?"
    """
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(sorted(known))}"


class _Strict(yaml.SafeLoader):
    """YAML in which a key stands once: of two, PyYAML takes the last without a word."""

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
            raise UserError(f"{where}: '{name}' = {first['input']!r}: {first['msg']}") from None

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
