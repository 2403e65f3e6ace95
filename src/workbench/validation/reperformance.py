"""Does the registered model give the figures development claimed?

**Method** every figure claimed of the hold-out is computed again from the registered file and the snapshot; the model is saved and read back.
**Reads as bad** any difference above the threshold; amber where a figure is claimed that can't be computed again.
**Blind to** errors that both computations share, and to figures of the cross-validation, which need the folds.
**Source** ISA 500 (reperformance as audit evidence).
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from workbench import metrics
from workbench.evidence import Evidence, Verdict, judged
from workbench.models import pd_model as scorer
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS = "process", {"binary", "rate", "amount"}
PREFIX = "holdout_"
COMPUTED = ("auc", "gini", "ks", "brier", "log_loss", "rmse", "mae", "r_squared", "spearman")


def again(s: Subject, name: str) -> float:
    """Return one figure of the hold-out, computed again; NaN where its name says nothing that is known here."""
    h = s.holdout
    arrays = (h["outcome"], h["predicted"], h["weight"])
    if name in ("slope", "intercept") and s.outcome.is_binary:
        return metrics.calibration_line(*arrays)[name][0]
    return getattr(metrics, name)(*arrays) if name in COMPUTED else float("nan")


def read_back(s: Subject) -> float:
    """Return the largest difference between predictions of the model and of the model saved and read back."""
    with tempfile.TemporaryDirectory() as folder:
        twin = scorer.load(s.model.save(Path(folder)))
    return float(np.abs(np.asarray(twin.predict(s.holdout), float) - s.holdout["predicted"]).max())


def test(s: Subject) -> Evidence:
    """Return the largest difference between claimed and recomputed."""
    claimed = {n.removeprefix(PREFIX): float(v) for n, v in s.figures.items() if n.startswith(PREFIX)}
    rows = [(PREFIX + name, value, again(s, name)) for name, value in claimed.items()]
    rows.append(("predictions after saving and reading", 0.0, read_back(s)))
    table = pd.DataFrame(rows, columns=["figure", "claimed", "recomputed"])
    table["difference"] = (table["claimed"] - table["recomputed"]).abs()
    unknown, worst = list(table.loc[table["difference"].isna(), "figure"]), float(table["difference"].max())
    light = judged(worst, s.rules["parity"])
    answer = say("Largest difference {worst:.2e} over {n} figures.", worst=worst, n=len(table) - len(unknown)) + (
        say("Not computed again: {figures}.", figures=unknown) if unknown else Text()
    )
    return Evidence(
        key="reperformance",
        question=say("Does the registered model give the figures claimed?"),
        verdict=Verdict.not_evaluated if not claimed else Verdict.amber if unknown and light == "green" else light,
        answer=answer if claimed else say("Development claimed no figure of the hold-out.") + answer,
        value=worst,
        threshold=s.rules["parity"].text,
        source="ISA 500",
        table=table,
    )
