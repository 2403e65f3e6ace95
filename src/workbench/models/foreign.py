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
    """A fitted model made elsewhere: `payload` holds its bytes, `inputs_` the names of its columns in their order."""

    KIND: Kind

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
        return np.asarray(self._predicted(X[self.inputs_]), dtype=float)

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

    def _predicted(self, X: pd.DataFrame) -> Any:
        return self.model.predict_proba(X)[:, 1] if hasattr(self.model, "predict_proba") else self.model.predict(X)


class ForeignXgboost(_Foreign):
    """An XGBoost model in its own binary or JSON format."""

    KIND = Kind("foreign_xgboost", 10, ())

    @cached_property
    def model(self) -> Any:
        """The booster."""
        import xgboost

        return xgboost.Booster(model_file=bytearray(self.payload))

    def _predicted(self, X: pd.DataFrame) -> Any:
        import xgboost

        return self.model.predict(xgboost.DMatrix(X.astype(float), feature_names=self.model.feature_names))


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
