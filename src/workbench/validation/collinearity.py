"""Do the inputs say the same thing twice?

**Method** variance inflation factor of each input on development, as the model adds it up; where effects don't add up, coded by what was observed in its frozen bins.
**Reads as bad** a factor above the threshold where effects add up: their sizes and signs are then a matter of chance. A fact without a light where they don't.
**Blind to** inputs that repeat each other in a part of the book only.
**Source** Marquardt (1970), Technometrics 12(3); levels by convention.
"""

from __future__ import annotations

import pandas as pd

from workbench import metrics
from workbench.evidence import Evidence, Verdict, judged
from workbench.validation.effects import ADDITIVE, coded
from workbench.validation.sight import Gauge, everything, sight
from workbench.validation.subject import Subject
from workbench.words import say

FAMILY, KINDS = "form", {"binary", "rate", "amount"}


def test(s: Subject) -> Evidence:
    """Return the variance inflation factor of every input, the largest first."""
    rule, additive = s.rules["variance_inflation"], s.model.kind in ADDITIVE
    inputs = s.model.contributions(s.development) if additive else coded(s, s.development)
    factors = metrics.inflation(inputs, s.development["weight"])
    table = pd.DataFrame({"input": list(inputs), "inflation": factors})
    table = table.sort_values("inflation", ascending=False, ignore_index=True)
    top = table.iloc[0]
    return Evidence(
        key="collinearity",
        question=say("Do the inputs say the same thing twice?"),
        verdict=judged(float(top["inflation"]), rule) if additive else Verdict.info,
        answer=say(
            "{input} is most like the others: its variance is inflated {factor:.2f}-fold; {above} of {inputs} from {amber:g}.",
            input=top["input"],
            factor=top["inflation"],
            above=int((table["inflation"] >= rule.amber).sum()),
            inputs=len(table),
            amber=rule.amber,
        ),
        value=float(top["inflation"]),
        threshold=rule.text + say("A fact without a light where the effects of inputs don't add up."),
        source="Marquardt (1970)",
        table=table,
        sight=sight(
            s,
            top["inflation"],
            everything(rule.amber),
            convention=Gauge(top["inflation"], rule) if additive else None,
            rows=s.development,
        ),
    )
