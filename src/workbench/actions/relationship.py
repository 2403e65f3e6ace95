"""Who is due for a call and on which day, and how content customers are: the relationship, month by month."""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pydantic import Field, field_validator

from workbench import engine, params, tables
from workbench.actions import action_list, working_days
from workbench.actions.action_list import ActionList
from workbench.actions.discontent import DETRACTOR, MONTHS
from workbench.actions.named_codes import must_be_known
from workbench.customers import lists
from workbench.evidence import Evidence, Verdict
from workbench.evidence.disclosure import People, few, smallest, tellable
from workbench.params import UserError
from workbench.words import Text, say
from workbench.words.names import words_of

if TYPE_CHECKING:
    from workbench.engine import Relation

LIST = lists.FOLLOW_UP
ORDER = say("detractors first, lowest score first; then by what a customer brings a year times how long he is overdue")
AGES = (3, 6, 12)  # months since an officer's last contact that part the classes of age

# who is a customer in the last month, what he brings in a year, when an officer last spoke to him
_STATE = """
    WITH today AS (SELECT max(CAST(month AS DATE)) AS month, min(CAST(month AS DATE)) AS first FROM month),
    worth AS (
        SELECT m.entity_id, sum(m.margin_amt - m.service_cost_amt) AS yearly_amt FROM month m, today
        WHERE CAST(m.month AS DATE) > today.month - INTERVAL 12 MONTH GROUP BY m.entity_id),
    spoken AS (
        SELECT entity_id, max(happened_at) AS spoken_at FROM event
        WHERE event_kind = 'officer_call' GROUP BY entity_id)
    SELECT today.month, m.entity_id, a.officer_code, w.yearly_amt, m.balance_amt AS exposure_amt,
        CAST(s.spoken_at AS DATE) AS spoken_on,
        date_diff('month', CAST(s.spoken_at AS DATE), today.month) AS months_since,
        date_diff('month', greatest(CAST(a.since_date AS DATE), today.first), today.month) AS months_recorded
    FROM month m JOIN today ON CAST(m.month AS DATE) = today.month
        JOIN account a ON a.entity_id = m.entity_id JOIN worth w ON w.entity_id = m.entity_id
        LEFT JOIN spoken s ON s.entity_id = m.entity_id
    WHERE m.left_bank = 0 ORDER BY m.entity_id"""


class Params(params.Params):
    """How often an officer calls, how much he can, and over which months a score is told."""

    study: str = Field("sample_customers", description="study whose tables are read and written")
    every_months: int = Field(12, ge=1, le=60, description="months within which every customer hears from his officer")
    valuable_every_months: int = Field(6, ge=1, le=60, description="the same for the most valuable")
    valuable_share: float = Field(0.2, ge=0, le=1, description="share of customers who are the most valuable")
    calls_a_day: int = Field(5, ge=1, le=100, description="calls an officer can make on a working day")
    working_days: int = Field(10, ge=1, le=60, description="working days the calendar is made for")
    calendar: str = Field("XECB", description="country (ISO, DE) or market (XECB: the euro) of holidays; empty is none")
    held_out_share: float = Field(0.1, ge=0, le=0.5, description="share not called, to see later what calls change")
    detractor_months: int = Field(MONTHS, ge=1, le=12, description="months within which a low score is followed up")
    together_months: int = Field(3, ge=1, le=12, description="months that make one period of a score")
    last_months: int = Field(12, ge=1, le=36, description="latest months that make the score told first")
    changes: dict[str, str] = Field({}, description="product changes made, product to month")
    seed: int = Field(42, ge=0, description="seed of who is held out")

    @field_validator("changes")
    @classmethod
    def _months(cls, changes: dict[str, str]) -> dict[str, str]:
        for product, month in changes.items():
            try:
                pd.Timestamp(month)
            except ValueError:
                raise ValueError(f"'{month}' of {product} is no month; write it like 2018-09") from None
        return changes

    def verify(self) -> None:
        """Raise `UserError` for a calendar of holidays that nobody keeps."""
        working_days.checked(self.calendar, "actions/relationship: calendar")

    @property
    def capacity(self) -> int:
        """Calls an officer can make in the calendar's days."""
        return self.calls_a_day * self.working_days


def reads(p: Params) -> list[str]:
    """Tables this step reads."""
    core = ("account", "event", "feedback", "holding", "month")
    return [*(f"core__{name}" for name in core), *action_list.asked_of(LIST)]


def writes(p: Params) -> list[str]:
    """Tables this step writes: the follow-up calendar."""
    return [LIST]


def changes(p: Params) -> dict[str, str]:
    """Return the product changes made, product to month; `UserError` for a product that nobody holds or held."""
    must_be_known(p.changes, tables.scan(p.key, "core__holding"), "product_code", "actions/relationship: changes")
    return p.changes


def states(month: Relation, account: Relation, event: Relation) -> pd.DataFrame:
    """Return today's customers: month (the last), officer, yearly_amt (margin less service), months since a call.

    Raises `UserError` where the last month has no customer.
    """
    rows = engine.frame(_STATE, {"month": month, "account": account, "event": event})
    if not len(rows):
        raise UserError("actions/relationship: the last month has no customer who is still here")
    return rows


def detractors(asked: pd.DataFrame, months: int, last: pd.Timestamp) -> pd.DataFrame:
    """Return each customer's latest NPS answer of so many months where it is a detractor's (score ≤ 6).

    last: the last of these months, that of the data, whether anybody was asked in it or not.
    """
    given = asked[asked["answered"] & (asked["kind_code"] == "nps")]
    recent = given[given["month"] > last - pd.DateOffset(months=months)]
    latest = recent.sort_values("answered_at").drop_duplicates("entity_id", keep="last")
    return latest.loc[latest["score"] <= DETRACTOR, ["entity_id", "product_code", "score", "answered_at"]]


def candidates(today: pd.DataFrame, unhappy: pd.DataFrame, p: Params) -> tuple[pd.DataFrame, int]:
    """Return who should be called, with reason and measure, and how many who are due are held out.

    Detractors first, lowest score first; then who is due, by what he brings times how long overdue he is. A share of
    those due isn't called: what calls change can be told from them later. A customer's draw is of the seed and his
    entity_id alone, so that he is held out again whoever else is due. Detractors are never held out.
    """
    rows = today.merge(unhappy, on="entity_id", how="left", validate="one_to_one")
    rank = rows["yearly_amt"].rank(pct=True, ascending=False)
    limit = np.where(rank <= p.valuable_share, p.valuable_every_months, p.every_months)
    waited = rows["months_since"].astype(float).fillna(rows["months_recorded"].astype(float))
    angry = rows["score"].notna()
    due = (waited >= limit) & ~angry
    out_of_it = due & rows["entity_id"].map(lambda entity: _draw(entity, p.seed) < p.held_out_share)
    late = rows["yearly_amt"].clip(lower=1) * waited / limit
    order = np.where(angry, float(late.max()) + 11 - rows["score"], late)
    rows = rows.assign(waited=waited, every=limit, priority=order.round(2))
    chosen = rows[angry | (due & ~out_of_it)]
    unhappy_now = chosen["score"].notna()
    out = chosen[["entity_id", "priority"]].assign(
        reason=[_reason(r) for r in chosen.itertuples()],
        measure=[
            say("ask what went wrong and say what will be done") if a else say("follow-up call") for a in unhappy_now
        ],
        officer_code=chosen["officer_code"],
        exposure_amt=chosen["exposure_amt"].round(2),
        yearly_amt=chosen["yearly_amt"].round(2),
    )
    return out.reset_index(drop=True), int(out_of_it.sum())


def _draw(entity: str, seed: int) -> float:
    """Return an entity's number, evenly spread over [0, 1)."""
    return int.from_bytes(blake2b(f"{seed}:{entity}".encode(), digest_size=6).digest(), "big") / 2**48


def _reason(row: object) -> Text:
    r: pd.Series = row  # type: ignore[assignment]
    if not np.isnan(r.score):
        return say(
            "scored {score:.0f} of 10 for {product} on {day}",
            score=r.score,
            product=say(words_of(str(r.product_code))),
            day=f"{r.answered_at:%Y-%m-%d}",
        )
    facts = {"months": int(r.waited), "every": int(r.every)}
    if pd.isna(r.months_since):
        return say("no officer's call in {months: months} of records; due every {every: months}", **facts)
    return say("an officer last called {months: months} ago; due every {every: months}", **facts)


def calendar(listed: ActionList, after: pd.Timestamp, p: Params) -> ActionList:
    """Return the list with due_on: each officer's calls in their order, so many a working day from next month on."""
    days = working_days.working_days((after + pd.offsets.MonthBegin(1)).date(), p.working_days, p.calendar)
    at = (listed.rows["rank"] - 1) // p.calls_a_day
    return replace(listed, rows=listed.rows.assign(due_on=[str(days[i]) for i in at]))


def coverage(today: pd.DataFrame, listed: ActionList, held_out: int, p: Params) -> Evidence:
    """Return how many heard from an officer within the agreed months, and how old the last contact of the others is."""
    since = today["months_since"].astype(float)
    edges = [-np.inf, *AGES, np.inf]
    names = [say("up to {to: months}", to=AGES[0])]
    names += [say("{low} to {to: months}", low=a, to=b) for a, b in pairwise(AGES)]
    names += [say("more than {low: months}", low=AGES[-1]), say("never")]
    age = pd.cut(since, edges, labels=False).fillna(len(AGES) + 1).astype(int)
    on_list = today["entity_id"].isin(set(listed.rows["entity_id"]))
    table = pd.DataFrame(
        [
            (
                name,
                int((age == i).sum()),
                float((age == i).mean()),
                int((on_list & (age == i)).sum()),
                float(today.loc[age == i, "yearly_amt"].sum()),
            )
            for i, name in enumerate(names)
        ],
        columns=["last_contact", "n", "share", "on_the_list", "yearly_amt"],
    )
    heard, never = int((since <= p.every_months).sum()), int(since.isna().sum())
    parts = tellable(heard, len(today) - heard - never, never)
    return Evidence(
        key="coverage",
        question=say("Who has heard from his officer?"),
        verdict=Verdict.info,
        answer=say(
            "Of {n:, customers} {heard:,} heard from an officer within {months: months}, {longer:,} longer ago, "
            "{never:,} never. {held_out:,} who are due are held out, to see later what calls change.",
            n=len(today),
            months=p.every_months,
            held_out=tellable(held_out)[0],
            **dict(zip(("heard", "longer", "never"), parts, strict=True)),
        ),
        value=heard / len(today) if isinstance(parts[0], int) else None,
        blind_to=say("contacts that no event records"),
        table=table,
        people=People(("n",), ("last_contact",)),
    )


def followed_up(unhappy: pd.DataFrame, listed: ActionList, today: pd.DataFrame) -> Evidence:
    """Return what becomes of the detractors of the last months: on the list, or why not."""
    here = unhappy["entity_id"].isin(set(today["entity_id"]))
    on_list = unhappy["entity_id"].isin(set(listed.rows["entity_id"]))
    groups = unhappy.assign(on_list=on_list).groupby("product_code")
    by = groups.agg(n=("score", "size"), mean_score=("score", "mean"), on_the_list=("on_list", "sum"))
    by = by.reset_index().sort_values("n", ascending=False)
    listed_, gone, others = tellable(int(on_list.sum()), int((~here).sum()), int((here & ~on_list).sum()))
    is_told = not few(len(unhappy))
    return Evidence(
        key="detractors",
        question=say("Are those who are discontent followed up?"),
        verdict=Verdict.info,
        answer=say(
            "{listed:,} of {n:, detractors are} on the calendar, first of all; {gone:,} have left, {others:,} opted "
            "out or are beyond the capacity.",
            n=len(unhappy),
            listed=listed_,
            gone=gone,
            others=others,
        )
        if is_told
        else say("Fewer than {k: detractors} answered: they stand first on the calendar.", k=smallest()),
        value=listed_ if isinstance(listed_, int) and is_told else None,
        table=by,
        people=People(("n",)),
    )


def conclusion(answers: list[Evidence], listed: ActionList) -> Text:
    """Return what the step comes to: the calendar, the score, what began."""
    by_key = {e.key: e for e in answers}
    nps = by_key["nps"]
    if nps.value is None:
        return say("**{n:, calls are} on the calendar.** Answers are too few for a score.", n=len(listed.rows))
    return say(
        "**{n:, calls are} on the calendar**, detractors first. NPS {score:.1f} ({low:.1f} to {high:.1f}), weighted; "
        "{answers:, answers}, {response:.1%} of those asked. Topics that began: {topics}.",
        n=len(listed.rows),
        score=nps.value,
        low=nps.facts["low"],
        high=nps.facts["high"],
        answers=nps.facts["n"],
        response=nps.facts["response"],
        topics=by_key["topics"].value or 0,
    )
