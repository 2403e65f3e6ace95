"""What customers do, how the process really runs, and which events tell that something follows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from workbench import engine, params, tables
from workbench.actions import lift, process
from workbench.actions.funnel import OF_PREVIOUS, Funnel
from workbench.actions.lift import Matching, Sure
from workbench.actions.named_codes import must_be_known
from workbench.actions.process import ARROW
from workbench.evidence import Evidence, Verdict
from workbench.evidence.disclosure import People, open_rows, smallest
from workbench.params import DAY_OR_NONE, Columns, UserError
from workbench.rules import Ruled
from workbench.words import say
from workbench.words.names import words_of

SHOWN = 10  # rows of a table that can be long
OFFICIAL = {
    "application_started": ["documents_asked", "documents_complete", "abandoned"],
    "documents_asked": ["documents_complete", "abandoned"],
    "documents_complete": ["credit_check", "abandoned"],
    "credit_check": ["manual_review", "approved", "declined", "abandoned"],
    "manual_review": ["approved", "declined", "abandoned"],
    "approved": ["contract_signed", "abandoned"],
    "contract_signed": ["paid_out", "abandoned"],
    "paid_out": ["first_use"],
}
FUNNEL = ["application_started", "documents_complete", "credit_check", "approved", "contract_signed", "paid_out"]


class Params(Ruled, params.Params):
    """Which funnel, process and paths, what may follow an event, and what those compared have in common."""

    study: str = Field(
        "sample_customers", pattern=r"^[a-z0-9_]+$", description="study whose tables are read and written"
    )
    steps: list[str] = Field(list(FUNNEL), description="steps of the funnel, in order")
    window_days: int = Field(60, ge=1, le=730, description="days a customer has from the first step to the last")
    hold: str = Field("case_id", description="column that is the same at every step; empty is none")
    official: dict[str, list[str]] = Field(dict(OFFICIAL), description="what may follow each step of the process")
    customer_steps: list[str] = Field(
        ["documents_complete", "contract_signed", "first_use", "abandoned"],
        description="steps for which the bank waits for the customer",
    )
    path_start: str = Field("complaint", description="event whose paths and returns are followed")
    path_kinds: list[str] = Field(
        ["call", "branch_visit", "rate_page_viewed", "balance_transferred", "product_bought", "settled_early"],
        description="kinds that count as steps of a path; none is all",
    )
    outcome: str = Field("left_bank > 0", description="what may follow an event: a condition on a month")
    eligible: str = Field("n_products > 0 AND left_bank < 1", description="months in which an event counts")
    match_on: list[str] = Field(
        ["region_code", "n_logins", "n_products", "delay_months"],
        min_length=1,
        description="what those compared have in common",
    )
    outcome_months: int = Field(3, ge=1, le=12, description="months after the event in which the outcome counts")
    fewest: int = Field(5, ge=1, description="outcomes after a kind of event below which it isn't judged")
    fdr: float = Field(0.05, gt=0, lt=0.5, description="share of false ones among the kinds that pass")
    panel: str = Field("mart__churn", pattern=r"^mart__[a-z0-9_]+$", description="panel of the model events may add to")
    max_rows: int = Field(60000, ge=2000, description="rows of the panel the gain is measured on")
    thresholds: dict[str, Any] = Field({}, description="own values of rules by name, each [amber, red] or one number")
    rules_as_of: str = Field("", pattern=DAY_OR_NONE, description="day as of which rules are looked up; empty is today")
    seed: int = Field(42, ge=0, description="seed of what is drawn")

    @property
    def funnel(self) -> Funnel:
        """The funnel that is asked for."""
        return Funnel(tuple(self.steps), self.window_days, self.hold)

    @property
    def matching(self) -> Matching:
        """Who is compared with whom."""
        return Matching(self.outcome, self.eligible, tuple(self.match_on), self.outcome_months)

    @property
    def sure(self) -> Sure:
        """What a kind of event must show to pass."""
        return Sure(self.fewest, self.rules().number("event_material"), self.fdr)

    def verify(self) -> None:
        """Raise `UserError` for a funnel of one step or a step twice, a process without any, and an unknown rule."""
        super().verify()
        if len(self.steps) < 2:
            raise UserError(f"actions/events: steps {self.steps}: a funnel has two steps or more")
        params.once(self.steps, "actions/events: steps")
        if not self.official:
            raise UserError("actions/events: official is empty; say what may follow each step of the process")


def reads(p: Params) -> list[str]:
    """Tables this step reads; the usual panel may be missing, one that is named may not."""
    optional = "?" if p.panel == Params.model_fields["panel"].default else ""
    return ["core__event", "core__month", "core__account", f"{optional}{p.panel}"]


def columns(p: Params) -> list[Columns]:
    """Columns that parameters name, held against the contracts before a kernel starts."""
    conditions = {name: getattr(p, name) for name in ("outcome", "eligible")}
    names = {name: tuple(sorted(engine.parsed(text, f"{lift.PLACE}: {name}"))) for name, text in conditions.items()}
    return [
        *(Columns(name, names[name], ("core__month",), (text,)) for name, text in conditions.items()),
        p.matching.columns,
        Columns("hold", (p.hold,) if p.hold else (), ("core__event",)),
    ]


def writes(p: Params) -> list[str]:
    """Tables this step writes: how often the outcome follows each kind of event."""
    return ["mart__event_lift"]


def log(p: Params) -> Path:
    """Return the file of events; `UserError` where none is of the kind whose paths are followed, or of a step's."""
    events = tables.scan(p.key, "core__event")
    if p.steps != FUNNEL:  # data without one of the usual steps are told of by the others
        must_be_known(p.steps, events, "event_kind", "actions/events: steps")
    must_be_known([p.path_start], events, "event_kind", "actions/events: path_start")
    return events


def funnel_evidence(rows: pd.DataFrame, p: Params) -> Evidence:
    """Return how many get to the end of the funnel, and where most are lost; rows of `funnel.funnel`."""
    closed, open_ = rows[~rows["is_open"]], rows[rows["is_open"] & (rows["step"] == 1)]
    began, waiting = int(closed["reached"].max()) if len(closed) else 0, int(open_["reached"].sum())
    question = say("How many get from {first} to {last}?", first=kind(p.steps[0]), last=kind(p.steps[-1]))
    definition = say(
        "Counted once each; strict order; {days: days} of 24 hours from the first event of the first step, which later "
        "ones don't begin anew; who still has days left is open and not in a rate. Intervals are Wilson's, 95 %.",
        days=p.window_days,
    )
    if not began:
        return Evidence(
            key="funnel",
            question=question,
            verdict=Verdict.not_evaluated,
            answer=say("Nobody's window of {days: days} is over; {n:,} are open.", days=p.window_days, n=waiting),
            threshold=definition,
        )
    last, widest = closed.iloc[-1], closed.loc[closed["of_previous"].iloc[1:].idxmin()]
    answer = say(
        "Of {n:,} whose window is over, {share:.1%} ({low:.1%} to {high:.1%}) reached the last step, {last}. Most are "
        "lost on the way to the step {step}: "
        "{lost:.1%} of those who were one step ahead of it. {waiting:,} more are open.",
        n=began,
        share=last["of_first"],
        low=last["first_low"],
        high=last["first_high"],
        last=kind(last["event_kind"]),
        step=kind(widest["event_kind"]),
        lost=1 - widest["of_previous"],
        waiting=waiting,
    )
    return Evidence(
        key="funnel",
        question=question,
        verdict=Verdict.info,
        answer=answer,
        value=float(last["of_first"]),
        threshold=definition,
        source="Wilson (1927), JASA 22(158)",
        table=readable(_by_cohort(rows)),
    )


def shown(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the funnel as page and picture may show it: steps that few people reached, or stopped at, are hidden."""
    people = People(
        ("reached",), ("is_open",), nested=True, of_previous=OF_PREVIOUS, tells_nothing=("step", "event_kind")
    )
    return people.published(rows)


def _by_cohort(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the funnel as published, whose window is over before whose is open, the word for it first."""
    table = shown(rows).drop(columns="is_open")
    table.insert(0, "cohort", np.where(rows["is_open"], "window open", "window over"))
    return table


def kind(code: str) -> Any:
    """Return a kind of event in words."""
    return say(words_of(code))


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its kinds of event in words."""
    return table.assign(event_kind=[kind(code) for code in table["event_kind"]])


def in_words(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Return the first rows of a table with courses of kinds as lists in words, which a page can translate."""
    out = table.head(SHOWN).copy()
    for name in columns:
        out[name] = out[name].map(_course)
    return out


def _course(kinds: str) -> Any:
    """Return a course of kinds as a list in words; a kind that is done twice as a sentence."""
    if kinds.endswith(process.TWICE):
        return say("{step} a second time", step=kind(kinds.removesuffix(process.TWICE)))
    return words_of(kinds.replace(ARROW, ", "))


def conformance_evidence(events: Any, p: Params) -> Evidence:
    """Return how many cases run as the official process allows, and what the others do."""
    n, of, deviations = process.conformance(events, p.official)
    question, rule = say("Does the process run as it should?"), say("the steps the study's official process allows")
    if not of:
        return Evidence(
            key="conformance",
            question=question,
            verdict=Verdict.not_evaluated,
            answer=say("No event belongs to a case."),
            threshold=rule,
        )
    answer = say("{share:.1%} of {n:, cases} run as the official process allows.", share=n / of, n=of)
    if len(common := open_rows(deviations, "cases")):
        top = common.iloc[0]
        answer += say(
            "Most often not: {what}, in {share:.1%} of the cases.",
            what=_course(top["deviation"]),
            share=top["share"],
        )
    return Evidence(
        key="conformance",
        question=question,
        verdict=Verdict.info,
        answer=answer,
        value=n / of,
        threshold=rule,
        source="van der Aalst (2016), Process Mining, ch. 8",
        table=in_words(deviations, "deviation"),
        people=People(("cases",)),
    )


def bank_waits(waits: pd.DataFrame, p: Params) -> pd.DataFrame:
    """Return the waits in which the customer waits for the bank: those for the customer's own steps are his."""
    return waits[~waits["event_kind"].isin(p.customer_steps)].reset_index(drop=True)


def bottleneck_evidence(waits: pd.DataFrame, rework: pd.DataFrame, p: Params) -> Evidence:
    """Return which step of the bank's customers wait for most, delay times volume, and what is done twice."""
    bank = bank_waits(waits, p)
    question, rule = say("Where do customers wait for the bank?"), say("days waited in all: delay times volume")
    if not len(bank):
        return Evidence(
            key="bottleneck",
            question=question,
            verdict=Verdict.not_evaluated,
            answer=say("No case waits for a step of the bank's."),
            threshold=rule,
        )
    if not len(often := open_rows(bank, "n")):
        return Evidence(
            key="bottleneck",
            question=question,
            verdict=Verdict.not_evaluated,
            answer=say("Fewer than {k} wait for each step of the bank's: too few to tell of.", k=smallest()),
            threshold=rule,
        )
    first = often.iloc[0]
    answer = say(
        "Most for {step}: {days:,.0f days} in all, {median:.1f} in the median of {n:,}.",
        step=kind(first["event_kind"]),
        days=first["total_days"],
        median=first["median_days"],
        n=int(first["n"]),
    )
    if len(redone := open_rows(rework, "cases")):
        again = redone.iloc[0]
        answer += say(
            "Done again most often: {step}, in {share:.1%} of the cases.",
            step=kind(again["event_kind"]),
            share=again["share"],
        )
    return Evidence(
        key="bottleneck",
        question=question,
        verdict=Verdict.info,
        answer=answer,
        value=words_of(first["event_kind"]),
        threshold=rule,
        blind_to=say("cases that wait still: a wait is counted when the step that ends it comes"),
        table=readable(bank),
        people=People(("n",)),
    )


def paths_evidence(paths: pd.DataFrame, p: Params) -> Evidence:
    """Return what follows the first event of the kind that is followed; rows of `paths.paths`."""
    answer = say("Nobody had {kind} so long ago that the 30 days after it are over.", kind=kind(p.path_start))
    if len(paths):
        often = open_rows(paths, "customers")
        answer = say("The paths of so many customers differ that none may be told of.")
        if len(often):
            answer = say(
                "{n:, customers}; the most frequent path takes {share:.1%} of them.",
                n=int(paths["customers"].sum()),
                share=often["share"].iloc[0],
            )
    return Evidence(
        key="paths",
        question=say("What do customers do after {kind}?", kind=kind(p.path_start)),
        verdict=Verdict.info,
        answer=answer,
        threshold=say("five steps at most, within 30 days of the first; counted is whose 30 days are over"),
        table=in_words(paths, "path"),
        people=People(("customers",)),
    )


def between_evidence(gaps: pd.DataFrame) -> Evidence:
    """Return how long it takes to the next event of the same kind; rows of `paths.between`."""
    often = gaps.dropna(subset=["median_days"]).sort_values("median_days")
    answer = say("Nothing happened a second time.")
    if len(often):
        answer = say(
            "Soonest comes {first} again, in the median after {days:.0f days}; last of {of: kinds} {last}, after "
            "{most:.0f days}.",
            first=kind(often["event_kind"].iloc[0]),
            days=often["median_days"].iloc[0],
            of=len(often),
            last=kind(often["event_kind"].iloc[-1]),
            most=often["median_days"].iloc[-1],
        )
    return Evidence(
        key="time_between",
        question=say("When does the same happen again?"),
        verdict=Verdict.info,
        answer=answer,
        threshold=say("days to the customer's next of the kind, of those that had one"),
        table=readable(gaps),
        people=People(("n",)),
    )
