"""What stands in one column: its different values as text, most frequent first, counted once for all guesses."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from workbench.contracts import as_text, readings

SEEN = 2000  # different values looked at
FULL_WIDTH = re.compile(readings.FULL_WIDTH)
_NUMBER = re.compile(r"[+-]?(?=[.,]*\d)[\d.,]+(?:[eE][+-]?\d{1,3})?(?:\s*%)?")


@dataclass(frozen=True)
class Look:
    """A column's values: different texts (u, without outer spaces) and how often each stands."""

    texts: tuple[str, ...]
    counts: tuple[int, ...]
    rows: int
    is_date: bool = False
    is_flag: bool = False
    is_text: bool = False
    decimal: str = "."

    @property
    def known(self) -> int:
        """Rows that hold a value."""
        return sum(self.counts)

    @property
    def different(self) -> int:
        """Number of different values."""
        return len(self.texts)

    @cached_property
    def plain(self) -> tuple[str, ...]:
        """The texts with digits and signs of full width as the usual ones."""
        if not any(FULL_WIDTH.search(t) for t in self.texts[:SEEN]):
            return self.texts
        return tuple(unicodedata.normalize("NFKC", t).strip() for t in self.texts)

    @cached_property
    def numbers(self) -> np.ndarray:
        """The texts as numbers (u), separators of thousands and percent signs taken out; NaN for what is none."""
        texts, between = [t if _NUMBER.fullmatch(t) else "" for t in self.plain], "," if self.decimal == "." else "."
        if any(between in t for t in texts):
            texts = readings.plain(pd.Series(texts, dtype="string"), between, self.decimal).tolist()
        elif self.decimal != ".":
            texts = [t.replace(self.decimal, ".") for t in texts]
        bare = [t.rstrip("% ") for t in texts]
        return np.array(["nan" if not t or t.count(".") > 1 else t for t in bare], dtype=float)

    @cached_property
    def number_share(self) -> float:
        """Share of the rows that hold a number."""
        if not self.mostly(_NUMBER, 0.5):
            return 0.0
        return float(np.isfinite(self.numbers) @ np.array(self.counts)) / max(self.known, 1)

    def mostly(self, pattern: re.Pattern[str], share: float) -> bool:
        """Say whether more than this share of the rows match; it stops at the first value that settles it."""
        texts, counts = self.plain[:SEEN], self.counts[:SEEN]
        may_miss = (1 - share) * sum(counts)
        for text, count in zip(texts, counts, strict=True):
            if not pattern.fullmatch(text):
                may_miss -= count
                if may_miss < 0:
                    return False
        return bool(texts)


def look(values: pd.Series) -> Look:
    """Return what stands in a column as read from a file; blank text counts as missing."""
    counts = values.value_counts(dropna=True)
    is_text = pd.api.types.is_string_dtype(values)
    texts = counts.index.tolist() if is_text else as_text(pd.Series(counts.index)).tolist()
    together: dict[str, int] = {}
    for text, count in zip(texts, counts.tolist(), strict=True):
        if isinstance(text, str) and (bare := text.strip()):
            together[bare] = together.get(bare, 0) + count
    return Look(
        tuple(together),
        tuple(together.values()),
        len(values),
        is_date=pd.api.types.is_datetime64_any_dtype(values),
        is_flag=pd.api.types.is_bool_dtype(values),
        is_text=is_text,
    )
