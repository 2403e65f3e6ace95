"""The groups of people by which a contract wants them treated alike: of each row, by name."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.panel.bins import Bins, is_category
from workbench.words.names import is_age

AGE_BANDS, FEW_VALUES = (25, 35, 45, 60), 10
NO_GROUP = "no group recorded"


def _groups(values: pd.Series, reference: pd.Series, called: str) -> pd.Series:
    if is_category(values):
        return values.astype(object)
    if not is_age(str(values.name), called):
        if reference.nunique() <= FEW_VALUES:
            return values
        cuts = np.unique(reference.quantile([0.25, 0.5, 0.75]))
        return Bins(str(values.name), tuple(cuts[cuts > reference.min()])).labelled(values)
    codes = np.searchsorted(AGE_BANDS, values.to_numpy(float), side="right")
    names = np.array([f"below {AGE_BANDS[0]}", *(f"from {a}" for a in AGE_BANDS)], dtype=object)
    return pd.Series(names[codes], index=values.index).where(values.notna())


def grouped(values: pd.Series, reference: pd.Series | None = None, *, called: str = "") -> pd.Series:
    """Return the group of each row by name; rows without one are a group of their own.

    Ages are cut where people speak of them (by name, or by what the column is `called`: 年龄); other numbers with many
    values at the quarters of `reference`, else at their own.
    """
    return (
        _groups(values, values if reference is None else reference, called)
        .astype(object)
        .where(values.notna(), NO_GROUP)
    )
