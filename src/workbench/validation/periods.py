"""The samples outcome tests run on: the hold-out and each later period whose outcomes are known; the worse decides."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from workbench import metrics
from workbench.evidence import Evidence, Verdict
from workbench.evidence.lights import in_words
from workbench.validation.subject import HOLDOUT, Subject
from workbench.words import Text, say


def periods(s: Subject) -> list[Subject]:
    """Return one subject per later year of as-of dates, its rows in the place of the hold-out.

    A year in which the outcomes are too few to judge (`least_events` with the event and without it, of an amount
    `least_period_rows`) goes with the year before it, the first with the year after. None where there are no later rows,
    or too few in all of them. The chance of a false alarm is shared among these samples and the hold-out.
    """
    parts = s.once.answer("periods", (s.later, s.contract, s.rules), lambda: _joined(s))
    return [replace(s, holdout=part, tested=_name(part), looks=s.looks * (1 + len(parts))) for part in parts]


def _joined(s: Subject) -> list[pd.DataFrame]:
    parts: list[pd.DataFrame] = []
    for _, year in s.later.groupby(s.later["as_of_date"].dt.year):
        if parts and not (_suffices(year, s) and _suffices(parts[-1], s)):
            parts[-1] = pd.concat([parts[-1], year])
        else:
            parts.append(year)
    return [part.reset_index(drop=True) for part in parts if _suffices(part, s)]


def _suffices(rows: pd.DataFrame, s: Subject) -> bool:
    if not s.outcome.is_binary:
        return len(rows) >= s.rules.number("least_period_rows") and rows["outcome"].nunique() > 1
    return metrics.rarer(rows["outcome"]) >= s.rules.number("least_events")


def _name(rows: pd.DataFrame) -> Text:
    first, last = rows["as_of_date"].min().year, rows["as_of_date"].max().year
    if first == last:
        return say("the rows of {year}", year=f"{first}")
    return say("the rows of {first} to {last}", first=f"{first}", last=f"{last}")


def worse(holdout: Evidence, later: list[tuple[Text, Evidence]]) -> Evidence:
    """Return the evidence with the worst light; the hold-out's where none is worse. The answer says every light.

    A later period that can't be evaluated doesn't decide: the hold-out was.
    """
    judged = [e for _, e in later if e.verdict is not Verdict.not_evaluated]
    worst = min([holdout, *judged], key=lambda e: e.verdict.rank)
    if not later:
        return holdout
    everything = [(HOLDOUT, holdout), *later]
    lights = [say("{sample} {light}", sample=name, light=in_words(e.verdict)) for name, e in everything]
    return replace(worst, answer=worst.answer + say("The worst sample decides: {samples}.", samples=lights))
