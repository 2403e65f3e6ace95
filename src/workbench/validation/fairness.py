"""Are groups that must be treated alike approved alike?

**Method** approved = the safer half of the hold-out by PD; approval rate of each group over the most favoured group's, and the observed rate against the PD within groups; ages in bands, other numbers of more than ten values in quarters.
**Reads as bad** a ratio below the threshold in a group of at least 100 and 2 % of the rows; red only where the PD also lies above the group's observed interval.
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
from workbench.validation.subject import Subject, Threshold

FAMILY = "fairness"
LEAST_ROWS, LEAST_SHARE = 100, 0.02  # a tiny group is no yardstick, nor judged: 29 CFR 1607.4 A
AGE_BANDS, FEW_VALUES = (25, 35, 45, 60), 10


def _groups(values: pd.Series) -> pd.Series:
    if is_category(values):
        return values
    if "age" not in str(values.name).split("_"):
        few = values.nunique() <= FEW_VALUES
        return values if few else pd.qcut(values, 4, duplicates="drop").astype("str").where(values.notna())
    codes = np.searchsorted(AGE_BANDS, values.to_numpy(float), side="right")
    names = np.array([f"below {AGE_BANDS[0]}", *(f"from {a}" for a in AGE_BANDS)], dtype=object)
    return pd.Series(names[codes], index=values.index).where(values.notna())


def test(s: Subject) -> Evidence:
    """Return approval ratio, PD and observed rate of every group the contract marks."""
    marked, t, h = [c.name for c in s.contract.columns if c.fairness], s.thresholds["fairness"], s.holdout
    marked = [c for c in marked if c in h]
    if not marked:
        return Evidence(
            key="fairness",
            question=_QUESTION,
            verdict=Verdict.info,
            answer="The contract marks no group.",
            source="29 CFR 1607.4 D",
        )
    table = ratios(h, marked)
    if table.empty:
        said = f"No marked group has {LEAST_ROWS} rows and {LEAST_SHARE:.0%} of all."
        return Evidence(
            key="fairness", question=_QUESTION, verdict=Verdict.not_evaluated, answer=said, source="29 CFR 1607.4 D"
        )
    table["light"] = [str(_light(r, t)) for _, r in table.iterrows()]
    light = min((Verdict(v) for v in table["light"]), key=lambda v: v.rank)
    worst = table.loc[table[table["light"] == str(light)]["ratio"].idxmin()]
    said = f"{worst.column} '{worst.group}': ratio {worst.ratio:.2f}, default rate {worst['default rate']:.2%}, PD {worst['mean PD']:.2%}"
    said += "" if worst.ratio == table["ratio"].min() else f"; the lowest ratio of all is {table['ratio'].min():.2f}"
    return Evidence(
        key="fairness",
        question=_QUESTION,
        verdict=light,
        answer=f"{said}.",
        value=float(worst.ratio),
        threshold=f"{t}; amber at most where the PD is not above the group's interval",
        source="29 CFR 1607.4 D (benchmark)",
        table=table,
    )


def ratios(h: pd.DataFrame, marked: list[str]) -> pd.DataFrame:
    """Return one row per group of at least 100 and 2 %: approval rate and its ratio, mean PD, observed rate with interval."""
    approved, rows = h["pd"] <= h["pd"].median(), []
    for name in marked:
        for group, part in h.groupby(_groups(h[name])):
            if len(part) >= max(LEAST_ROWS, LEAST_SHARE * len(h)):
                bad, n = effective(part["outcome"], part["weight"])
                mean = np.average(part["pd"], weights=part["weight"])
                share = np.average(approved[part.index], weights=part["weight"])
                rows.append((name, group, len(part), share, mean, bad / n, *metrics.rate_interval(bad, n)))
    names = [
        "column",
        "group",
        "rows",
        "approval rate",
        "mean PD",
        "default rate",
        "default rate, low",
        "default rate, high",
    ]
    table = pd.DataFrame(rows, columns=names)
    return table.assign(ratio=table["approval rate"] / table.groupby("column")["approval rate"].transform("max"))


def _light(group: pd.Series, t: Threshold) -> Verdict:
    """A group that is riskier but not misjudged is at most amber: a person must weigh it."""
    light = t.light(float(group["ratio"]), high_is_bad=False)
    return Verdict.amber if light is Verdict.red and group["mean PD"] <= group["default rate, high"] else light


_QUESTION = "Are groups that must be treated alike approved alike?"
