"""The claims of a pack: which of those that the champions' chapters make hold for the newest period that is known."""

from __future__ import annotations

import pandas as pd

from workbench.evidence import Evidence, Verdict
from workbench.registry import claims, events, written
from workbench.registry.claims import Tested
from workbench.registry.lifecycle import IN_USE
from workbench.reporting.health import Chapter, Watched
from workbench.words import Text, say


def chapter(watched: list[Watched]) -> Chapter:
    """Return every claim of a champion that monitoring can tell, with its light; other claims are left out."""
    results = [(w, t) for w in watched if w.following and w.entry.state in IN_USE for t in _tested(w)]
    wrong = [f"{w.label}: {t.claim.words}" for w, t in results if not t.holds]
    e = Evidence(
        key="claims",
        question=say("Does what the champions' documents claim still hold?"),
        verdict=Verdict.red if wrong else Verdict.green if results else Verdict.info,
        answer=_answer(len(results), wrong),
        value=len(wrong),
        threshold=say("Red where a claim no longer holds for the newest period whose outcomes are known."),
        blind_to=say("claims of figures that monitoring doesn't follow"),
        table=pd.DataFrame([_row(w, t) for w, t in results], dtype=object) if results else None,
    )
    return e, []


def _tested(w: Watched) -> list[Tested]:
    model, version = str(w.version["name"]), str(w.version["version"])
    chapters = written.signed(model, events.read().of(model, version))
    seen = claims.monthly(w.following.series, w.following.record.run_id, w.version.get("figures", {}))
    return [t for t in claims.tested(claims.of(chapters, written.place(model)), seen) if t.figure]


def _answer(n: int, wrong: list[str]) -> Text:
    if not n:
        return say("No champion's document claims a figure that monitoring follows.")
    if not wrong:
        return say("Claims that hold: {n} of {n}.", n=n)
    return say("Claims that no longer hold: {wrong}.", wrong=wrong)


def _row(w: Watched, t: Tested) -> dict[str, object]:
    return {
        "light": "green" if t.holds else "red",
        "model": w.label,
        "claim": t.claim.words,
        "result": t.text,
        "period": t.figure.period,
    }
