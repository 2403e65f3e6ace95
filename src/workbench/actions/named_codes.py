"""Kinds of event, products and campaigns that a study names and the data alone know: one they don't know is refused."""

from __future__ import annotations

from collections.abc import Iterable

from workbench import engine
from workbench.params import UserError, nearest


def must_be_known(names: Iterable[str], data: engine.Relation, column: str, place: str) -> None:
    """Raise `UserError` for the first name that the column of a table doesn't hold, with the nearest that it holds.

    place: step and parameter, such as `actions/events: path_start`.
    """
    known = engine.frame(f"SELECT DISTINCT {column} AS code FROM t WHERE {column} IS NOT NULL", {"t": data})["code"]
    for name in names:
        if name not in set(known):
            hint = nearest(name, known.astype(str)) if len(known) else "they hold none"
            raise UserError(f"{place} '{name}' is no {column} of the data; {hint}")
