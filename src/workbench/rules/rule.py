"""One rule: what is measured, in which unit, whose it is, and its values by the day from which they hold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from workbench.words import Text, say

Worse = Literal["higher", "lower"]
Action = Literal["watch", "look into the data", "re-calibrate", "re-fit", "re-develop", "withdraw"]
BETWEEN_0_AND_1 = ("0-1", "AUC", "R²", "Gini")  # units whose values end at 1


class Levels(BaseModel):
    """The two levels of a threshold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    amber: float = Field(ge=0, allow_inf_nan=False)
    red: float = Field(ge=0, allow_inf_nan=False)


class Actions(BaseModel):
    """What the owner does at each light."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    amber: Action = "watch"
    red: Action = "re-fit"


class Rule(BaseModel):
    """A rule as its file holds it; `values` are a pair of levels (a threshold) or one number from a day on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    description: str
    unit: str
    owner: str
    reference: str
    worse: Worse = Field("higher", description="which way is worse")
    actions: Actions = Field(Actions(), description="what the owner does where monitoring shows amber, or red")
    values: dict[date, Levels | float] = Field(min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> Rule:
        for day, value in self.values.items():
            if isinstance(value, Levels):
                if is_reversed(value.amber, value.red, self.worse):
                    raise ValueError(f"{day}: {in_words(value.amber, value.red, self.worse)}")
            elif not math.isfinite(value):
                raise ValueError(f"{day}: not a number")
            levels = (value.amber, value.red) if isinstance(value, Levels) else (value,)
            if wrong := next(filter(None, (beyond(level, self.unit) for level in levels)), ""):
                raise ValueError(f"{day}: {wrong}")
        return self

    def on(self, day: date) -> tuple[date, Levels | float] | None:
        """Return the value that holds on a day and since when; None before the first."""
        begun = [d for d in self.values if d <= day]
        return (max(begun), self.values[max(begun)]) if begun else None


@dataclass(frozen=True)
class Threshold:
    """Levels as of a date, with whose they are; `instead_of` holds the rule's own where a study names others."""

    name: str
    amber: float
    red: float
    worse: Worse
    description: str
    reference: str
    owner: str
    since: date
    actions: Actions
    instead_of: tuple[float, float] | None = None

    @property
    def text(self) -> Text:
        """Say the levels, what they are of, and whose they are; that a study stands above the rule is said."""
        levels = {"amber": self.amber, "red": self.red, "what": say(self.description)}
        levels_in_words = (
            say("{what}: amber from {amber:g}, red from {red:g}", **levels)
            if self.worse == "higher"
            else say("{what}: amber below {amber:g}, red below {red:g}", **levels)
        )
        if self.instead_of is None:
            whose = say("{reference}, since {since}", reference=say(self.reference), since=f"{self.since}")
        else:
            ruled = {"rule_amber": self.instead_of[0], "rule_red": self.instead_of[1]}
            whose = say("the study's; the rule has {rule_amber:g} and {rule_red:g}", **ruled)
        return say("{levels} ({whose}).", levels=levels_in_words, whose=whose)


def beyond(value: float, unit: str) -> str:
    """Say why a level can't be one of its unit; empty where it can.

    A p-value of 0 or less would never light anything, one of 1 everything: such a level is a switch, not a threshold.

    >>> beyond(0.0, "probability"), beyond(0.05, "probability"), beyond(1.2, "0-1")
    ('0 is no probability between 0 and 1', '', '1.2 is not between 0 and 1')
    """
    if unit == "probability" and not 0 < value < 1:
        return f"{value:g} is no probability between 0 and 1"
    if unit in BETWEEN_0_AND_1 and not 0 <= value <= 1:
        return f"{value:g} is not between 0 and 1"
    return ""


def is_reversed(amber: float, red: float, worse: str) -> bool:
    """Say whether red would come before amber."""
    return amber > red if worse == "higher" else amber < red


def in_words(amber: float, red: float, worse: str) -> str:
    """Say what is wrong with levels in the wrong order."""
    stands = "below" if worse == "higher" else "above"
    return f"[{amber:g}, {red:g}] is the wrong way round: {worse} is worse, so amber stands {stands} red"
