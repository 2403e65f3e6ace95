"""Customer 360: every customer by documented tags as of a date, what he can afford, and one of them on a page."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import Field

from workbench import engine, params, pseudonyms, tables
from workbench.customers import catalogue, lists
from workbench.customers.capacity import Income
from workbench.customers.stages import UNPAID, stage_of
from workbench.evidence import Evidence, Verdict
from workbench.evidence.disclosure import People
from workbench.params import MONTH, UserError
from workbench.words import Text, say
from workbench.words.names import words_of

SHOWN_EVENTS = 12
QUIET = ("login", "campaign_touch")  # too many to be told one by one


class Params(params.Params):
    """As of when, what the reader may see, and whose page."""

    study: str = Field("sample_customers", description="study whose tables are read and written")
    as_of: str = Field("", pattern=rf"({MONTH})|^$", description="month whose end is looked at; empty is the last")
    most_private: str = Field(
        "C3", pattern=r"^C[123]$", description="highest class the reader may see (JR/T 0171-2020)"
    )
    account: str = Field("", description="one customer to look at; empty is a seeded draw among those with a loan")
    seed: int = Field(42, ge=0, description="seed of the estimates and of the draw")

    def verify(self) -> None:
        """Raise `UserError` where the customer isn't given by pseudonym: what is given is kept and shown."""
        if self.account:
            pseudonyms.must_be_one(self.account, "customers/tags: account")


def reads(p: Params) -> list[str]:
    """Tables this step reads."""
    return ["core__account", "core__month", "core__event", "core__holding", *(f"?{name}" for name in lists.KINDS)]


def writes(p: Params) -> list[str]:
    """Tables this step writes: the tags."""
    return ["mart__tags"]


def relations(p: Params) -> dict[str, object]:
    """Return the files of the tables by the names that SQL uses."""
    names = {"customers": "account", "months": "month", "events": "event", "holdings": "holding"}
    return {label: tables.scan(p.key, f"core__{name}") for label, name in names.items()}


def date(p: Params) -> pd.Timestamp:
    """Return the first day of the month looked at, or raise `UserError` where the data have no such month."""
    months = tables.read(p.key, "core__month", columns=["month"])["month"]
    asked = pd.Timestamp(f"{p.as_of}-01") if p.as_of else months.max()
    if not months.min() <= asked <= months.max():
        raise UserError(
            f"customers/tags: as_of {p.as_of} lies outside the data, {months.min():%Y-%m} to {months.max():%Y-%m}"
        )
    return asked


def stage_evidence(at: pd.DataFrame) -> Evidence:
    """Return how many customers are in each stage; red where one is in two."""
    counts = at["stage"].value_counts()
    twice = int(at["entity_id"].duplicated().sum())
    table = pd.DataFrame({"stage": counts.index, "n": counts.to_numpy(), "share": counts.to_numpy() / max(len(at), 1)})
    return Evidence(
        key="stage",
        question=say("Where do customers stand in the life of the relationship?"),
        verdict=Verdict.red if twice else Verdict.green,
        answer=say(
            "{n:, customers}, each in one stage; most are {most} ({share:.0%}).",
            n=len(at),
            most=say(str(counts.index[0])),
            share=float(counts.iloc[0] / max(len(at), 1)),
        ),
        value=len(at),
        threshold=say("red where a customer is in two stages"),
        table=table,
        people=People(("n",), ("stage",)),
    )


def chosen(tagged: pd.DataFrame, p: Params) -> str:
    """Return whose page is shown: the one named, else drawn among those with a loan; `UserError` for an unknown one."""
    if p.account:
        if p.account not in set(tagged["entity_id"]):
            raise UserError(
                f"customers/tags: no customer '{p.account}' is with the bank then; give an entity_id of mart__tags"
            )
        return p.account
    drawn = tagged[tagged["n_loans"].fillna(0) > 0] if "n_loans" in tagged else tagged
    return str((drawn if len(drawn) else tagged)["entity_id"].sample(1, random_state=p.seed).iloc[0])


def story(files: dict[str, object], entity: str, as_of: pd.Timestamp) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return one customer's months and events up to the date, oldest first.

    Of the events only those recorded by then, where the log says when (`recorded_at`): later ones weren't known.
    """
    end = (as_of + pd.offsets.MonthEnd(0)).date()
    has_recorded = "recorded_at" in engine.columns(files["events"])  # type: ignore[arg-type]
    known = f" AND CAST(recorded_at AS DATE) <= DATE '{end}'" if has_recorded else ""
    asked = {**files, "asked": pd.DataFrame({"entity_id": [entity]})}
    one = "entity_id = (SELECT entity_id FROM asked)"
    months = engine.frame(
        f"SELECT * FROM months WHERE {one} AND CAST(month AS DATE) <= DATE '{end}' ORDER BY month",
        asked,  # type: ignore[arg-type]
    )
    events = engine.frame(
        f"""SELECT happened_at, event_kind, channel_code FROM events WHERE {one}
            AND CAST(happened_at AS DATE) <= DATE '{end}'{known} ORDER BY happened_at""",
        asked,  # type: ignore[arg-type]
    )
    return months, events


def page(
    tagged: pd.DataFrame, entity: str, files: dict[str, object], as_of: pd.Timestamp, earned: Income | None = None
) -> Evidence:
    """Return one customer on a page: each tag with his place among all, and what to do next."""
    row = tagged[tagged["entity_id"] == entity].iloc[0]
    rows = []
    for tag in catalogue.tags():
        if tag.name not in tagged:
            continue
        value = row[tag.name]
        place = _place(tagged[tag.name], value)
        rows.append((say(tag.block.replace("_", " ")), say(tag.description), value, place))
    table = pd.DataFrame(rows, columns=["block", "tag", "value", "place"])
    stage = stage_of(files["months"], entity, as_of)  # type: ignore[arg-type]
    months, events = story(files, entity, as_of)
    answer = say(
        "In stage {stage}; {months: months} of story, {events:, events}.",
        stage=say(words_of(stage)),
        months=len(months),
        events=len(events),
    )
    if earned is not None:
        income = earned.table[earned.table["entity_id"] == entity].iloc[0]
        answer += say(
            "Income {income:,.0f} ({low:,.0f} to {high:,.0f}, {basis}).",
            income=float(income["income"]),
            low=float(income["low"]),
            high=float(income["high"]),
            basis=say(str(income["basis"])),
        )
    return Evidence(
        key="customer",
        question=say("Who is this customer, and what comes next?"),
        verdict=Verdict.info,
        answer=answer,
        value=words_of(stage),
        table=table,
    )


def _place(values: pd.Series, value: object) -> float:
    """Return the share of customers with a lower number, NaN of what is no number."""
    if not pd.api.types.is_numeric_dtype(values) or not isinstance(value, int | float | np.number) or pd.isna(value):
        return float("nan")
    known = values.dropna()
    return float((known < float(value)).mean())


def next_step(p: Params, entity: str) -> Evidence:
    """Return which lists this customer stands on, with reason and measure; who is late on none is for collections."""
    rows = []
    for name, kind in lists.KINDS.items():
        if name in tables.names(p.key):
            at = tables.read(p.key, name)
            rows += [(kind.title, r.reason, r.measure, r.rank) for r in at[at["entity_id"] == entity].itertuples()]
    table = pd.DataFrame(rows, columns=["list", "reason", "measure", "rank"])
    return Evidence(
        key="next_step",
        question=say("What is to be done next?"),
        verdict=Verdict.info,
        answer=say("On the {lists}.", lists=[row[0] for row in rows]) if rows else _on_none(p, entity),
        value=len(rows),
        table=table if rows else None,
    )


def _on_none(p: Params, entity: str) -> Text:
    """Return what is to be done with a customer on no list."""
    stage = stage_of(tables.scan(p.key, "core__month"), entity, date(p))
    if stage not in UNPAID:
        return say("On no list: nothing is to be done now.")
    return say(
        "On no list: he is {stage} and belongs to collections, which this workbench doesn't list.",
        stage=say(words_of(stage)),
    )


def latest(events: pd.DataFrame) -> pd.DataFrame:
    """Return the last events worth telling, newest first."""
    newest = events[~events["event_kind"].isin(QUIET)].tail(SHOWN_EVENTS).iloc[::-1]
    day = newest["happened_at"].dt.strftime("%Y-%m-%d")
    kind = [say(words_of(code)) for code in newest["event_kind"]]  # an event, not the month's column of that name
    shown = newest.assign(happened_at=day, event_kind=kind)
    return shown.rename(columns={"happened_at": "date", "event_kind": "event kind", "channel_code": "channel"})


def conclusion(covered: Evidence, earned: Evidence, can: Evidence) -> Text:
    """Return what the step comes to."""
    return covered.answer + earned.answer + can.answer  # type: ignore[operator]
