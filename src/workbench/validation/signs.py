"""Does every input work in the direction its own data say?

**Method** the model's effect of each input (mean prediction with the input set to each frozen bin) against what development observed in the bins; where they disagree, whether the other inputs explain it: slopes of the outcome on all inputs at once, each coded by its bins' observed mean, errors by parent, Holm over the inputs.
**Reads as bad** an input that works against its data; red where the data, given the other inputs, surely say the opposite of the model. Where effects don't add up, what the others take over is no fault: amber, too, then needs the data to say so.
**Blind to** inputs that hardly move the prediction or say nothing by themselves, and to directions that depend on another input.
**Source** Siddiqi (2017), ch. 10 (signs of WOE coefficients); Friedman (2001), Annals of Statistics 29(5), for the effect.
"""

from __future__ import annotations

import pandas as pd

from workbench import metrics
from workbench.evidence import Evidence, Verdict, judged
from workbench.validation.effects import ADDITIVE, coded, direction, said_p
from workbench.validation.sight import not_stated, sight
from workbench.validation.significance import p_text
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS = "form", {"binary", "rate", "amount"}


def compared(s: Subject) -> pd.DataFrame:
    """Return one row per input: slope of the model's effect on the observed, its spread, p_alone, slope of the data, p.

    `p_alone` is the p that the input says nothing on development by itself: without that it has no direction. `data` is the slope of development's outcome on the input given the others (1 is what the input says alone), `p` the
    p that the input then says nothing (`effects.said_p`), after Holm.
    """
    names = list(s.model.features)
    table = pd.DataFrame([(n, *direction(s, n)) for n in names], columns=["input", "model", "spread"])
    d, X = s.development, coded(s, s.development)
    arrays = (d["outcome"], d["weight"], d["parent_id"])
    alone = [metrics.slopes(X[[n]], *arrays) for n in names]
    table["p_alone"] = [said_p(s, n, float(b[0]), float(e[0])) for n, (b, e) in zip(names, alone, strict=True)]
    beta, error = metrics.slopes(X, *arrays)
    return table.assign(
        data=beta, p=metrics.holm([said_p(s, n, b, e) for n, b, e in zip(names, beta, error, strict=True)])
    )


def _light(s: Subject, row: pd.Series) -> Verdict:
    says_something = row.p_alone <= s.rules["p_value"].amber and row.spread >= s.rules.number("least_effect")
    if row.model >= 0 or not says_something:
        return Verdict.green
    light = judged(row.p, s.rules["p_value"])
    return Verdict.amber if light is Verdict.green and s.model.kind in ADDITIVE else light


def test(s: Subject) -> Evidence:
    """Return the inputs whose direction in the model is not the data's."""
    table, least, rule = compared(s), s.rules.number("least_effect"), s.rules["p_value"]
    table["light"] = [str(_light(s, row)) for row in table.itertuples()]
    wrong = table[table["light"] != str(Verdict.green)].sort_values("spread", ascending=False)
    answer = say("{wrong} of {inputs: inputs} work against their data.", wrong=len(wrong), inputs=len(table))
    return Evidence(
        key="signs",
        question=say("Does every input work in the direction its own data say?"),
        verdict=min((Verdict(v) for v in table["light"]), key=lambda v: v.rank),
        answer=answer + (_named(wrong) if len(wrong) else Text()),
        value=float(len(wrong)),
        threshold=say(
            "Looked at is an input that moves predictions, by {least:.0%} of their standard deviation or more, against what "
            "was observed: amber where effects add up; red, and amber where they don't, by the p that the data, given the "
            "other inputs, don't say the opposite of the model: amber from {amber:g} down, red from {red:g}.",
            least=least,
            amber=rule.amber,
            red=rule.red,
        ),
        source="Siddiqi (2017), ch. 10",
        table=table,
        sight=sight(
            s,
            float(len(wrong)),
            not_stated(say("an input's own slope on its bins follows a χ² of as many degrees as it has bins")),
            rows=s.development,
        ),
    )


def _named(wrong: pd.DataFrame) -> Text:
    each = [say("{input} (adjusted {p})", input=row.input, p=p_text(row.p)) for row in wrong.head(5).itertuples()]
    return say("Against: {inputs}.", inputs=each)
