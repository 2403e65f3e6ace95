"""The monitoring report of a version: the newest period that was watched, with what changed since the one before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from workbench.evidence import Verdict
from workbench.params import ONCE, ends
from workbench.registry import claims
from workbench.registry.recorded import Recorded
from workbench.reporting import advice, excerpts, human, listing, owed
from workbench.reporting.development_document import UNCOMPUTED
from workbench.reporting.document import Answer, Chapter, Document, Row, Rows, Sheet, absent, chapter
from workbench.reporting.dossier import Dossier
from workbench.reporting.excerpts import cards
from workbench.words import Text, say

NAME = "monitoring_report"
MONITORING = "monitoring"
UNWATCHED = say("no step of monitoring watches it")


def document(d: Dossier) -> Document:
    """Return the report on the newest period in which this very version was watched."""
    now = d.watched
    chapters = (*_verdict(d, now, _before(d)), *_figures(d, now), *_owed(d, now))
    return Document(NAME, chapters)


def _before(d: Dossier) -> Recorded | None:
    """Return the run of the newest period before that the same step watched: what it says of all data is no period."""
    if d.watched is None:
        return None
    now = d.watched.record
    same = [r for r in d.monitoring if r.record.step == now.step and r.record.period != ONCE]
    return next((r for r in reversed(same) if ends(r.record.period) < ends(now.period)), None)


def _verdict(d: Dossier, now: Recorded | None, before: Recorded | None) -> tuple[Chapter, ...]:
    worst = min([now, *d.beside], key=lambda r: Verdict(r.record.verdict).rank) if now else None
    where = excerpts.source(worst, "") if worst else ""
    light = say(worst.record.verdict) if worst else ""
    todo = advice.what_to_do(worst.record.step, worst.record.verdict) if worst else ""
    differ = _changed(now, before) if now and before else {}
    changed = say("{n:, answers have} another light than in {period}", **differ) if differ else ""
    alone = say("nothing is recorded of a period before")
    rows = (
        Row("light", say("Light"), light, where, UNWATCHED),
        Row("todo", say("What to do"), todo, where, UNWATCHED),
        Row("changed", say("What changed"), changed, where, alone if now else UNWATCHED),
    )
    return (
        chapter("verdict", say("Verdict"), Rows(rows)),
        chapter("period", say("Period and population"), _population(d, now)),
        chapter("alerts", say("Alerts"), _cards(d, "alarm"), _history(d)),
    )


def _cards(d: Dossier, *keys: str) -> list[Answer | Rows]:
    """Return the newest period's answers of these keys, of whichever step has them."""
    now = d.watched
    if now is None:
        return cards(now, MONITORING, *keys)
    by = {k: next((r for r in (now, *d.beside) if k in r.evidence), now) for k in keys}
    each = [(run, [k for k in keys if by[k] is run]) for run in (now, *d.beside)]
    return [block for run, those in each if those for block in cards(run, MONITORING, *those)]


def _changed(now: Recorded, before: Recorded) -> dict[str, object]:
    pairs = [(e, before.evidence[k]) for k, e in now.evidence.items() if k in before.evidence]
    return {"n": sum(a.verdict != b.verdict for a, b in pairs), "period": before.record.period}


def _population(d: Dossier, now: Recorded | None) -> Rows:
    where = excerpts.source(now, "series") if now else ""
    known, seen = now.series.get("separation", {}) if now else {}, now.series.get("psi", {}) if now else {}
    matured = say("{known:,} of {periods:, periods}, the newest {last}", **_matured(known, seen)) if known else ""
    rows = (
        Row("of_period", say("Period"), period(now) if now else "", where, UNWATCHED),
        Row("first_last", say("Periods watched"), f"{min(seen)} – {max(seen)}" if seen else "", where, UNWATCHED),
        Row("matured", say("Periods whose outcomes are known"), matured, where, UNWATCHED),
    )
    return Rows(rows)


def _matured(known: Mapping[str, float], seen: Mapping[str, float]) -> dict[str, object]:
    return {"known": len(known), "periods": len({*seen, *known}), "last": max(known)}


def period(run: Recorded) -> Text | str:
    """Return the period a run of monitoring is of."""
    return say("all that the data hold") if run.record.period == ONCE else run.record.period


def _history(d: Dossier) -> Sheet | Rows:
    """Return the lights of every period in which the version was watched."""
    if not d.monitoring:
        return absent("history", say("History"), UNWATCHED)
    rows = [
        {
            "light": r.record.verdict,
            "period": period(r),
            "step": r.record.step,
            "says": listing.spoken(r.record).headline,
            "run": r.record.run_id[:8],
        }
        for r in d.monitoring
    ]
    return Sheet(say("Every period in which this version was watched"), pd.DataFrame(rows, dtype=object), "MLflow")


def _figures(d: Dossier, now: Recorded | None) -> tuple[Chapter, ...]:
    several = (
        ("population", say("Population"), ("drift", "causes", "data"), ()),
        ("performance", say("Performance"), ("performance", "estimate"), ()),
        ("calibration", say("Calibration"), ("grades",), ()),
        ("migration", say("Migration and concentration"), ("migration",), ("concentration_now",)),
        ("vintages", say("Vintages and roll rates"), (), ("vintage",)),
        ("conduct", say("Overrides and use"), ("overrides",), ("use_test",)),
        ("fairness", say("Fairness and mix of reasons"), ("fairness", "reasons"), ()),
    )
    return tuple(
        chapter(key, title, _cards(d, *there) if there else [], [_uncomputed(k) for k in absent_])
        for key, title, there, absent_ in several
    )


def _uncomputed(key: str) -> Rows:
    names = {
        "concentration_now": say("Concentration in the period"),
        "vintage": say("Vintage, first-payment default, roll rate"),
        "use_test": say("Use of the scores"),
    }
    return absent(key, names[key], UNCOMPUTED)


def _owed(d: Dossier, now: Recorded | None) -> tuple[Chapter, ...]:
    shown = {"alarm", "drift", "causes", "data", "performance", "estimate", "grades", "migration"}
    shown |= {"overrides", "fairness", "reasons"}
    every = [k for run in (now, *d.beside) for k in run.evidence] if now else []
    others = [k for k in dict.fromkeys(every) if k not in shown]
    return (
        chapter("quality", say("More of what monitoring says"), _cards(d, *others)),
        chapter("conditions", say("Conditions and findings"), owed.conditions_sheet(d), owed.findings_sheet(d)),
        chapter("shadow", say("Challenger in shadow run"), absent("shadow_run", say("Shadow run"), UNCOMPUTED)),
        chapter("claims", say("Claims in the newest period"), _claims(d, now)),
        chapter("evidence", say("Evidence"), _every_answer(now)),
        chapter("not_evaluated", say("Not evaluated"), _open(now)),
    )


def _claims(d: Dossier, now: Recorded | None) -> Sheet | Rows:
    """Return which claims of the chapters hold for the newest period whose outcomes are known."""
    if now is None:
        return absent("claimed", say("Claims"), UNWATCHED)
    watched = claims.monthly(now.series, now.record.run_id, d.development.record.figures)
    results = claims.tested([t.claim for t in d.tested], watched)
    return human.sheet([t for t in results if t.figure], say("What the chapters claim, in the newest known period"))


def _every_answer(now: Recorded | None) -> Sheet | Rows:
    if now is None:
        return absent("answers", say("Answers"), UNWATCHED)
    rows = [
        {
            "light": str(e.verdict),
            "question": e.question,
            "answer": e.answer,
            "threshold": e.threshold,
            "since": e.since,
            "key": key,
        }
        for key, e in now.evidence.items()
    ]
    return Sheet(say("Every answer of the run"), pd.DataFrame(rows, dtype=object), excerpts.source(now, ""))


def _open(now: Recorded | None) -> Rows:
    if now is None:
        return absent("open", say("Not evaluated"), UNWATCHED)
    rows = tuple(_not_evaluated(now))
    return Rows(rows) if rows else absent("open", say("Not evaluated"), say("every answer was evaluated"))


def _not_evaluated(now: Recorded) -> Iterator[Row]:
    for key, e in now.evidence.items():
        if e.verdict is Verdict.not_evaluated:
            yield Row(f"open_{key}", e.question, e.answer, excerpts.source(now, key))
