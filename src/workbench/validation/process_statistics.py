"""How often was a rating missing, overridden, or without an outcome to hold it against?

**Method** shares of the panel's rows: rated though every input of the model is missing; overridden by a person, where a column of the contract says so; without a known outcome.
**Reads as bad** too many ratings made of nothing, or overridden. Rows without an outcome are a fact: their windows may be open.
**Blind to** customers who stand in no row of the panel, and to ratings that grew old: the panel rates anew at every date.
**Source** ECB (2019), Instructions for reporting the validation results of internal models, sections 2.5.2.1 and 2.5.2.2.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.evidence import Evidence, Verdict, judged
from workbench.panel import overrides
from workbench.validation.sight import Gauge, everything, sight
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS = "process", {"binary", "rate", "amount", "named"}
READS_OUTCOME = False


def statistics(s: Subject) -> pd.DataFrame:
    """Return one row per statistic: what, rows, share of them (NaN where it can't be known), light."""
    rows, inputs = s.panel, list(s.model.features)
    missing = float(rows[inputs].isna().all(axis=1).mean())
    overridden = _by_hand(s)
    shares = {"rated on nothing": missing, "overridden": overridden, "no outcome": float(rows["outcome"].isna().mean())}
    rules = {"rated on nothing": s.rules["missing_ratings"], "overridden": s.rules["overrides"]}
    lights = [judged(v, rules[n]) if n in rules else Verdict.info for n, v in shares.items()]
    table = pd.DataFrame({"what": list(shares), "rows": len(rows), "share": list(shares.values())})
    return table.assign(light=[str(v) for v in lights])


def test(s: Subject) -> Evidence:
    """Return the shares of rows rated on nothing, overridden and without an outcome."""
    table = statistics(s)
    missing, overridden, unknown = table["share"]
    answer = say(
        "Of {rows:, rows} {missing:.2%} are rated though every input is missing; {unknown:.2%} have no known outcome.",
        rows=len(s.panel),
        missing=missing,
        unknown=unknown,
    ) + _overridden(overridden)
    judgeable = [Verdict(v) for v in table["light"] if v != Verdict.not_evaluated]
    return Evidence(
        key="process_statistics",
        question=say("How often was a rating missing, or overridden by a person?"),
        verdict=min(judgeable, key=lambda v: v.rank),
        answer=answer,
        value=missing,
        threshold=s.rules["missing_ratings"].text + s.rules["overrides"].text,
        source="ECB (2019), sections 2.5.2.1 and 2.5.2.2",
        table=table,
        sight=sight(
            s,
            missing,
            everything(s.rules["missing_ratings"].amber),
            convention=Gauge(missing, s.rules["missing_ratings"]),
            rows=s.panel,
        ),
    )


def _by_hand(s: Subject) -> float:
    """Return the share of rows overridden, of those of which the bank says it; grades by hand are held against the model's."""
    if not s.override:
        return float("nan")
    if overrides.is_flag(s.panel[s.override]):
        return float(overrides.overridden(s.panel, s.override).mean())
    graded = s.panel.assign(grade_code=s.model.grade(np.asarray(s.model.predict(s.panel), float)))
    return float(overrides.overridden(graded, s.override).mean())


def _overridden(share: float) -> Text:
    if np.isnan(share):
        return say("Overrides aren't evaluated: no column of the contract says so (`role: override`).")
    return say("{share:.2%} were overridden by a person.", share=share)
