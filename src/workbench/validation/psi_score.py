"""Do the predictions spread over the rows tested as they did on development?

**Method** PSI of the predictions on bins frozen on development; weighted rows count by weight; later rows where there are any, else the hold-out: drawn from the same time as development it can only show whether the draw is alike. The critical value takes effective sample sizes, by weight and parent.
**Reads as bad** a PSI above the threshold and above the critical value.
**Blind to** shifts inside a bin, and to shifts that leave the predictions as they are.
**Source** Siddiqi (2017), ch. 14; Yurdakul & Naranjo (2020), Journal of Risk Model Validation 14(4).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from workbench import metrics
from workbench.evidence import Evidence, Sight, Verdict, judged
from workbench.validation.sight import Gauge, sight
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS = "stability", {"binary", "rate", "amount", "named"}
READS_OUTCOME = False


def shift(s: Subject, name: str, rows: pd.DataFrame, columns: int = 1) -> tuple[float, float, float]:
    """Return of one column of `rows`, against development's frozen bins: PSI, its critical value, least seen.

    columns: how many are looked at together and share the chance of a false alarm (Bonferroni).
    """
    bins, counts = s.model.reference[name]
    actual = bins.counts(rows[name], rows["weight"].to_numpy())  # as development's counts are
    used = int(((np.array(counts) + actual) > 0).sum())
    level = 1 - (1 - s.rules.number("psi_level")) / columns
    n, m = (_size(part, bins.codes(part[name])) for part in (s.development[s.development["learnt"]], rows))
    value, critical = metrics.psi(counts, actual), metrics.psi_critical(n, m, used, level)
    least = metrics.least_psi(n, m, used, max(critical, s.rules["psi"].amber))
    return value, critical, least


def psi_sight(s: Subject, value: float, critical: float, least: float, rows: pd.DataFrame) -> Sight:
    """Return what stands behind the light of a PSI: the levels of convention, and the value that chance alone gives."""
    seen = (
        least,
        say("A true PSI of {least:.4f} and more, with {power:.0%} certainty.", least=least, power=metrics.POWER),
    )
    chance = replace(s.rules["psi"], amber=critical, red=critical)
    gauges = {"convention": Gauge(value, s.rules["psi"]), "significance": Gauge(value, chance)}
    return sight(s, value, seen, rows=rows, **gauges)


def _size(rows: pd.DataFrame, codes: np.ndarray) -> float:
    return metrics.effective_counts(codes, rows["weight"], rows["parent_id"])


def question(s: Subject, moved: Text, drawn: Text) -> Text:
    """Return the question that the rows answer: have later rows moved, or is a hold-out of the same time drawn alike?"""
    return moved if len(s.later) or s.development["as_of_date"].max() < s.holdout["as_of_date"].min() else drawn


def test(s: Subject) -> Evidence:
    """Return the PSI of the predictions."""
    later, rule = len(s.later) > 0, s.rules["psi"]
    rows = s.later if later else s.holdout
    value, critical, least = shift(s, "predicted", rows)
    facts = {"psi": value, "n": len(s.development), "m": len(rows), "critical": critical}
    return Evidence(
        key="psi_score",
        question=question(
            s,
            say("Has the distribution of the {predicted} moved?", predicted=s.outcome.predicted),
            say("Is the {predicted} of the hold-out spread as development's?", predicted=s.outcome.predicted),
        ),
        verdict=Verdict.green if value <= critical else judged(value, rule),
        answer=say(
            "PSI {psi:.4f} on {rows} (n {n:,}, m {m:,}, critical value {critical:.4f}).",
            rows=say("later rows") if later else say("the hold-out"),
            **facts,
        ),
        value=value,
        threshold=rule.text + say("Green up to the critical value."),
        source="Yurdakul & Naranjo (2020)",
        sight=psi_sight(s, value, critical, least, rows),
    )
