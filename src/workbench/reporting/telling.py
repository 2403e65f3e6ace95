"""What people are told of a period's report: one message for it and one per breach, worst first, from the evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.evidence import Evidence, Verdict, label, worst, worst_first
from workbench.params import ONCE
from workbench.registry import titles
from workbench.registry.current import Record
from workbench.reporting import packs
from workbench.words import names, say, speaking

_BREACH = (Verdict.error, Verdict.red)


@dataclass(frozen=True)
class Message:
    """One thing to tell: `name` is the same for the same news; `pages` are places below `reports/`.

    `attached`: files there that go with a mail instead of the pages (the pack as PDF).
    """

    name: str
    kind: str
    report: str
    study: str
    period: str
    verdict: str
    subject: str
    lines: tuple[str, ...]
    link: str = ""
    pages: tuple[str, ...] = ()
    language: str = "en"
    attached: tuple[str, ...] = ()

    def mark(self, to: str) -> str:
        """Return what tells this news to this address from any other (32 hex characters)."""
        return hashlib.sha256(f"{self.name} {to}".encode()).hexdigest()[:32]


@dataclass(frozen=True)
class About:
    """Which report, study and period the messages are about, in which language, and where pages are served."""

    report: str
    study: str
    period: str
    language: str
    prefix: str = ""
    address: str = ""

    def place(self, record: Record) -> str:
        """Return where a run's page lies below `reports/`."""
        return f"{self.prefix}{record.key.place}/{record.slug}.html"

    def link(self, place: str) -> str:
        """Return where a page is read: below the address where one is known, else below the workbench's folder."""
        return f"{self.address.rstrip('/') or 'reports'}/{place}"


def made(
    about: About,
    records: list[Record],
    read: Callable[[Record], Mapping[str, Any]],
    standing: Collection[str] = (),
) -> list[Message]:
    """Return the messages of a report that was made: the report's, then its new breaches', worst first.

    A breach that has been standing since an earlier period was told then: the report names it.

    `read` gives what a run has left behind (`evidence.json`); `standing`: steps without a period that were there before
    this report was made.
    """
    broken, lights = [], []
    with speaking(about.language):
        for record in records:
            content = read(record)
            answers = worst_first(Evidence.from_record(e) for e in packs.news(record, content))
            lights += answers
            with names.knowing(content.get("names", {}), content.get("units")):
                broken += [(e, _breach(about, record, e)) for e in news(answers)]
        broken.sort(key=lambda b: b[0].verdict.rank)
        places = {about.place(r) for r in records if r.period == ONCE and r.step in standing}
        single = [message for e, message in broken if not e.since and places.isdisjoint(message.pages)]
        return [_report(about, records, worst(lights), broken), *single]


def news(answers: list[Evidence]) -> list[Evidence]:
    """Return the red among a step's breaches, as the pack counts them."""
    return [e for e in packs.single(answers) if e.verdict in _BREACH]


def _report(about: About, records: list[Record], verdict: Verdict, broken: list[tuple[Evidence, Message]]) -> Message:
    red = {place for _, message in broken for place in message.pages}
    of_period = [r for r in records if r.period != ONCE or about.place(r) in red]
    ranked = sorted(of_period, key=lambda r: (not packs.is_pack(r), Verdict(r.verdict).rank))
    pages = tuple(about.place(r) for r in ranked)
    subject = say(
        "{report}, {period}: {light}; {n:, breaches}",
        report=about.report,
        period=about.period,
        light=label(verdict),
        n=len(broken),
    )
    lines = tuple(line for e, message in broken for line in _lines(e, message)) or (
        str(say("No threshold was broken.")),
    )
    return _message(about, "report", str(verdict), str(subject), lines, pages)


def _lines(evidence: Evidence, message: Message) -> tuple[str, ...]:
    """Return a breach's lines; one that has been standing says since when: it was told then."""
    if not evidence.since:
        return message.lines
    return (str(say("{line} (since {since})", line=message.lines[0], since=evidence.since)), *message.lines[1:])


def _breach(about: About, record: Record, evidence: Evidence) -> Message:
    subject = say(
        "{report}, {period}: {light} in {step}: {question}",
        report=about.report,
        period=about.period,
        light=label(evidence.verdict),
        step=titles.of_step(record.step),
        question=str(evidence.question),
    )
    lines = [str(evidence.answer)]
    if evidence.threshold:
        lines.append(str(say("Threshold: {threshold}", threshold=str(evidence.threshold))))
    kind = f"breach {record.slug} {evidence.key}"
    return _message(about, kind, str(evidence.verdict), str(subject), tuple(lines), (about.place(record),))


def failed(about: About, error: str, attempts: int) -> Message:
    """Return the message that a report could not be made, for its n-th attempt."""
    with speaking(about.language):
        subject = say(
            "{report}, {period}: could not be made, after {n:, attempts}",
            report=about.report,
            period=about.period,
            n=attempts,
        )
        return _message(about, f"failure {attempts}", str(Verdict.error), str(subject), (error,))


def _message(
    about: About, kind: str, verdict: str, subject: str, lines: tuple[str, ...], pages: tuple[str, ...] = ()
) -> Message:
    return Message(
        name=f"{about.study} {about.report} {about.period} {kind}",
        kind=kind.partition(" ")[0],
        report=about.report,
        study=about.study,
        period=about.period,
        verdict=verdict,
        subject=subject,
        lines=lines,
        link=about.link(pages[0]) if pages else "",
        pages=pages,
        language=about.language,
    )
