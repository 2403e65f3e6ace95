"""Is the PD of a grade wrong in either direction?

**Method** exact two-sided binomial test per grade on rounded effective counts; Holm over grades.
**Reads as bad** a small p; whether the PD is too low or too high is said apart. A PD that is too high is at most amber.
**Blind to** correlation of defaults, which makes it reject too often in a common shock.
**Source** Basel Committee (2005), Working Paper 14, section on tests of calibration.
"""

from __future__ import annotations

from scipy import stats

from workbench.evidence import Evidence, Verdict
from workbench.validation.subject import Subject, as_counted, holm, p_text

FAMILY = "calibration"


def test(s: Subject) -> Evidence:
    """Return the exact binomial test per grade on the hold-out."""
    table, t = s.grades(s.holdout), s.thresholds["p_value"]
    counts = zip(table["bad"].round().astype(int), table["n"].round().astype(int), table["pd"], strict=True)
    table["p"] = holm([stats.binomtest(bad, n, pd_).pvalue for bad, n, pd_ in counts])
    table["observed"] = table["bad"] / table["n"]
    table["PD is"] = ["too high" if o < e else "too low" for o, e in zip(table["observed"], table["pd"], strict=True)]
    worst = table.loc[table["p"].idxmin()]
    verdict = t.light(float(worst.p), high_is_bad=False)
    if worst["PD is"] == "too high" and verdict == Verdict.red:
        verdict = Verdict.amber
    return Evidence(
        key="binomial",
        question="Is the PD of a grade wrong in either direction?",
        verdict=verdict,
        answer=f"Smallest adjusted {p_text(worst.p)}, for grade {worst.grade}, where the PD is {worst['PD is']} "
        f"({worst.pd:.2%} against {worst.observed:.2%} on the hold-out).",
        value=float(worst.p),
        threshold=f"{t}; amber at most where the PD is too high",
        source="Basel Committee (2005), WP 14",
        table=as_counted(table),
    )
