"""A PD model as one thing that can be read without running it: estimator, calibration, grades, frozen bins."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from workbench.models.scorecard import BASE_ODDS, BASE_SCORE, FACTOR, Scorecard
from workbench.models.trees import BoostedTrees, RuleTree
from workbench.panel.bins import Bins
from workbench.params import UserError

KINDS = {"scorecard": Scorecard, "tree": RuleTree, "boosted": BoostedTrees}  # from simple to complex
FILE = "model.json"


@dataclass(frozen=True)
class Calibration:
    """PD = expit(intercept + slope · logit(raw)). Source: Platt (1999); Cox (1958)."""

    slope: float
    intercept: float

    def apply(self, raw: np.ndarray) -> np.ndarray:
        """Return calibrated PDs (n, 0 to 1)."""
        return expit(self.intercept + self.slope * logit(np.clip(raw, 1e-6, 1 - 1e-6)))


@dataclass(frozen=True)
class PdModel:
    """A calibrated PD model with its grades and the bins its inputs had on the development sample.

    `features` maps each input to its description and direction; `reference` maps every feature of the
    panel, input or not, and `pd` to its frozen bins and the weighted counts of the development sample; `grades` are
    bins of the PD, grade A the best; `facts` say what it was made from.
    """

    kind: str
    estimator: Any
    calibration: Calibration
    grades: Bins
    features: dict[str, dict[str, Any]]
    reference: dict[str, tuple[Bins, tuple[float, ...]]]
    facts: dict[str, Any]

    def pd(self, X: pd.DataFrame) -> np.ndarray:
        """Return the probability of default of each row (n, 0 to 1)."""
        return self.calibration.apply(self.estimator.predict_proba(X[list(self.features)])[:, 1])

    def score(self, X: pd.DataFrame) -> np.ndarray:
        """Return the score: 600 at odds of 20 good to 1 bad, 40 points double the odds."""
        return to_score(self.pd(X))

    def grade(self, pd_: np.ndarray) -> np.ndarray:
        """Return the grade of each PD (n letters, A the best)."""
        return self.grade_names[self.grades.codes(pd.Series(pd_))]

    @property
    def grade_names(self) -> np.ndarray:
        """Names of the grades, the best first."""
        return np.array([chr(ord("A") + i) for i in range(len(self.grades.edges) + 1)])

    def reasons(self, X: pd.DataFrame, top: int = 4) -> pd.DataFrame:
        """Return, for each row, what raised its risk most against the average of the rows.

        Columns: row, rank, feature, value, contribution (log odds; for a tree: bad rate), words.
        Source: baseline of reason codes as in FICO, US Regulation B, 12 CFR 1002.9 (official interpretation).
        """
        parts = self.estimator.contributions(X[list(self.features)])
        parts = parts - self._baseline(parts)
        rows = []
        for label, contributions in parts.iterrows():
            for rank, (name, c) in enumerate(contributions[contributions > 1e-9].nlargest(top).items(), 1):
                rows.append((label, rank, name, X.at[label, name], c, self.features[name].get("description", "")))
        return pd.DataFrame(rows, columns=["row", "rank", "feature", "value", "contribution", "words"])

    def _baseline(self, parts: pd.DataFrame) -> pd.Series:
        return pd.Series(self.facts.get("mean_contributions", {})).reindex(parts.columns).fillna(0.0)

    def to_dict(self) -> dict[str, Any]:
        """Return the whole model as JSON can hold it."""
        return {
            "kind": self.kind,
            "estimator": self.estimator.to_dict(),
            "calibration": {"slope": self.calibration.slope, "intercept": self.calibration.intercept},
            "grades": self.grades.to_dict(),
            "features": self.features,
            "reference": {n: {"bins": b.to_dict(), "counts": list(c)} for n, (b, c) in self.reference.items()},
            "facts": self.facts,
        }

    def save(self, folder: Path) -> Path:
        """Write the model as one JSON file and return its path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / FILE
        path.write_text(json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False))
        return path


def load(path: Path, digest: str = "") -> PdModel:
    """Return the model in a JSON file; no code is run. `UserError` where the bytes don't match the digest."""
    content = path.read_bytes()
    if digest and hashlib.sha256(content).hexdigest() != digest:
        raise UserError(
            f"model {path.name}: its bytes are not those that were registered; restore it or refuse the version"
        )
    d = json.loads(content)
    return PdModel(
        d["kind"],
        KINDS[d["kind"]].from_dict(d["estimator"]),
        Calibration(**d["calibration"]),
        Bins.from_dict(d["grades"]),
        d["features"],
        {n: (Bins.from_dict(r["bins"]), tuple(r["counts"])) for n, r in d["reference"].items()},
        d["facts"],
    )


def to_score(pd_: np.ndarray) -> np.ndarray:
    """Return the score of a PD: 600 at odds of 20:1, 40 points double the odds (higher is better)."""
    odds = (1 - np.clip(pd_, 1e-6, 1 - 1e-6)) / np.clip(pd_, 1e-6, 1 - 1e-6)
    return BASE_SCORE + FACTOR * (np.log(odds) - np.log(BASE_ODDS))
