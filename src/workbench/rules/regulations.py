"""The register of regulations: what each rule is called, whether it is in force, what it asks, and what answers it.

Facts are data (`register/regulations.yaml`), each with the day on which its source was read. A citation of a rule that
was rescinded is found by the words with which it is cited.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from workbench.params import Day, UserError, from_yaml, nearest
from workbench.words import Text, say
from workbench.words.pair import Pair

FILE = Path(__file__).parent / "register" / "regulations.yaml"
Status = Literal["in force", "adopted", "rescinded", "study"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Demand(_Strict):
    """What a rule asks, and where it is answered: `document:NAME#KEY`, `module:NAME` or `page:FILE`."""

    what: Pair
    at: str = Field(pattern=r"^(document:[a-z_]+#[a-z_]+|module:[a-z_.]+|page:[\w./-]+)$")


class Regulation(_Strict):
    """One rule; `effective` and `ended` are days, empty where they are not known or there is none."""

    title: Pair
    authority: Pair
    status: Status
    effective: Day = ""
    ended: Day = ""
    superseded_by: str = ""
    source: Pair
    read_on: Day
    confirmed: bool = True
    note: Pair = Pair()
    cited_as: tuple[str, ...] = ()
    asks: tuple[Demand, ...] = ()

    @model_validator(mode="after")
    def _ended_where_rescinded(self) -> Regulation:
        if (self.status == "rescinded") != bool(self.ended):
            raise ValueError("a rescinded rule has the day on which it ended, and no other has one")
        return self

    def is_cited(self, words: str) -> bool:
        """Say whether a source or a reference names this rule."""
        return any(name in words for name in self.cited_as)


@cache
def register() -> Mapping[str, Regulation]:
    """Return every rule by its id; `UserError` names the place of the first mistake in the file."""
    try:
        rules = {n: Regulation.model_validate(r) for n, r in from_yaml(FILE.read_text("utf-8"), FILE.name).items()}
    except ValidationError as e:
        first = e.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UserError(f"{FILE.name}: {place}: {first['msg'].removeprefix('Value error, ')}") from None
    for name, rule in rules.items():
        if rule.superseded_by and rule.superseded_by not in rules:
            raise UserError(f"{FILE.name}: {name}.superseded_by: {nearest(rule.superseded_by, rules)}")
    return rules


def cited(sources: Iterable[str]) -> dict[str, Regulation]:
    """Return the rules that these sources and references name, by id, in the order of the register."""
    words = tuple(sources)
    return {name: rule for name, rule in register().items() if any(rule.is_cited(w) for w in words)}


def rescinded(sources: Iterable[str]) -> list[Text]:
    """Return a sentence for each rule that these sources name and that is no longer in force.

    >>> [str(t) for t in rescinded(["SR 11-7, section V", "Cox (1958)"])]
    ['Cites Guidance on model risk management (SR 11-7; OCC 2011-12), rescinded on 2026-04-17.']
    """
    return [
        say("Cites {rule}, rescinded on {day}.", rule=str(rule.title), day=rule.ended)
        for rule in cited(sources).values()
        if rule.status == "rescinded"
    ]
