"""Does every input say on other rows what it said on development?

**Method** each input coded by what development observed in its frozen bins; slope of the outcome of the rows tested on it, error by parent: 1 where it says the same, 0 where it says nothing, below 0 where it says the opposite; Holm over the inputs.
**Reads as bad** an input whose trend has surely turned: it was delivered the wrong way round, or what it meant has changed.
**Blind to** inputs that say next to nothing on development, and to trends that fade without turning.
**Source** Siddiqi (2017), ch. 6 and 14 (WOE trend on development and later).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench import metrics
from workbench.evidence import Evidence, Verdict, judged
from workbench.validation.effects import coded, inverted_p, said_p
from workbench.validation.sight import Gauge, below_seen, level, sight
from workbench.validation.significance import p_text, shared_text
from workbench.validation.subject import Subject
from workbench.words import say

FAMILY, KINDS, BY_CHANCE = "form", {"binary", "rate", "amount"}, True
EVERY_PERIOD = True


def slopes_alone(s: Subject) -> pd.DataFrame:
    """Return one row per input that says something on development: slope on the rows tested, its error, p that it is above 0."""
    d, h = s.development, s.holdout
    before, now, rows = coded(s, d), coded(s, h), []
    for name in s.model.features:
        learnt, error = metrics.slopes(before[[name]], d["outcome"], d["weight"], d["parent_id"])
        if said_p(s, name, learnt[0], error[0]) > s.rules["p_value"].red:
            continue  # what it said on development may be chance, and can't turn
        beta, error = metrics.slopes(now[[name]], h["outcome"], h["weight"], h["parent_id"])
        rows.append((name, float(beta[0]), float(error[0])))
    table = pd.DataFrame(rows, columns=["input", "slope", "standard_error"]).astype(
        {"slope": float, "standard_error": float}
    )
    return table.assign(
        p=metrics.holm(inverted_p(table["slope"].to_numpy(), table["standard_error"].to_numpy()), s.looks)
    )


def test(s: Subject) -> Evidence:
    """Return the inputs whose trend on the rows tested is the opposite of development's."""
    table, rule = slopes_alone(s).sort_values(["p", "slope"], ignore_index=True), s.rules["p_value"]
    lights = [judged(p, rule) for p in table["p"]]
    table["light"] = [str(v) for v in lights]
    turned = int(np.sum([v is not Verdict.green for v in lights]))
    question = say("Does every input say what it said on development?")
    if table.empty:
        return Evidence(
            key="trends",
            question=question,
            verdict=Verdict.not_evaluated,
            answer=say("No input says anything sure on development."),
        )
    low = table.iloc[0]
    return Evidence(
        key="trends",
        question=question,
        verdict=lights[0],
        answer=say(
            "On {sample} {turned} of {inputs: trends have} turned; least like development is {input}: slope {slope:.2f}, "
            "adjusted {p} that it is above 0.",
            sample=s.tested,
            turned=turned,
            inputs=len(table),
            input=low["input"],
            slope=low["slope"],
            p=p_text(low["p"]),
        ),
        value=float(low["p"]),
        threshold=rule.text + shared_text(s.looks),
        source="Siddiqi (2017), ch. 14",
        table=table,
        sight=sight(
            s,
            low["slope"],
            below_seen(0.0, low["standard_error"], level(s, len(table)), say("slope of {input}", input=low["input"])),
            significance=Gauge(low["p"], rule),
        ),
    )
