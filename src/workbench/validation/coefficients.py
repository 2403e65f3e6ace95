"""Does every input keep, on other rows, the say that the model gives it?

**Method** the slope of the outcome on the model's own effect of each input, given all others: 1 where the data say what the model says, 0 where the input says nothing. One step of Fisher's scoring from the model's prediction (of an event on log odds), errors by parent; share of redraws of parents in which its sign flips, by the normal law. The error of the same slope on development is added: the effect is an estimate. The hold-out and each later period are the blocks of time.
**Reads as bad** an input whose sign flips in more redraws than allowed and whose slope is below 1 beyond chance, Holm over the inputs.
**Blind to** inputs that hardly move the prediction, and to effects that only together say something.
**Source** McCullagh & Nelder (1989), ch. 2.5 (scoring); Efron & Tibshirani (1993), ch. 13; level of flips by convention.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from workbench import metrics
from workbench.evidence import Evidence, Sight, Verdict, judged
from workbench.validation.effects import direction, effect
from workbench.validation.estimated import learnt
from workbench.validation.sight import Gauge, below_seen, level, sight
from workbench.validation.significance import and_chance_text, milder, p_text
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS, BY_CHANCE = "form", {"binary", "rate", "amount"}, True
EVERY_PERIOD = True
AT_LEAST = 1e-4  # p(1 − p) of a prediction, below which one row would decide alone


def working(s: Subject, h: pd.DataFrame, effects: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows as scoring sees them: effects (n × inputs), working residual (n), working weight (n)."""
    X = np.column_stack([e[s.model.reference[n][0].codes(h[n])] for n, e in effects.items()])
    residual, weight = (h["outcome"] - h["predicted"]).to_numpy(float), h["weight"].to_numpy(float)
    if not s.outcome.is_binary:
        return X, residual, weight
    p = h["predicted"].to_numpy(float)
    curve = np.maximum(p * (1 - p), AT_LEAST)
    return X, residual / curve, weight * curve


def flips(slope: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Return per input (k) the share of redraws of whole parents in which its slope would not be above 0.

    By the normal law of the slope, so that the light hangs on no draw. Source: Efron & Tibshirani (1993), ch. 13.

    >>> flips(np.array([0.0, 2.0]), np.array([1.0, 1.0])).round(4).tolist()
    [0.5, 0.0228]
    """
    return stats.norm.cdf(-np.divide(slope, error, out=np.full(len(slope), np.inf), where=error > 0))


def slopes(s: Subject) -> pd.DataFrame:
    """Return one row per input that moves predictions: slope (1 as the model has it), its error, flips, p (Holm)."""
    spreads = {n: direction(s, n)[1] for n in s.model.features}
    names = [n for n, spread in spreads.items() if spread >= s.rules.number("least_effect")]
    table = pd.DataFrame({"input": pd.Series(names, dtype=object), "spread": [spreads[n] for n in names]})
    if table.empty:
        return table
    effects = {n: np.nan_to_num(effect(s, n)) for n in names}  # of a bin without development's rows none is known
    (X, residual, weight), parents = working(s, s.holdout, effects), s.holdout["parent_id"].to_numpy()
    step, error = metrics.slopes(X, residual, weight, parents)
    before = learnt(s.development)
    flipped = flips(1 + step, error)
    error = np.hypot(error, metrics.slopes(*working(s, before, effects), before["parent_id"])[1])
    p = stats.norm.cdf(np.divide(step, error, out=np.zeros(len(step)), where=error > 0))
    table = table.assign(slope=1 + step, standard_error=error, flips=flipped)
    return table.assign(p=metrics.holm(p, s.looks))


def test(s: Subject) -> Evidence:
    """Return the inputs whose say is not theirs on the rows tested; not evaluated where none moves predictions."""
    table, rule, p_rule = slopes(s), s.rules["sign_flips"], s.rules["p_value"]
    if table.empty:
        return _evidence(s, Verdict.not_evaluated, say("No input moves predictions far enough to be looked at."))
    lights = [milder(judged(r.flips, rule), judged(r.p, p_rule)) for r in table.itertuples()]
    table["light"] = [str(v) for v in lights]
    rank = table.assign(rank=[v.rank for v in lights], far=-table["flips"])
    low = table.loc[rank.sort_values(["rank", "far", "slope"], kind="stable").index[0]]
    answer = say(
        "On {sample} the sign of {input} flips in {flips:.1%} of redraws; its slope is {slope:.2f} where the model has 1, "
        "adjusted {p} that it is not below.",
        sample=s.tested,
        input=low["input"],
        flips=low["flips"],
        slope=low["slope"],
        p=p_text(low["p"]),
    )
    seen = below_seen(1.0, low["standard_error"], level(s, len(table)), say("slope of {input}", input=low["input"]))
    gauges = {"convention": Gauge(low["flips"], rule), "significance": Gauge(low["p"], p_rule)}
    return _evidence(s, Verdict(low["light"]), answer, table, sight(s, low["slope"], seen, **gauges))


def _evidence(
    s: Subject, verdict: Verdict, answer: Text, table: pd.DataFrame | None = None, stands: Sight | None = None
) -> Evidence:
    return Evidence(
        key="coefficients",
        question=say("Does every input keep the say that the model gives it?"),
        verdict=verdict,
        answer=answer,
        value=stands and stands.value,
        threshold=and_chance_text(s.rules["sign_flips"], s.rules, s.looks),
        source="McCullagh & Nelder (1989), ch. 2.5",
        table=table,
        sight=stands,
    )
