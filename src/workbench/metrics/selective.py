"""Answering only where one is sure enough: how many are answered, how many of them rightly; and F1 over classes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def answer_curve(confidence: ArrayLike, right: ArrayLike) -> pd.DataFrame:
    """Return, from the surest on, the least confidence answered, the share answered and the accuracy of the answered.

    Columns: threshold, answered, accuracy; one row per distinct confidence (those alike are answered together).
    Source: El-Yaniv & Wiener (2010), selective classification, JMLR 11.

    >>> answer_curve([0.9, 0.8, 0.8], [1, 1, 0])["accuracy"].round(2).tolist()
    [1.0, 0.67]
    """
    sure, ok = np.asarray(confidence, float), np.asarray(right, float)
    order = np.argsort(-sure, kind="stable")
    n = np.arange(1, len(sure) + 1)
    curve = pd.DataFrame({"threshold": sure[order], "answered": n / len(sure), "accuracy": np.cumsum(ok[order]) / n})
    return curve.drop_duplicates("threshold", keep="last", ignore_index=True)


def least_confidence(confidence: ArrayLike, right: ArrayLike, accuracy: float) -> float:
    """Return the least confidence from which on all answered together reach an accuracy; above 1 where none does."""
    curve = answer_curve(confidence, right)
    reached = curve[curve["accuracy"] >= accuracy]
    return float(reached["threshold"].min()) if len(reached) else float(np.nextafter(1, 2))


def least_refusing(confidence: ArrayLike, share: float) -> float:
    """Return the least confidence from which on to answer, so that of these (n) at least a share is handed over.

    >>> least_refusing([0.1, 0.2, 0.3, 0.9], 0.75) > 0.3
    True
    """
    sure = np.sort(np.asarray(confidence, float))
    n = int(np.ceil(share * len(sure) - 1e-9))
    return float(np.nextafter(sure[n - 1], 2)) if n else 0.0


def macro_f1(actual: ArrayLike, named: ArrayLike) -> float:
    """Return the mean over the actual classes of F1 = 2·tp / (2·tp + fp + fn). Source: Yang & Liu (1999).

    >>> macro_f1(["a", "a", "b"], ["a", "b", "b"]) == 2 / 3
    True
    """
    actual_, named_ = np.asarray(actual, dtype=str), np.asarray(named, dtype=str)
    classes, a = np.unique(actual_, return_inverse=True)
    place = {c: i for i, c in enumerate(classes)}
    b = np.array([place.get(c, len(classes)) for c in named_])
    size = len(classes) + 1
    hit = np.bincount(a[a == b], minlength=size)[:-1]
    all_ = np.bincount(a, minlength=size)[:-1] + np.bincount(b, minlength=size)[:-1]
    return float((2 * hit / all_).mean())
