"""The claims of a pack: which of those that the champions' chapters make hold for the newest period that is known."""

from __future__ import annotations

import pandas as pd

from workbench.evidence import Evidence, Verdict
from workbench.registry import claims, events, written
from workbench.registry.claims import Claim, Tested
from workbench.registry.lifecycle import IN_USE
from workbench.reporting.health import Chapter, Watched
from workbench.words import Text, say


def chapter(watched: list[Watched]) -> Chapter:
    """Return every claim of a champion that monitoring can tell, with its light; other claims are left out."""
    deciding = [w for w in watched if w.entry.state in IN_USE]
    results = [(w, t) for w in deciding if w.following for t in _tested(w)]
    untested = [w.label for w in deciding if not w.following and _claimed(w)]
    wrong = [f"{w.label}: {t.claim.words}" for w, t in results if not t.holds]
    e = Evidence(
        key="claims",
        question=say("Does what the champions' documents claim still hold?"),
        verdict=_verdict(len(results), wrong, untested),
        answer=_answer(len(results), wrong, untested),
        value=len(wrong),
        threshold=say(
            "Red where a claim no longer holds for the newest period whose outcomes are known; amber where nothing "
            "watches a champion that claims something."
        ),
        blind_to=say("claims of figures that monitoring doesn't follow"),
        table=pd.DataFrame([_row(w, t) for w, t in results], dtype=object) if results else None,
    )
    return e, []


def _tested(w: Watched) -> list[Tested]:
    seen = claims.monthly(w.following.series, w.following.record.run_id, w.version.get("figures", {}))
    return [t for t in claims.tested(_claimed(w), seen) if t.figure]


def _claimed(w: Watched) -> list[Claim]:
    model, version = str(w.version["name"]), str(w.version["version"])
    return claims.of(written.signed(model, events.read().of(model, version)), written.place(model))


def _verdict(n: int, wrong: list[str], untested: list[str]) -> Verdict:
    if wrong:
        return Verdict.red
    return Verdict.amber if untested else Verdict.green if n else Verdict.info


def _answer(n: int, wrong: list[str], untested: list[str]) -> Text:
    if not n and not untested:
        return say("No champion's document claims a figure that monitoring follows.")
    answer = Text()
    if wrong:
        answer += say("Claims that no longer hold: {wrong}.", wrong=wrong)
    elif n:
        answer += say("Claims that hold: {n} of {n}.", n=n)
    if untested:
        answer += say("Not watched, so that nothing tells whether its claims hold: {models}.", models=untested)
    return answer


def _row(w: Watched, t: Tested) -> dict[str, object]:
    return {
        "light": "green" if t.holds else "red",
        "model": w.label,
        "claim": t.claim.words,
        "result": t.text,
        "period": t.figure.period,
    }
