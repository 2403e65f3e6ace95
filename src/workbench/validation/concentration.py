"""Does one grade hold too large a part of the book?

**Method** Herfindahl index of the grades by weight, brought to 0 (all alike) to 1 (all in one grade) for their number K: 1 + ln Σ share² / ln K; and whether the rows tested are more concentrated than development's, by the coefficient of variation. The same by exposure, where the contract marks a column of it, is a fact.
**Reads as bad** an index above the threshold: grades don't differentiate.
**Blind to** how the exposure spreads within a grade.
**Source** ECB (2019), Instructions for reporting the validation results of internal models, section 2.5.5.3; Miller (1991) for the test.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from workbench.evidence import Evidence, Verdict, judged
from workbench.validation.sight import Gauge, everything, sight
from workbench.validation.significance import p_text
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS = "stability", {"binary", "rate", "amount", "named"}
READS_OUTCOME = False


def shares(rows: pd.DataFrame, grades: list[str], exposure: str = "") -> np.ndarray:
    """Return each grade's part of the weight (k), or of the exposure in a column; missing or negative amounts count 0."""
    amount = rows["weight"] * (rows[exposure].fillna(0.0).clip(lower=0.0) if exposure else 1.0)
    total = amount.groupby(rows["grade_code"]).sum().reindex(grades, fill_value=0.0).to_numpy(float)
    return total / total.sum() if total.sum() > 0 else np.full(len(grades), np.nan)


def index(share: np.ndarray) -> float:
    """Return the normalised Herfindahl index of shares (k): 0 where all are alike, 1 where one grade holds all.

    >>> index(np.array([0.5, 0.5])), index(np.array([1.0, 0.0]))
    (0.0, 1.0)
    """
    return float(1 + np.log((share**2).sum()) / np.log(len(share))) + 0.0 if len(share) > 1 else 1.0


def higher_p(initial: np.ndarray, current: np.ndarray) -> float:
    """Return the one-sided p that the current shares (k) are no more concentrated than the initial ones.

    1 − Φ(√(K − 1)·(CV − CV of the initial) / √(CV²·(½ + CV²))) with CV² = K·Σ (share − 1/K)².
    """
    k = len(current)
    before, now = (float(np.sqrt(k * ((s - 1 / k) ** 2).sum())) for s in (initial, current))
    scale = np.sqrt(now**2 * (0.5 + now**2))
    return float(stats.norm.sf(np.sqrt(k - 1) * (now - before) / scale)) if scale > 0 else 1.0


def test(s: Subject) -> Evidence:
    """Return the normalised Herfindahl index of the grades on the hold-out, beside development's."""
    rule, grades = s.rules["concentration"], list(s.model.grade_names)
    share, before = shares(s.holdout, grades), shares(s.development, grades)
    value, largest, p = index(share), int(share.argmax()), higher_p(before, share)
    return Evidence(
        key="concentration",
        question=say("Does one grade hold too much of the book?"),
        verdict=Verdict.red if len(grades) < 2 else judged(value, rule),
        answer=say(
            "Herfindahl index {value:.3f} over {k: grades}, on development {before:.3f} ({p} that it has not risen); "
            "largest is grade {grade} with {share:.1%}.",
            value=value,
            k=len(grades),
            before=index(before),
            p=p_text(p),
            grade=str(grades[largest]),
            share=float(share[largest]),
        )
        + _by_exposure(s, grades),
        value=value,
        threshold=rule.text,
        source="ECB (2019), section 2.5.5.3",
        table=pd.DataFrame({"grade": grades, "development": before, "share": share}),
        sight=sight(
            s,
            value,
            everything(rule.amber),
            convention=Gauge(value, rule),
            significance=Gauge(p, s.rules["p_value"], decides=False),
        ),
    )


def _by_exposure(s: Subject, grades: list[str]) -> Text:
    name = s.contract.exposure()
    if name is None or name not in s.holdout:
        return Text()
    share = shares(s.holdout, grades, name)
    if np.isnan(share).any():
        return say("The hold-out has no exposure in {column}.", column=name)
    return say("By exposure ({column}) it is {value:.3f}.", column=name, value=index(share))
