"""What data there is: every module of this room that holds a `SOURCE`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import pandas as pd

from workbench import portfolios
from workbench.params import UserError, nearest
from workbench.portfolios.source import Shipped, Source


@cache
def sources() -> dict[str, Source]:
    """Return the sources by name, those with a file in the package first."""
    modules = [import_module(f"{portfolios.__name__}.{m.name}") for m in iter_modules(portfolios.__path__)]
    every = [m.SOURCE for m in modules if hasattr(m, "SOURCE")]
    return {s.name: s for s in sorted(every, key=lambda s: (not isinstance(s, Shipped), s.simulated, s.name))}


def shipped() -> dict[str, Shipped]:
    """Return the sources whose file is in the package, by name."""
    return {name: s for name, s in sources().items() if isinstance(s, Shipped)}


def source(name: str) -> Source:
    """Return the source of a portfolio, or raise `UserError` with the nearest right name."""
    if name not in sources():
        raise UserError(f"portfolio '{name}' is unknown; {nearest(name, sources())}")
    return sources()[name]


def listing() -> pd.DataFrame:
    """Return one row per portfolio: name, title, rows, columns, outcome, licence."""
    columns = ["portfolio", "title", "rows", "columns", "outcome", "licence"]
    return pd.DataFrame([s.listing() for s in sources().values()], columns=columns)
