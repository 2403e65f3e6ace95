"""Are the PDs of all grades right together?

**Method** Σ (observed − expected)² / (n·PD·(1 − PD)) over the grades; χ² with as many degrees of freedom on the hold-out.
**Reads as bad** a small p.
**Blind to** the direction of the error; with very many rows it rejects what does not matter (see the slope).
**Source** Hosmer & Lemeshow (1980), Communications in Statistics A9; degrees of freedom for external samples: their book (2013), ch. 5.
"""

from __future__ import annotations

from scipy import stats

from workbench.evidence import Evidence
from workbench.validation.subject import Subject, as_counted, p_text

FAMILY = "calibration"
LEAST_EXPECTED = 5


def test(s: Subject) -> Evidence:
    """Return the Hosmer-Lemeshow statistic over the grades that expect at least five defaults."""
    g, t = s.grades(s.holdout), s.thresholds["p_value"]
    g["expected"] = g["n"] * g["pd"]
    used = g[(g["expected"] >= LEAST_EXPECTED) & (g["n"] - g["expected"] >= LEAST_EXPECTED)]
    chi2 = float(((used["bad"] - used["expected"]) ** 2 / (used["expected"] * (1 - used["pd"]))).sum())
    p = float(stats.chi2.sf(chi2, len(used))) if len(used) else float("nan")
    return Evidence(
        key="hosmer_lemeshow",
        question="Are the PDs of all grades right together?",
        verdict=t.light(p, high_is_bad=False),
        answer=f"χ² {chi2:.2f} with {len(used)} degrees of freedom, {p_text(p)}.",
        value=p,
        threshold=str(t),
        source="Hosmer & Lemeshow (1980)",
        table=as_counted(g),
    )
