"""What the battery's page shows: the model under test, evidence by key, pictures that survive a broken test, the conclusion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from workbench import metrics
from workbench.evidence import Evidence, Sight, Verdict, worst_first
from workbench.models.kinds import named
from workbench.validation.calibration_parts import parts
from workbench.validation.subject import Subject
from workbench.words import Text, say

CONCLUDING, CONCLUDING_NAMES = ("reperformance", "challenger"), ("reperformance", "plain_words")
SIGHTS = ["test", "light", "statistic", "n", "events", "held against the limit", "nearest limit", "distance to it"]
SIGHTS += ["light, by convention", "light, by significance", "they differ", "least that is seen", "what could be seen"]


def under_test(name: str, version: str, digest: str, subject: Subject) -> Text:
    """Say which model is under test, and which file it is."""
    return say(
        "Under test: **{name} version {version}**, kind of model: {kind}, file `{digest}`.",
        name=name,
        version=version,
        kind=named(subject.model.kind),
        digest=digest[:16],
    )


def bad_news(items: list[Evidence]) -> list[Evidence | Text]:
    """Return what is neither green nor a plain fact, the worst first; a sentence where there is nothing."""
    bad = sorted((e for e in items if e.verdict not in (Verdict.green, Verdict.info)), key=lambda e: e.verdict.rank)
    return list(bad) or [say("No test is red or amber.")]


def sights(items: list[Evidence]) -> Evidence:
    """Return what stands behind every light, a row per test: counts, nearest limit, both lights, and what it could see."""
    seen = [(e, e.sight) for e in worst_first(items) if e.sight]
    differing = [say(e.key.replace("_", " ")) for e, sight in seen if sight.differs]
    blind = [say(e.key.replace("_", " ")) for e, sight in seen if sight.least is None]
    answer = say("{n: tests say} what they rest on.", n=len(seen))
    if differing:
        answer += say("Convention and significance give different lights in: {tests}.", tests=differing)
    if blind:
        answer += say("What could be seen is not stated, or nothing could be, in: {tests}.", tests=blind)
    return Evidence(
        key="sights",
        question=say("How near is each light, and what could a green one not have seen?"),
        verdict=Verdict.info,
        answer=answer,
        value=len(differing),
        threshold=say("A departure counts as seen where it lights amber or red in 80 of 100 such samples."),
        source="Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, ch. 1",
        table=pd.DataFrame([_row(e, sight) for e, sight in seen], columns=SIGHTS),
    )


def _row(e: Evidence, sight: Sight) -> tuple:
    differs = say("yes") if sight.differs else say("no")
    plain = (sight.statistic, sight.n, sight.events, sight.value, sight.limit, sight.distance)
    return (e.key, str(e.verdict), *plain, sight.convention, sight.significance, differs, sight.least, sight.power)


class ByKey(dict[str, Evidence]):
    """Evidence by key; of a test that isn't there, evidence that says so."""

    def __missing__(self, key: str) -> Evidence:
        return Evidence(
            key=key,
            question=say("What does the test '{test}' say?", test=key),
            verdict=Verdict.not_evaluated,
            answer=say("The battery holds no test '{test}' for this outcome.", test=key),
        )


def by_key(items: list[Evidence]) -> Mapping[str, Evidence]:
    """Return evidence by key; a key that is missing answers, too, so that a deleted test ends no page."""
    return ByKey({e.key: e for e in items})


def picture_of(items: list[Evidence], key: str, draw: Callable[[pd.DataFrame], Any]) -> Any:
    """Return the picture of a test's table, or its evidence where it has none: it broke, or is gone."""
    evidence = by_key(items)[key]
    return evidence if evidence.table is None else draw(evidence.table)


def steps(s: Subject) -> pd.DataFrame:
    """Return predicted and observed with its 95 % interval by grade, or by tenth where no event is predicted."""
    if not s.outcome.is_binary:
        return parts(s.holdout).rename(columns={"part": "grade"}).drop(columns="p_both")
    grades = s.grades(s.holdout)
    ends = [metrics.rate_interval(events, n) for events, n in zip(grades["events"], grades["n"], strict=True)]
    return grades.assign(low=[low for low, _ in ends], high=[high for _, high in ends])


def conclusion(overall: Evidence, items: list[Evidence]) -> Text:
    """Return the verdict, and what re-performance and the challenger say."""
    by = by_key(items)
    keys = CONCLUDING_NAMES if "named_rightly" in by else CONCLUDING
    return sum((by[key].answer for key in keys), overall.answer)


def figures(items: list[Evidence], s: Subject) -> dict[str, float]:
    """Return the battery's key figures: how many tests, how many red, and what separation the hold-out itself shows."""
    names = ("gini",) if s.outcome.is_binary else ("r_squared", "spearman")
    arrays = [s.holdout[c].to_numpy(float) for c in ("outcome", "predicted", "weight")]
    values = {n: float(getattr(metrics, n)(*arrays)) for n in names}
    return {"tests": len(items), "red": sum(e.verdict is Verdict.red for e in items), **values}
