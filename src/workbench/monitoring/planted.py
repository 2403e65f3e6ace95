"""Were the changes that a simulation planted noticed in time, and not before? Only a simulation knows the truth."""

from __future__ import annotations

import pandas as pd
from pydantic import Field

from workbench import params, rules
from workbench.evidence import Evidence, Verdict
from workbench.monitoring.alarms import first, kinds
from workbench.params import MONTH
from workbench.words import Text, say


class Params(params.Params):
    """Which model's alarms are held against which planted months."""

    model: str = Field("behaviour", pattern=r"^[a-z0-9_]+$", description="registered model of the study")
    drift_month: str = Field("", pattern=rf"({MONTH})|^$", description="month of the planted drift; empty is none")
    crisis_month: str = Field("", pattern=rf"({MONTH})|^$", description="month of the planted crisis; empty is none")
    ahead_months: int = Field(0, ge=0, le=36, description="months by which outcomes lie ahead of the as-of date")


def reads(p: Params) -> list[str]:
    """Tables this step reads: the lights that monitoring left."""
    return [f"mart__alarms_{p.model}"]


def writes(p: Params) -> list[str]:
    """Tables this step writes: none."""
    return []


def held_against(lights: pd.DataFrame, p: Params) -> list[Evidence]:
    """Return, for each planted change, whether its alarm rang in time; a single answer where nothing was planted."""
    answers = []
    if p.drift_month:
        answers.append(noticed(lights, p.drift_month, "drift", say("drift")))
    if p.crisis_month:
        answers.append(noticed(lights, p.crisis_month, "calibration", say("crisis"), p.ahead_months))
    return answers or [
        Evidence(
            key="planted",
            question=say("Was what was planted noticed?"),
            verdict=Verdict.info,
            answer=say("Nothing was planted: no truth is known here."),
        )
    ]


def noticed(lights: pd.DataFrame, month: str, kind: str, change: Text, ahead: int = 0) -> Evidence:
    """Return whether the first alarm of a kind rang within the rule's months of a planted change, and not before.

    `lights` are of months. `ahead`: months by which a period's outcome lies ahead of its as-of date; a period may be
    hit by a change that comes so much later.
    """
    within = int(rules.load().number("alarm_within_months"))
    rang = first(lights[lights["kind"] == kind])
    period = str(rang["period"].iloc[0]) if len(rang) else ""
    late = (pd.Period(period, "M") - pd.Period(month, "M")).n if period else None
    return Evidence(
        key=f"planted_{change.in_language('en')}",
        question=say(
            "Was the planted {change} of {month} noticed in time, and not before?", change=change, month=month
        ),
        verdict=Verdict.green if late is not None and -ahead <= late <= within else Verdict.red,
        answer=_when(month, change, kinds()[kind], period, late) + _ahead(ahead),
        value=period or "never",
        threshold=say("Within {within: months} and not before.", within=within),
        source="known truth of the simulation",
        table=rang,
    )


def _when(month: str, change: Text, kind: Text, period: str, late: int | None) -> Text:
    facts = {"change": change, "month": month, "kind": kind}
    if late is None:
        return say("The planted {change} began in {month}; the alarm of {kind} never rang.", **facts)
    return say(
        "The planted {change} began in {month}; the alarm of {kind} first rang for as-of month {period}, "
        "{late:+d months} from it.",
        period=period,
        late=late,
        **facts,
    )


def _ahead(months: int) -> Text:
    if not months:
        return Text()
    return say("Outcomes lie up to {months: months} ahead of the as-of month.", months=months)
