"""What do customers ask, and which questions may the desk answer by itself? Intents, sureness, what is handed over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import Field
from sklearn.model_selection import StratifiedKFold

from workbench import contracts, params
from workbench.actions import approved
from workbench.contracts import Outcome
from workbench.contracts.outcome import Words
from workbench.evidence import digest_file
from workbench.metrics.selective import least_confidence
from workbench.models.grades import bands
from workbench.models.intents import QUESTION, Intents
from workbench.models.scorer import Calibration, Scorer
from workbench.models.tuning import calibrated
from workbench.panel.bins import Bins, quantile_bins
from workbench.params import UserError, nearest
from workbench.portfolios.own_files import own_path
from workbench.portfolios.source import read

INTENT, PART = "intent_code", "part_code"
TRAIN, TEST, OUTSIDE = "train", "test", "outside"
LEAST = 4  # questions learnt from, of an intent
EXAMPLES = ("How much is my next instalment?", "下一期要还多少钱？", "What is the weather tomorrow?")  # of nobody
RIGHT = Outcome(
    name="right_intent",
    direction="favourable",
    words=Words(
        event="right intent",
        events="right intents",
        rate="share named rightly",
        predicted="confidence",
        positive="right",
        negative="wrong",
    ),
)


class Params(params.Params):
    """Which questions are learnt from, how sure an answer has to be, which texts may be given."""

    questions: str = Field("", description="file of questions (CSV or Parquet); empty takes those made here")
    contract: str = Field("", description="its contract (YAML); empty is that of the questions made here")
    answers: str = Field("", description="approved texts (YAML); empty takes those made here")
    model: str = Field("intents", pattern=r"^[a-z0-9_]+$", description="name of the model within the study")
    accuracy: float = Field(0.98, gt=0.5, lt=1, description="share of answers that must be right")
    folds: int = Field(5, ge=2, le=10, description="folds by which confidence is calibrated, and intents are left out")
    cost: float = Field(1.0, gt=0, le=100, description="cost of an error in the linear support vector machines")
    resamples: int = Field(500, ge=100, le=5000, description="resamples of the bootstrap")
    as_of: str = Field("2026-11-28", pattern=params.DAY_OR_NONE, description="day on which texts have to be valid")
    seed: int = Field(42, ge=0, description="seed of folds and bootstrap")

    def verify(self) -> None:
        """Raise `UserError` where a file isn't there, or one of questions has no contract beside it."""
        if bool(self.questions) != bool(self.contract):
            raise UserError("actions/service: questions and contract: give both, or neither")
        files(self)


def reads(p: Params) -> list[str]:
    """Tables this step reads: none; questions and texts are files."""
    return []


def files(p: Params) -> list[Path]:
    """Files this step reads: questions, their contract, approved texts."""
    shipped = (approved.DATA / "questions.csv", approved.DATA / "questions.yaml", approved.FILE)
    given = (p.questions, p.contract, p.answers)
    return [own_path(path) if path else ours for path, ours in zip(given, shipped, strict=True)]


def writes(p: Params) -> list[str]:
    """What this step writes: how each held-out question was named (without its words), and the model."""
    return [f"mart__asked_{p.model}", f"model__{p.model}"]


def questions(p: Params) -> pd.DataFrame:
    """Return the questions: question, intent_code ("" is nothing of the desk's), part_code (train, test, outside).

    Raises `UserError` where a column isn't there, a part has another name, or an intent has too few questions.
    """
    path, words, _ = files(p)
    contract = contracts.load(words)
    table = read(path, contract).rename(columns={c.source: c.name for c in contract.columns if c.source})
    for name in (QUESTION, INTENT, PART):
        if name not in table:
            raise UserError(f"actions/service: {path.name} has no column '{name}'; {nearest(name, table.columns)}")
    table = table[[QUESTION, INTENT, PART]].astype("object").fillna("").astype(str)
    if strange := sorted(set(table[PART]) - {TRAIN, TEST, OUTSIDE}):
        raise UserError(f"actions/service: {path.name}: part '{strange[0]}'; write {TRAIN}, {TEST} or {OUTSIDE}")
    counts = table.loc[table[PART] == TRAIN, INTENT].value_counts()
    if len(counts) < 2 or counts.min() < max(LEAST, p.folds):
        raise UserError(
            f"actions/service: {path.name}: each of two intents or more needs {max(LEAST, p.folds)} questions"
        )
    return table.drop_duplicates([QUESTION, PART], ignore_index=True)


def part(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the questions of one part, with running numbers."""
    return table[table[PART] == name].reset_index(drop=True)


def out_of_fold(learn: pd.DataFrame, p: Params) -> pd.DataFrame:
    """Return of each question, by a model that hasn't seen it: what it was named, the raw sureness, whether rightly."""
    out = pd.DataFrame({"named": "", "raw": 0.0}, index=learn.index)
    for fit, rest in StratifiedKFold(p.folds, shuffle=True, random_state=p.seed).split(learn, learn[INTENT]):
        model, asked = _fitted(learn.iloc[fit], p), learn.iloc[rest]
        out.iloc[rest, 0], out.iloc[rest, 1] = model.named(asked), model.predict_proba(asked)[:, 1]
    return out.assign(right=(out["named"] == learn[INTENT]).astype(float))


def _fitted(rows: pd.DataFrame, p: Params) -> Intents:
    return Intents(C=p.cost, seed=p.seed).fit(rows[[QUESTION]], rows[INTENT].tolist())


def developed(learn: pd.DataFrame, crossed: pd.DataFrame, p: Params) -> Scorer:
    """Return the model as it is registered: intents, calibrated confidence, the confidence from which it answers."""
    ones = np.ones(len(crossed))
    calibration = calibrated(crossed["raw"].to_numpy(), crossed["right"].to_numpy(), ones, RIGHT)
    sure = pd.Series(calibration.apply(crossed["raw"].to_numpy()), name="predicted")
    model = _fitted(learn, p)
    asked = Bins(INTENT, groups=tuple((intent,) for intent in model.intents_))
    examples, bins = Bins(QUESTION, groups=tuple((text,) for text in EXAMPLES)), quantile_bins(sure)
    reference = {
        QUESTION: (examples, (0.0,) * len(examples.labels)),
        INTENT: (asked, tuple(asked.counts(crossed["named"]))),
        "predicted": (bins, tuple(bins.counts(sure))),
    }
    path, words, _ = files(p)
    facts = {
        "study": p.study,
        "period": p.period,
        "seed": p.seed,
        "rows": len(learn),
        "table.questions": digest_file(path),
        "contract": digest_file(words),
        "settings": model.get_params(),
        "folds": p.folds,
        "accuracy": p.accuracy,
        "answers_from": least_confidence(sure, crossed["right"], p.accuracy),
    }
    features = {QUESTION: {"description": "what the customer writes", "monotone": 0, "type": "text"}}
    grades = bands(sure.to_numpy(), crossed["right"].to_numpy(), 0.05, RIGHT)
    return Scorer("intents", model, calibration, grades, features, reference, facts, RIGHT)


def asked(model: Scorer, rows: pd.DataFrame) -> pd.DataFrame:
    """Return of each question what it is, how it was named, how surely, and whether rightly; not its words."""
    scored = model.scored(rows)
    columns = {"named_code": scored[INTENT], "predicted": scored["predicted"], "grade_code": scored["grade_code"]}
    out = rows[[INTENT]].assign(**columns)
    return out.assign(right=(out["named_code"] == out[INTENT]).astype(float))


def left_out(learn: pd.DataFrame, tested: pd.DataFrame, calibration: Calibration, p: Params) -> pd.DataFrame:
    """Return of each held-out question how surely a model names it that has never seen its intent.

    Intents are left out in `folds` groups, each once. Columns: intent_code, predicted.
    """
    intents = np.array(sorted(learn[INTENT].unique()))
    groups = np.random.default_rng(p.seed).permutation(len(intents)) % min(p.folds, len(intents) // 2)
    parts = []
    for group in np.unique(groups):
        gone = set(intents[groups == group])
        if len(intents) - len(gone) < 2:
            continue
        model, rows = _fitted(learn[~learn[INTENT].isin(gone)], p), tested[tested[INTENT].isin(gone)]
        sure = calibration.apply(model.predict_proba(rows)[:, 1])
        parts.append(rows[[INTENT]].assign(predicted=sure))
    return pd.concat(parts, ignore_index=True)
