"""What a validation test is given: the registered model, the samples re-scored by the validator, the thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from workbench import evidence
from workbench.contracts import Contract
from workbench.evidence import Verdict
from workbench.models.pd_model import PdModel
from workbench.panel.describe import effective
from workbench.params import UserError, nearest

FILE = Path(__file__).with_name("thresholds.yaml")


@dataclass(frozen=True)
class Threshold:
    """An amber and a red level, with whose they are."""

    amber: float
    red: float
    description: str
    reference: str

    def light(self, value: float, *, high_is_bad: bool = True) -> Verdict:
        """Return the light of a value."""
        return evidence.light(value, self.amber, self.red, high_is_bad=high_is_bad)

    def __str__(self) -> str:
        return f"amber {self.amber:g}, red {self.red:g}: {self.description} ({self.reference})"


def thresholds(overrides: Mapping[str, Any] | None = None) -> dict[str, Threshold]:
    """Return the thresholds by name; `overrides` maps a name to [amber, red]. `UserError` for an unknown name."""
    rows = yaml.safe_load(FILE.read_text())
    for name, value in (overrides or {}).items():
        if name not in rows:
            raise UserError(f"validation/battery: thresholds: unknown '{name}'; {nearest(name, rows)}")
        if not (isinstance(value, list) and len(value) == 2):
            raise UserError(f"validation/battery: thresholds.{name}: write [amber, red]")
        rows[name] |= {"amber": float(value[0]), "red": float(value[1]), "reference": "named by the study"}
    return {n: Threshold(r["amber"], r["red"], r["description"], r["reference"]) for n, r in rows.items()}


@dataclass(frozen=True)
class Subject:
    """The model under test.

    `development`, `holdout`, `later`: rows of the panel with a known outcome and the columns pd, score,
    grade_code, recomputed from the registered model; nothing is taken from what development wrote.
    `figures`: what development claimed.
    """

    model: PdModel
    contract: Contract
    development: pd.DataFrame
    holdout: pd.DataFrame
    later: pd.DataFrame
    figures: Mapping[str, float]
    thresholds: Mapping[str, Threshold]
    seed: int

    def grades(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return per grade: n (effective), bad (effective), mean PD, rows; the best grade first."""
        out = []
        for grade, part in rows.groupby("grade_code", sort=True):
            bad, n = effective(part["outcome"], part["weight"])
            out.append((grade, n, bad, float(np.average(part["pd"], weights=part["weight"])), len(part)))
        return pd.DataFrame(out, columns=["grade", "n", "bad", "pd", "rows"])


def subject(
    model: PdModel,
    panel: pd.DataFrame,
    contract: Contract,
    figures: Mapping[str, float],
    overrides: Mapping[str, Any],
    seed: int,
) -> Subject:
    """Return the subject: every sample re-scored with the registered model."""
    known = panel[panel["outcome"].notna()]
    pd_ = model.pd(known)
    scored = known.assign(pd=pd_, score=model.score(known), grade_code=model.grade(pd_))
    parts = {
        name: scored[scored["sample"] == name].reset_index(drop=True)
        for name in ("development", "holdout", "monitoring")
    }
    return Subject(
        model,
        contract,
        parts["development"],
        parts["holdout"],
        parts["monitoring"],
        figures,
        thresholds(overrides),
        seed,
    )


def as_counted(grades: pd.DataFrame) -> pd.DataFrame:
    """Return a table of grades whose counts are called effective where weights make them so."""
    weighted = (grades["n"] - grades["rows"]).abs() > 0.5
    return grades.rename(columns={"n": "effective n", "bad": "effective bad"} if weighted.any() else {})


def p_text(p: float) -> str:
    """Return a p-value as it is printed in a paper.

    >>> p_text(0.0314), p_text(3e-9)
    ('p 0.0314', 'p < 0.0001')
    """
    return f"p {p:.4f}" if not p < 1e-4 else "p < 0.0001"


def holm(p_values: np.ndarray) -> np.ndarray:
    """Return Holm's adjusted p-values. Source: Holm (1979), Scandinavian Journal of Statistics 6(2)."""
    from statsmodels.stats.multitest import multipletests

    return multipletests(p_values, method="holm")[1] if len(p_values) else p_values
