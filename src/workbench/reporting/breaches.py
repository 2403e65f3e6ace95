"""What broke which threshold, since when, whose it is, what is to be done; and which answers changed since before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from workbench.evidence import Evidence, Verdict
from workbench.monitoring import alarms
from workbench.params import ONCE
from workbench.registry import titles
from workbench.registry.recorded import Recorded
from workbench.reporting import advice, headlines, packs
from workbench.reporting.headlines import Headline
from workbench.words import Text, say
from workbench.words.names import words_of

Runs = Mapping[str, Recorded]
Chapter = tuple[Evidence, list[Headline]]


@dataclass(frozen=True)
class Breach:
    """One light that is red, amber or an error: step, period and answer it stands in, and since when it is lit.

    `responsible` is the study's owner; `orders` is who does what, as the step's own alarms say.
    """

    step: str
    period: str
    responsible: str
    answer: Evidence
    since: str
    orders: tuple[Mapping[str, str], ...] = ()

    @property
    def place(self) -> str:
        """Step and key, by which the same breach is known again in another period."""
        return f"{self.step}: {self.answer.key}"

    @property
    def where(self) -> Text:
        """Step and answer, as a page calls them."""
        return called(self.step, self.answer.key)

    @property
    def owner(self) -> str:
        """Whose it is: as the step's own alarms say, else the study's."""
        return ", ".join(dict.fromkeys(o["owner"] for o in self.orders)) or self.responsible

    @property
    def action(self) -> Text:
        """What is to be done: as the step's own alarms say, else what the step's light asks."""
        if actions := [say(a) for a in dict.fromkeys(o["action"] for o in self.orders)]:
            return say("{actions}", actions=actions)
        return advice.what_to_do(self.step, str(self.answer.verdict))


def called(step: str, key: str) -> Text:
    """Return an answer of a step as a page calls both."""
    return say("{step}: {answer}", step=titles.of_step(step), answer=say(words_of(key)))


def broken(runs: Runs, since: Mapping[str, str], of_pack: Iterable[Breach] = ()) -> list[Breach]:
    """Return every breach, worst first, those of the period before those of the study as a whole.

    `since`: where (in English, or as step and key) → since when, as the pack of the period before has it; `of_pack`:
    those of the pack's own chapters.
    """
    out = list(of_pack)
    for run in runs.values():
        orders, r = _orders(run), run.record
        for answer in packs.single(run.evidence.values()):
            place, where = f"{r.step}: {answer.key}", called(r.step, answer.key).in_language("en")
            theirs = orders.get(answer.key, ()) if answer.verdict is Verdict.red else ()
            lit = _since(r.period, answer, since.get(where) or since.get(place, ""))
            out.append(Breach(r.step, r.period, r.owner, answer, lit, tuple(theirs)))
    return sorted(out, key=lambda b: (b.answer.verdict.rank, b.period == ONCE, b.place))


def of_chapters(step: str, period: str, owner: str, answers: Iterable[Evidence]) -> list[Breach]:
    """Return the breaches of a pack's own chapters, which no other step has."""
    return [Breach(step, period, owner, e, e.since or period) for e in packs.single(answers)]


def _orders(run: Recorded) -> dict[str, list[Mapping[str, str]]]:
    """Return who does what, by the answer's key, from the table of an answer that sums alarms up."""
    out: dict[str, list[Mapping[str, str]]] = {}
    for summing in (e for e in run.evidence.values() if e.repeats):
        for row in run.rows(summing.key):
            if {"kind", "owner", "action"} <= set(row):
                out.setdefault(alarms.answer_of(row["kind"]), []).append(row)
    return out


def _since(period: str, answer: Evidence, known: str) -> str:
    """Return since when a light is lit: as the answer says, else the pack before, else from this run on.

    A run of no period stands for all of them (`once`): the day on which it ran may lie after the period.
    """
    return answer.since or (period if period == ONCE else known or period)


def chapter(breaches: list[Breach], before: list[Breach] | None) -> Chapter:
    """Return the breaches as a table, and how many there are now and were in the period before (None: not known)."""
    red, amber = _counted(breaches)
    red_before, amber_before = _counted(before) if before is not None else (float("nan"), float("nan"))
    worst = breaches[0].answer.verdict if breaches else Verdict.green
    answer = say("{red:, red lights} and {amber:, amber ones}.", red=red, amber=amber)
    fresh = _only(breaches, before) if before is not None else []
    gone = _only(before, breaches) if before is not None else []
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
    reds = headlines.count("breaches", say("number of red lights"), (red, red_before), meaning, lit)
    reds = replace(reds, sentence=say("{red:, red lights} under breaches", red=red))
    lit = Verdict.amber if amber else Verdict.green
    return e, [reds, headlines.count("ambers", say("number of amber lights"), (amber, amber_before), look, lit)]


def _only(these: list[Breach], those: list[Breach]) -> list[Text]:
    """Return the breaches that only the first list has, as a page calls them."""
    others = {b.place for b in those}
    return [b.where for _, b in sorted({b.place: b for b in these if b.place not in others}.items())]


def _meaning(worst: Breach) -> Text:
    return say("the worst: {answer}", answer=Text(worst.answer.answer.parts[:1]))


def _counted(breaches: list[Breach]) -> tuple[int, int]:
    amber = sum(b.answer.verdict is Verdict.amber for b in breaches)
    return len(breaches) - amber, amber


def _row(b: Breach) -> dict[str, object]:
    return {
        "light": str(b.answer.verdict),
        "where": b.where,
        "what": b.answer.answer,
        "threshold": b.answer.threshold,
        "since": say("no period") if b.since == ONCE else b.since,
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
        (called(step, key), now, previous[step].evidence[key])
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
