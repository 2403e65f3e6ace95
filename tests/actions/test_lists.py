"""Whoever opted out is on no list: counted over every list that the sample of customers leaves."""

from __future__ import annotations

from importlib import import_module

import pytest

from workbench import tables
from workbench.actions import action_list
from workbench.params import Key
from workbench.runs import study

KEY = Key("sample_customers")


@pytest.fixture
def lists(sample_home, monkeypatch) -> list[str]:
    monkeypatch.setenv("WORKBENCH_HOME", str(sample_home))
    return [name for name in tables.names(KEY) if name.startswith(action_list.PREFIX)]


def test_nobody_who_opted_out_is_on_any_list(lists):
    out = action_list.opted_out(KEY)
    assert len(out) > 20
    listed = {name: set(tables.read(KEY, name, columns=["entity_id"])["entity_id"]) for name in lists}
    assert sum(map(len, listed.values())) > 50
    assert {name: len(on & out) for name, on in listed.items()} == dict.fromkeys(lists, 0)


def test_every_step_that_writes_a_list_has_one_in_the_sample(lists):
    written = set()
    for step in study.known_steps():
        module = import_module(f"workbench.{step.replace('/', '.')}")
        written |= {n for n in module.writes(module.Params()) if n.startswith(action_list.PREFIX)}
    assert written == set(lists) and len(written) >= 5
