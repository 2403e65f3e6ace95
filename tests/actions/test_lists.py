"""Whoever opted out is on no list: every step that writes one makes it by the one list maker, which leaves them out."""

from __future__ import annotations

import inspect
from importlib import import_module

from workbench import home
from workbench.actions.action_list import PREFIX
from workbench.runs import study


def test_every_step_that_writes_a_list_makes_it_by_the_one_that_asks_who_opted_out():
    listing = []
    for step in study.known_steps():
        module = import_module(f"workbench.{step.replace('/', '.')}")
        if any(name.startswith(PREFIX) for name in module.writes(module.Params())):
            notebook = home.root() / "notebooks" / f"{step}.ipynb"
            source = inspect.getsource(module) + notebook.read_text(encoding="utf-8")
            assert "action_list.action_list(" in source and "action_list.opted_out(" in source, step
            listing.append(step)
    assert "actions/retention" in listing
