"""Estimators on tables as scikit-learn wants them: numbers and categories, missing allowed, columns by name."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data


class Tabular(BaseEstimator):
    """What all candidates share: arrays become tables, a table's columns are matched by name.

    A table may hold more columns, in any order. Arrays are checked by scikit-learn.
    """

    def __sklearn_tags__(self) -> Tags:
        """Missing values are allowed."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _taken(self, X: Any, y: Any) -> tuple[pd.DataFrame, Any]:
        """Return X as a table (n × k) and y as one column, and remember the columns."""
        if _is_mixed(X):
            self.feature_names_in_ = np.array(X.columns, dtype=object)
            self.n_features_in_ = X.shape[1]
            return X, column_or_1d(y, warn=True)
        numeric = {} if isinstance(self, ClassifierMixin) else {"y_numeric": True}
        given, y = validate_data(self, X, y, dtype=float, ensure_all_finite="allow-nan", **numeric)
        if isinstance(X, pd.DataFrame) and hasattr(self, "feature_names_in_"):
            return X, y  # `given` is a copy of all of X
        return pd.DataFrame(given, columns=self._columns()), y

    def _asked(self, X: Any) -> pd.DataFrame:
        """Return X as a table with the columns that are needed."""
        check_is_fitted(self)
        if isinstance(X, pd.DataFrame) and hasattr(self, "feature_names_in_"):
            if lost := [c for c in self._needed() if c not in X]:
                raise ValueError(f"columns missing: {', '.join(map(str, lost))}")
            return X
        given = validate_data(self, X, dtype=float, ensure_all_finite="allow-nan", reset=False)
        return pd.DataFrame(given, columns=self._columns())

    def _needed(self) -> list[str]:
        """Columns without which nothing can be predicted."""
        return list(self.feature_names_in_)

    def _restored(self, names: list[str]) -> Self:
        """Remember what a fitted estimator knows of its columns; for one read from JSON."""
        self.feature_names_in_, self.n_features_in_ = np.array(names, dtype=object), len(names)
        return self

    def _columns(self) -> list[str]:
        named = getattr(self, "feature_names_in_", None)
        return [f"x{i}" for i in range(self.n_features_in_)] if named is None else list(named)


class TabularClassifier(ClassifierMixin, Tabular):
    """Labels become 0 and 1: the second class is the event. `ValueError` for anything that isn't two classes."""

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Return the second class where it is more likely than the first (n)."""
        event = self.predict_proba(X)[:, 1] > 0.5
        return self.classes_[event.astype(int)]

    def __sklearn_tags__(self) -> Tags:
        """Two classes only."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def _learnt(self, X: Any, y: Any) -> tuple[pd.DataFrame, np.ndarray]:
        """Return X as a table (n × k) and y as 0 and 1 (n), and remember columns and classes."""
        X, y = self._taken(X, y)
        check_classification_targets(y)
        self.classes_, coded = np.unique(y, return_inverse=True)
        if len(self.classes_) != 2:
            classes = f"{len(self.classes_)} class" + "es" * (len(self.classes_) != 1)
            raise ValueError(f"Only binary classification is supported. The type of the target holds {classes}.")
        return X, coded.astype(float)

    def _restored(self, names: list[str]) -> Self:
        """Remember columns and classes; for one read from JSON."""
        self.classes_ = np.array([0, 1])
        return super()._restored(names)


class TabularRegressor(RegressorMixin, Tabular):
    """A finite number per row is learnt; where `bounded`, one between 0 and 1 (what lies beyond is taken as 0 or 1)."""

    bounded: bool

    def _learnt(self, X: Any, y: Any) -> tuple[pd.DataFrame, np.ndarray]:
        """Return X as a table (n × k) and y as numbers (n), and remember the columns."""
        X, y = self._taken(X, y)
        y = np.asarray(y, float)
        return X, np.clip(y, 0, 1) if self.bounded else y


def _is_mixed(X: Any) -> bool:
    """Say whether X is a table that holds more than numbers."""
    return isinstance(X, pd.DataFrame) and not all(pd.api.types.is_numeric_dtype(t) for t in X.dtypes)
