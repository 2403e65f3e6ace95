"""What happened after the date: an `Outcome` as SQL, over the column that records it or over the months that follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
from pydantic import ValidationError

from workbench import engine
from workbench.contracts import Contract, Outcome, Words
from workbench.params import Columns, UserError, nearest, shown, why

PLACE = "panel/build: outcome"
UNFOLLOWED = "unfollowed"  # a column of the cohort, where the outcome is an event of the months
EVENT_AFTER = "months_to_event"  # a column of the panel, where the event is dated by the months


def checked(given: Mapping[str, Any]) -> None:
    """Raise `UserError` for a field that an outcome doesn't have, a value out of range, or what is no SQL condition."""
    _of(given, Outcome())


def resolved(given: Mapping[str, Any], contract: Contract) -> Outcome:
    """Return the outcome to compute: the contract's, with the fields that the study gives in their place.

    A study that gives another `name` speaks of another outcome: nothing is taken from the contract's then.
    """
    other = given.get("name", contract.outcome.name) != contract.outcome.name
    outcome = _of(given, Outcome() if other else contract.outcome)
    recorded = [] if outcome.is_binary or outcome.event else contract.named("outcome")
    for name in recorded:
        if contract[name].type not in ("number", "integer"):
            raise UserError(
                f"{PLACE}: kind '{outcome.kind}' needs a number, and '{name}' of contract '{contract.name}' is of type "
                f"{contract[name].type}; write `kind: binary`, or give an `event`"
            )
    return outcome


def _of(given: Mapping[str, Any], base: Outcome) -> Outcome:
    _names(given, Outcome.model_fields, PLACE)
    if isinstance(given.get("words"), dict):
        _names(given["words"], Words.model_fields, f"{PLACE}.words")
    try:
        outcome = Outcome.model_validate({**base.model_dump(), **given})
    except ValidationError as e:
        first = e.errors()[0]
        raise UserError(f"{PLACE}.{'.'.join(map(str, first['loc']))} = {shown(first['input'])}: {why(first)}") from None
    _computable(outcome)
    return outcome


def _names(given: Mapping[str, Any], fields: Iterable[str], where: str) -> None:
    fields = list(fields)
    for name in given:
        if name not in fields:
            raise UserError(f"{where}: unknown field '{name}'; {nearest(str(name), fields)}")


def _computable(outcome: Outcome) -> None:
    for name in ("event", "eligible"):
        if text := getattr(outcome, name):
            engine.parsed(text, f"{PLACE}.{name}")
    for text in outcome.competing:
        engine.parsed(text, f"{PLACE}.competing")
    if outcome.event and outcome.kind not in ("binary", "time"):
        raise UserError(
            f"{PLACE}: an event makes a binary outcome or a time; leave `event` empty for kind '{outcome.kind}'"
        )
    if outcome.kind == "named":
        raise UserError(f"{PLACE}: what is named is a question's intent, which actions/service learns; no panel does")
    if outcome.event and not outcome.window_months:
        raise UserError(f"{PLACE}: an event needs `window_months`, the months after the date in which it counts")
    if outcome.competing and not outcome.event:
        raise UserError(f"{PLACE}: `competing` needs an `event`; a recorded outcome has its competitors in it")


def columns(given: Mapping[str, Any]) -> list[Columns]:
    """Return the columns that the conditions of an outcome's fields name, and where they have to stand."""
    texts = {n: tuple(t for t in (given.get(n, ""),) if t) for n in ("event", "eligible")}
    texts["competing"] = tuple(given.get("competing", ()))
    month = ("core__month",)
    of_month = [Columns(f"outcome.{n}", _named(texts[n], n), month, texts[n]) for n in ("event", "competing")]
    eligible = tuple(c for c in _named(texts["eligible"], "eligible") if c != "as_of_date")
    return [*of_month, Columns("outcome.eligible", eligible, (*month, "core__account"), texts["eligible"])]


def _named(texts: Iterable[str], field: str) -> tuple[str, ...]:
    return tuple(sorted({c for text in texts for c in engine.parsed(text, f"{PLACE}.{field}")}))


def is_dated(outcome: Outcome) -> bool:
    """Say whether the panel knows in which month the event came: it is an event of the months, and no time itself."""
    return bool(outcome.event) and outcome.is_binary


def recorded_outcome(account: pd.DataFrame, contract: Contract) -> pd.Series:
    """Return the recorded outcome indexed by entity: 1 (the event), 0 or NaN, or the amount or rate itself."""
    name, key = contract.one("outcome"), contract.one("key")
    values = engine.frame(f"SELECT {recorded_sql(contract)} AS outcome FROM accounts a", {"accounts": account[[name]]})
    outcome = pd.Series(values["outcome"].to_numpy(float), index=pd.Index(account[key], name=key), name=name)
    if contract.outcome.is_binary and not (outcome == 1).any():
        raise UserError(f"contract '{contract.name}': event_value '{contract.event_value}' does not stand in '{name}'")
    return outcome


def recorded_sql(contract: Contract, outcome: Outcome | None = None) -> str:
    """Return the recorded outcome as SQL over the entity's own row `a`."""
    name = contract.one("outcome")
    column = engine.column(name)
    asked = outcome or contract.outcome
    if not asked.is_binary:
        share = " / 100e0" if asked.kind == "rate" and contract[name].unit == "%" else ""  # 35.66 % is 0.3566
        return f"CAST(a.{column} AS DOUBLE){share}"
    event = contract[name].values.get(contract.event_value, contract.event_value).replace("'", "''")
    is_event = f"CAST(a.{column} AS VARCHAR) = '{event}'"
    if contract[name].type in ("number", "integer"):  # 1 is 1.0
        is_event = f"CAST(a.{column} AS DOUBLE) = TRY_CAST('{event}' AS DOUBLE)"
    return f"CASE WHEN {is_event} THEN 1e0 WHEN a.{column} IS NOT NULL THEN 0e0 END"


def flags_sql(outcome: Outcome, facts: Mapping[str, str]) -> str:
    """Return the SQL columns `is_event` and `is_competing` (1 or NULL) of a month; `UserError` for unknown columns."""
    for text in outcome.competing:
        engine.condition(text, facts, f"{PLACE}.competing")
    engine.condition(outcome.event, facts, f"{PLACE}.event")
    competing = " OR ".join(f"({text})" for text in outcome.competing) or "FALSE"
    return f"CASE WHEN {outcome.event} THEN 1 END AS is_event, CASE WHEN {competing} THEN 1 END AS is_competing"


def after_sql(outcome: Outcome, last_month: int) -> str:
    """Return what happened to the rows of `cohort` in their windows, as SQL over `cohort` and the flagged `m`.

    1 where the event comes in the window, 0 where it doesn't, or where a competing event comes in an earlier month
    (of the same month the event counts); of a time the months until the event, in place of 0 the whole window. NULL
    for every row whose window isn't over by the data's `last_month`: those whose event has come already would be the
    only ones known. Of a dated event `months_to_event`, too: the months until it, NULL where it doesn't come.

    `unfollowed` is 1 where the entity's months stop within the window and neither kind of event came: it counts as
    without the event all the same. 0 of the others that do, NULL of those with the event or an open window.
    """
    window = outcome.window_months
    happened, not_happened = ("1e0", "0e0") if outcome.is_binary else ("l.event_month - c.anchor", str(window))
    no_event = f"c.anchor + {window} > {last_month} OR l.event_month IS NULL OR l.competing_month < l.event_month"
    dated = f"CASE WHEN {no_event} THEN NULL ELSE l.event_month - c.anchor END AS {EVENT_AFTER}, "
    dated = dated if outcome.is_binary else ""  # a time is its own outcome
    return f"""
        SELECT c.*, {dated}CASE
            WHEN c.anchor + {window} > {last_month} THEN NULL
            WHEN l.competing_month < l.event_month THEN 0
            WHEN l.event_month IS NOT NULL THEN NULL
            WHEN l.competing_month IS NOT NULL OR l.last_month = c.anchor + {window} THEN 0
            ELSE 1 END AS {UNFOLLOWED}, CASE
            WHEN c.anchor + {window} > {last_month} THEN NULL
            WHEN l.event_month IS NULL OR l.competing_month < l.event_month THEN {not_happened}
            ELSE {happened} END AS outcome
        FROM cohort c LEFT JOIN (
            SELECT c.entity_id, c.as_of_date, max(m.month_no) AS last_month,
                min(CASE WHEN m.is_event = 1 THEN m.month_no END) AS event_month,
                min(CASE WHEN m.is_competing = 1 THEN m.month_no END) AS competing_month
            FROM cohort c JOIN m ON m.entity_id = c.entity_id
                AND m.month_no > c.anchor AND m.month_no <= c.anchor + {window}
            GROUP BY c.entity_id, c.as_of_date
        ) l ON l.entity_id = c.entity_id AND l.as_of_date = c.as_of_date"""
