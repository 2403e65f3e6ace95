"""Dated rules that fire on a customer's months, in SQL; alerts made of them: told once, counted until they are quiet.

What a trigger looks at stands here; from which value it fires, its unit, owner and day in `rules/triggers.yaml`, which
a bank replaces by its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from workbench import engine
from workbench.panel.months import number_sql
from workbench.rules import Rules
from workbench.words import Text, say

GRADE = "grade_no"  # fact of a month that the scores add: 0 is the best grade
OF_PAYMENT = {"delay_months", "late_rate", "payment_amt", "due_amt", GRADE}  # say nothing while payments are deferred
NEVER = (1, 0)  # an interval of month numbers that holds none


@dataclass(frozen=True)
class Trigger:
    """One trigger: the facts of a month it needs, its SQL condition at a level, its reason, the measure it suggests.

    A fact that a month doesn't have (NULL) fires nothing: what wasn't delivered is no 0.
    """

    code: str
    needs: tuple[str, ...]
    sql: Callable[[float], str]
    reason: Callable[[float], Text]
    measure: Text

    @property
    def name(self) -> Text:
        """What it is called in tables."""
        return say(self.code.replace("_", " "))

    @property
    def rule(self) -> str:
        """Name of the rule that holds its level."""
        return f"trigger_{self.code}"


def _back(fact: str, first: int, last: int = 1, fold: str = "max") -> str:
    """A fact over the months from `first` to `last` before, by the calendar: a month without a row has no value."""
    window = f"PARTITION BY entity_id ORDER BY month_no RANGE BETWEEN {first} PRECEDING AND {last} PRECEDING"
    return f"{fold}({fact}) OVER ({window})"


def _below_mean(fact: str) -> Callable[[float], str]:
    mean = _back(fact, 3, fold="avg")
    return lambda level: f"{mean} > 0 AND {fact} < {level} * {mean}"


def _late_again(level: float) -> str:
    late = "CASE WHEN delay_months >= 1 THEN 1 ELSE 0 END"
    return f"{late} + coalesce({_back(late, 5, fold='sum')}, 0) >= {level} AND delay_months >= 1"


def _slight_delay(level: float) -> str:
    n = int(level)
    return f"late_rate = 1 AND {_back('late_rate', n)} = 0 AND {_back('late_rate', n, fold='count')} = {n}"


def _enquiries(level: float) -> str:
    return f"n_enquiries > 0 AND n_enquiries + coalesce({_back('n_enquiries', 2, fold='sum')}, 0) >= {level}"


def _balance_jumped(level: float) -> str:
    return f"{_back('balance_amt', 3, 3)} > 0 AND balance_amt > {level} * {_back('balance_amt', 3, 3)}"


TRIGGERS = (
    Trigger(
        "in_arrears",
        ("delay_months",),
        lambda level: f"delay_months >= {level}",
        lambda level: say("a payment is late by {level:g} month or more", level=level),
        say("Call now and agree on a date of payment."),
    ),
    Trigger(
        "late_again",
        ("delay_months",),
        _late_again,
        lambda level: say("late again: {level:g} or more of the last six months in arrears", level=level),
        say("Review the instalment plan with the customer."),
    ),
    Trigger(
        "slight_delay",
        ("late_rate",),
        _slight_delay,
        lambda level: say("late by days, the first time after {level:g} months on the day", level=level),
        say("Remind of the due date."),
    ),
    Trigger(
        "paid_short",
        ("payment_amt", "due_amt"),
        lambda level: f"due_amt > 0 AND payment_amt < {level} * due_amt",
        lambda level: say("paid less than {level:.0%} of what was due", level=level),
        say("Ask why the payment fell short; check the ability to pay."),
    ),
    Trigger(
        "limit_used",
        ("balance_amt", "limit_amt"),
        lambda level: f"limit_amt > 0 AND balance_amt > {level} * limit_amt",
        lambda level: say("more than {level:.0%} of the limit is used", level=level),
        say("Freeze the limit and offer to pay the balance in instalments."),
    ),
    Trigger(
        "inflow_stopped",
        ("inflow_amt",),
        _below_mean("inflow_amt"),
        lambda level: say("less than {level:.0%} of the usual income comes in", level=level),
        say("Ask about employment; check the income."),
    ),
    Trigger(
        "enquiries",
        ("n_enquiries",),
        _enquiries,
        lambda level: say("{level:g} or more credit enquiries in three months", level=level),
        say("Ask for loans at other banks before any new lending."),
    ),
    Trigger(
        "balance_jumped",
        ("balance_amt",),
        _balance_jumped,
        lambda level: say("the balance is more than {level:g} times that of three months before", level=level),
        say("Check what the new debt is for and the ability to pay."),
    ),
    Trigger(
        "deposit_drained",
        ("deposit_amt",),
        _below_mean("deposit_amt"),
        lambda level: say("deposits fell below {level:.0%} of their three-month mean", level=level),
        say("Ask about the outflow; offer advice."),
    ),
    Trigger(
        "grade_fell",
        (GRADE,),
        lambda level: f"{GRADE} - {_back(GRADE, 3, fold='min')} >= {level}",
        lambda level: say("the score fell by {level:g} grades or more within three months", level=level),
        say("Review the whole customer."),
    ),
)
BY_CODE: Mapping[str, Trigger] = {t.code: t for t in TRIGGERS}


def usable(facts: Mapping[str, object] | set[str]) -> list[Trigger]:
    """Return the triggers whose facts the months have."""
    return [t for t in TRIGGERS if set(t.needs) <= set(facts)]


def months_sql(
    months: engine.Relation, account: engine.Relation, key: str, deferred: tuple[int, int] = NEVER
) -> tuple[str, set[str]]:
    """Return SQL of the months with number, facts as numbers and the month's grade, and the names of the facts.

    Over `months`, `accounts` (for a limit that months don't carry) and `graded` (entity_id, month_no, grade_no). In the
    `deferred` months, first and last by number, what was paid is unknown: a deferred payment looks like a missed one.
    """
    needed = {n for t in TRIGGERS for n in t.needs} - {GRADE}
    here = {n: f"CAST(m.{n} AS DOUBLE)" for n in sorted(needed) if n in engine.columns(months)} | {GRADE: f"g.{GRADE}"}
    joined = ""
    if "limit_amt" not in here and "limit_amt" in engine.columns(account):
        here["limit_amt"] = "CAST(a.limit_amt AS DOUBLE)"
        joined = f"LEFT JOIN accounts a ON CAST(a.{key} AS VARCHAR) = CAST(m.entity_id AS VARCHAR)"
    number = number_sql("m.month")
    silent = f"{number} BETWEEN {deferred[0]} AND {deferred[1]}"
    facts = [
        f"CASE WHEN NOT {silent} THEN {sql} END AS {n}" if n in OF_PAYMENT else f"{sql} AS {n}"
        for n, sql in here.items()
    ]
    text = f"""SELECT CAST(m.entity_id AS VARCHAR) AS entity_id, {number} AS month_no, {", ".join(facts)}
        FROM months m {joined} LEFT JOIN graded g ON g.entity_id = CAST(m.entity_id AS VARCHAR)
            AND g.month_no = {number}"""
    return text, set(here)


def fired_sql(base: str, chosen: list[Trigger], rules: Rules) -> str:
    """Return SQL of every firing (entity_id, month_no, trigger_code) over the months of `months_sql`."""
    flags = [f"({t.sql(rules.number(t.rule))}) AS {t.code}" for t in chosen]
    parts = [f"SELECT entity_id, month_no, '{t.code}' AS trigger_code FROM f WHERE {t.code}" for t in chosen]
    return f"""WITH m AS ({base}), f AS (SELECT entity_id, month_no, {", ".join(flags)} FROM m)
        {" UNION ALL ".join(parts)}"""


def alerts(fired: pd.DataFrame, quiet_months: int) -> pd.DataFrame:
    """Return the alerts: a trigger that goes on firing is told once, until it was quiet for `quiet_months`.

    Columns: entity_id, trigger_code, opened_no, last_no (month numbers), n_fired, age_months (from first to last).
    """
    sql = f"""
        WITH s AS (SELECT *, lag(month_no) OVER (PARTITION BY entity_id, trigger_code ORDER BY month_no) AS before
            FROM fired),
        n AS (SELECT *, sum(CASE WHEN month_no - before <= {quiet_months} THEN 0 ELSE 1 END)
            OVER (PARTITION BY entity_id, trigger_code ORDER BY month_no) AS no FROM s)
        SELECT entity_id, trigger_code, min(month_no) AS opened_no, max(month_no) AS last_no, count(*) AS n_fired,
            max(month_no) - min(month_no) AS age_months
        FROM n GROUP BY entity_id, trigger_code, no ORDER BY entity_id, trigger_code, opened_no"""
    return engine.frame(sql, {"fired": fired})
