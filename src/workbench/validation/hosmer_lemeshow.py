"""Are the predictions of all grades right together?

**Method** Σ (observed − expected)² / (n·p·(1 − p)) over the grades on effective counts by parent; χ² with as many degrees of freedom on the hold-out.
**Reads as bad** a small p where the grades' rates are off by enough to matter, on average over the book.
**Blind to** the direction of the error, and to grades that expect too few events.
**Source** Hosmer & Lemeshow (1980), Communications in Statistics A9; degrees of freedom for external samples: their book (2013), ch. 5.
"""

from __future__ import annotations

import pandas as pd
from scipy import stats

from workbench.evidence import Evidence
from workbench.validation.significance import both, both_text, distance, p_text
from workbench.validation.subject import Subject, as_counted
from workbench.words import say

FAMILY, KINDS = "calibration", {"binary"}


def chi_squared(g: pd.DataFrame, least: float) -> tuple[float, int, float]:
    """Return χ², degrees of freedom and p over the grades (n, events, predicted) that expect `least` events and others."""
    expected = g["n"] * g["predicted"]
    used = g[(expected >= least) & (g["n"] - expected >= least)]
    expected = expected[used.index]
    chi2 = float(((used["events"] - expected) ** 2 / (expected * (1 - used["predicted"]))).sum())
    return chi2, len(used), float(stats.chi2.sf(chi2, len(used))) if len(used) else float("nan")


def test(s: Subject) -> Evidence:
    """Return the Hosmer-Lemeshow statistic over the grades, and how far their rates are off on average."""
    g, least = s.grades(s.holdout), s.rules.number("least_expected")
    (chi2, degrees, p), far = chi_squared(g, least), distance(g)
    return Evidence(
        key="hosmer_lemeshow",
        question=say("Is the {predicted} of all grades right together?", predicted=s.outcome.predicted),
        verdict=both(p, far, s.rules),
        answer=say(
            "χ² {chi2:.2f} with {degrees} degrees of freedom, {p}; the grades' {rate} is off by {off:.1%} on average.",
            chi2=chi2,
            degrees=degrees,
            p=p_text(p),
            rate=s.outcome.rate,
            off=far - 1,
        ),
        value=p,
        threshold=both_text(s.rules),
        source="Hosmer & Lemeshow (1980)",
        table=as_counted(g.assign(expected=g["n"] * g["predicted"])),
    )
