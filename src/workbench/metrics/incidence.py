"""How many have had each of several events by an age, when one event ends the wait for the others.

Written here because lifelines jitters tied times, which monthly data always have, and scikit-survival is GPL.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def cumulative_incidence(at_risk: ArrayLike, events: pd.DataFrame) -> pd.DataFrame:
    """Return the share that has had each event by each month (Aalen–Johansen), and `staying`, who had none.

    at_risk: (T) rows under observation in each month; events: (T × K) how many had each event in it.
    Source: Aalen & Johansen (1978), Scandinavian Journal of Statistics 5(3).

    >>> cumulative_incidence([100, 80], pd.DataFrame({"default": [10, 8], "settled": [10, 0]})).round(2).to_dict("list")
    {'default': [0.1, 0.18], 'settled': [0.1, 0.1], 'staying': [0.8, 0.72]}
    """
    n = np.maximum(np.asarray(at_risk, float), 1.0)
    hazards = events.to_numpy(float) / n[:, None]
    staying = np.cumprod(1 - hazards.sum(axis=1))
    before = np.concatenate([[1.0], staying[:-1]])
    out = pd.DataFrame(np.cumsum(hazards * before[:, None], axis=0), columns=events.columns, index=events.index)
    return out.assign(staying=staying)


def naive_incidence(at_risk: ArrayLike, events: ArrayLike) -> np.ndarray:
    """Return 1 − Kaplan–Meier (T) of one event, others taken as censored: what overstates it, to show by how much."""
    n = np.maximum(np.asarray(at_risk, float), 1.0)
    return 1 - np.cumprod(1 - np.asarray(events, float) / n)


def incidence_of(hazards: np.ndarray) -> np.ndarray:
    """Return the share with each event by each month (n × T × K) from monthly hazards (n × T × K) of n rows."""
    staying = np.cumprod(1 - hazards.sum(axis=2), axis=1)
    before = np.concatenate([np.ones((len(hazards), 1)), staying[:, :-1]], axis=1)
    return np.cumsum(hazards * before[:, :, None], axis=1)
