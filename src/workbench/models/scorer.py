"""A model as what can be scored and explained, for any outcome: one JSON file that is read without running any code."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from workbench.contracts import Outcome
from workbench.models.kinds import kinds
from workbench.models.scorecard import BASE_ODDS, BASE_SCORE, FACTOR
from workbench.panel.bins import Bins
from workbench.params import UserError

FILE = "model.json"
NAMED = 5  # inputs that a message names


@dataclass(frozen=True)
class Calibration:
    """predicted = g(intercept + slope · g⁻¹(raw)), g the logistic function or the identity.

    Source: Platt (1999); Cox (1958).
    """

    slope: float
    intercept: float
    link: Literal["logit", "identity"] = "logit"

    def apply(self, raw: np.ndarray) -> np.ndarray:
        """Return calibrated predictions (n)."""
        if self.link == "identity":
            return self.intercept + self.slope * raw
        return expit(self.intercept + self.slope * logit(np.clip(raw, 1e-6, 1 - 1e-6)))


@dataclass(frozen=True)
class Scorer:
    """A calibrated model with its grades and the bins its inputs had on the development sample.

    `features` maps each input to its description, direction and type; `reference` maps every feature of the panel,
    input or not, and `predicted` to its frozen bins and the weighted counts of the development sample; `grades` are
    bins of the prediction; `facts` say what it was made from; `outcome` says what is predicted.
    """

    kind: str
    estimator: Any
    calibration: Calibration
    grades: Bins
    features: dict[str, dict[str, Any]]
    reference: dict[str, tuple[Bins, tuple[float, ...]]]
    facts: dict[str, Any]
    outcome: Outcome = field(default_factory=Outcome)

    def inputs(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the model's inputs of each row; `UserError` where rows of another panel than its own lack one."""
        if lacking := [name for name in self.features if name not in X]:
            more = f" and {len(lacking) - NAMED} more" if len(lacking) > NAMED else ""
            learnt_from = self.facts.get("panel", "another panel")
            raise UserError(
                f"the panel lacks inputs of the model: {', '.join(lacking[:NAMED])}{more}; the model was learnt from "
                f"{learnt_from}: name that, or a panel with the same inputs"
            )
        return X[list(self.features)]

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Return what is predicted of each row (n): a probability, a rate (both 0 to 1) or an amount in its unit."""
        return predicted(self.estimator, self.calibration, self.inputs(X), self.outcome)

    def score(self, X: pd.DataFrame) -> np.ndarray:
        """Return the score of each row (n), see `to_score`; `ValueError` where the outcome is not binary."""
        if not self.outcome.is_binary:
            raise ValueError(
                f"outcome '{self.outcome.name}' is of kind {self.outcome.kind}: it has no odds, and no score"
            )
        return to_score(self.predict(X), self.outcome)

    def grade(self, predicted: np.ndarray) -> np.ndarray:
        """Return the grade of each prediction (n letters): A is the best, lowest predicted of an adverse outcome."""
        codes = self.grades.codes(pd.Series(np.asarray(predicted, float)))
        names = self.grade_names
        return (names if self.outcome.direction == "adverse" else names[::-1])[codes]

    @property
    def grade_names(self) -> np.ndarray:
        """Names of the grades, the best first."""
        return np.array([chr(ord("A") + i) for i in range(len(self.grades.edges) + 1)])

    def scored(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return predicted, score (binary outcomes only) and grade_code of each row, indexed as X.

        A model that names something of each row (an intent), and predicts whether the name is right, gives it, too.
        """
        predicted = self.predict(X)
        columns = {"score": to_score(predicted, self.outcome)} if self.outcome.is_binary else {}
        columns = {"predicted": predicted, **columns, "grade_code": self.grade(predicted)}
        if hasattr(self.estimator, "named"):
            columns["intent_code"] = self.estimator.named(self.inputs(X))
        return pd.DataFrame(columns, index=X.index)

    @property
    def explains(self) -> bool:
        """Whether the model can say what each input contributed."""
        return hasattr(self.estimator, "contributions")

    def contributions(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return what each input adds to each row's raw prediction (n × k), in the estimator's unit (`unit`)."""
        return self.estimator.contributions(self.inputs(X))

    def reasons(self, X: pd.DataFrame, top: int = 4) -> pd.DataFrame:
        """Return, for each row, what raised its prediction most against the average of the development sample.

        Columns: row, rank, feature, value, contribution, words.
        Source: baseline of reason codes as in FICO, US Regulation B, 12 CFR 1002.9 (official interpretation).
        """
        parts = self.contributions(X)
        parts, rows = parts - self._baseline(parts), []
        for label, contributions in parts.iterrows():
            for rank, (name, c) in enumerate(contributions[contributions > 1e-9].nlargest(top).items(), 1):
                rows.append((label, rank, name, X.at[label, name], c, self.features[name].get("description", "")))
        return pd.DataFrame(rows, columns=["row", "rank", "feature", "value", "contribution", "words"])

    def _baseline(self, parts: pd.DataFrame) -> pd.Series:
        return pd.Series(self.facts.get("mean_contributions", {})).reindex(parts.columns).fillna(0.0)

    def to_dict(self) -> dict[str, Any]:
        """Return the whole model as JSON can hold it."""
        c = self.calibration
        return {
            "kind": self.kind,
            "outcome": self.outcome.model_dump(mode="json"),
            "estimator": self.estimator.to_dict(),
            "calibration": {"slope": c.slope, "intercept": c.intercept, "link": c.link},
            "grades": self.grades.to_dict(),
            "features": self.features,
            "reference": {n: {"bins": b.to_dict(), "counts": list(c)} for n, (b, c) in self.reference.items()},
            "facts": self.facts,
        }

    def save(self, folder: Path) -> Path:
        """Write the model as one JSON file and return its path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / FILE
        path.write_text(json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False), encoding="utf-8")
        return path


def load(path: Path, digest: str = "") -> Scorer:
    """Return the model in a JSON file; no code is run.

    Raises `UserError` where the bytes don't match the digest, or the kind is none of this workbench's.
    """
    content = path.read_bytes()
    if digest and hashlib.sha256(content).hexdigest() != digest:
        raise UserError(
            f"model {path.name}: its bytes are not those that were registered; restore it or refuse the version"
        )
    d = json.loads(content)
    if d["kind"] not in kinds():
        raise UserError(f"model {path.name}: kind '{d['kind']}' is unknown here; known: {', '.join(kinds())}")
    return Scorer(
        d["kind"],
        kinds()[d["kind"]].from_dict(d["estimator"]),
        Calibration(**d["calibration"]),
        Bins.from_dict(d["grades"]),
        d["features"],
        {n: (Bins.from_dict(r["bins"]), tuple(r["counts"])) for n, r in d["reference"].items()},
        d["facts"],
        Outcome.model_validate(d["outcome"]),
    )


def raw(estimator: Any, X: pd.DataFrame) -> np.ndarray:
    """Return an estimator's own prediction (n): a classifier's probability of the event, a regressor's value."""
    return estimator.predict_proba(X)[:, 1] if hasattr(estimator, "predict_proba") else estimator.predict(X)


def predicted(estimator: Any, calibration: Calibration, X: pd.DataFrame, outcome: Outcome) -> np.ndarray:
    """Return calibrated predictions (n); those of a rate stay between 0 and 1."""
    values = calibration.apply(raw(estimator, X))
    return np.clip(values, 0, 1) if outcome.kind == "rate" else values


def to_score(predicted: np.ndarray, outcome: Outcome) -> np.ndarray:
    """Return the score of a probability: 600 at odds of 20:1 for what the bank wants, 40 points double the odds.

    Higher is better for the bank whatever is predicted: the score falls with the probability of an adverse outcome
    (default, churn) and rises with that of a favourable one (subscription).

    >>> [round(float(to_score(np.array([1 / 21]), Outcome(direction=d))[0])) for d in ("adverse", "favourable")]
    [600, 254]
    """
    p = np.clip(predicted, 1e-6, 1 - 1e-6)
    log_odds = logit(p) if outcome.direction == "favourable" else -logit(p)
    return BASE_SCORE + FACTOR * (log_odds - np.log(BASE_ODDS))
