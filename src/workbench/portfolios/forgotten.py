"""Who asked to be forgotten: known to the intake by a keyed mark alone, and left out of every table from then on."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from workbench import home
from workbench.portfolios.large import LargeTable


def place(study: str) -> Path:
    """Return where a study's marks lie; there is no file before somebody asked."""
    return home.mlruns() / "privacy" / "forgotten" / f"{study}.txt"


def places() -> list[Path]:
    """Return every file of marks: an intake is made anew when one of them changes."""
    return sorted(place("*").parent.glob("*.txt"))


def mark(pseudonym: str, key: bytes) -> str:
    """Return by what a forgotten pseudonym is known (32 hex characters): nobody finds the pseudonym from it."""
    return hmac.digest(key, f"forgotten\x1f{pseudonym}".encode(), "sha256").hex()[:32]


def remember(study: str, marks: Iterable[str]) -> None:
    """Add marks to those of a study."""
    path = place(study)
    before = path.read_text(encoding="ascii").split() if path.exists() else []
    home.put(path, "".join(f"{m}\n" for m in sorted({*before, *marks})).encode())
    path.chmod(0o600)


def without(table: pd.DataFrame | LargeTable, columns: Sequence[str], key: bytes) -> pd.DataFrame | LargeTable:
    """Return a table (n × k) without the rows that name somebody forgotten in one of these columns of pseudonyms.

    Forgotten in whatever study: another one of the same purpose has the same pseudonyms.
    """
    marks = _marks() if columns else frozenset()
    if not marks:
        return table
    stays = np.ones(len(table), bool)
    for column in columns:
        values = table[column]
        gone = {v for v in values.dropna().unique() if mark(v, key) in marks}
        stays &= ~values.isin(gone).to_numpy()
    if stays.all():
        return table
    rest = table.take(np.flatnonzero(stays))
    return rest.reset_index(drop=True) if isinstance(rest, pd.DataFrame) else rest


def _marks() -> frozenset[str]:
    return frozenset(m for path in places() for m in path.read_text(encoding="ascii").split())
