"""Questions named by models that haven't seen them: out of fold, or with their whole intent left out of development."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from workbench.models.intents import QUESTION, Intents
from workbench.models.scorer import Scorer

INTENT = "intent_code"


def fitted(rows: pd.DataFrame, settings: Mapping[str, Any]) -> Intents:
    """Return a model of these settings, learnt from questions and their intents."""
    return Intents(**settings).fit(rows[[QUESTION]], rows[INTENT].tolist())


def by_fold(
    learn: pd.DataFrame, settings: Mapping[str, Any], folds: int, seed: int
) -> Iterator[tuple[Intents, np.ndarray]]:
    """Yield for each fold the model learnt from the others, and the places of the fold's questions."""
    for fit, rest in StratifiedKFold(folds, shuffle=True, random_state=seed).split(learn, learn[INTENT]):
        yield fitted(learn.iloc[fit], settings), rest


def out_of_fold(learn: pd.DataFrame, settings: Mapping[str, Any], folds: int, seed: int) -> pd.DataFrame:
    """Return of each question, by a model that hasn't seen it: what it was named, the raw sureness, whether rightly."""
    out = pd.DataFrame({"named": "", "raw": 0.0}, index=learn.index)
    for model, rest in by_fold(learn, settings, folds, seed):
        asked = learn.iloc[rest]
        out.iloc[rest, 0], out.iloc[rest, 1] = model.named(asked), model.predict_proba(asked)[:, 1]
    return out.assign(right=(out["named"] == learn[INTENT]).astype(float))


def left_out(learn: pd.DataFrame, asked: pd.DataFrame, settings: Mapping[str, Any], folds: int, seed: int) -> pd.Series:
    """Return of each question asked the raw sureness of a model that has never seen its intent, indexed as they are.

    The intents of `learn` are left out in `folds` groups, each once; at least two intents stay.
    """
    intents = np.array(sorted(learn[INTENT].unique()))
    groups = np.random.default_rng(seed).permutation(len(intents)) % min(folds, len(intents) // 2)
    parts = []
    for group in np.unique(groups):
        gone = set(intents[groups == group])
        rows = asked[asked[INTENT].isin(gone)]
        if len(intents) - len(gone) < 2 or rows.empty:
            continue
        model = fitted(learn[~learn[INTENT].isin(gone)], settings)
        parts.append(pd.Series(model.predict_proba(rows)[:, 1], index=rows.index))
    return pd.concat(parts) if parts else pd.Series(dtype=float)


def asked(model: Scorer, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with what each was named, how surely, its grade, and whether rightly (`outcome`, 0 or 1)."""
    scored = model.scored(rows)
    columns = {"named_code": scored[INTENT], "predicted": scored["predicted"], "grade_code": scored["grade_code"]}
    return rows.assign(**columns, outcome=(scored[INTENT] == rows[INTENT]).astype(float))
