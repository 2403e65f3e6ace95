"""Models made elsewhere, carried as their own bytes in the model's JSON file: scikit-learn by skops, XGBoost, or code.

The first two run nothing when they are read: of a skops file, only classes of scikit-learn itself are let in. Code runs
in a process of its own without a network (`isolated`), and only where an adoption has said so.
"""

from __future__ import annotations

import base64
from functools import cached_property
from importlib import import_module
from typing import Any, Self

import numpy as np
import pandas as pd

from workbench.models.isolated import Isolated
from workbench.models.kinds import Kind
from workbench.params import UserError

PLAIN = ("numpy.dtype",)  # of what skops doesn't trust by itself: a description of a column


class _Foreign:
    """A fitted model made elsewhere: `payload` holds its bytes, `inputs_` the names of the columns it reads."""

    KIND: Kind
    NUMBERS = False  # it reads numbers only

    def __init__(self, payload: bytes, inputs: list[str]):
        self.payload, self.inputs_ = payload, list(inputs)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {"payload": base64.b64encode(self.payload).decode(), "inputs": self.inputs_}

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> Self:
        """Return what `to_dict` gave; the model itself is read when it first predicts."""
        return cls(base64.b64decode(d["payload"]), d["inputs"])

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Return what the model says of each row (n): the probability of the event, else a value."""
        return np.asarray(self._predicted(X[self.learnt or self.inputs_]), dtype=float)

    @property
    def learnt(self) -> list[str]:
        """The columns it was fitted to by name, in that order, which a signature needn't have; none where it has none.

        `UserError` where its file isn't let in.
        """
        return []

    @property
    def classes(self) -> list[Any]:
        """The classes it was fitted to, the event the second; none where it knows of none."""
        return []

    def _predicted(self, X: pd.DataFrame) -> Any:
        raise NotImplementedError


class ForeignSklearn(_Foreign):
    """A scikit-learn estimator or pipeline in skops' format."""

    KIND = Kind("foreign_sklearn", 10, ())

    @cached_property
    def model(self) -> Any:
        """The estimator; `UserError` where its file holds anything but classes of scikit-learn."""
        import skops.io

        types = skops.io.get_untrusted_types(data=self.payload)
        if strange := [t for t in types if not _is_sklearn(t)]:
            raise UserError(f"the skops file holds {strange[0]}, which is no class of scikit-learn: it could run code")
        return skops.io.loads(self.payload, trusted=types)

    @property
    def learnt(self) -> list[str]:
        """The names scikit-learn held of the columns it was fitted to."""
        return list(map(str, getattr(self.model, "feature_names_in_", ())))

    @property
    def classes(self) -> list[Any]:
        """The classes of a classifier, in the order of its probabilities; none of a regressor."""
        return np.asarray(getattr(self.model, "classes_", ())).tolist()

    def _predicted(self, X: pd.DataFrame) -> Any:
        return self.model.predict_proba(X)[:, 1] if hasattr(self.model, "predict_proba") else self.model.predict(X)


class ForeignXgboost(_Foreign):
    """An XGBoost model in its own binary or JSON format."""

    KIND = Kind("foreign_xgboost", 10, ())
    NUMBERS = True

    @cached_property
    def model(self) -> Any:
        """The booster; `UserError` where it reads codes of categories, which a column of a panel doesn't have."""
        import xgboost

        booster = xgboost.Booster(model_file=bytearray(self.payload))
        for i, type_ in enumerate(booster.feature_types or ()):
            if type_ == "c":
                name = booster.feature_names[i] if booster.feature_names else i
                raise UserError(
                    f"the XGBoost file reads '{name}' as codes of categories, which the panel doesn't have; "
                    "fit it to one column of 0 and 1 per category"
                )
        return booster

    @property
    def learnt(self) -> list[str]:
        """The names the booster holds of the columns it was fitted to."""
        return list(self.model.feature_names or ())

    def _predicted(self, X: pd.DataFrame) -> Any:
        import xgboost

        # the names of the booster, or none: XGBoost compares them, and X has its columns in the booster's order
        data, best = xgboost.DMatrix(X.to_numpy(float), feature_names=self.learnt or None), 0
        if self.model.attr("scikit_learn"):  # an XGBClassifier stops at its best tree, a booster of itself takes all
            best = int(self.model.attr("best_iteration") or -1) + 1
        return self.model.predict(data, iteration_range=(0, best))


class ForeignCode(_Foreign):
    """A model that is code: a folder of MLflow's (a tar of it), run in a process of its own without a network."""

    KIND = Kind("foreign_code", 10, ())

    @cached_property
    def model(self) -> Isolated:
        """The process."""
        return Isolated(self.payload)

    def _predicted(self, X: pd.DataFrame) -> Any:
        return self.model.predict(X)


def _is_sklearn(name: str) -> bool:
    """Say whether a name in a skops file is a class of scikit-learn; a function could be made to run anything."""
    module, _, attribute = name.rpartition(".")
    if name in PLAIN:
        return True
    if module.split(".")[0] != "sklearn":
        return False
    try:
        return isinstance(getattr(import_module(module), attribute, None), type)
    except ImportError:
        return False
