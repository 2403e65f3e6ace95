"""One answered question: facts apart from words, a verdict, and what it rests on."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from workbench.evidence import card, lights, table
from workbench.evidence.picture import Picture
from workbench.evidence.sight import Sight
from workbench.rules import Threshold
from workbench.words import Text, say

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from workbench.evidence.disclosure import People


class Verdict(StrEnum):
    """Traffic lights, worst first; `info` is a fact without a threshold."""

    error = "error"
    red = "red"
    amber = "amber"
    not_evaluated = "not_evaluated"
    green = "green"
    info = "info"

    @property
    def rank(self) -> int:
        """0 is worst, so that sorting by rank puts bad news first."""
        return list(Verdict).index(self)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One answered question.

    `key` names it within the step. `question`, `answer`, `threshold` and `blind_to` are `Text`s (a plain string becomes
    one): sentences whose numbers are named facts. `value` is the one number or word that speaks for the answer,
    `threshold` says when the light changes and whose threshold it is, `blind_to` what the answer can't see, `source`
    names the paper or standard. `table` and `figure` are what the answer rests on, `made_from` the digests of its data.
    `since` is the period since which a light has been standing, empty where it is news; `repeats` names the keys of
    answers whose news this one sums up: they are told, it is not. `sight` says what a test's light rests on.
    `people` says what in the table counts people: small groups are hidden before anybody sees it.
    """

    key: str
    question: Text | str
    verdict: Verdict
    answer: Text | str
    value: float | str | None = None
    threshold: Text | str = ""
    blind_to: Text | str = ""
    source: str = ""
    table: DataFrame | None = None
    figure: Picture | Figure | None = None
    made_from: Mapping[str, str] = field(default_factory=dict)
    since: str = ""
    repeats: tuple[str, ...] = ()
    sight: Sight | None = None
    people: People | None = None

    def __post_init__(self) -> None:
        if self.people and self.table is not None:
            object.__setattr__(self, "table", self.people.published(self.table))
        object.__setattr__(self, "verdict", Verdict(self.verdict))
        for name in ("question", "answer", "threshold", "blind_to"):
            given = getattr(self, name)
            if isinstance(given, str):
                object.__setattr__(self, name, say(given) if given else Text())
        if isinstance(self.value, float) and not math.isfinite(self.value):
            object.__setattr__(self, "value", None)
        elif hasattr(self.value, "item"):
            object.__setattr__(self, "value", self.value.item())

    @property
    def facts(self) -> dict[str, Any]:
        """Return the named facts of the answer, plain numbers and short texts."""
        return self.answer.facts

    def record(self) -> dict[str, Any]:
        """Return what fits in JSON: everything but table and figure; `texts` hold the sentences with their facts."""
        texts = {n: getattr(self, n) for n in ("question", "answer", "threshold", "blind_to")}
        return {
            "key": self.key,
            "verdict": str(self.verdict),
            "value": self.value,
            **{n: t.in_language("en") for n, t in texts.items()},
            "source": self.source,
            "texts": {n: t.to_json() for n, t in texts.items()},
            "made_from": dict(self.made_from),
            **({"since": self.since} if self.since else {}),
            **({"repeats": list(self.repeats)} if self.repeats else {}),
            **({"sight": self.sight.record()} if self.sight else {}),
        }

    @classmethod
    def from_record(cls, content: Mapping[str, Any]) -> Evidence:
        """Return the evidence of a record; one without table and picture (evidence.json) has none."""
        texts = {name: Text.from_json(parts) for name, parts in content["texts"].items()}
        plain = {name: content[name] for name in ("key", "verdict", "value", "source", "made_from")}
        plain |= {"since": content.get("since", ""), "repeats": tuple(content.get("repeats", ()))}
        drawn, rows, seen = (content.get(name) for name in ("picture", "table", "sight"))
        return cls(
            **plain,
            **texts,
            table=table.from_json(rows) if rows else None,
            figure=Picture.from_json(drawn) if drawn else None,
            sight=Sight.from_record(seen) if seen else None,
        )

    def _repr_html_(self) -> str:
        """The card a notebook shows; everything that may come from data is escaped."""
        return card.html_card(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """Return what a notebook keeps: the card in the language now spoken, and the whole record for the others."""
        return {"text/plain": str(self.answer), "text/html": self._repr_html_(), card.MIME: card.record(self)}


def label(verdict: Verdict) -> str:
    """Return the word shown beside a light, for readers who don't see colours."""
    return str(lights.in_words(verdict))


def worst_first(items: Iterable[Evidence]) -> list[Evidence]:
    """Return the evidence with the bad news on top; order within a light is kept."""
    return sorted(items, key=lambda e: e.verdict.rank)


def worst(items: Iterable[Evidence]) -> Verdict:
    """Return the worst verdict, `info` where there is none."""
    return min((e.verdict for e in items), key=lambda v: v.rank, default=Verdict.info)


def light(value: float, amber: float, red: float, *, high_is_bad: bool = True) -> Verdict:
    """Return green, amber or red for a value against two thresholds; NaN is `not_evaluated`.

    >>> light(0.12, amber=0.10, red=0.25), light(0.7, amber=0.75, red=0.65, high_is_bad=False)
    (<Verdict.amber: 'amber'>, <Verdict.amber: 'amber'>)
    """
    if not math.isfinite(value):
        return Verdict.not_evaluated
    if not high_is_bad:
        value, amber, red = -value, -amber, -red
    return Verdict.red if value >= red else Verdict.amber if value >= amber else Verdict.green


def judged(value: float, rule: Threshold) -> Verdict:
    """Return the light of a value by a rule, whichever way is worse; NaN is `not_evaluated`."""
    return light(value, rule.amber, rule.red, high_is_bad=rule.worse == "higher")


def summary(items: Iterable[Evidence]) -> Evidence:
    """Return all evidence as one card, worst first: verdict, key, answer, threshold and source of each."""
    import pandas as pd

    items, columns = worst_first(items), ["verdict", "key", "answer", "threshold", "source"]
    lights = Counter(str(e.verdict).replace("_", " ") for e in items)
    counts = [say("{n:,} {light}", n=n, light=say(name)) for name, n in lights.items()]
    return Evidence(
        key="summary",
        question=say("What was found?"),
        verdict=worst(items),
        answer=say("{n: answers}: {lights}.", n=len(items), lights=counts),
        value=len(items),
        table=pd.DataFrame([{c: getattr(e, c) for c in columns} for e in items], columns=columns, dtype=object),
    )
