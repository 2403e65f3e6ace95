"""The reference page of contracts, made from code: `python -m workbench.contracts.reference > docs/contracts.md`."""

from __future__ import annotations

import sys
import types
from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from workbench.contracts.fields import OF_STEPS, RESERVED
from workbench.contracts.outcome import Outcome, Words
from workbench.contracts.words import Aspect, Column, Contract, Role, Type

MEANING: Mapping[str, str] = {  # of fields whose code says no more than their name
    "Contract.name": "name of the table, in a-z, 0-9 and _",
    "Contract.title": "what a page calls it",
    "Contract.columns": "the columns, below",
    "Contract.source": "who made the data, and where they come from",
    "Contract.licence": "under which licence they may be used",
    "Contract.citation": "how to cite them",
    "Contract.notes": "what a reader should know; the intake page shows it first",
    "Contract.currency": "of the amounts, such as CNY",
    "Column.type": "how values are read",
    "Column.role": "what the column is used for, below",
    "Column.description": "what a page calls it; without one, a header beyond ASCII (`金额`), else its name in words",
    "Column.unit": "such as CNY, months; % reads 12.5% as 12.5, and an outcome of `kind: rate` as the share 0.125",
    "Column.aspect": "side of the customer it speaks of",
    "Column.personal": "kind of personal data; keys and parents become pseudonyms, other such columns are dropped",
    "Column.minimum": "least value allowed",
    "Column.maximum": "greatest value allowed",
    "Column.nullable": "whether a value may be missing",
    "Outcome.words": "how pages speak of it, below",
}
ADDED = {"special_of"}  # fields that no file gives: the workbench does
ROLES: Mapping[str, str] = {
    "key": "names the row; several columns together where none is unique alone",
    "parent": "whom the row belongs to (the customer of a loan): splits keep their rows together",
    "as_of": "the day as of which everything `known: before` was known",
    "feature": "may be used by a model, where `known: before`, not personal and no protected group",
    "outcome": "says what happened; `known: after`, its event is the contract's `event_value`",
    "weight": "how many rows of the population the row stands for",
    "sample": "which sample the row belongs to, where the bank has fixed it",
    "override": "1 where a person decided otherwise than the model, or the grade he gave; empty: the model's stands",
    "fact": "kept and shown, not used by a model",
    "ignore": "read and dropped",
}
_HEAD = """# Contracts: reference

A contract is a YAML file that says what a table is. `workbench intake FILE` drafts one; what it guessed is marked
`guessed: true`, and a study on guesses is amber until each line is confirmed. How to begin: [own data](own_data.md).

*Made from the code by `python -m workbench.contracts.reference`; a test keeps it current.*
"""


def page() -> str:
    """Return the reference page (Markdown): every field of contract, column and outcome, and every role."""
    parts = [
        _HEAD,
        _section("Contract", Contract, "At the top of the file."),
        _section("Column", Column, "One line each below `columns`."),
        "## Roles\n\n" + _table(("role", "meaning"), [(f"`{r}`", ROLES[r]) for r in get_args(Role)]),
        _section("Outcome", Outcome, "Below `outcome`, where it is something else than a default."),
        _section("Words of the outcome", Words, "Below `outcome.words`; a page speaks of the outcome so."),
        _names(),
    ]
    return "\n".join(parts)


def _names() -> str:
    taken = ", ".join(
        f"`{name}`" + (f" (but with the role `{role}`)" if role else "") for name, role in RESERVED.items()
    )
    return (
        "## Names\n\nA column's `name` is a-z, 0-9 and _, begins with a letter; the file's header goes into `source` "
        f"(`name: amount, source: 金额`). The panel keeps these names for itself: {taken}. "
        f"No feature is called {', '.join(f'`{n}`' for n in sorted(OF_STEPS))}, which steps give its rows.\n"
    )


def _section(title: str, model: type[BaseModel], lead: str) -> str:
    fields = {n: f for n, f in model.model_fields.items() if n not in ADDED}
    rows = [(f"`{n}`", _kind(f.annotation), _default(f), meaning(model, n)) for n, f in fields.items()]
    return f"## {title}\n\n{lead}\n\n" + _table(("field", "value", "default", "meaning"), rows)


def meaning(model: type[BaseModel], name: str) -> str:
    """Return what a field means: its own description, else the one here; '' where nobody has said."""
    return model.model_fields[name].description or MEANING.get(f"{model.__name__}.{name}", "")


def _kind(annotation: Any) -> str:
    if annotation in (Type, Aspect, Role) or get_origin(annotation) is Literal:
        return ", ".join(f"`{v}`" for v in get_args(annotation) if v != "")
    if get_origin(annotation) in (Union, types.UnionType):
        return " or ".join(_kind(a) for a in get_args(annotation) if a is not type(None))
    if get_origin(annotation) is tuple:
        return f"list of {_kind(get_args(annotation)[0])}"
    if get_origin(annotation) is dict:
        return "text: text"
    return {str: "text", bool: "true, false", float: "number", int: "whole number"}.get(annotation, "fields below")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    value = field.default
    if value in ("", None, (), {}) or isinstance(value, BaseModel):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
