"""What stands behind a light: statistic, counts, what could be seen, how near the limit is, and its two lights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.evidence.lights import in_words
from workbench.words import Text, say

NUMBERS = ("statistic", "n", "events", "least", "value", "limit", "distance")


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What a test's answer rests on, so that a green is known for what it could have seen.

    `statistic` of `n` rows with `events`. `least`: the smallest departure that would have lit it with 80 %, in the unit
    that `power` says in words; None where no formula fits. `value` against `limit`, the nearest level of its rule;
    `distance`: what is left until it, below 0 where it has been passed. `convention` and `significance`: the light by
    how far off a figure is, and by whether that is beyond chance; empty where the test has none of that kind.
    """

    power: Text = field(default_factory=Text)
    statistic: float | None = None
    n: int | None = None
    events: int | None = None
    least: float | None = None
    value: float | None = None
    limit: float | None = None
    distance: float | None = None
    convention: str = ""
    significance: str = ""

    def __post_init__(self) -> None:
        for name in NUMBERS:
            value = getattr(self, name)
            value = value.item() if hasattr(value, "item") else value
            object.__setattr__(self, name, value if value is not None and math.isfinite(value) else None)

    @property
    def differs(self) -> bool:
        """Whether how far off a figure is and whether that is beyond chance give two different lights."""
        return bool(self.convention and self.significance and self.convention != self.significance)

    @property
    def lights(self) -> Text:
        """Say both lights where they differ, and what that means; nothing where they don't."""
        if not self.differs:
            return Text()
        is_far = RANKS.index(self.convention) < RANKS.index(self.significance)
        return say(
            "They differ: by convention {convention}, by significance {significance}; {meaning}.",
            convention=in_words(self.convention),
            significance=in_words(self.significance),
            meaning=say("far enough to matter, not shown to be beyond chance")
            if is_far
            else say("beyond chance, not far enough to matter"),
        )

    @property
    def nearness(self) -> Text:
        """Say how near the nearest limit is; nothing where the test has none."""
        if self.distance is None or self.value is None:
            return Text()
        facts = {"value": self.value, "limit": self.limit, "distance": abs(self.distance)}
        if self.distance > 0:
            return say("{value} against {limit}: {distance} before it.", **facts)
        return say("{value} against {limit}: {distance} beyond it.", **facts)

    def record(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        plain = {name: getattr(self, name) for name in (*NUMBERS, "convention", "significance")}
        return {**plain, "differs": self.differs, "power": self.power.to_json()}

    @classmethod
    def from_record(cls, content: Mapping[str, Any]) -> Sight:
        """Return what `record` wrote."""
        plain = {name: content[name] for name in (*NUMBERS, "convention", "significance")}
        return cls(**plain, power=Text.from_json(content["power"]))


RANKS = ("error", "red", "amber", "not_evaluated", "green", "info")  # worst first, as `Verdict` has them
