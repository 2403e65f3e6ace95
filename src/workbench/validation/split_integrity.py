"""Were development and hold-out kept apart?

**Method** accounts in both samples, rows that stand twice, and dates: an out-of-time hold-out must be later, monitoring later still.
**Reads as bad** a single account or row too many.
**Blind to** the same person under two account numbers.
**Source** Kaufman et al. (2012), Leakage in data mining, ACM TKDD 6(4).
"""

from __future__ import annotations

import pandas as pd

from workbench.evidence import Evidence, Verdict
from workbench.validation.subject import Subject

FAMILY = "process"


def test(s: Subject) -> Evidence:
    """Return how many rows break the separation of the samples."""
    d, h, later = s.development, s.holdout, s.later
    key = ["entity_id", "as_of_date"]
    same_time = d["as_of_date"].max() >= h["as_of_date"].min()
    both = set(d["entity_id"]) & set(h["entity_id"]) if same_time else set()
    early = int((later["as_of_date"] <= d["as_of_date"].max()).sum()) if len(later) else 0
    counts = {
        "accounts in development and hold-out": len(both),
        "rows twice in development": int(d.duplicated(key).sum()),
        "rows twice in the hold-out": int(h.duplicated(key).sum()),
        "monitoring rows not later than development": early,
    }
    broken = sum(counts.values())
    return Evidence(
        key="split_integrity",
        question="Were development and hold-out kept apart?",
        verdict=Verdict.red if broken else Verdict.green,
        answer=f"{broken} rows or accounts break the separation.",
        value=float(broken),
        threshold="none may",
        source="Kaufman et al. (2012)",
        table=pd.DataFrame({"what": list(counts), "count": list(counts.values())}),
    )
