"""Are the data of a time that still speaks for today, and none of a time that hasn't come?

**Method** as-of dates and the ends of performance windows against the day of the validation (`rules_as_of`); years from development's last outcome to that day.
**Reads as bad** outcomes that can't be known yet; amber, for a person to weigh, where development's last outcome is older than the threshold.
**Blind to** dates that are wrong but plausible.
**Source** ECB (2019), Instructions for reporting the validation results of internal models, section 2.5.2.1 (outdated data).
"""

from __future__ import annotations

import pandas as pd

from workbench.evidence import Evidence, Verdict
from workbench.panel.cohort import UNDATED
from workbench.validation.sight import everything, sight
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS = "process", {"binary", "rate", "amount", "named"}
READS_OUTCOME = False
DAYS_A_YEAR = 365.25


def known_from(s: Subject, dates: pd.Series) -> pd.Series:
    """Return the day from which the outcome of each as-of date can be known (n): the one after its window's last.

    A window of months, as `validation.raw` reads them, is of whole ones: those after the as-of month, or from an own
    day's month on. Another begins on the day.
    """
    after = dates + pd.DateOffset(months=s.outcome.window_months)
    if s.raw is None:
        return after
    months = after.dt.to_period("M") + (0 if s.raw.own_month else 1)
    return months.dt.to_timestamp()


def unknowable(s: Subject) -> int:
    """Return how many rows have an outcome whose performance window ends after the day of the validation."""
    dates = pd.concat([rows["as_of_date"] for rows in (s.development, s.holdout, s.later)])
    return int((known_from(s, dates) > pd.Timestamp(s.rules.as_of)).sum())


def age(s: Subject) -> float:
    """Return the years from the end of development's last performance window to the day of the validation."""
    last = known_from(s, s.development["as_of_date"]).max()
    return (pd.Timestamp(s.rules.as_of) - last).days / DAYS_A_YEAR


def test(s: Subject) -> Evidence:
    """Return how old development's last outcome is, and how many outcomes can't be known yet."""
    least = s.rules.number("data_age")
    if (s.development["as_of_date"] == UNDATED).all():
        return _evidence(s, Verdict.info, say("The rows have no date."), None)
    early, years = unknowable(s), age(s)
    if early:
        answer = say(
            "{rows:, rows have} an outcome that can't be known on {day}: its performance window ends later.",
            rows=early,
            day=f"{s.rules.as_of}",
        )
        return _evidence(s, Verdict.red, answer, years)
    facts = {"years": years, "day": f"{s.rules.as_of}"}
    if s.outcome.window_months:
        answer = say("Development's last outcome is {years:.1f} years older than {day}.", **facts)
    else:
        answer = say(
            "Development's last row is {years:.1f} years older than {day}; no window says when its outcome was known.",
            **facts,
        )
    return _evidence(s, Verdict.amber if years >= least else Verdict.green, answer, years)


def _evidence(s: Subject, verdict: Verdict, answer: Text, value: float | None) -> Evidence:
    return Evidence(
        key="data_age",
        question=say("Are the data of a time that still speaks for today?"),
        verdict=verdict,
        answer=answer,
        value=value,
        threshold=say(
            "Red where an outcome can't be known yet; amber from {years:g} years on.", years=s.rules.number("data_age")
        ),
        source="ECB (2019), section 2.5.2.1",
        sight=None if value is None else sight(s, value, everything(s.rules.number("data_age")), rows=s.development),
    )
