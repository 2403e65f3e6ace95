"""Periods of real customers in which nothing has changed, and what can be planted in them.

A sample of `frames.py` is cut into development, hold-out and a pool; a period is drawn from the pool at random, so that
whatever differs between two periods is chance. A scorecard is learnt on development as in a study.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from frames import frames
from scipy.special import expit, logit
from sound_models import scorecard

from workbench import metrics
from workbench.contracts import Column, Contract, Outcome
from workbench.models.scorer import Scorer
from workbench.panel.bins import is_category

SHARES = (0.4, 0.15)  # development, hold-out; the rest is the pool
SAMPLES = ("taiwan_cards", "lendingclub", "card_records")


@dataclass(frozen=True)
class Bank:
    """A model, the panel it was learnt on (development and hold-out), and the pool that periods are drawn from."""

    name: str
    model: Scorer
    contract: Contract
    panel: pd.DataFrame
    pool: pd.DataFrame
    reference: float

    @property
    def inputs(self) -> list[str]:
        """The model's inputs, the most important first."""
        spread = pd.Series(self.model.facts["contribution_spread"])
        return list(spread.reindex(list(self.model.features)).sort_values(ascending=False).index)

    def period(self, rng: np.random.Generator, name: str, rows: int) -> pd.DataFrame:
        """Return one period of so many rows, drawn from the pool without putting back, outcomes known."""
        drawn = self.pool.iloc[rng.choice(len(self.pool), min(rows, len(self.pool)), replace=False)]
        return drawn.assign(period=name, known_in=name, sample="monitoring", as_of_date=pd.Period(name).start_time)

    def scored(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return rows with prediction and grade."""
        predicted = np.asarray(self.model.predict(rows), float)
        parent = np.arange(len(rows))
        return rows.assign(predicted=predicted, grade_code=self.model.grade(predicted), parent_id=parent)


def banks(names: tuple[str, ...] = SAMPLES, seed: int = 1) -> list[Bank]:
    """Return the banks that can be made here."""
    return [_bank(name, frame.X, frame.y, frame.signs, seed) for name, frame in frames(list(names)).items()]


def _bank(name: str, X: pd.DataFrame, y: np.ndarray, signs: dict[str, int], seed: int) -> Bank:
    rng = np.random.default_rng(seed)
    place = np.searchsorted(np.cumsum(SHARES), rng.random(len(X)))
    columns = tuple(
        Column(name=n, type="category" if is_category(X[n]) else "number", monotone=signs.get(n, 0)) for n in X.columns
    )
    contract = Contract(name="mart__panel", title=name, columns=columns, outcome=Outcome())
    rows = X.reset_index(drop=True).assign(
        outcome=y.astype(float), weight=1.0, entity_id=np.arange(len(X)), parent_id=np.arange(len(X))
    )
    rows["sample"] = np.array(["development", "holdout", "pool"])[place]
    model = scorecard(rows, contract, seed)
    panel = rows[rows["sample"] != "pool"].assign(period="", known_in="", as_of_date=pd.Timestamp("2019-12-31"))
    bank = Bank(name, model, contract, panel, rows[rows["sample"] == "pool"].drop(columns="sample"), 0.0)
    panel = bank.scored(panel)
    held = panel[panel["sample"] == "holdout"]
    return Bank(name, model, contract, panel, bank.pool, metrics.auc(held["outcome"], held["predicted"]))


Plant = Callable[[Bank, pd.DataFrame, np.random.Generator], pd.DataFrame]


def numbers(bank: Bank) -> list[str]:
    """Return the model's inputs that are numbers, the most important first."""
    return [f for f in bank.inputs if not is_category(bank.pool[f])]


def one_of(bank: Bank, rng: np.random.Generator, most: int = 5) -> str:
    """Return one of the most important numbers."""
    return str(rng.choice(numbers(bank)[:most]))


def shifted(size: float) -> Plant:
    """Population: customers with high values of one input come oftener: e^size to one a standard deviation."""

    def plant(bank: Bank, rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        ranks = bank.pool[one_of(bank, rng)].astype(float).rank(pct=True).fillna(0.5)
        weight = np.exp(size * np.sqrt(12) * (ranks - 0.5)).to_numpy()
        drawn = rng.choice(len(bank.pool), len(rows), p=weight / weight.sum())
        first_row = rows[["period", "known_in", "sample", "as_of_date"]].iloc[:1].to_dict("records")[0]
        return bank.pool.iloc[drawn].assign(**first_row)

    return plant


def dearer(odds: float) -> Plant:
    """Concept: the odds of the event are so many times what they were, for everybody alike."""

    def plant(bank: Bank, rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        p = np.clip(np.asarray(bank.model.predict(rows), float), 1e-6, 1 - 1e-6)
        return rows.assign(outcome=(rng.random(len(rows)) < expit(logit(p) + np.log(odds))).astype(float))

    return plant


def forgotten(share: float) -> Plant:
    """Concept: for this share of the rows the outcome has nothing to do with the inputs any more; the rate stays."""

    def plant(bank: Bank, rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        y, at = rows["outcome"].to_numpy(copy=True), rng.random(len(rows)) < share
        y[at] = rng.permutation(y[at])
        return rows.assign(outcome=y)

    return plant


def missing(share: float) -> Plant:
    """Data: one input isn't delivered for this share of the rows."""
    return _column(lambda v, rng: v.where(rng.random(len(v)) >= share))


def times(factor: float) -> Plant:
    """Data: one input comes in another unit, or with the sign turned."""
    return _column(lambda v, _: v * factor)


def torn() -> Plant:
    """Data: the values of one input stand beside the wrong rows."""
    return _column(lambda v, rng: pd.Series(rng.permutation(v.to_numpy()), index=v.index))


def frozen() -> Plant:
    """Data: one input has the same value in every row."""
    return _column(lambda v, _: v * 0 + float(v.median()))


def _column(change: Callable[[pd.Series, np.random.Generator], pd.Series]) -> Plant:
    def plant(bank: Bank, rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        name = one_of(bank, rng)
        return rows.assign(**{name: change(rows[name].astype(float), rng)})

    return plant
