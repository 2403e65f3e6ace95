"""What a customer wants, from the words of his question: n-grams of words and characters, a linear margin per intent.

Chinese has no spaces: characters there are taken one to three together, from either side of nothing but Chinese.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, hstack
from scipy.special import softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from workbench.models.kinds import Kind
from workbench.words import say

QUESTION = "question"
HAN = re.compile("[\u4e00-\u9fff]+")
_NUMBER = re.compile(r"\d+")


def unified(question: str) -> str:
    """Return a question in small letters, its numbers alike, one kind of apostrophe.

    >>> unified("I’ve paid 250.00 TWICE")
    "i've paid 0.0 twice"
    """
    return _NUMBER.sub("0", question.lower().replace("’", "'"))


def chinese_grams(question: str) -> list[str]:
    """Return the characters of every run of Chinese, one to three together.

    >>> chinese_grams("APP 还款")
    ['还', '款', '还款']
    """
    runs = HAN.findall(question)
    return [run[i : i + n] for run in runs for n in (1, 2, 3) for i in range(len(run) - n + 1)]


_READERS: dict[str, dict[str, Any]] = {
    "words": {"ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b", "min_df": 1},
    "characters": {"analyzer": "char_wb", "ngram_range": (2, 4), "min_df": 2},
    "chinese": {"analyzer": chinese_grams, "min_df": 1},
}


class Intents:
    """Names the intent of a question and says how far it lies before the next one.

    Sublinear TF-IDF of words (1–2), characters within words (2–4) and Chinese characters (1–3); one linear support
    vector machine per intent against all others. `predict_proba` is the chance, before calibration, that the first
    intent is the right one. What is saved is words, weights and numbers: nothing runs when it is read.

    Source: Joachims (1998), text categorization with support vector machines; Crammer & Singer (2001) for the margin.

    Parameters: cost of an error (`C`), seed. Attributes: `intents_` (k), `readers_`, `weights_` (n × k), `offsets_`,
    `scale_` (of the margins, so that their softmax is a share).
    """

    KIND = Kind(
        "intents",
        10,
        (),
        reasons={"C": say("one is the convention of the linear support vector machine")},
    )

    def __init__(self, C: float = 1.0, seed: int = 42):
        self.C, self.seed = C, seed

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the settings."""
        return {"C": self.C, "seed": self.seed}

    def fit(self, X: pd.DataFrame, y: Sequence[str]) -> Self:
        """Learn from questions (column `question`, n) and their intents (n)."""
        texts, self.readers_, parts = [unified(t) for t in X[QUESTION]], {}, []
        for name, settings in _READERS.items():
            reader = TfidfVectorizer(sublinear_tf=True, lowercase=False, dtype=np.float64, **settings)
            try:
                parts.append(reader.fit_transform(texts))
            except ValueError:  # no Chinese, or nothing but Chinese
                continue
            self.readers_[name] = reader
        svm = LinearSVC(C=self.C, random_state=self.seed, max_iter=5000).fit(hstack(parts).tocsr(), list(y))
        self.intents_ = [str(c) for c in svm.classes_]
        rows = svm.coef_ if len(self.intents_) > 2 else np.vstack([-svm.coef_, svm.coef_])
        self.weights_ = rows.T.astype(np.float32)
        offsets = svm.intercept_ if len(self.intents_) > 2 else np.array([-svm.intercept_[0], svm.intercept_[0]])
        self.offsets_, self.scale_ = offsets.astype(np.float32), 4.0
        return self

    def margins(self, X: pd.DataFrame) -> np.ndarray:
        """Return how far each question lies on each intent's side (n × k)."""
        texts = [unified(str(t)) for t in X[QUESTION]]
        read: csr_matrix = hstack([r.transform(texts) for r in self.readers_.values()]).tocsr()
        return np.asarray(read @ self.weights_.astype(float)) + self.offsets_

    def named(self, X: pd.DataFrame) -> np.ndarray:
        """Return the first intent of each question (n)."""
        return np.array(self.intents_, dtype=object)[self.margins(X).argmax(axis=1)]

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Return (n × 2) the share that the first intent is wrong, and right, before calibration."""
        right = confidence(self.margins(X), self.scale_)
        return np.column_stack([1 - right, right])

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        readers = {
            name: {"terms": sorted(r.vocabulary_, key=r.vocabulary_.get), "idf": _packed(r.idf_)}
            for name, r in self.readers_.items()
        }
        numbers = {"weights": _packed(self.weights_), "offsets": _packed(self.offsets_), "scale": self.scale_}
        return {"C": self.C, "seed": self.seed, "intents": self.intents_, "readers": readers, **numbers}

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> Self:
        """Return what `to_dict` gave."""
        model, model_readers = cls(d["C"], d["seed"]), {}
        for name in [n for n in _READERS if n in d["readers"]]:  # the weights' order; a file's keys are sorted
            saved = d["readers"][name]
            vocabulary = {term: i for i, term in enumerate(saved["terms"])}
            reader = TfidfVectorizer(
                sublinear_tf=True, lowercase=False, dtype=np.float64, vocabulary=vocabulary, **_READERS[name]
            )
            reader.idf_ = _unpacked(saved["idf"]).astype(float)
            model_readers[name] = reader
        model.readers_, model.intents_, model.scale_ = model_readers, list(d["intents"]), float(d["scale"])
        model.weights_ = _unpacked(d["weights"]).reshape(-1, len(model.intents_))
        model.offsets_ = _unpacked(d["offsets"])
        return model


def confidence(margins: np.ndarray, scale: float) -> np.ndarray:
    """Return the first intent's share against the second (n), from margins (n × k): logistic of what lies between.

    >>> confidence(np.array([[1.0, -1.0, -1.0], [0.0, 0.0, -1.0]]), 1.0).round(2).tolist()
    [0.88, 0.5]
    """
    two = np.sort(margins, axis=1)[:, -2:]
    return softmax(scale * two, axis=1)[:, 1]


def _packed(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype="<f4").tobytes()).decode()


def _unpacked(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype="<f4")
