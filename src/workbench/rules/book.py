"""All rules as of a date: those the package ships, a home's above them, a study's above both.

The shipped rules are the package's own YAML files, so that an installed workbench has them. A file in a home's
`params/rules/` may hold a rule of the same name: from its first date on it replaces the shipped one whole, with owner
and reference; before, the shipped one holds. A new value is a new date in `values`, never an edit of an old one.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from workbench import home
from workbench.params import UserError, canonical, from_yaml, nearest, why
from workbench.rules.rule import Actions, Levels, Rule, Threshold, beyond, in_words, is_reversed

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

SHIPPED = Path(__file__).parent
_OF_PYDANTIC = ("Levels", "float", "[key]")  # which of several types a value was tried as: no place in a file


@dataclass(frozen=True)
class Rules:
    """The rules in force on a day: `rules["gini"]` is a threshold, `rules.number("tolerated_ambers")` a number.

    `overridden`: what the rules have where a study names its own, by name; a pair of levels or one number. `pending`:
    rules that were not in force yet, with the day of their first value.
    """

    as_of: date
    thresholds: Mapping[str, Threshold]
    numbers: Mapping[str, float]
    overridden: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    pending: Mapping[str, date] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Threshold:
        return self._one(name, self.thresholds)

    def number(self, name: str) -> float:
        """Return a rule that is one number."""
        return self._one(name, self.numbers)

    def _one(self, name: str, by_name: Mapping[str, Any]) -> Any:
        if name in self.pending:
            raise UserError(_without_value(name, self.as_of, self.pending[name]))
        if name not in by_name:
            raise UserError(f"rules: unknown '{name}'; {nearest(name, by_name)}")
        return by_name[name]

    def digest(self) -> str:
        """Return the SHA-256 of all values in force (hex): it changes when a rule does."""
        levels = {n: [t.amber, t.red] for n, t in self.thresholds.items()}
        return hashlib.sha256(canonical({**levels, **self.numbers})).hexdigest()


def load(as_of: str | date = "", overrides: Mapping[str, Any] | None = None, where: str = "rules") -> Rules:
    """Return the rules as of a day (`YYYY-MM-DD`; empty is today), with a study's own values above them.

    overrides: name → [amber, red], or → one number. `UserError` for an unknown name, and for levels that are
    missing, negative, no numbers or the wrong way round; `where` begins its line.
    """
    day = _day(as_of, where)
    rules, thresholds, numbers, ruled = _read(day), {}, {}, {}
    pending = {name: min(rule.values) for name, rule in rules.items() if rule.on(day) is None}
    for name, rule in rules.items():
        if name in pending:
            continue
        since, value = rule.on(day)
        if isinstance(value, Levels):
            thresholds[name] = _threshold(name, rule, value, since)
        else:
            numbers[name] = value
    if not thresholds:
        raise UserError(_without_value(*next((name, day, first) for name, first in pending.items())))
    for name, given in (overrides or {}).items():
        if name not in rules:
            raise UserError(f"{where}: unknown '{name}'; {nearest(name, rules)}")
        if name in pending:
            raise UserError(f"{where}: {_without_value(name, day, pending[name])}")
        if name in thresholds:
            ruled[name] = (thresholds[name].amber, thresholds[name].red)
            thresholds[name] = _named(thresholds[name], given, rules[name].unit, where)
        else:
            ruled[name] = (numbers[name],)
            numbers[name] = _number(name, given, rules[name].unit, where)
    return Rules(day, thresholds, numbers, ruled, pending)


def _day(as_of: str | date, where: str) -> date:
    if not as_of:
        return date.today()
    try:
        return as_of if isinstance(as_of, date) else date.fromisoformat(as_of)
    except ValueError:
        raise UserError(f"{where}: as of '{as_of}': write a day as YYYY-MM-DD") from None


def shipped() -> dict[str, tuple[Rule, Path]]:
    """Return the rules that the package ships, each with its file."""
    return _folder(SHIPPED)


def _read(day: date | None = None) -> dict[str, Rule]:
    """Return every rule by name: a home's where it has one, of a day where it has a value by then."""
    of_package, of_bank = shipped(), _folder(home.root() / "params" / "rules")
    for name, (_, path) in of_bank.items():
        if name not in of_package:
            raise UserError(f"{path.name}: rules: unknown '{name}'; {nearest(name, of_package)}")
    in_force = {n: r for n, r in of_bank.items() if day is None or r[0].on(day) or not of_package[n][0].on(day)}
    return {name: rule for name, (rule, _) in {**of_package, **in_force}.items()}


def _folder(folder: Path) -> dict[str, tuple[Rule, Path]]:
    rules: dict[str, tuple[Rule, Path]] = {}
    for path in sorted(folder.glob("*")):
        if path.suffix != ".yaml":
            if path.suffix.lower() in (".yml", ".yaml"):  # rules meant to hold, which nothing would read
                raise UserError(f"params/rules/{path.name}: a file of rules ends in .yaml; rename it {path.stem}.yaml")
            continue
        for name, rule in _file(path, path.stat().st_mtime_ns).items():
            if name in rules:
                raise UserError(f"{path.name}: rule '{name}' stands in {rules[name][1].name}, too; keep one")
            rules[name] = (rule, path)
    return rules


@lru_cache(maxsize=256)
def _file(path: Path, changed_ns: int) -> dict[str, Rule]:
    """Return the rules in a file, read again only where it has changed: a study asks for them at every step."""
    try:
        content = from_yaml(path.read_text(encoding="utf-8"), path.name) or {}
    except UnicodeDecodeError:
        raise UserError(f"{path.name}: not UTF-8; save it as UTF-8") from None
    if not isinstance(content, dict):
        raise UserError(f"{path.name}: write rules by name: `name: {{...}}`")
    return {name: _checked(name, rule, path) for name, rule in content.items()}


def _checked(name: str, content: Any, path: Path) -> Rule:
    try:
        return Rule.model_validate(content)
    except ValidationError as e:
        first = e.errors()[0]
        loc = [str(part) for part in first["loc"] if part not in _OF_PYDANTIC]
        raise UserError(f"{path.name}: {'.'.join((name, *loc))}: {_mended(first, loc)}") from None


def _mended(error: ErrorDetails, loc: list[str]) -> str:
    """Return what to write instead, in the fields of a rule, its levels or its actions."""
    if error["type"] == "extra_forbidden":
        fields = Rule if len(loc) == 1 else Actions if loc[0] == "actions" else Levels
        return f"unknown; {nearest(loc[-1], fields.model_fields)}"
    if loc[:1] == ["values"] and len(loc) == 2 and error["type"] == "model_type":
        return "write {amber: 0.1, red: 0.25}, or one number"
    return why(error)


def _without_value(name: str, day: date, first: date) -> str:
    return f"rule '{name}' has no value on {day}; its first is of {first}"


def _threshold(name: str, rule: Rule, value: Levels, since: date) -> Threshold:
    words = {"description": rule.description, "reference": rule.reference, "owner": rule.owner, "actions": rule.actions}
    return Threshold(name=name, amber=value.amber, red=value.red, worse=rule.worse, since=since, **words)


def _named(rule: Threshold, given: Any, unit: str, where: str) -> Threshold:
    if not (isinstance(given, list | tuple) and len(given) == 2):
        raise UserError(f"{where}.{rule.name}: write [amber, red]")
    amber, red = (_number(rule.name, v, unit, where) for v in given)
    if is_reversed(amber, red, rule.worse):
        raise UserError(f"{where}.{rule.name}: {in_words(amber, red, rule.worse)}")
    return Threshold(**{**vars(rule), "amber": amber, "red": red, "instead_of": (rule.amber, rule.red)})


def _number(name: str, given: Any, unit: str, where: str) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given) or given < 0:
        raise UserError(f"{where}.{name}: '{given}' is no number of 0 or more")
    if wrong := beyond(float(given), unit):
        raise UserError(f"{where}.{name}: {wrong}")
    return float(given)


def described(name: str) -> Rule:
    """Return a rule whole, with unit, owner, reference and all its dated values; `UserError` for an unknown name."""
    rules = _read()
    if name not in rules:
        raise UserError(f"rules: unknown '{name}'; {nearest(name, rules)}")
    return rules[name]
