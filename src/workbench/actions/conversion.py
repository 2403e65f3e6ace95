"""From contact to first use: who gets there, why it changed, whom to contact next with the budget there is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from pydantic import Field

from workbench import params, tables
from workbench.actions import action_list, applications, changes, contacts
from workbench.actions.named_codes import must_be_known
from workbench.actions.propensity import Known, known
from workbench.contracts import Contract, Outcome
from workbench.customers import lists
from workbench.evidence import Evidence, Verdict
from workbench.models.scorer import Scorer
from workbench.params import MONTH, Columns, OfPanel, UserError
from workbench.registry import model_read
from workbench.words import Text, say

LIST = lists.CONTACT
_MART = r"^mart__[a-z0-9_]+$"


class Params(params.Params):
    """Whose conversion, by which model, how it is split, and what there is to spend."""

    study: str = Field("sample_customers", description="study whose tables are read and written")
    panel: str = Field("mart__conversion", pattern=_MART, description="panel whose outcome is converting")
    scores: str = Field("mart__scores_conversion", pattern=_MART, description="scores of the same rows")
    model: str = Field("conversion", pattern=r"^[a-z0-9_]+$", description="model that made the scores")
    random_panel: str = Field("", pattern=rf"({_MART})|^$", description="panel with a random hold-out; empty is none")
    random_scores: str = Field("", pattern=rf"({_MART})|^$", description="scores of its rows; empty is none")
    contact_kinds: list[str] = Field(
        ["campaign_touch", "officer_call"], min_length=1, description="kinds of event that are contacts"
    )
    window_days: int = Field(60, ge=1, le=730, description="days from the first step in which the last counts")
    split_by: str = Field("channel_code", description="column by which customers are split")
    turn: str = Field("", pattern=rf"({MONTH})|^$", description="month between the two periods; empty is the middle")
    list_months: int = Field(1, ge=1, le=36, description="last months whose customers may be contacted")
    value: float = Field(120.0, gt=0, description="worth of one conversion, in the portfolio's currency")
    cost: float = Field(4.0, ge=0, description="cost of one contact")
    budget: float = Field(600.0, gt=0, description="budget for contacts")
    capacity: int = Field(25, ge=1, description="contacts of an officer; of all together where there are none")
    seed: int = Field(42, ge=0, description="seed of resampling")

    def verify(self) -> None:
        """Raise `UserError` for a budget that pays no contact, and a random panel without its scores."""
        if self.budget < self.cost:
            raise UserError(
                f"actions/conversion: budget {self.budget:g} pays no contact at {self.cost:g} each; raise it"
            )
        if bool(self.random_panel) != bool(self.random_scores):
            raise UserError("actions/conversion: random_panel and random_scores belong together; name both or none")

    @property
    def means(self) -> contacts.Means:
        """What there is to spend, and what it is spent for."""
        return contacts.Means(self.value, self.cost, self.budget, self.capacity)


def reads(p: Params) -> list[str]:
    """Tables and models this step reads, and what is said of the model behind the scores."""
    beside = [n for n in (p.random_panel, p.random_scores) if n]
    beside.append(model_read.reads(p.scores))
    first = action_list.asked_of(LIST)
    return [p.panel, p.scores, f"model__{p.model}", *beside, "core__account", "?core__event", *first]


def writes(p: Params) -> list[str]:
    """Tables this step writes: the contact list."""
    return [LIST]


def columns(p: Params) -> list[Columns]:
    """Columns that parameters name, held against the contracts before a kernel starts."""
    return [Columns("split_by", (p.split_by,), ("core__account", "core__event"))]


def of_panel(p: Params) -> list[OfPanel]:
    """The scores and the model that made them, which have to be of the panel's rows; the random ones of theirs."""
    random = OfPanel("random_scores", p.random_scores, p.random_panel, "random_panel")
    both = [OfPanel("scores", p.scores, p.panel), OfPanel("model", tables.of_model(p.model), p.panel)]
    return [*both, *([random] if p.random_scores else [])]


def has_events(key: params.Key) -> bool:
    """Return whether the study's data hold the steps of applications."""
    return "core__event" in tables.names(key)


def scored(p: Params, panel: str, scores: str) -> tuple[Known, pd.DataFrame]:
    """Return the rows of a panel whose outcome is known, and all of its rows, with what is predicted of each."""
    rows, given = tables.read(p.key, panel), tables.read(p.key, scores)
    everything = rows.merge(
        given[["entity_id", "as_of_date", "predicted"]], on=["entity_id", "as_of_date"], validate="one_to_one"
    )
    return known(rows, given, tables.contract(p.key, panel).outcome), everything


def cases(p: Params) -> pd.DataFrame:
    """Return the study's applications, how far each came and how it ended."""
    return applications.progress(tables.scan(p.key, "core__event"), applications.STEPS, p.window_days)


def from_contact(p: Params) -> Evidence:
    """Return how many customers come from their first contact to first use."""
    events = tables.scan(p.key, "core__event")
    usual = Params.model_fields["contact_kinds"].default
    if p.contact_kinds != usual:  # data without one of the usual kinds are told of by the others
        must_be_known(p.contact_kinds, events, "event_kind", "actions/conversion: contact_kinds")
    return applications.from_contact(events, p.contact_kinds, p.window_days)


def units(p: Params, cases: pd.DataFrame | None, k: Known) -> pd.DataFrame:
    """Return what converts or doesn't: applications where the data hold them, else the contacts of the panel."""
    if cases is None:
        return units_of_contacts(k, p.split_by)
    return units_of_cases(cases, tables.read(p.key, "core__account"), p.split_by)


def curves(p: Params, cases: pd.DataFrame, after: pd.Series) -> dict[str, pd.DataFrame]:
    """Return the share converted by day before and after the turn; `after` is of the units, in the cases' order."""
    groups = {"before the turn": cases[~after.to_numpy()], "after the turn": cases[after.to_numpy()]}
    return {name: applications.curve(rows, p.window_days) for name, rows in groups.items() if len(rows)}


def units_of_cases(cases: pd.DataFrame, account: pd.DataFrame, split_by: str) -> pd.DataFrame:
    """Return applications as units (n): segment, cohort, date, converted, open.

    Raises `UserError` where `split_by` is neither the channel of the first step nor a column of the customers.
    """
    if split_by == "channel_code":
        segment = cases["channel_code"]
    else:
        Columns("split_by", (split_by,), ("core__account",)).within(account.columns, "actions/conversion")
        segment = cases["entity_id"].map(account.set_index("entity_id")[split_by])
    converted = (cases["state"] == "converted").astype(int)
    return _units(segment, cases["cohort"], cases["at_1"], converted, cases["is_open"])


def units_of_contacts(k: Known, split_by: str) -> pd.DataFrame:
    """Return the rows of a panel as units (n): each is a contact, its outcome what was recorded of it."""
    Columns("split_by", (split_by,), ("the panel",)).within(k.rows.columns, "actions/conversion")
    r = k.rows
    return _units(r[split_by], r["quarter"], r["as_of_date"], r["outcome"].astype(int), pd.Series(False, index=r.index))


def _units(
    segment: pd.Series, cohort: pd.Series, date: pd.Series, converted: pd.Series, open_: pd.Series
) -> pd.DataFrame:
    named = segment.astype("string").fillna("missing").astype(object)
    parts = {"segment": named, "cohort": cohort, "date": date, "converted": converted, "open": open_}
    return pd.DataFrame(parts).reset_index(drop=True)


def contacts_only(units: pd.DataFrame, outcome: Outcome) -> Evidence:
    """Return what contacts alone can say: how many of them converted, and what can't be told without later events."""
    table = changes.shown(units, "cohort")
    whole = table.iloc[-1]
    return Evidence(
        key="funnel",
        question=say("How many come from contact to first use?"),
        verdict=Verdict.not_evaluated,
        answer=say(
            "Of {n:, contacts} {rate:.1%} ({low:.1%} to {high:.1%}) ended in {event}. The data hold the contact and "
            "its outcome alone: which step loses whom, who was declined, and how long it took can't be told.",
            n=int(whole["n"]),
            rate=whole["rate"],
            low=whole["low"],
            high=whole["high"],
            event=outcome.event_word,
        ),
        value=float(whole["rate"]),
        threshold=say("evaluated where the data hold the steps of applications (core__event)"),
        source="Wilson (1927), JASA 22(158)",
        table=table,
    )


def split_words(contract: Contract, p: Params) -> Text:
    """Return what customers are split by, in the contract's words."""
    columns = {c.name: c.description for c in contract.columns}
    return say(columns.get(p.split_by) or p.split_by.removesuffix("_code").replace("_", " "))


def listed(rows: pd.DataFrame, model: Scorer, p: Params) -> action_list.ActionList:
    """Return whom to contact of these candidates, with what raised the prediction of each."""
    paid = contacts.worth(rows, p.means)
    made = action_list.made(p.key, LIST, paid, capacity=p.capacity, most=p.means.most)
    return contacts.explained(made, rows, model)


def expected(made: action_list.ActionList, candidates: pd.DataFrame, p: Params, contract: Contract) -> Evidence:
    """Return the list as evidence: what it costs and is expected to bring, and what it brought where that is known."""
    order = say(
        "by expected gain, chance × worth − cost, in {currency}; within budget and capacity", currency=contract.currency
    )
    plain = made.evidence("contact_list", say("Whom to contact with the budget?"), order)
    rows = made.rows
    answer = plain.answer + say(
        "They cost {spent:,.0f} of {budget:,.0f} {currency}; {conversions:,.1f} conversions and {gain:,.0f} {currency} "
        "are expected, a conversion worth {value:,.0f} {currency}.",
        spent=len(rows) * p.cost,
        budget=p.budget,
        currency=contract.currency,
        conversions=float(np.sum(rows["probability"])),
        gain=float(np.sum(rows["expected_gain_amt"])),
        value=p.value,
    )
    came = candidates.loc[candidates["entity_id"].isin(rows["entity_id"]), "outcome"].dropna()
    if len(came):
        answer += say(
            "Of the {n:,} among them whose outcome is known by now, {converted:,} converted: a list made in hindsight.",
            n=len(came),
            converted=int(came.sum()),
        )
    return replace(
        plain,
        answer=answer,
        blind_to=say("who would convert without being contacted: only a trial tells"),
    )


def conclusion(answers: list[Evidence]) -> Text:
    """Return what the step comes to: what was seen of the past, then whom to contact."""
    by_key = {e.key: e for e in answers}
    return sum((by_key[k].answer for k in ("change", "ranking", "gains")), by_key["funnel"].answer) + say(
        "**{n:, customers are} on the contact list.**", n=by_key["contact_list"].value
    )
