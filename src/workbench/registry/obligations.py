"""What is still owed for a model: findings of its validators and conditions of its approvals, with owner and day.

A closed finding leaves a test behind that every later version has to pass: of a figure that runs logged
(`holdout_gini >= 0.45`), or of a light of the battery (`calibration_line is green`, `trends is not red`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from workbench.evidence import Verdict
from workbench.params import UserError, day, nearest
from workbench.registry import claims, recorded
from workbench.registry.claims import Claim
from workbench.registry.current import Record
from workbench.registry.events import Chain, Event, now
from workbench.registry.lifecycle import RETIRED
from workbench.registry.state import replay
from workbench.words import Text, say

if TYPE_CHECKING:
    import pandas as pd

SEVERITIES = ("high", "medium", "low")
FIND, CLOSE = "finding", "close"
OVER = "retired from use"  # the state of what was owed for a version that is retired: no move settles it
COLUMNS = ("number", "model", "version", "what", "text", "owner", "due", "state", "test")
_LIGHT = re.compile(r"([a-z0-9_]+) is (not )?(green|amber|red)")
_CONDITION = re.compile(r"(\d{4}-\d{2}-\d{2}) ([a-z][a-z0-9_-]{1,31}): (\S.*)", re.S)


@dataclass(frozen=True)
class Finding:
    """A finding by the number of the event that raised it; days are `YYYY-MM-DD`, `closed` the event that closed it."""

    number: int
    model: str
    version: str
    severity: str
    text: str
    owner: str
    due: str
    raised: str
    by: str
    evidence: str = ""
    closed: int = 0
    how: str = ""
    test: str = ""

    @property
    def is_open(self) -> bool:
        """Whether nobody has closed it."""
        return not self.closed

    @property
    def is_grave(self) -> bool:
        """Whether it stops an approval: open, and of high severity."""
        return self.is_open and self.severity == SEVERITIES[0]

    @property
    def words(self) -> str:
        """The finding in one line."""
        return self.sentence.in_language("en")

    @property
    def sentence(self) -> Text:
        """The finding in one line, in any language; what its validator wrote of it stays as written."""
        return say(
            "finding {number:s} ({severity}, {owner:s}, due {due:s}): {text:s}",
            number=str(self.number),
            severity=self.severity,
            owner=self.owner,
            due=self.due,
            text=self.text,
        )


@dataclass(frozen=True)
class Condition:
    """A condition of an approval: what, who sees to it, by which day; of one from before that, only the text."""

    text: str
    owner: str = ""
    due: str = ""


def findings(chain: Chain, model: str = "") -> list[Finding]:
    """Return the findings on a model (or on all), in the order in which they were raised."""
    out: dict[int, Finding] = {}
    for e in chain.events:
        if model not in ("", e.model):
            continue
        if e.verb == FIND:
            out[e.seq] = _raised(e)
        elif e.verb == CLOSE and (number := e.details.get("finding")) in out:
            how, test = str(e.details.get("reason", "")), str(e.details.get("test", ""))
            out[number] = replace(out[number], closed=e.seq, how=how, test=test)
    return list(out.values())


def _raised(e: Event) -> Finding:
    d = e.details
    texts = {n: str(d.get(n, "")) for n in ("severity", "owner", "due", "evidence")}
    return Finding(e.seq, e.model, e.version, text=str(d.get("reason", "")), raised=e.at[:10], by=e.person, **texts)


def condition(text: str) -> Condition:
    """Return a condition as it was written: `2027-01-31 d001: calibration by segment`.

    >>> condition("2027-01-31 d001: calibration by segment").owner, condition("six months only").due
    ('d001', '')
    """
    parts = _CONDITION.fullmatch(text)
    return Condition(parts[3], parts[2], parts[1]) if parts else Condition(text)


def is_overdue(due: str, today: str) -> bool:
    """Say whether a day is over; one that nobody set never is."""
    return bool(due) and due < today


def lacking(owner: str, due: str, people: Mapping[str, Any], today: date) -> list[Text]:
    """Return in words what owner and day of something owed lack."""
    if not owner or not due:
        asked = ((owner, say("who sees to it (owner)")), (due, say("by which day (due)")))
        return [words for given, words in asked if not given]
    hint = nearest(owner, people)
    out = [] if owner in people else [say("nobody is called '{person:s}'; {hint}", person=owner, hint=hint)]
    try:
        is_ahead = bool(day(due)) and date.fromisoformat(due) > today
    except ValueError:
        is_ahead = False
    return out if is_ahead else [*out, say("'{day:s}' is no day after today; write YYYY-MM-DD", day=due)]


def fails(test: str, version: Record | None, battery: Record | None) -> Text:
    """Return in words how a version fails a test, empty where it passes; `UserError` where the text is no test."""
    if light := _LIGHT.fullmatch(test):
        return _other_light(light[1], bool(light[2]), light[3], battery)
    tested = claims.tested([_claim(test)], claims.logged(version, battery))[0]
    return Text() if tested.holds else tested.sentence


def _other_light(name: str, negated: bool, light: str, battery: Record | None) -> Text:
    lights = {e["key"]: e["verdict"] for e in recorded.left_behind(battery)["evidence"]} if battery else {}
    if not lights:
        return say("no battery speaks of it")
    if name not in lights:
        return say("the battery has no test '{test:s}'; {hint}", test=name, hint=nearest(name, lights))
    is_judged = lights[name] not in (Verdict.error, Verdict.not_evaluated)  # else nothing says that it isn't so
    holds = is_judged and lights[name] != light if negated else lights[name] == light
    return Text() if holds else say("{test:s} is {light}", test=name, light=lights[name])


def _claim(test: str) -> Claim:
    parts = claims.CLAIM.fullmatch(f"{{{{claim: {test}}}}}")
    if parts is None:
        raise UserError(f"'{test[:80]}' is no test; write `holdout_gini >= 0.45` or `calibration_line is green`")
    return Claim("", parts[1], parts[2], float(parts[3]))


def table(chain: Chain) -> pd.DataFrame:
    """Return the register: a row per finding and per condition of a version that stands under it.

    Columns: number (of the event; 0 for a condition), model, version, what (severity, or condition), text, owner, due,
    state (open, overdue, closed by event N, retired from use), test. Of a retired version nothing is owed.
    """
    import pandas as pd

    today, rows, book = now()[:10], [], replay(chain)
    for f in findings(chain):
        is_over = book.of(f.model, f.version).state == RETIRED
        state = f"closed by event {f.closed}" if f.closed else OVER if is_over else _due(f.due, today)
        rows.append((f.number, f.model, f.version, f.severity, f.text, f.owner, f.due, state, f.test))
    for s in book.standings.values():
        for text in s.conditions if s.state != RETIRED else ():
            c = condition(text)
            rows.append((0, s.model, s.version, "condition", c.text, c.owner, c.due, _due(c.due, today), ""))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _due(due: str, today: str) -> str:
    return "overdue" if is_overdue(due, today) else "open"
