"""The groups of people by which a contract wants them treated alike: of each row, by name."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.panel.bins import is_category

AGE_BANDS, FEW_VALUES = (25, 35, 45, 60), 10
NO_GROUP = "no group recorded"


def _groups(values: pd.Series, reference: pd.Series) -> pd.Series:
    if is_category(values):
        return values.astype(object)
    if "age" not in str(values.name).split("_"):
        if reference.nunique() <= FEW_VALUES:
            return values
        quarters, edges = pd.qcut(reference, 4, duplicates="drop", retbins=True)
        names = np.array([*quarters.cat.categories.astype(str)], dtype=object)
        places = np.searchsorted(edges[1:-1], values.to_numpy(float), side="left")
        return pd.Series(names[places], index=values.index).where(values.notna())
    codes = np.searchsorted(AGE_BANDS, values.to_numpy(float), side="right")
    names = np.array([f"below {AGE_BANDS[0]}", *(f"from {a}" for a in AGE_BANDS)], dtype=object)
    return pd.Series(names[codes], index=values.index).where(values.notna())


def grouped(values: pd.Series, reference: pd.Series | None = None) -> pd.Series:
    """Return the group of each row by name; rows without one are a group of their own.

    Numbers with many values are cut at the quarters of `reference`, else at their own.
    """
    return _groups(values, values if reference is None else reference).astype(object).where(values.notna(), NO_GROUP)
