"""Kinds of models are found: each estimator of this room declares its KIND at the class; there is no list to edit."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

from workbench.contracts import Outcome
from workbench.params import UserError
from workbench.words import Text, say


@dataclass(frozen=True)
class Kind:
    """What an estimator is called, how complex it is, which outcomes it fits, and what is tried when it is tuned.

    `rank` orders the kinds from simple to complex; `fits` are kinds of outcome (binary, amount, rate, time); `settings`
    are constructor arguments, the preferred ones first: a later one must be better to be taken. `reasons`: of every
    setting that isn't tuned, why it is what it is, by name.
    """

    name: str
    rank: int
    fits: tuple[str, ...]
    settings: tuple[Mapping[str, Any], ...] = field(default=({},))
    reasons: Mapping[str, Text] = field(default_factory=dict)


@cache
def kinds() -> dict[str, type]:
    """Return every estimator class of this room by the name of its kind, from simple to complex."""
    package, classes = __name__.rpartition(".")[0], []
    for module in pkgutil.iter_modules(import_module(package).__path__, f"{package}."):
        members = vars(import_module(module.name)).values()
        classes += [c for c in members if isinstance(c, type) and c.__module__ == module.name and "KIND" in vars(c)]
    return {c.KIND.name: c for c in sorted(classes, key=lambda c: (c.KIND.rank, c.KIND.name))}


def fitting(outcome: Outcome) -> dict[str, type]:
    """Return the kinds that fit an outcome, from simple to complex; `UserError` where there is none."""
    fit = {name: c for name, c in kinds().items() if outcome.scale in c.KIND.fits}
    if not fit:
        known = sorted({k for c in kinds().values() for k in c.KIND.fits})
        raise UserError(
            f"models/development: no kind of model fits outcome '{outcome.name}' of kind {outcome.kind}; "
            f"there are models for {', '.join(known)}"
        )
    return fit


def by_outcome() -> dict[str, list[str]]:
    """Return the names of the kinds that can be learnt, from simple to complex, by the outcomes they fit."""
    names: dict[str, list[str]] = {}
    for name, c in kinds().items():
        if c.KIND.fits:  # one that is taken in from elsewhere is learnt by nobody here
            names.setdefault(" or ".join(c.KIND.fits), []).append(name)
    return names


def settings_of(kind: type, **given: Any) -> list[Any]:
    """Return one unfitted estimator per setting of a kind; of `given`, each gets what its constructor names."""
    accepted = inspect.signature(kind).parameters
    shared = {name: value for name, value in given.items() if name in accepted}
    return [kind(**{**shared, **setting}) for setting in kind.KIND.settings]


def edges(kind: type, estimator: Any) -> list[Text]:
    """Return the settings of an estimator that are the least or the most of what its kind tries."""
    out, tried = [], kind.KIND.settings
    for name in {n: None for setting in tried for n in setting}:
        values, value = sorted({s[name] for s in tried if name in s}), getattr(estimator, name)
        if len(values) > 1 and value in (values[0], values[-1]):
            end = say("the least") if value == values[0] else say("the most")
            out.append(say("{name} {value:g}, {end} that was tried", name=name, value=value, end=end))
    return out


def fixed(kind: type) -> dict[str, Any]:
    """Return the plain settings of a kind that are not tuned, with their values; the seed and what data give apart."""
    tuned = {n for setting in kind.KIND.settings for n in setting}
    apart = tuned | {"seed", "bounded"}
    plain = {n: p.default for n, p in inspect.signature(kind).parameters.items()}
    return {n: v for n, v in plain.items() if n not in apart and isinstance(v, int | float | str)}


def named(kind: str) -> Text:
    """Return the name of a kind as a page says it: `boosted regression`."""
    return say(kind.replace("_", " "))
