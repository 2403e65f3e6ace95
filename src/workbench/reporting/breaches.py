"""What broke which threshold, since when, whose it is, what is to be done; and which answers changed since before."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from workbench.evidence import Evidence, Verdict
from workbench.params import ONCE, PERIOD
from workbench.registry.recorded import Recorded
from workbench.reporting import advice, headlines
from workbench.reporting.headlines import Headline
from workbench.words import Text, say

BROKEN = (Verdict.error, Verdict.red, Verdict.amber)
Runs = Mapping[str, Recorded]
Chapter = tuple[Evidence, list[Headline]]


@dataclass(frozen=True)
class Breach:
    """One light that is red, amber or an error: the run and the answer it stands in, and since when it is lit."""

    run: Recorded
    answer: Evidence
    since: str

    @property
    def place(self) -> str:
        """Step and key, by which the same breach is known again in another period."""
        return f"{self.run.record.step}: {self.answer.key}"

    @property
    def owner(self) -> str:
        """Whose it is: the answer's own, else the study's."""
        return str(self.answer.facts.get("owner") or self.run.record.owner)

    @property
    def action(self) -> Text | str:
        """What is to be done: the answer's own, else what the step's light asks."""
        return self.answer.facts.get("action") or advice.what_to_do(self.run.record.step, str(self.answer.verdict))


def broken(runs: Runs, since: Mapping[str, str]) -> list[Breach]:
    """Return every breach, worst first, those of the period before those of the study as a whole.

    `since`: place → since when, as the pack of the period before has it.
    """
    out = []
    for run in runs.values():
        for answer in run.evidence.values():
            if answer.verdict in BROKEN:
                place = f"{run.record.step}: {answer.key}"
                out.append(Breach(run, answer, _since(run, answer, since.get(place, ""))))
    return sorted(out, key=lambda b: (b.answer.verdict.rank, b.run.record.period == ONCE, b.place))


def _since(run: Recorded, answer: Evidence, known: str) -> str:
    """Return since when a light is lit: as the answer says, else the pack before, else from this run on."""
    if (given := answer.facts.get("since")) or (given := _period(answer.value)):
        return str(given)
    begun = time.strftime("%Y-%m-%d", time.gmtime(run.record.start)) if run.record.period == ONCE else run.record.period
    return known or begun


def _period(value: object) -> str:
    return value if isinstance(value, str) and value != ONCE and re.fullmatch(PERIOD, value) else ""


def chapter(breaches: list[Breach], before: list[Breach] | None) -> Chapter:
    """Return the breaches as a table, and how many there are now and were in the period before (None: not known)."""
    red, amber = _counted(breaches)
    red_before, amber_before = _counted(before) if before is not None else (float("nan"), float("nan"))
    worst = breaches[0].answer.verdict if breaches else Verdict.green
    answer = say("{red:,} red lights and {amber:,} amber ones.", red=red, amber=amber)
    fresh = sorted({b.place for b in breaches} - {b.place for b in before}) if before is not None else []
    gone = sorted({b.place for b in before} - {b.place for b in breaches}) if before is not None else []
    if fresh:
        answer += say("New since the period before: {places}.", places=fresh)
    if gone:
        answer += say("No longer: {places}.", places=gone)
    e = Evidence(
        key="breaches",
        question=say("What broke which threshold?"),
        verdict=worst,
        answer=answer,
        value=red,
        table=pd.DataFrame([_row(b) for b in breaches], dtype=object) if breaches else None,
    )
    meaning = _meaning(breaches[0]) if breaches else say("no threshold is broken")
    lit, look = Verdict.red if red else Verdict.green, say("a person looks before anybody acts on them")
    reds = headlines.count("breaches", say("red lights"), (red, red_before), meaning, lit)
    lit = Verdict.amber if amber else Verdict.green
    return e, [reds, headlines.count("ambers", say("amber lights"), (amber, amber_before), look, lit)]


def _meaning(worst: Breach) -> Text:
    return say("the worst: {question}", question=worst.answer.question)


def _counted(breaches: list[Breach]) -> tuple[int, int]:
    amber = sum(b.answer.verdict is Verdict.amber for b in breaches)
    return len(breaches) - amber, amber


def _row(b: Breach) -> dict[str, object]:
    return {
        "light": str(b.answer.verdict),
        "where": b.place,
        "what": b.answer.answer,
        "threshold": b.answer.threshold,
        "since": b.since,
        "owner": b.owner,
        "action": b.action,
    }


def changes(runs: Runs, previous: Runs) -> Evidence:
    """Return which answers of the period's steps changed their light or value since the period before."""
    rows = list(_changed(runs, previous))
    lights = [row for row in rows if row["light"] != row["light, last period"]]
    if not previous:
        answer = say("Nothing is recorded of the period before.")
    elif not rows:
        answer = say("No answer changed.")
    else:
        answer = say("Changed answers: {n:,}; changed lights: {lights:,}.", n=len(rows), lights=len(lights))
    return Evidence(
        key="changes",
        question=say("What changed since the period before?"),
        verdict=Verdict.info,
        answer=answer,
        value=len(lights),
        blind_to=say("answers that only one of both periods has"),
        table=pd.DataFrame(rows, dtype=object) if rows else None,
    )


def _changed(runs: Runs, previous: Runs) -> Iterator[dict[str, object]]:
    """Yield a row for each answer that differs, those whose light changed on top."""
    pairs = [
        (f"{step}: {key}", now, previous[step].evidence[key])
        for step, run in runs.items()
        for key, now in run.evidence.items()
        if step in previous and key in previous[step].evidence
    ]
    differing = [(p, a, b) for p, a, b in pairs if (a.verdict, a.value) != (b.verdict, b.value)]
    for place, now, before in sorted(differing, key=lambda d: (d[1].verdict == d[2].verdict, d[1].verdict.rank)):
        yield {
            "light": str(now.verdict),
            "where": place,
            "question": now.question,
            "now": _value(now),
            "last period": _value(before),
            "light, last period": str(before.verdict),
        }


def _value(e: Evidence) -> Text | str:
    return "" if e.value is None else say("{value}", value=e.value)
