"""Over all lists: who opted out is on none that approaches him; one contacts a customer, but a complaint is answered."""

from __future__ import annotations

from importlib import import_module
from itertools import combinations

import pandas as pd
import pytest

from workbench import tables
from workbench.actions import action_list, arrears, events, relationship, satisfaction
from workbench.customers import lists as kinds
from workbench.customers import tags
from workbench.evidence import Evidence, Verdict
from workbench.params import Key
from workbench.runs import there
from workbench.words import names

KEY = Key("sample_customers")


@pytest.fixture
def lists(sample_home, monkeypatch) -> dict[str, set[str]]:
    """The entities on each list that the sample of customers leaves."""
    monkeypatch.setenv("WORKBENCH_HOME", str(sample_home))
    names = [name for name in tables.names(KEY) if name.startswith(kinds.PREFIX)]
    return {name: set(tables.read(KEY, name, columns=["entity_id"])["entity_id"]) for name in names}


def test_nobody_who_opted_out_is_on_a_list_that_approaches(lists):
    out = action_list.opted_out(KEY)
    approached = {name: on for name, on in lists.items() if kinds.spares(name)}
    assert len(out) > 20 and sum(map(len, approached.values())) > 50
    assert {name: len(on & out) for name, on in approached.items()} == dict.fromkeys(approached, 0)
    assert set(lists) - set(approached) == {kinds.WATCH}


def test_one_list_contacts_a_customer_but_a_complaint_is_answered(lists):
    feedback, account, month = (tables.scan(KEY, f"core__{name}") for name in ("feedback", "account", "month"))
    asked = satisfaction.invitations(feedback, account, month)
    last = pd.Timestamp(tables.read(KEY, "core__month", columns=["month"])["month"].max())
    answered = set(relationship.detractors(asked, relationship.Params().detractor_months, last)["entity_id"])
    lists[kinds.FOLLOW_UP] -= answered
    assert {(a, b): len(lists[a] & lists[b]) for a, b in combinations(lists, 2) if lists[a] & lists[b]} == {}
    assert len(lists[kinds.WATCH]) > 10 and len(lists[kinds.FOLLOW_UP]) > 10


def test_nobody_in_arrears_is_on_a_list_that_sells(lists):
    late, sold = set(arrears.in_arrears(KEY)), {name: on for name, on in lists.items() if kinds.sells(name)}
    assert len(late) > 10 and sum(map(len, sold.values())) > 50
    assert {name: len(on & late) for name, on in sold.items()} == dict.fromkeys(sold, 0)
    assert set(sold) == {kinds.SAVE, kinds.OFFER, kinds.CONTACT}


def test_every_step_that_writes_a_list_has_one_in_the_sample(lists):
    written = set()
    for step in there.steps():
        module = import_module(f"workbench.{step.replace('/', '.')}")
        written |= {n for n in module.writes(module.Params()) if n.startswith(kinds.PREFIX)}
    assert written == set(lists) == set(kinds.KINDS)


def test_a_customers_page_names_the_lists_he_is_on(monkeypatch):
    rows = pd.DataFrame({"entity_id": ["customer_1"], "reason": ["r"], "measure": ["m"], "rank": [1]})
    monkeypatch.setattr(tables, "names", lambda key: [kinds.WATCH, kinds.SAVE, kinds.OFFER])
    monkeypatch.setattr(tables, "read", lambda key, name: rows if name != kinds.OFFER else rows[:0])
    assert str(tags.next_step(tags.Params(), "customer_1").answer) == "On the watch list, save list."


def test_an_event_goes_by_its_own_word_and_not_by_the_columns_of_that_name():
    with names.knowing({"defaulted": "default (1 in the month in which it happens)"}):
        shown = Evidence(
            key="k",
            question="q",
            verdict=Verdict.info,
            answer="a",
            table=events.readable(pd.DataFrame({"event_kind": ["defaulted"]})),
        )._repr_html_()
    assert "<td>defaulted</td>" in shown
