"""Do the inputs spread over the rows tested as they did on development?

**Method** PSI of every input on bins frozen on development, missing and unseen values as bins of their own.
**Reads as bad** a PSI above the threshold and above its critical value.
**Blind to** changes of the relation between inputs.
**Source** Siddiqi (2017), ch. 14 (characteristic stability); Yurdakul & Naranjo (2020), Journal of Risk Model Validation 14(4).
"""

from __future__ import annotations

import pandas as pd

from workbench.evidence import Evidence, Verdict, judged
from workbench.validation.psi_score import psi_sight, question, shift
from workbench.validation.subject import Subject
from workbench.words import say

FAMILY, KINDS = "stability", {"binary", "rate", "amount"}
READS_OUTCOME = False


def test(s: Subject) -> Evidence:
    """Return the PSI of every input, the largest first."""
    rows, rule = (s.later if len(s.later) else s.holdout), s.rules["psi"]
    table = pd.DataFrame(
        [(n, *shift(s, n, rows, len(s.model.features))) for n in s.model.features],
        columns=["input", "psi", "critical", "least"],
    )
    pairs = zip(table["psi"], table["critical"], strict=True)
    table["light"] = [str(Verdict.green if v <= c else judged(v, rule)) for v, c in pairs]
    table = table.sort_values("psi", ascending=False, ignore_index=True)
    rank = table["light"].map(lambda v: Verdict(v).rank)
    top, moved = table.loc[rank.idxmin()], int((table["psi"] >= rule.amber).sum())
    facts = {
        "input": top["input"],
        "psi": top["psi"],
        "critical": top["critical"],
        "moved": moved,
        "inputs": len(table),
    }
    return Evidence(
        key="psi_characteristics",
        question=question(
            s, say("Which inputs have moved?"), say("Are the inputs of the hold-out spread as development's?")
        ),
        verdict=Verdict(top["light"]),
        answer=say(
            "{input} weighs most: PSI {psi:.4f} (critical value {critical:.4f}); {moved} of {inputs} from {amber:g}.",
            amber=rule.amber,
            **facts,
        ),
        value=float(top["psi"]),
        threshold=rule.text + say("Green up to the critical value, shared among the inputs."),
        source="Siddiqi (2017), ch. 14",
        table=table.drop(columns="least"),
        sight=psi_sight(s, top["psi"], top["critical"], top["least"], rows),
    )
