"""Every table of a customer step says what in it counts people, or why nothing does: a page shows no small group."""

import ast
from pathlib import Path

import workbench

ROOT = Path(workbench.__file__).parent
ROOMS = ("customers", "actions")
NO_GROUP = {  # tables in which no row is a group of people
    "customers/capacity capacity": "quantiles of everybody",
    "customers/catalogue tags": "a row is a tag",
    "customers/groups portraits": "published where it is made",
    "customers/groups number_of_groups": "a row is a number of groups",
    "customers/profile book": "a row is a column; its rates are of published groups",
    "customers/profile customer": "one customer, for his officer",
    "customers/segments cells": "published where it is made (`published`)",
    "customers/segments policy_effect": "sums of everybody",
    "customers/tags customer": "one customer, for his officer",
    "customers/tags next_step": "one customer, for his officer",
    "actions/action_list evidence": "a list for officers, by pseudonym",
    "actions/changes segments": "published where it is made (`shown`)",
    "actions/conversion funnel": "published where it is made (`changes.shown`)",
    "actions/contacts cost": "two orders of all contacts",
    "actions/foretelling event_gain": "two models on all rows",
    "actions/events funnel": "published where it is made (`shown`)",
    "actions/groups stages": "published where it is made",
    "actions/groups value": "tenths of everybody",
    "actions/hazards hazards": "shares of everybody",
    "actions/next_action policy": "policies on everybody",
    "actions/product_change product_changes": "changes of a product",
    "actions/propensity gains": "tenths of everybody",
    "actions/retention value_at_risk": "tenths of everybody",
    "actions/satisfaction drivers": "a row is an attribute",
    "actions/service_answers confused": "a row is a pair of intents",
    "actions/service_answers texts": "a row is an approved text",
    "actions/warning_answers steady": "the list's own change, month by month",
    "actions/warning_orders caught": "three orders of all flags",
}


def _tables() -> dict[str, bool]:
    """Return every answer with a table, by module and key (else the function that makes it): does it say people?"""
    tables = {}
    for room in ROOMS:
        for path in sorted((ROOT / room).glob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for f in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
                keys = [v.value for d in ast.walk(f) if isinstance(d, ast.Dict) for v in _of(d, "key")]
                for d in (n for n in ast.walk(f) if isinstance(n, ast.Dict)):  # given to several answers at once
                    fields = {k.value for k in d.keys if isinstance(k, ast.Constant)}
                    if {"table", "question"} <= fields:
                        tables[f"{room}/{path.stem} {f.name}"] = "people" in fields
                for call in (n for n in ast.walk(f) if isinstance(n, ast.Call) and ast.unparse(n.func) == "Evidence"):
                    given = {k.arg: k.value for k in call.keywords}
                    if "table" in given:
                        key = given.get("key")
                        name = key.value if isinstance(key, ast.Constant) else (*keys, f.name)[0]
                        tables[f"{room}/{path.stem} {name}"] = "people" in given
    return tables


def _of(d: ast.Dict, name: str) -> list[ast.Constant]:
    pairs = zip(d.keys, d.values, strict=True)
    return [v for k, v in pairs if isinstance(k, ast.Constant) and k.value == name and isinstance(v, ast.Constant)]


def test_every_table_says_what_counts_people_or_stands_here():
    tables = _tables()
    assert len(tables) > 40
    silent = {name for name, says in tables.items() if not says}
    assert silent - set(NO_GROUP) == set(), "Evidence(people=...): what in the table counts people?"
    assert set(NO_GROUP) - silent == set(), "these say it by now, or are gone"
