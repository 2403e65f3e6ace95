"""Are the predictions of all grades right together?

**Method** Σ (observed − expected)² / (n·p·(1 − p)) over the grades on effective counts by parent; χ² with as many degrees of freedom on rows not learnt from, scaled where rows of one parent stand in several grades.
**Reads as bad** a small p where the grades' rates are off by enough to matter, on average over the book.
**Blind to** the direction of the error, and to grades that expect too few events.
**Source** Hosmer & Lemeshow (1980), Communications in Statistics A9; degrees of freedom for external samples: their book (2013), ch. 5; correlated grades: Satterthwaite (1946), Rao & Scott (1981), JASA 76.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from workbench import metrics
from workbench.evidence import Evidence
from workbench.validation.estimated import both
from workbench.validation.sight import factor_seen, level, sight, two
from workbench.validation.significance import both_text, distance, p_text, shared
from workbench.validation.subject import Subject, as_counted
from workbench.words import say

FAMILY, KINDS, BY_CHANCE = "calibration", {"binary", "named"}, True


def chi_squared(rows: pd.DataFrame, g: pd.DataFrame, least: float) -> tuple[float, float, float]:
    """Return χ², degrees of freedom and p over the grades (n, events, predicted) that expect `least` events and others.

    rows: what the grades are of (outcome, weight, parent_id, grade_code). Where rows of one parent stand in several
    grades, these rise and fall together: with R, the correlation of the grades' errors over parents, χ² has the mean of
    K independent ones and the variance of tr(R)²/tr(R²), to which it is scaled.
    """
    used = enough(g, least)
    expected = used["n"] * used["predicted"]
    if used.empty:
        return 0.0, 0.0, float("nan")
    spread = float((correlation(rows, list(used["grade"])) ** 2).sum()) / len(used)
    chi2 = float(((used["events"] - expected) ** 2 / (expected * (1 - used["predicted"]))).sum()) / spread
    return chi2, len(used) / spread, float(stats.chi2.sf(chi2, len(used) / spread))


def enough(g: pd.DataFrame, least: float) -> pd.DataFrame:
    """Return the grades that expect `least` events and as many others: those the statistic is made of."""
    expected = g["n"] * g["predicted"]
    return g[(expected >= least) & (g["n"] - expected >= least)]


def both_p(rows: pd.DataFrame, g: pd.DataFrame, least: float) -> float:
    """Return p as `chi_squared`, with development's error in the predictions; of the grades that expect enough as they are."""
    used = enough(g, least)
    return chi_squared(rows, used.assign(n=used["n_both"], events=used["observed"] * used["n_both"]), 0.0)[2]


def correlation(rows: pd.DataFrame, grades: list[str]) -> np.ndarray:
    """Return the correlation of grades' weighted errors over parents (k × k); 1 on the diagonal, 0 beside it where none share."""
    place = rows["grade_code"].map({grade: i for i, grade in enumerate(grades)})
    part = rows[place.notna()].assign(place=place)
    mean = (part["outcome"] * part["weight"]).groupby(part["place"]).transform("sum")
    error = part["weight"] * (part["outcome"] - mean / part["weight"].groupby(part["place"]).transform("sum"))
    _, parent = np.unique(part["parent_id"], return_inverse=True)
    cell = parent * len(grades) + part["place"].to_numpy(int)
    sums = np.bincount(cell, error, (parent.max() + 1) * len(grades)).reshape(-1, len(grades))
    scale = np.sqrt((sums**2).sum(axis=0))
    scale[scale == 0] = 1.0
    return np.where(np.eye(len(grades), dtype=bool), 1.0, sums.T @ sums / np.outer(scale, scale))


def least_factor(g: pd.DataFrame, degrees: float, level: float) -> float:
    """Return by which factor all true rates of these grades would lie above the predictions for χ² to see it with 80 %.

    χ² is then noncentral by (factor − 1)²·Σ n·p/(1 − p), the scale of correlated grades as in `chi_squared`.
    """
    if not degrees:
        return float("nan")
    critical = float(stats.chi2.isf(level, degrees))
    weight = float((g["n"] * g["predicted"] / (1 - g["predicted"])).sum()) * degrees / len(g)
    return 1 + float(np.sqrt(metrics.least_noncentrality(degrees, critical) / weight))


def test(s: Subject) -> Evidence:
    """Return the Hosmer-Lemeshow statistic over the grades of the rows tested, and how far their rates are off on average."""
    g, least = s.grades(s.holdout), s.rules.number("least_expected")
    (chi2, degrees, p), far = chi_squared(s.holdout, g, least), distance(g)
    p, p_both = shared(p, s.looks), shared(both_p(s.holdout, g, least), s.looks)
    return Evidence(
        key="hosmer_lemeshow",
        question=say("Is the {predicted} of all grades right together?", predicted=s.outcome.predicted),
        verdict=both(p, p_both, far, s.rules),
        answer=say(
            "On {sample}: χ² {chi2:.2f} with {degrees:.3g} degrees of freedom, adjusted {p}; the grades' {rate} is off by {off:.1%} on average.",
            sample=s.tested,
            chi2=chi2,
            degrees=degrees,
            p=p_text(p),
            rate=s.outcome.rate,
            off=far - 1,
        ),
        value=p,
        threshold=both_text(s.rules, s.looks),
        source="Hosmer & Lemeshow (1980)",
        table=as_counted(g.assign(expected=g["n"] * g["predicted"])),
        sight=sight(
            s, chi2, factor_seen(least_factor(enough(g, least), degrees, level(s)), s), **two(s, p, far, p_both)
        ),
    )
