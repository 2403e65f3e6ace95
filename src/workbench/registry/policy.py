"""Who may do what, and how strictly: `params/governance.yaml`, frozen and typed, with the rules in force beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from workbench import home, rules
from workbench.params import UserError, canonical, from_yaml, mistake, nearest
from workbench.registry import signatures

FILE = "params/governance.yaml"
Exposure = Literal["high", "medium", "low"]
Role = Literal["developer", "validator", "approver", "owner", "monitor", "relationship_manager", "data_protection"]
Id = Annotated[str, AfterValidator(signatures.work_id)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$")]
Tier = Annotated[int, Field(ge=1, le=3)]


def _key(text: str) -> str:
    if not signatures.is_key(text):
        raise ValueError("no public key; write the line that `workbench keygen` prints")
    return text


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Person(_Strict):
    """A person by a work id (never a name or an address): roles, and the public key (Base64 of 32 bytes)."""

    roles: tuple[Role, ...] = Field(min_length=1)
    key: Annotated[str, AfterValidator(_key)]


class Model(_Strict):
    """A model as the bank uses it: whose it is, who develops it, how much hangs on it, and why it is tiered so."""

    owner: Id
    developers: tuple[Id, ...] = Field(min_length=1)
    exposure: Exposure
    purpose: str
    justification: str = Field(min_length=10)


class Strictness(_Strict):
    """What a tier asks: approvers, months to the next review, least values of recorded figures.

    `plan`: an approval needs a validation plan that was signed first; `reproduction`: and that somebody made it again.
    """

    approvers: int = Field(ge=1, le=5)
    review_months: int = Field(ge=1, le=60)
    minimum: dict[str, float] = {}
    plan: bool = False
    reproduction: bool = False


class Policy(_Strict):
    """The whole file; every person and purpose a model names is there."""

    people: dict[Id, Person] = {}
    models: dict[Name, Model] = {}
    tiers: dict[Exposure, dict[str, Tier]]
    by_tier: dict[Tier, Strictness]

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        for name, model in self.models.items():
            self._has(f"models.{name}.owner", model.owner, "owner")
            for person in model.developers:
                self._has(f"models.{name}.developers", person, "developer")
            purposes = self.tiers.get(model.exposure, {})
            if model.purpose not in purposes:
                raise ValueError(f"models.{name}.purpose: '{model.purpose}': {nearest(model.purpose, purposes)}")
        for tier in {t for by_purpose in self.tiers.values() for t in by_purpose.values()} - set(self.by_tier):
            raise ValueError(f"by_tier: tier {tier} is missing")
        return self

    @model_validator(mode="after")
    def _keys_differ(self) -> Self:
        by_key: dict[str, str] = {}
        for person, entry in self.people.items():
            if entry.key in by_key:
                raise ValueError(f"people: {by_key[entry.key]} and {person} have one key; each person has their own")
            by_key[entry.key] = person
        return self

    def _has(self, where: str, person: str, role: str) -> None:
        if person not in self.people:
            raise ValueError(f"{where}: nobody is called '{person}'; {nearest(person, self.people)}")
        if role not in self.people[person].roles:
            raise ValueError(f"{where}: {person} has not the role {role}")

    def tier(self, model: str) -> int | None:
        """Return a model's tier by exposure and purpose, None where the model isn't listed."""
        entry = self.models.get(model)
        return self.tiers[entry.exposure][entry.purpose] if entry else None

    def strictness(self, model: str) -> Strictness:
        """Return what a listed model's tier asks."""
        return self.by_tier[self.tier(model) or 1]

    def roles(self, person: str) -> tuple[str, ...]:
        """Return a person's roles; none of somebody unknown."""
        return self.people[person].roles if person in self.people else ()


@dataclass(frozen=True)
class Adopted:
    """A policy together with the values of all rules on a day (`YYYY-MM-DD`): what an approver signs."""

    policy: Policy
    day: str
    rules: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return {"policy": self.policy.model_dump(mode="json"), "day": self.day, "rules": dict(self.rules)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return what was kept; `ValidationError` where it is none."""
        return cls(Policy.model_validate(content["policy"]), content["day"], content["rules"])

    @property
    def digest(self) -> str:
        """SHA-256 of the whole (hex)."""
        return hashlib.sha256(canonical(self.to_json())).hexdigest()

    def differences(self, other: Adopted) -> list[str]:
        """Return in words what differs in another, place by place."""
        mine, others = _flat(self.to_json()), _flat(other.to_json())
        names = sorted(n for n in mine.keys() | others.keys() if mine.get(n) != others.get(n) and n != "day")
        return [f"{n.removeprefix('policy.')}: {mine.get(n, 'none')} → {others.get(n, 'none')}" for n in names]


def _flat(content: Any, at: str = "") -> dict[str, Any]:
    if not isinstance(content, dict):
        return {at: content}
    return {n: v for k, part in content.items() for n, v in _flat(part, f"{at}.{k}" if at else str(k)).items()}


def load() -> Policy:
    """Return the checked policy, or raise `UserError` with one line: what, where, what to do."""
    path = home.root() / FILE
    if not path.exists():
        raise UserError(f"{FILE} is not there; docs/governance.md shows one")
    try:
        return _checked(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise UserError(f"{FILE}: not UTF-8; save it as UTF-8") from None
    except ValidationError as e:
        where, words = mistake(e, Policy)
        raise UserError(f"{FILE}: {where}{': ' if where else ''}{words}") from None


@lru_cache(maxsize=8)
def _checked(text: str) -> Policy:
    """Return what the file's text says, read again only where it is another: every move asks for it."""
    return Policy.model_validate(from_yaml(text, FILE) or {})


def as_it_stands(day: str) -> Adopted:
    """Return the policy file with the rules in force on a day."""
    in_force = rules.load(day)
    levels = {n: [t.amber, t.red] for n, t in in_force.thresholds.items()}
    return Adopted(load(), day, levels | dict(in_force.numbers))
