"""Shares of those who got somewhere: Wilson's interval, and a change of the whole split into mix and rate."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats


def wilson(events: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of Wilson's score interval of events/n (k values each); NaN where n is 0.

    Source: Wilson (1927), JASA 22(158); Brown, Cai & DasGupta (2001), Statistical Science 16(2).

    >>> low, high = wilson([0, 5], [10, 10])
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.0, 0.2366], [0.2775, 0.7634])
    """
    k, n = np.asarray(events, float), np.asarray(n, float)
    z = stats.norm.ppf(0.5 + level / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = k / n
        middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return np.where(k == 0, np.where(n > 0, 0.0, np.nan), middle - half), np.where(k == n, p, middle + half)


def mix_and_rate(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return what each segment adds to the change of the whole's rate: by its share (mix) and by its own rate.

    before, after: columns n and events, indexed by segment. Columns of the result: share and rate of either, mix,
    rate, change = mix + rate; the sum of `change` is the whole change, without a remainder. Shares change against the
    mean of the whole's rates, so that a segment which grows adds by mix only as far as it is better than the rest. A
    segment that isn't there in one of the two has no rate of its own to change: all of it is mix.
    Source: Kitagawa (1955), JASA 50(272).

    >>> one = pd.DataFrame({"n": [80, 20], "events": [40, 2]}, index=["web", "branch"])
    >>> two = pd.DataFrame({"n": [20, 80], "events": [12, 16]}, index=["web", "branch"])
    >>> mix_and_rate(one, two)[["mix", "rate", "change"]].sum().round(4).tolist()
    [-0.24, 0.1, -0.14]
    """
    names = before.index.union(after.index)
    counts = [t.reindex(names)[["n", "events"]].fillna(0.0) for t in (before, after)]
    share = [t["n"] / t["n"].sum() for t in counts]
    whole = [t["events"].sum() / t["n"].sum() for t in counts]
    rate = [(t["events"] / t["n"]).where(t["n"] > 0) for t in counts]
    known = [rate[0].fillna(rate[1]), rate[1].fillna(rate[0])]
    mix = (share[1] - share[0]) * ((known[0] + known[1]) / 2 - sum(whole) / 2)
    own = (known[1] - known[0]) * (share[0] + share[1]) / 2
    columns = {"share_before": share[0], "share_after": share[1], "rate_before": rate[0], "rate_after": rate[1]}
    return pd.DataFrame({**columns, "mix": mix, "rate": own, "change": mix + own})
