"""A change of the whole's rate, split into mix (who comes) and rate (how each segment does)."""

from __future__ import annotations

import pandas as pd


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
    within = (known[1] - known[0]) * (share[0] + share[1]) / 2
    columns = {"share_before": share[0], "share_after": share[1], "rate_before": rate[0], "rate_after": rate[1]}
    return pd.DataFrame({**columns, "mix": mix, "rate": within, "change": mix + within})
