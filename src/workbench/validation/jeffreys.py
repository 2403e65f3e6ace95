"""Is the prediction of a grade wrong on the side that costs?

**Method** per grade and for the portfolio, p = Beta(events + ½, n − events + ½) CDF at the prediction, the ECB's test (its other tail where less is worse); Holm over grades and portfolio; effective counts by parent.
**Reads as bad** a small p of a grade whose rate is off by enough to matter: predicted too low where more is worse.
**Blind to** errors on the side that doesn't cost (see binomial), and to a shock that all rows share.
**Source** ECB (2019), Instructions for reporting the validation results of internal models, section 2.5.3.1.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from workbench import metrics
from workbench.evidence import Evidence, Verdict
from workbench.validation.estimated import both, learnt, of_both
from workbench.validation.sight import level, rate_seen, sight, two
from workbench.validation.significance import both_text, off, p_text, worst
from workbench.validation.subject import Subject, as_counted
from workbench.words import say

FAMILY, KINDS, BY_CHANCE = "calibration", {"binary", "named"}, True
PORTFOLIO = "portfolio"


def p_values(grades: pd.DataFrame, adverse: bool = True) -> pd.Series:
    """Return Jeffreys' p-value per row (events, n, predicted). Small: predicted too low (too high unless `adverse`)."""
    tail = stats.beta.cdf if adverse else stats.beta.sf
    p = tail(grades["predicted"], grades["events"] + 0.5, grades["n"] - grades["events"] + 0.5)
    return pd.Series(p, index=grades.index)


def _with_both(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(n=table["n_both"], events=table["observed"] * table["n_both"])


def _portfolio(s: Subject) -> pd.DataFrame:
    h, d = s.holdout, learnt(s.development)
    events, n = metrics.effective(h["outcome"], h["weight"], h["parent_id"])
    mean = float(np.average(h["predicted"], weights=h["weight"]))
    row = {"grade": PORTFOLIO, "n": n, "events": events, "predicted": mean, "observed": events / n}
    n_both = of_both(n, metrics.effective(d["outcome"], d["weight"], d["parent_id"])[1])
    return pd.DataFrame([{**row, "share": 1.0, "rows": len(h), "n_both": n_both}])


def _light(s: Subject, g: pd.Series) -> Verdict:
    light = both(g.p, g.p_both, off(g.observed, g.predicted), s.rules)
    return light if s.is_costly(g.observed, g.predicted) else Verdict.green


def test(s: Subject) -> Evidence:
    """Return Jeffreys' test per grade on the rows tested, with the portfolio as the last row."""
    grades, total, adverse = s.grades(s.holdout), _portfolio(s), s.outcome.direction == "adverse"
    table = pd.concat([grades, total], ignore_index=True)
    for name, counted in (("p", table), ("p_both", _with_both(table))):
        table[name] = metrics.holm(p_values(counted, adverse).to_numpy(), s.looks)
    table["light"] = [str(_light(s, g)) for g in table.itertuples()]
    low, total = worst(table), table.iloc[-1]
    facts = {"prediction": low.predicted, "observed": low.observed, "p": p_text(low.p)}
    where = say("the portfolio") if low.grade == PORTFOLIO else say("grade {grade}", grade=low.grade)
    return Evidence(
        key="jeffreys",
        question=say("Is the {predicted} of a grade too low?", predicted=s.outcome.predicted)
        if adverse
        else say("Is the {predicted} of a grade too high?", predicted=s.outcome.predicted),
        verdict=Verdict(low.light),
        answer=say(
            "Furthest on {sample} is {where}: {predicted} {prediction:.2%}, observed {observed:.2%}, adjusted {p}.",
            sample=s.tested,
            where=where,
            predicted=s.outcome.predicted,
            **facts,
        ),
        value=float(low.p),
        threshold=both_text(s.rules, s.looks),
        source="ECB (2019), section 2.5.3.1",
        table=as_counted(table),
        sight=sight(
            s,
            low.events,
            rate_seen(s, total.predicted, total.n, level(s, len(table)), above=adverse, prior=0.5),
            **two(s, low.p, off(low.observed, low.predicted), low.p_both),
        ),
    )
