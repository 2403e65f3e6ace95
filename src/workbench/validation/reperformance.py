"""Does the registered model give the figures development claimed?

**Method** every hold-out figure is computed again from the registered file and the snapshot; the model is saved and read back.
**Reads as bad** any difference above the threshold.
**Blind to** errors that both computations share.
**Source** EBA/GL/2017/16, section 8 (reproducibility); re-performance as in ISA 500.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from workbench import metrics
from workbench.evidence import Evidence, Verdict
from workbench.models import pd_model
from workbench.validation.subject import Subject

FAMILY = "process"


def test(s: Subject) -> Evidence:
    """Return the largest difference between claimed and recomputed."""
    h, t, rows = s.holdout, s.thresholds["parity"], []
    for name in ("auc", "gini", "ks", "brier", "log_loss"):
        value = getattr(metrics, name)(h["outcome"], h["pd"], h["weight"])
        rows.append((f"holdout_{name}", s.figures.get(f"holdout_{name}", np.nan), value))
    with tempfile.TemporaryDirectory() as folder:
        again = pd_model.load(s.model.save(Path(folder)))
    rows.append(("PD after saving and reading", 0.0, float(np.abs(again.pd(h) - h["pd"]).max())))
    table = pd.DataFrame(rows, columns=["figure", "claimed", "recomputed"])
    table["difference"] = (table["claimed"] - table["recomputed"]).abs()
    worst = float(table["difference"].max(skipna=False))
    verdict = Verdict.not_evaluated if np.isnan(worst) else t.light(worst)
    return Evidence(
        key="reperformance",
        question="Does the registered model give the figures claimed?",
        verdict=verdict,
        answer=f"Largest difference {worst:.2e} over {len(table)} figures.",
        value=worst,
        threshold=str(t),
        source="EBA/GL/2017/16, section 8",
        table=table,
    )
