"""Why a model's prediction of a customer stands high, in words: the inputs that raised it, each high or low."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from workbench.words import Text, number, say
from workbench.words.names import words_of


def because(why: pd.DataFrame, usual: Mapping[str, float]) -> dict[str, list[Text]]:
    """Return, by row, the inputs that raised its prediction, most first.

    why: of `Scorer.reasons`. usual: by input the median of all customers, of numbers only; a value above it is high.
    """
    return {row: [_said(r, usual.get(r.feature)) for r in part.itertuples()] for row, part in why.groupby("row")}  # type: ignore[arg-type]


def medians(rows: pd.DataFrame) -> dict[str, float]:
    """Return the median of each column of numbers."""
    return rows.select_dtypes("number").median().to_dict()


def _said(r: object, usual: float | None) -> Text:
    what, value = say(r.words or r.feature), r.value  # type: ignore[attr-defined]
    if pd.isna(value):
        return say("{what} is missing", what=what)
    if isinstance(value, str):
        return say("{what}: {value}", what=what, value=say(words_of(value)))
    facts = {"what": what, "value": number(float(value))}
    if usual is None or value == usual:
        return say("{what}: {value}", **facts)
    return say("{what} is high: {value}", **facts) if value > usual else say("{what} is low: {value}", **facts)
