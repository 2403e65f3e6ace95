"""What a customer wants: by the words of his question, and by what the whole of it says in any language, averaged.

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
from scipy.special import log_softmax, softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from workbench.models import encoder
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
    "characters": {"analyzer": "char_wb", "ngram_range": (2, 5), "min_df": 2},
    "chinese": {"analyzer": chinese_grams, "min_df": 1},
}
SCALE = 4.0  # of the margins, so that their softmax is a share
ITERATIONS = 300


class Intents:
    """Names the intent of a question and says how sure it is.

    Two models, whose log shares are averaged (a logarithmic opinion pool). By words: sublinear TF-IDF of words (1–2),
    characters within words (2–5) and Chinese characters (1–3); one linear support vector machine per intent against all
    others. By sentences: multinomial logistic regression on the vectors of `encoder`. `predict_proba` is the chance,
    before calibration, that the first intent is the right one. What is saved is words, weights and numbers: nothing
    runs when it is read; the encoder is named by version and digest, and another one is refused.

    Source: Joachims (1998), text categorization with support vector machines; Casanueva et al. (2020) for sentence
    encoders; Genest & Zidek (1986), Statistical Science 1(1), for the pool.

    Parameters: cost of an error of either model (`C`, `sentence_C`), whether sentences are read (`sentences`), seed.
    Attributes: `intents_` (k), `readers_`, `weights_` (n × k), `offsets_` (k), `sentence_weights_` (512 × k, none
    where sentences aren't read), `sentence_offsets_`.
    """

    KIND = Kind(
        "intents",
        10,
        (),
        reasons={
            "C": say("one is the convention of the linear support vector machine"),
            "sentence_C": say("of 10, 30 and 100 the one that named most rightly in cross-validation on BANKING77"),
            "sentences": say("with it clearly more intents are named rightly, in cross-validation on BANKING77"),
        },
    )
    PACKAGES = (encoder.PACKAGE,)

    def __init__(self, C: float = 1.0, sentence_C: float = 30.0, sentences: bool = True, seed: int = 42):
        self.C, self.sentence_C, self.sentences, self.seed = C, sentence_C, sentences, seed

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the settings."""
        return {"C": self.C, "sentence_C": self.sentence_C, "sentences": self.sentences, "seed": self.seed}

    def fit(self, X: pd.DataFrame, y: Sequence[str]) -> Self:
        """Learn from questions (column `question`, n) and their intents (n)."""
        texts, self.readers_, parts = [unified(t) for t in X[QUESTION]], {}, []
        for name, settings in _READERS.items():
            reader = TfidfVectorizer(sublinear_tf=True, lowercase=False, dtype=np.float64, **settings)
            try:
                parts.append(reader.fit_transform(texts))
            except ValueError:  # no Chinese, or nothing but Chinese
                continue
            reader.idf_ = _rounded(reader.idf_)
            self.readers_[name] = reader
        svm = LinearSVC(C=self.C, random_state=self.seed, max_iter=5000).fit(hstack(parts).tocsr(), list(y))
        self.intents_ = [str(c) for c in svm.classes_]
        self.weights_, self.offsets_ = _per_intent(svm.coef_, svm.intercept_)
        self.sentence_weights_ = None
        if self.sentences:
            vectors = encoder.encoded(list(X[QUESTION].astype(str)))
            logistic = LogisticRegression(C=self.sentence_C, max_iter=ITERATIONS).fit(vectors, list(y))
            half = 1 if len(self.intents_) > 2 else 2
            self.sentence_weights_, self.sentence_offsets_ = _per_intent(
                logistic.coef_ / half, logistic.intercept_ / half
            )
        return self

    def margins(self, X: pd.DataFrame) -> np.ndarray:
        """Return how far each question lies, by its words, on each intent's side (n × k)."""
        texts = [unified(str(t)) for t in X[QUESTION]]
        read: csr_matrix = hstack([r.transform(texts) for r in self.readers_.values()]).tocsr()
        return np.asarray(read @ self.weights_) + self.offsets_

    def shares(self, X: pd.DataFrame) -> np.ndarray:
        """Return each intent's share of each question (n × k, rows sum to 1)."""
        by_words = log_softmax(SCALE * self.margins(X), axis=1)
        if self.sentence_weights_ is None:
            return np.exp(by_words)
        vectors = encoder.encoded(list(X[QUESTION].astype(str))).astype(float)
        by_sentence = log_softmax(vectors @ self.sentence_weights_ + self.sentence_offsets_, axis=1)
        return softmax((by_words + by_sentence) / 2, axis=1)

    def named(self, X: pd.DataFrame) -> np.ndarray:
        """Return the first intent of each question (n)."""
        return np.array(self.intents_, dtype=object)[self.shares(X).argmax(axis=1)]

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Return (n × 2) the share that the first intent is wrong, and right, before calibration."""
        right = self.shares(X).max(axis=1)
        return np.column_stack([1 - right, right])

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        readers = {
            name: {"terms": sorted(r.vocabulary_, key=r.vocabulary_.get), "idf": _packed(r.idf_)}
            for name, r in self.readers_.items()
        }
        out = {**self.get_params(), "intents": self.intents_, "readers": readers}
        out |= {"weights": _packed(self.weights_), "offsets": _packed(self.offsets_)}
        if self.sentence_weights_ is not None:
            numbers = {"weights": _packed(self.sentence_weights_), "offsets": _packed(self.sentence_offsets_)}
            out["encoded"] = {"encoder": encoder.identity(), **numbers}
        return out

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> Self:
        """Return what `to_dict` gave; `UserError` where the encoder installed is another than the one it names."""
        model, model_readers = cls(d["C"], d["sentence_C"], d["sentences"], d["seed"]), {}
        for name in [n for n in _READERS if n in d["readers"]]:  # the weights' order; a file's keys are sorted
            saved = d["readers"][name]
            vocabulary = {term: i for i, term in enumerate(saved["terms"])}
            reader = TfidfVectorizer(
                sublinear_tf=True, lowercase=False, dtype=np.float64, vocabulary=vocabulary, **_READERS[name]
            )
            reader.idf_ = _unpacked(saved["idf"])
            model_readers[name] = reader
        model.readers_, model.intents_, model.sentence_weights_ = model_readers, list(d["intents"]), None
        model.weights_, model.offsets_ = model._numbers(d)
        if d["sentences"]:
            encoder.must_be(d["encoded"]["encoder"])
            model.sentence_weights_, model.sentence_offsets_ = model._numbers(d["encoded"])
        return model

    def _numbers(self, d: dict[str, str]) -> tuple[np.ndarray, np.ndarray]:
        return _unpacked(d["weights"]).reshape(-1, len(self.intents_)), _unpacked(d["offsets"])


def _per_intent(weights: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a linear model's weights (n × k) and offsets (k); of two intents scikit-learn gives the second's alone."""
    if len(offsets) == 1:
        weights, offsets = np.vstack([-weights, weights]), np.concatenate([-offsets, offsets])
    return _rounded(weights.T), _rounded(offsets)


def _rounded(values: np.ndarray) -> np.ndarray:
    """Return numbers as they are after saving: in single precision; wide, for they meet wide ones at every question."""
    return values.astype("<f4").astype(float)


def _packed(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype="<f4").tobytes()).decode()


def _unpacked(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype="<f4").astype(float)
