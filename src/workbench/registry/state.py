"""Where every version stands: the chain replayed, event by event."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from workbench.registry import events, lifecycle
from workbench.registry.events import POLICY, Chain, Event


@dataclass(frozen=True)
class Standing:
    """One version: its state, since when and by which event; days are `YYYY-MM-DD`, empty where there is none.

    `files`: the digest that was submitted. `approved_by`: who has approved since the validation began. `plan`: the
    event that signed its validation plan, `planned` when (UTC). `reproduced`: what making it again came to.
    """

    model: str
    version: str
    state: str = lifecycle.CANDIDATE
    event: int = 0
    files: str = ""
    developers: tuple[str, ...] = ()
    approved_by: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    until: str = ""
    champion_since: str = ""
    reviewed: str = ""
    plan: int = 0
    planned: str = ""
    reproduced: str = ""

    @property
    def is_in_use(self) -> bool:
        """Say whether the version decides."""
        return self.state in lifecycle.IN_USE


@dataclass
class Book:
    """Every version that a move has touched, by model and version."""

    standings: dict[tuple[str, str], Standing] = field(default_factory=dict)

    def of(self, model: str, version: str) -> Standing:
        """Return where a version stands: a candidate where nobody has moved it."""
        return self.standings.get((model, version), Standing(model, version))

    def champion(self, model: str) -> Standing | None:
        """Return the version of a model that decides, if any."""
        return next((s for s in self.standings.values() if s.model == model and s.is_in_use), None)

    def challenger(self, model: str) -> Standing | None:
        """Return the version approved last that isn't champion, if any."""
        ready = [s for s in self.standings.values() if s.model == model and s.state in lifecycle.READY]
        return max(ready, key=lambda s: s.event, default=None)

    def apply(self, e: Event) -> None:
        """Let an event change where its version stands, and the champion it replaces."""
        if e.verb == POLICY or e.verb in lifecycle.ON_DATA:
            return
        before = self.champion(e.model)
        if e.target == lifecycle.CHAMPION and before and before.version != e.version:
            retired = replace(before, state=lifecycle.RETIRED, event=e.seq, champion_since="", reviewed="")
            self.standings[e.model, before.version] = retired
        self.standings[e.model, e.version] = _moved(self.of(e.model, e.version), e)


def replay(events: Chain | Iterable[Event]) -> Book:
    """Return where every version stands after these events."""
    book = Book()
    for e in events.events if isinstance(events, Chain) else events:
        book.apply(e)
    return book


def barred() -> dict[tuple[str, str], Standing]:
    """Return by model and version those that may not be used: rejected, or retired from use."""
    return {v: s for v, s in replay(events.read()).standings.items() if s.state in lifecycle.BARRED}


def _moved(s: Standing, e: Event) -> Standing:
    if e.verb in _ON_RECORD:
        return _ON_RECORD[e.verb](s, e)
    day, details = e.at[:10], e.details
    s = replace(s, state=e.target, event=e.seq, files=s.files or e.files)
    if e.verb == "submit":
        developers = tuple(sorted({*s.developers, e.person}))
        afresh = {"plan": 0, "planned": "", "reproduced": ""}
        return replace(s, files=e.files, developers=developers, approved_by=(), conditions=(), until="", **afresh)
    if e.verb in ("validate", "reject"):
        return replace(s, approved_by=(), conditions=(), until="")
    if e.verb in ("approve", "confirm"):
        conditions = tuple(dict.fromkeys((*s.conditions, *details.get("conditions", []))))
        s = replace(s, approved_by=tuple(sorted({*s.approved_by, e.person})), conditions=conditions)
    if e.target == lifecycle.CHAMPION:
        return replace(s, champion_since=s.champion_since or day, reviewed=day)
    if e.verb == "exempt":
        return replace(s, until=str(details.get("until", "")))
    return replace(s, champion_since="", reviewed="") if e.verb == "retire" else s


def _met(s: Standing, e: Event) -> Standing:
    return replace(s, conditions=tuple(c for c in s.conditions if c != e.details.get("condition")))


_ON_RECORD: Mapping[str, Callable[[Standing, Event], Standing]] = {  # a version stands where it stood after these
    "plan": lambda s, e: replace(s, plan=e.seq, planned=e.at),
    "reproduce": lambda s, e: replace(s, reproduced=str(e.details.get("verdict", ""))),
    "finding": lambda s, e: s,
    "close": lambda s, e: s,
    "meet": _met,
}


def next_review(reviewed: str, months: int) -> str:
    """Return the day of the next review: so many months after a day, or that month's last day.

    >>> next_review("2026-08-31", 6), next_review("", 6)
    ('2027-02-28', '')
    """
    if not reviewed:
        return ""
    year, month, day = map(int, reviewed.split("-"))
    year, month = year + (month + months - 1) // 12, (month + months - 1) % 12 + 1
    first_after = date(year + month // 12, month % 12 + 1, 1)
    last = date.fromordinal(first_after.toordinal() - 1).day
    return date(year, month, min(day, last)).isoformat()
