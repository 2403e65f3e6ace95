"""Are groups that must be treated alike approved alike?

**Method** approved = the safer half of the hold-out by PD; approval rate of each group over the most favoured group's, and the observed rate against the PD within groups.
**Reads as bad** a ratio below the threshold in a group of at least 100; red only where the PD also lies above the group's observed interval.
**Blind to** whether a difference is justified by risk: the table shows observed rate and PD beside it.
**Source** four-fifths rule, 29 CFR 1607.4 D, as a benchmark; calibration within groups: Kleinberg et al. (2017).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench import metrics
from workbench.evidence import Evidence, Verdict
from workbench.panel.bins import is_category
from workbench.panel.describe import effective
from workbench.validation.subject import Subject

FAMILY = "fairness"
LEAST_ROWS = 100
AGE_BANDS = (25, 35, 45, 60)


def _groups(values: pd.Series) -> pd.Series:
    if is_category(values):
        return values
    codes = np.searchsorted(AGE_BANDS, values.to_numpy(float), side="right")
    names = np.array([f"below {AGE_BANDS[0]}", *(f"from {a}" for a in AGE_BANDS)], dtype=object)
    return pd.Series(names[codes], index=values.index).where(values.notna())


def test(s: Subject) -> Evidence:
    """Return approval ratio, PD and observed rate of every group the contract marks."""
    marked, t, h = [c.name for c in s.contract.columns if c.fairness], s.thresholds["fairness"], s.holdout
    marked = [c for c in marked if c in h]
    if not marked:
        return Evidence("fairness", _QUESTION, Verdict.info, "The contract marks no group.", source="29 CFR 1607.4 D")
    approved, rows = h["pd"] <= h["pd"].median(), []
    for name in marked:
        for group, part in h.groupby(_groups(h[name])):
            if len(part) >= LEAST_ROWS:
                bad, n = effective(part["is_default"], part["weight"])
                mean = np.average(part["pd"], weights=part["weight"])
                share, high = np.average(approved[part.index], weights=part["weight"]), metrics.rate_interval(bad, n)[1]
                rows.append((name, group, len(part), share, mean, bad / n, high))
    names = ["column", "group", "rows", "approval rate", "mean PD", "default rate", "default rate, high"]
    table = pd.DataFrame(rows, columns=names)
    table["ratio"] = table["approval rate"] / table.groupby("column")["approval rate"].transform("max")
    worst = table.loc[table["ratio"].idxmin()]
    light = t.light(float(worst.ratio), high_is_bad=False)
    if light is Verdict.red and worst["mean PD"] <= worst["default rate, high"]:
        light = Verdict.amber  # the group is riskier, not misjudged: a person must weigh it
    return Evidence(
        "fairness", _QUESTION, light,
        f"Lowest ratio {worst.ratio:.2f}: {worst.column} '{worst.group}' (default rate {worst['default rate']:.2%}, PD {worst['mean PD']:.2%}).",
        float(worst.ratio), str(t), "29 CFR 1607.4 D (benchmark)", table,
    )  # fmt: skip


_QUESTION = "Are groups that must be treated alike approved alike?"
