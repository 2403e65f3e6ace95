"""Were development and hold-out kept apart?

**Method** rows that stand twice; entities (or parents, where outcomes of one never differ) whose outcome is recorded once, in both samples; rows of the hold-out whose inputs are, value for value, those of a development row under another parent, beyond the share development has of them within itself; parents (the loan of a row of the loan, the customer of a loan) in both samples; dates. Either no parent stands in both samples, or every row of the hold-out is later than every row of development; monitoring is later than both, and no hold-out lies wholly before development.
**Reads as bad** a single parent or row too many; amber where a hold-out that is later begins before the performance windows of parents in both samples have ended.
**Blind to** the same person under two numbers whose inputs differ.
**Source** Kaufman et al. (2012), Leakage in data mining, ACM TKDD 6(4).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.evidence import Evidence, Verdict, judged
from workbench.panel.samples import both_sides, told_already
from workbench.validation.sight import Gauge, everything, sight
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS = "process", {"binary", "rate", "amount", "named"}
READS_OUTCOME = False
KEY = ["entity_id", "as_of_date"]
ONCE = "entities whose one recorded outcome stands in both"


def breaches(s: Subject) -> dict[str, int]:
    """Return how many parents or rows break the separation, by what they break."""
    d, h, later = s.development, s.holdout, s.later
    is_later = d["as_of_date"].max() < h["as_of_date"].min()
    last = max(d["as_of_date"].max(), h["as_of_date"].max())
    return {
        "parents in development and in a hold-out that is not later": 0 if is_later else len(both_sides(d, h)),
        "rows in development and in the hold-out": len(
            d[KEY].drop_duplicates().merge(h[KEY].drop_duplicates(), on=KEY)
        ),
        ONCE: 0 if s.outcome.event else len(told_already(d, h)),
        "rows twice in development": int(d.duplicated(KEY).sum()),
        "rows twice in the hold-out": int(h.duplicated(KEY).sum()),
        "monitoring rows not later than development and hold-out": int((later["as_of_date"] <= last).sum()),
        "rows of a hold-out that lies before development": len(h) * (h["as_of_date"].max() < d["as_of_date"].min()),
    }


def twins(s: Subject) -> float:
    """Return the share of hold-out rows with a twin of another parent in development, less what is there by chance.

    A twin has the same value in every feature. Few values make twins by chance: development's own share of them is taken
    off, and 2.58 standard errors of the hold-out's (99 %).
    """
    names = [c.name for c in s.contract.features() if c.name in s.development]
    d, h = (
        pd.DataFrame({"key": pd.util.hash_pandas_object(rows[names], index=False), "parent": rows["parent_id"]})
        for rows in (s.development, s.holdout)
    )
    known = d.groupby("key")["parent"].agg(["nunique", "first"])
    inside = float((d["key"].map(known["nunique"]) > 1).mean())
    met = h.join(known, on="key")
    share = float(((met["nunique"] > 1) | ((met["nunique"] == 1) & (met["first"] != met["parent"]))).mean())
    return max(share - inside - 2.58 * float(np.sqrt(share * (1 - share) / len(h))), 0.0)


def overlapping(s: Subject) -> int:
    """Return how many parents stand in both samples with a performance window that reaches into the hold-out."""
    d, h = s.development, s.holdout
    both = d[d["parent_id"].isin(both_sides(d, h))]
    ends = both["as_of_date"] + pd.DateOffset(months=s.outcome.window_months)
    return int(both.loc[ends > h["as_of_date"].min(), "parent_id"].nunique())


def test(s: Subject) -> Evidence:
    """Return how many rows or parents break the separation of the samples."""
    counts = breaches(s)
    broken, parents = sum(counts.values()), len(set(s.holdout["parent_id"]))
    windows, twin, rule = 0 if broken else overlapping(s), twins(s), s.rules["twins"]
    answer = say("{broken:, rows} or parents break the separation.", broken=broken)
    if shared := next(iter(counts.values())):
        answer += say(
            "{shared:,} of {parents:, parents} of the hold-out stood in development, too.",
            shared=shared,
            parents=parents,
        )
    if shared := counts[ONCE]:
        answer += say(
            "{shared:, entities have} one recorded outcome, which stands in development and in the hold-out.",
            shared=shared,
        )
    if windows:
        answer += say("Performance windows of {windows:, parents} reach into the hold-out.", windows=windows)
    if (light := judged(twin, rule)) is not Verdict.green:
        answer += say(
            "Beyond chance {share:.1%} of the hold-out's rows stand in development under another name.", share=twin
        )
    whole = Verdict.red if broken else Verdict.amber if windows else Verdict.green
    return Evidence(
        key="split_integrity",
        question=say("Were development and hold-out kept apart?"),
        verdict=min(whole, light, key=lambda v: v.rank),
        answer=answer,
        value=float(broken),
        threshold=_threshold() + rule.text,
        source="Kaufman et al. (2012)",
        table=pd.DataFrame({"what": list(counts), "count": list(counts.values())}),
        sight=sight(s, broken, everything(1), convention=Gauge(twin, rule)),
    )


def _threshold() -> Text:
    return say("Red from one on; amber where performance windows of parents in both samples overlap.")
