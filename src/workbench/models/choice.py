"""Choose among candidates: the simplest that isn't materially worse than the best, both on the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from workbench import metrics
from workbench.evidence import Evidence, Verdict
from workbench.models.pd_model import KINDS
from workbench.words import Text, say

if TYPE_CHECKING:
    from workbench.models.development import Candidate, Params, Sample

MATERIAL_GINI = 0.01  # one Gini point (0.005 AUC): the loss a bank would pay for a model that can be read; convention


def choose(
    candidates: Sequence[Candidate], s: Sample, p: Params, material: float = MATERIAL_GINI
) -> tuple[Candidate, Evidence]:
    """Return the chosen candidate and why.

    The rule: the simplest candidate whose loss in cross-validated Gini against the best is not both above `material`
    (0.01 is one Gini point) and sure, that is, with an interval above 0. The loss is taken on the same rows, its
    interval from resamples of whole entities. The hold-out plays no part, so what it says later is not flattered.
    """
    table = losses(candidates, s, p.seed)
    best = table.loc[table["auc"].idxmax(), "candidate"]
    bearable = set(table.loc[(table["loss"] <= material) | (table["loss_low"] <= 0), "candidate"])
    kind = next(k for k in KINDS if k in bearable) if p.choice == "rule" else p.choice
    row = table.set_index("candidate").loc[kind]
    return next(c for c in candidates if c.kind == kind), Evidence(
        key="choice",
        question=say("Which candidate is put forward, and why?"),
        verdict=Verdict.info,
        answer=_answer(kind, best, row, p.choice == "rule", material),
        value=kind,
        threshold=say(
            "simplest candidate whose loss of Gini against the best is not both above {material:.3f} and sure",
            material=material,
        ),
        source="paired bootstrap: Efron & Tibshirani (1993), ch. 16; simplest of equals: Breiman et al. (1984), ch. 3",
        table=table,
    )


def losses(candidates: Sequence[Candidate], s: Sample, seed: int) -> pd.DataFrame:
    """Return cross-validated AUC and loss of Gini against the best, with its 95 % interval, a row per candidate."""
    aucs = {c.kind: metrics.auc(s.y, c.out_of_fold, s.weight) for c in candidates}
    best = next(c for c in candidates if c.kind == max(aucs, key=aucs.__getitem__))
    rows = []
    for c in candidates:
        arrays = (s.y, best.out_of_fold, c.out_of_fold, s.weight)
        low, high = (0.0, 0.0) if c is best else metrics.bootstrap_interval(_loss, arrays, s.account, seed)
        rows.append((c.kind, aucs[c.kind], _loss(*arrays), low, high))
    return pd.DataFrame(rows, columns=["candidate", "auc", "loss", "loss_low", "loss_high"])


def _loss(y: np.ndarray, best: np.ndarray, other: np.ndarray, weight: np.ndarray) -> float:
    return 2 * (metrics.auc(y, best, weight) - metrics.auc(y, other, weight))


def _answer(kind: str, best: str, row: pd.Series, by_rule: bool, material: float) -> Text:
    facts = {
        "kind": say(kind),
        "best": say(best),
        "auc": float(row["auc"]),
        "loss": float(row["loss"]),
        "low": float(row["loss_low"]),
        "high": float(row["loss_high"]),
        "material": material,
    }
    if not by_rule:
        return say(
            "{kind}: named by the study file, cross-validated AUC {auc:.4f}; against {best} it loses {loss:.4f} of "
            "Gini ({low:.4f} to {high:.4f}).",
            **facts,
        )
    if kind == best:
        return say(
            "{kind}: its cross-validated AUC is {auc:.4f}, and every simpler candidate surely loses Gini, more than "
            "{material:.3f} of it.",
            **facts,
        )
    return say(
        "{kind}: cross-validated AUC {auc:.4f}; it loses {loss:.4f} of Gini against {best} ({low:.4f} to {high:.4f}), "
        "which is not both sure and more than {material:.3f}, and is simpler.",
        **facts,
    )
