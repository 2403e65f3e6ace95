"""Does the registered model give the figures development claimed?

**Method** every figure claimed of the hold-out is computed again from the registered file and the snapshot; the model is saved and read back.
**Reads as bad** any difference above the threshold; amber where a figure is claimed that can't be computed again.
**Blind to** errors that both computations share, and to figures of the cross-validation, which need the folds.
**Source** EBA (2023), Supervisory handbook on the validation of IRB rating systems (tests that third parties can verify).
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from workbench.evidence import Evidence, Verdict, judged
from workbench.models import scorer
from workbench.models.measures import calibration_line, measures
from workbench.validation.sight import Gauge, everything, sight
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS = "process", {"binary", "rate", "amount", "named"}
PREFIX = "holdout_"


def recomputed(s: Subject) -> dict[str, float]:
    """Return every figure of the hold-out that can be claimed of this outcome, computed again, by name."""
    arrays = tuple(s.holdout[c].to_numpy(float) for c in ("outcome", "predicted", "weight"))
    line = calibration_line(*arrays, s.holdout["parent_id"].to_numpy(), s.outcome)
    return {n: m(*arrays) for n, m in measures(s.outcome).items()} | {n: v[0] for n, v in line.items()}


def read_back(s: Subject) -> float:
    """Return the largest difference between predictions of the model and of the model saved and read back."""
    with tempfile.TemporaryDirectory() as folder:
        twin = scorer.load(s.model.save(Path(folder)))
    return float(np.abs(np.asarray(twin.predict(s.holdout), float) - s.holdout["predicted"]).max())


def test(s: Subject) -> Evidence:
    """Return the largest difference between claimed and recomputed."""
    claimed = {n.removeprefix(PREFIX): float(v) for n, v in s.figures.items() if n.startswith(PREFIX)}
    again = recomputed(s)
    rows = [(PREFIX + name, value, again.get(name, np.nan)) for name, value in claimed.items()]
    rows.append(("predictions after saving and reading", 0.0, read_back(s)))
    table = pd.DataFrame(rows, columns=["figure", "claimed", "recomputed"])
    table["difference"] = (table["claimed"] - table["recomputed"]).abs()
    unknown, worst = list(table.loc[table["difference"].isna(), "figure"]), float(table["difference"].max())
    light = judged(worst, s.rules["parity"])
    n = len(table) - len(unknown)
    alike = say("{n: figures were} computed again: all are identical.", n=n)
    answer = say("Largest difference {worst} over {n: figures}.", worst=worst, n=n) if worst else alike
    answer += say("Not computed again: {figures}.", figures=unknown) if unknown else Text()
    return Evidence(
        key="reperformance",
        question=say("Does the registered model give the figures claimed?"),
        verdict=Verdict.not_evaluated if not claimed else Verdict.amber if unknown and light == "green" else light,
        answer=answer if claimed else say("Development claimed no figure of the hold-out.") + answer,
        value=worst,
        threshold=s.rules["parity"].text,
        source="EBA (2023), Supervisory handbook on the validation of IRB rating systems",
        table=table,
        sight=sight(
            s,
            worst,
            everything(s.rules["parity"].amber),
            convention=Gauge(worst, s.rules["parity"]) if claimed else None,
        ),
    )
