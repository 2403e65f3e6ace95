"""The pack for management: headlines with arrows; then the book, its models, what broke and what changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from pydantic import Field

from workbench import evidence, params, tables
from workbench.evidence import Evidence, Verdict
from workbench.params import DAY_OR_NONE, ONCE, before
from workbench.registry import inventory, recorded
from workbench.registry.recorded import ALL, EVIDENCE, LIFE_CYCLE, PREVIOUS, Recorded
from workbench.reporting import breaches, chapters, claimed, headlines, health, packs
from workbench.reporting.book import Book
from workbench.reporting.breaches import Breach
from workbench.reporting.chapters import Chapter
from workbench.reporting.headlines import Headline
from workbench.reporting.packs import STEP
from workbench.reporting.portfolio import Months
from workbench.rules import Ruled
from workbench.words import Text, names, say


class Params(Ruled, params.Params):
    """What the pack shows of the book; the rest is what the study's other steps have left."""

    segments: list[str] = Field([], description="columns of the accounts the book is cut by; none takes the first")
    most_segments: int = Field(3, ge=0, le=10, description="columns it is cut by where none is named")
    shown_months: int = Field(13, ge=2, le=60, description="months in tables and pictures")
    thresholds: dict[str, Any] = Field({}, description="own values of rules by name, each [amber, red] or one number")
    rules_as_of: str = Field("", pattern=DAY_OR_NONE, description="day as of which rules are looked up; empty is today")


def reads(p: Params) -> list[str]:
    """What this step reads: the core tables, what every other step left, now and a period before, the life cycle."""
    return ["core__account", "?core__month", EVIDENCE + ALL, f"?{PREVIOUS}{ALL}", f"?{LIFE_CYCLE}"]


def writes(p: Params) -> list[str]:
    """Tables this step writes: none."""
    return []


@dataclass(frozen=True)
class Material:
    """All a pack is made from: the steps' evidence of both periods by step, the book as of the period's end."""

    p: Params
    runs: Mapping[str, Recorded]
    previous: Mapping[str, Recorded]
    months: Months | None

    @cached_property
    def book(self) -> Book | None:
        """The book by month; None where the bank delivers no months."""
        return None if self.months is None else Book(self.months, self.p.rules(), self.p.shown_months)

    @cached_property
    def watched(self) -> list[health.Watched]:
        """The study's models, with what watches them."""
        champions = inventory.champions(self.p.study)
        made = [v for r in self.runs.values() for v in r.record.models.values()]
        entries = inventory.of_versions((v["name"], v["version"]) for v in (*made, *champions))
        return health.models(self.runs, self.previous, entries, champions)

    @cached_property
    def of_book(self) -> dict[str, Chapter]:
        """The chapters on the book by key; none where the bank delivers no months."""
        if self.book is None:
            return {}
        columns = self.months.segments(self.p.segments, self.p.most_segments) if self.book.has_arrears else []
        made = chapters.chapters(self.book, columns)
        return {key: (_lasting(self, e), lines) for key, (e, lines) in made.items()}

    @cached_property
    def of_papers(self) -> dict[str, Chapter]:
        """The chapters on what was claimed of the models and asked with their approval, by key."""
        made = {"claims": claimed.chapter(self.watched), "conditions": health.conditions(self.watched)}
        return {key: (_lasting(self, e), lines) for key, (e, lines) in made.items()}

    @cached_property
    def broken(self) -> list[Breach]:
        """The breaches of the period, worst first."""
        of_pack = self._of_pack([e for e, _ in (*self.of_book.values(), *self.of_papers.values())], self.p.period)
        return breaches.broken(self.runs, _since(self.previous.get(STEP)), of_pack)

    @cached_property
    def broken_before(self) -> list[Breach] | None:
        """Those of the period before; None where nothing is recorded of it."""
        if not self.previous:
            return None
        undated = {step: run for step, run in self.runs.items() if run.record.period == ONCE}
        earlier = self.previous.get(STEP)
        theirs = [e for key, e in earlier.evidence.items() if key not in packs.REPEATED] if earlier else []
        of_pack = self._of_pack(theirs, before(self.p.period))
        return breaches.broken({**undated, **_others(self.previous)}, {}, of_pack)

    def _of_pack(self, answers: list[Evidence], period: str) -> list[Breach]:
        """Return the breaches among the pack's own answers, which are nobody else's."""
        owner = next((r.record.owner for r in self.runs.values()), "")
        return breaches.of_chapters(STEP, period, owner, answers)

    @property
    def period(self) -> str:
        """What the period is called: its name, or the last month of the data."""
        return self.book.now.name if self.book else self.p.period


def gather(p: Params) -> Material:
    """Read what the pack is made from; a month after the period's end is not."""
    runs, previous = recorded.read(p.key), recorded.read(p.key, PREVIOUS)
    for run in runs.values():
        names.learn(run.names, run.units)
    evidence.touch("read", LIFE_CYCLE, recorded.digest(p.key, LIFE_CYCLE))
    account, contract = tables.scan(p.key, "core__account"), tables.contract(p.key, "core__account")
    has_months = "core__month" in tables.names(p.key)
    months = Months(account, contract, tables.scan(p.key, "core__month"), p.period) if has_months else None
    return Material(p, _others(runs), previous, months)


def _others(runs: Mapping[str, Recorded]) -> dict[str, Recorded]:
    return {step: run for step, run in runs.items() if step.partition("@")[0] != STEP}


def _since(earlier: Recorded | None) -> dict[str, str]:
    """Return since when each light was lit, as the pack before has it; nothing of a step without period."""
    rows = earlier.rows("breaches") if earlier else []
    return {row["where"]: row["since"] for row in rows if row["since"][:1].isdigit()}


def of_book(m: Material) -> dict[str, Chapter]:
    """Return the chapters on the book by key; none where the bank delivers no months."""
    return m.of_book


def _lasting(m: Material, e: Evidence) -> Evidence:
    """Return a chapter's answer with the period since which it is red, where the pack before had it red: no news."""
    earlier = m.previous.get(STEP)
    then = earlier.evidence.get(e.key) if earlier else None
    if then is None or not e.verdict == then.verdict == Verdict.red:
        return e
    return replace(e, since=then.since or earlier.record.period)


def of_models(m: Material) -> dict[str, Chapter]:
    """Return the chapters on models, breaches, conditions and changes, by key."""
    return {
        "models": health.chapter(m.watched),
        "breaches": breaches.chapter(m.broken, m.broken_before),
        **m.of_papers,
        "changes": (breaches.changes(m.runs, m.previous), []),
    }


def front(m: Material, parts: Mapping[str, Chapter]) -> Evidence:
    """Return page one: every headline, the worst first, and the pack's light."""
    lines = headlines.worst_first(line for _, of_chapter in parts.values() for line in of_chapter)
    worst = min((e.verdict for e, _ in parts.values()), key=lambda v: v.rank, default=Verdict.info)
    return Evidence(
        key="pack",
        question=say("How do the book and its models stand, and what is worse than before?"),
        verdict=worst,
        answer=_in_short(lines) + _left_out(m) + _restated(m),
        table=headlines.table(lines),
    )


def _in_short(lines: list[Headline]) -> Text:
    bad = [line.sentence or line.what for line in lines if line.verdict in (Verdict.red, Verdict.error)]
    if not bad:
        return say("No headline is red.")
    return say("{n:,} of {lines:, headlines are} red: {bad}.", n=len(bad), lines=len(lines), bad=bad)


def _left_out(m: Material) -> Text:
    """Say which chapters the bank's tables don't allow."""
    if m.book is None:
        return say("The bank delivers no months: the chapters on the book are left out.")
    if not m.book.has_arrears:
        return say("The months don't say how late an account is: arrears, roll rates and losses are left out.")
    return Text()


def _restated(m: Material) -> Text:
    """Say where the book of the period before is another today than its own pack says: data that came later."""
    earlier = m.previous.get(STEP)
    if earlier is None or m.book is None or "book" not in earlier.evidence:
        return Text()
    then, now = earlier.evidence["book"].facts.get("accounts"), m.book.ends("accounts")[1]
    if then is None or now != now or int(now) == then:
        return Text()
    return say(
        "Restated: the pack of {previous} had {then:, accounts}, the data now have {now:,}.",
        previous=before(m.period),
        then=then,
        now=int(now),
    )


def conclusion(m: Material, parts: Mapping[str, Chapter]) -> Text:
    """Return the pack in a few sentences, its numbers those of the chapters."""
    keys = [k for k in ("book", "new_business", "delinquency", "losses", "models", "breaches", "changes") if k in parts]
    out = Text()
    for key in keys:
        out += Text(parts[key][0].answer.parts[:1])
    return out


def figures(m: Material, parts: Mapping[str, Chapter]) -> dict[str, float]:
    """Return the pack's key figures, for MLflow."""
    red, n = sum(b.answer.verdict is not Verdict.amber for b in m.broken), len(m.broken)
    out = {"red": red, "amber": n - red, "models": len(m.watched)}
    if m.book is not None:
        values = {"accounts": m.book.ends("accounts")[0], "balance": m.book.ends("balance")[0]}
        values |= {f"late_{30 * k}": m.book.late(k)[0] for k in (1, 2, 3) if m.book.has_arrears}
        out |= values
    return out
