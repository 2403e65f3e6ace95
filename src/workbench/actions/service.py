"""What do customers ask, and which questions may the desk answer by itself? Intents, sureness, what is handed over."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from workbench import contracts, params, tables
from workbench.actions import approved
from workbench.contracts import Column, Contract, Outcome
from workbench.contracts.outcome import Words
from workbench.evidence import digest_file
from workbench.metrics.selective import least_confidence, least_refusing
from workbench.models import naming
from workbench.models.grades import bands
from workbench.models.intents import HAN, QUESTION, unified
from workbench.models.measures import measures
from workbench.models.naming import INTENT
from workbench.models.scorer import Scorer
from workbench.models.tuning import calibrated
from workbench.panel.bins import Bins, quantile_bins
from workbench.panel.cohort import UNDATED
from workbench.params import UserError, nearest
from workbench.personal import masked
from workbench.portfolios.own_files import own_path
from workbench.portfolios.source import read

PART = "part_code"
TRAIN, TEST, OUTSIDE = "train", "test", "outside"
SAMPLES = {TRAIN: "development", TEST: "holdout", OUTSIDE: "outside"}  # as a panel calls the parts
LEAST = 4  # questions learnt from, of an intent
EXAMPLES = ("How much is my next instalment?", "下一期要还多少钱？", "What is the weather tomorrow?")  # of nobody
RIGHT = Outcome(
    name="right_intent",
    kind="named",
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
    refused: float = Field(0.8, ge=0, lt=1, description="share of questions of an unseen intent to be handed over")
    folds: int = Field(5, ge=2, le=10, description="folds by which confidence is calibrated, and intents are left out")
    cost: float = Field(1.0, gt=0, le=100, description="cost of an error in the linear support vector machines")
    sentences: bool = Field(True, description="whether whole sentences are read by the encoder, beside their words")
    resamples: int = Field(500, ge=100, le=5000, description="resamples of the bootstrap")
    as_of: str = Field("2026-11-28", pattern=params.DAY_OR_NONE, description="day on which texts have to be valid")
    seed: int = Field(42, ge=0, description="seed of folds and bootstrap")

    def verify(self) -> None:
        """Raise `UserError` where a file isn't there, or one of questions has no contract beside it."""
        if bool(self.questions) != bool(self.contract):
            raise UserError("actions/service: questions and contract: give both, or neither")
        files(self)

    @property
    def panel(self) -> str:
        """The panel of questions: what validation reads."""
        return f"mart__questions_{self.model}"

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of the model."""
        return {"C": self.cost, "sentences": self.sentences, "seed": self.seed}


def reads(p: Params) -> list[str]:
    """Tables this step reads: none; questions and texts are files."""
    return []


def files(p: Params) -> list[Path]:
    """Files this step reads: questions, their contract, approved texts."""
    shipped = (approved.DATA / "questions.csv", approved.DATA / "questions.yaml", approved.FILE)
    given = (p.questions, p.contract, p.answers)
    return [own_path(path, "actions/service") if path else ours for path, ours in zip(given, shipped, strict=True)]


def writes(p: Params) -> list[str]:
    """What this step writes: the panel of questions, personal data masked, and the model."""
    return [p.panel, tables.of_model(p.model)]


def questions(p: Params) -> pd.DataFrame:
    """Return the questions: question, intent_code ("" is nothing of the desk's), part_code (train, test, outside).

    Personal data in them are masked. A question stands once, whatever its capitals and numbers; one that is held out,
    too, isn't learnt from. Raises `UserError` where a column isn't there, a part has another name, or an intent has too
    few questions.
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
    table = _once(table.assign(**{QUESTION: [masked(text) for text in table[QUESTION]]}))
    counts = table.loc[table[PART] == TRAIN, INTENT].value_counts()
    if len(counts) < 2 or counts.min() < max(LEAST, p.folds):
        raise UserError(
            f"actions/service: {path.name}: each of two intents or more needs {max(LEAST, p.folds)} questions"
        )
    return table


def _once(table: pd.DataFrame) -> pd.DataFrame:
    """Return each question of development once, and none that is held out or outside, too; what is held out stays."""
    alike = table[QUESTION].map(unified).str.strip()
    learnt, elsewhere = table[PART] == TRAIN, set(alike[table[PART] != TRAIN])
    dropped = learnt & (alike.isin(elsewhere) | alike.where(learnt).duplicated())
    return table[~dropped & ~table.duplicated([QUESTION, PART])].reset_index(drop=True)


def part(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the questions of one part, with running numbers."""
    return table[table[PART] == name].reset_index(drop=True)


def out_of_fold(learn: pd.DataFrame, p: Params) -> pd.DataFrame:
    """Return of each question, by a model that hasn't seen it: what it was named, the raw sureness, whether rightly."""
    return naming.out_of_fold(learn, p.settings, p.folds, p.seed)


def left_out(asked: pd.DataFrame, p: Params) -> pd.DataFrame:
    """Return all questions but those outside with the raw sureness (`raw`) of a model that never saw their intent."""
    rows = asked[asked[PART] != OUTSIDE]
    raw = naming.left_out(part(asked, TRAIN), rows, p.settings, p.folds, p.seed)
    return rows.assign(raw=raw).dropna(subset="raw")


def developed(learn: pd.DataFrame, crossed: pd.DataFrame, unseen: pd.DataFrame, p: Params) -> Scorer:
    """Return the model as it is registered: intents, calibrated confidence, the confidence from which it answers.

    It answers from the least confidence on at which, on development, as many answers are right and as many questions of
    an unseen intent are handed over as is wanted. crossed, unseen: as `out_of_fold` and `left_out` return them.
    """
    calibration = calibrated(crossed["raw"].to_numpy(), crossed["right"].to_numpy(), np.ones(len(crossed)), RIGHT)
    sure = pd.Series(calibration.apply(crossed["raw"].to_numpy()), name="predicted")
    strange = calibration.apply(unseen.loc[unseen[PART] == TRAIN, "raw"].to_numpy())
    model = naming.fitted(learn, p.settings)
    intents = Bins(INTENT, groups=tuple((intent,) for intent in model.intents_))
    examples, bins = Bins(QUESTION, groups=tuple((text,) for text in EXAMPLES)), quantile_bins(sure)
    reference = {
        QUESTION: (examples, (0.0,) * len(examples.labels)),
        INTENT: (intents, tuple(intents.counts(crossed["named"]))),
        "predicted": (bins, tuple(bins.counts(sure))),
    }
    path, words, _ = files(p)
    least = max(least_confidence(sure, crossed["right"], p.accuracy), least_refusing(strange, p.refused))
    facts = {
        "study": p.study,
        "period": p.period,
        "seed": p.seed,
        "rows": len(learn),
        "file.questions": digest_file(path),
        "file.contract": digest_file(words),
        "settings": model.get_params(),
        "folds": p.folds,
        "accuracy": p.accuracy,
        "refused": p.refused,
        "answers_from": least,
        "handed_over": float((sure < least).mean()),
    }
    features = {QUESTION: {"description": "what the customer writes", "monotone": 0, "type": "text"}}
    grades = bands(sure.to_numpy(), crossed["right"].to_numpy(), np.arange(len(crossed)), 0.05, RIGHT)
    return Scorer("intents", model, calibration, grades, features, reference, facts, RIGHT)


def panel(asked: pd.DataFrame, crossed: pd.DataFrame, model: Scorer) -> tuple[pd.DataFrame, Contract]:
    """Return the panel of questions with its contract: one row a question, its outcome whether it is named rightly.

    On development by models that hadn't seen it, on the hold-out by the model; unknown of what is outside. Whoever
    validates names them again.
    """
    held = naming.asked(model, part(asked, TEST))
    known = {TRAIN: crossed["right"].to_numpy(), TEST: held["outcome"].to_numpy()}
    rows = asked.assign(
        entity_id=[_digest(text) for text in asked[QUESTION]],
        parent_id=[_digest(unified(text).strip()) for text in asked[QUESTION]],
        as_of_date=UNDATED,
        sample=asked[PART].map(SAMPLES),
        outcome=np.nan,
        weight=1.0,
        language_code=["zh" if HAN.search(text) else "en" for text in asked[QUESTION]],
    )
    for name, outcome in known.items():
        rows.loc[rows[PART] == name, "outcome"] = outcome
    return rows[[c.name for c in COLUMNS]], Contract(
        name="questions", title="Questions of customers", columns=COLUMNS, entity="event", outcome=RIGHT
    )


COLUMNS = (
    Column(name="entity_id", type="text", role="key", description="digest of the question"),
    Column(
        name="parent_id", type="text", role="parent", description="the same of all that differ in capitals or numbers"
    ),
    Column(name="as_of_date", type="date", role="as_of", description="questions have no date"),
    Column(name="sample", type="category", role="sample", values={s: s for s in SAMPLES.values()}),
    Column(name="outcome", type="number", role="outcome", known="after", description="1 where it is named rightly"),
    Column(name="weight", type="number", role="weight", description="each question counts once"),
    Column(name=QUESTION, type="text", description="what the customer writes, personal data masked"),
    Column(name=INTENT, type="category", role="ignore", known="after", description="what he wants"),
    Column(name="language_code", type="category", fairness=True, description="en, or zh where it has Chinese"),
)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def claimed(named: pd.DataFrame) -> dict[str, float]:
    """Return the figures of the hold-out that development claims: how well confidence tells right from wrong."""
    arrays = (named["outcome"].to_numpy(), named["predicted"].to_numpy(), np.ones(len(named)))
    return {f"holdout_{name}": m(*arrays) for name, m in measures(RIGHT).items()}
