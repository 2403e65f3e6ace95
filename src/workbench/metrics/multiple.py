"""Several tests that ask the same question: their p-values made up for it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def holm(p_values: ArrayLike, looks: int = 1) -> np.ndarray:
    """Return Holm's adjusted p-values, times the looks that share them; NaN stays NaN and counts as one of them.

    statsmodels' `multipletests` gives the same, but collects garbage at every call: 0.15 s each in a notebook's kernel.
    Source: Holm (1979), Scandinavian Journal of Statistics 6(2).

    >>> holm([0.04, 0.01, 0.5]).tolist()
    [0.08, 0.03, 0.5]
    """
    p = np.asarray(p_values, float)
    m = len(p)
    order = np.argsort(p, kind="stable")  # NaN last
    adjusted = np.empty(m)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * (m - np.arange(m))) * looks, 1)
    return adjusted
