"""Is there a slice of customers whose PD is clearly wrong?

**Method** exact binomial test of the mean PD in each frozen bin of each input (at least 100 rows); Holm over all slices.
**Reads as bad** a slice with a small adjusted p whose observed rate is off by more than a quarter; at most amber, a person must weigh it.
**Blind to** slices by two inputs.
**Source** Chung et al. (2019), Slice Finder, ICDE; Holm (1979).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from workbench.evidence import Evidence, Verdict
from workbench.panel.describe import effective
from workbench.validation.subject import Subject, holm, p_text

FAMILY = "robustness"
LEAST_ROWS, MATERIAL = 100, 1.25
_QUESTION = "Is there a slice whose PD is clearly wrong?"


def slices(s: Subject) -> pd.DataFrame:
    """Return one row per input and bin of the hold-out: rows, PD, observed rate, p."""
    rows = []
    for name in s.model.features:
        bins = s.model.reference[name][0]
        for code, part in s.holdout.groupby(bins.codes(s.holdout[name])):
            if len(part) >= LEAST_ROWS:
                bad, n = effective(part["outcome"], part["weight"])
                mean = float(np.average(part["pd"], weights=part["weight"]))
                p = stats.binomtest(round(bad), round(n), mean).pvalue
                rows.append((name, bins.labels[code], len(part), mean, bad / n, p))
    return pd.DataFrame(rows, columns=["input", "slice", "rows", "PD", "observed", "p"])


def test(s: Subject) -> Evidence:
    """Return the slices of the hold-out whose PD is clearly wrong, the worst first."""
    table, t = slices(s), s.thresholds["p_value"]
    if table.empty:
        said = f"No slice has {LEAST_ROWS} rows."
        return Evidence(
            key="weak_spot",
            question=_QUESTION,
            verdict=Verdict.not_evaluated,
            answer=said,
            source="Chung et al. (2019)",
        )
    table = table.assign(p=holm(table["p"].to_numpy())).sort_values("p", ignore_index=True)
    off = np.maximum(table["observed"] / table["PD"], table["PD"] / table["observed"].clip(lower=1e-9))
    weak = table[(table["p"] < t.red) & (off > MATERIAL)]
    low = table.iloc[0]
    return Evidence(
        key="weak_spot",
        question=_QUESTION,
        verdict=Verdict.amber if len(weak) else Verdict.green,
        answer=f"{len(weak)} of {len(table)} slices are clearly wrong; furthest is {low.input} {low['slice']} "
        f"({low.rows:,} rows): PD {low.PD:.2%}, observed {low.observed:.2%}, adjusted {p_text(low.p)}.",
        value=float(low.p),
        threshold=f"amber where p < {t.red:g} after Holm and the rate is off by a quarter; amber at most, a person must weigh it",
        source="Chung et al. (2019)",
        table=table,
    )
