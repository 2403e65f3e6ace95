"""Outcomes, predictions and weights as numbers of one length, none missing."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def checked(y: ArrayLike, score: ArrayLike, weight: ArrayLike | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the three as floats (weights of 1 where there are none); `ValueError` for other lengths or missing values.

    A prediction that is missing has no rank: sorted, it would stand as the riskiest of all.

    >>> checked([0, 1], [0.1, float("nan")], None)
    Traceback (most recent call last):
    ValueError: 1 of 2 scores missing
    """
    y, score = np.asarray(y, float), np.asarray(score, float)
    weight = np.ones(len(y)) if weight is None else np.asarray(weight, float)
    if not len(y) == len(score) == len(weight):
        raise ValueError(f"lengths differ: {len(y)} outcomes, {len(score)} scores, {len(weight)} weights")
    for name, values in (("outcomes", y), ("scores", score), ("weights", weight)):
        if missing := int(np.isnan(values).sum()):
            raise ValueError(f"{missing} of {len(values)} {name} missing")
    return y, score, weight
