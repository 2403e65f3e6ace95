"""Sound models to try the battery on: a simulated book with true PDs, and a scorecard developed on it as in a study."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import optimize
from scipy.special import expit
from scipy.stats import norm
from sklearn.model_selection import cross_val_predict

from workbench import rules
from workbench.contracts import Column, Contract, Outcome
from workbench.models.development import Params, assemble
from workbench.models.measures import calibration_line, measures
from workbench.models.samples import directions, sample
from workbench.models.scorecard import Scorecard
from workbench.models.scorer import Scorer, raw
from workbench.models.tuning import Candidate, calibrated, folds
from workbench.panel.outcome import EVENT_AFTER
from workbench.validation.raw import Raw
from workbench.validation.subject import Subject, subject

CONTRACT = Contract(
    name="mart__panel",
    title="simulated book",
    columns=(
        Column(name="delay", type="number", monotone=1, description="months past due"),
        Column(name="used", type="number", monotone=1, description="share of the limit used"),
        Column(name="income", type="number", monotone=-1, description="monthly income"),
        Column(name="tenure", type="number", monotone=-1, description="years a customer"),
        Column(name="enquiries", type="number", monotone=1, description="enquiries of the last year"),
        Column(name="region", type="category", description="region"),
        Column(name="sex_code", type="category", fairness=True, description="group"),
    ),
    outcome=Outcome(event="delay_months >= 3", eligible="delay_months < 3", window_months=6),
)
SAMPLES = (("development", 0.6), ("holdout", 0.25))  # shares of the parents
WATCHED = 0.2  # share of the parents seen in either later year, too
FIRST, DAY = 2023, "2026-11-28"  # first year of the book, day of the validation
LIKENESS = 0.5  # correlation of the hidden causes of one parent's rows


@dataclass(frozen=True)
class Setting:
    """A book: its name, parents, as-of dates of each in a year, and default rate."""

    name: str
    parents: int
    dates: int
    rate: float


SETTINGS = (
    Setting("low rate, one row a parent", 24_000, 1, 0.03),
    Setting("high rate, one row a parent", 8_000, 1, 0.20),
    Setting("low rate, six rows a parent", 8_000, 6, 0.03),
    Setting("high rate, six rows a parent", 3_000, 6, 0.20),
)


def book(s: Setting, seed: int) -> pd.DataFrame:
    """Return the panel: development and hold-out of 2023, monitoring of 2024 and 2025, with `true`, each row's own PD.

    An event comes in any month of its window alike. Features of a parent stay near each other through its dates; so do
    the hidden causes of default (a Gaussian copula).
    """
    rng = np.random.default_rng(seed)
    years, n = 3, s.parents
    parent = np.repeat(np.arange(n), s.dates)
    parts = [_year(rng, parent, s, year) for year in range(years)]
    frame = pd.concat(parts, ignore_index=True)
    z = (
        0.9 * frame["delay"].clip(upper=4)
        + 1.6 * frame["used"]
        - 0.8 * (np.log(frame["income"]) - 8)
        - 0.05 * frame["tenure"]
        + 0.25 * frame["enquiries"]
        + frame["region"].map({"north": 0.0, "south": 0.4, "west": -0.3})
    ).to_numpy()
    shift = optimize.brentq(lambda a: expit(z + a).mean() - s.rate, -20, 20)
    true = expit(z + shift)
    cause = np.sqrt(LIKENESS) * rng.normal(size=n * years)[_cause(frame, n)]
    hidden = cause + np.sqrt(1 - LIKENESS) * rng.normal(size=len(frame))
    frame["true"], frame["outcome"] = true, (norm.cdf(hidden) < true).astype(float)
    month = np.random.default_rng([seed, 1]).integers(1, CONTRACT.outcome.window_months + 1, len(frame))
    return frame.assign(**{EVENT_AFTER: np.where(frame["outcome"] == 1, month, np.nan)})


def months(panel: pd.DataFrame) -> Raw:
    """Return the raw months behind a book of one as-of date a year: at the date and in the window."""
    rows, window = panel[["entity_id", "as_of_date", EVENT_AFTER]], CONTRACT.outcome.window_months
    first = (rows["as_of_date"].dt.year * 12 + rows["as_of_date"].dt.month).to_numpy()
    after = np.arange(window + 1)
    delay = np.random.default_rng(0).integers(0, 3, (len(rows), window + 1))
    delay = np.where(after == rows[EVENT_AFTER].to_numpy()[:, None], 3, delay)
    frame = pd.DataFrame(
        {
            "entity_id": rows["entity_id"].to_numpy().repeat(window + 1),
            "month_no": (first[:, None] + after).ravel(),
            "delay_months": delay.ravel(),
        }
    )
    is_event = (frame["delay_months"] >= 3).astype(int)
    frame = frame.assign(is_event=is_event, is_competing=0, is_eligible=1.0 - is_event)
    return Raw(frame, frozenset(rows["entity_id"]), int(frame["month_no"].max()), ("delay_months",))


def _cause(frame: pd.DataFrame, n: int) -> np.ndarray:
    return (frame["parent"] + n * (frame["as_of_date"].dt.year - FIRST)).to_numpy()


def _year(rng: np.random.Generator, parent: np.ndarray, s: Setting, year: int) -> pd.DataFrame:
    n, rows = s.parents, len(parent)
    edges = np.cumsum([share for _, share in SAMPLES])
    place = np.searchsorted(edges, (np.arange(n) + 0.5) / n)
    names = np.array([*(name for name, _ in SAMPLES), ""])
    watched = (np.arange(n) % round(1 / WATCHED) == 0)[parent]
    month = np.tile(np.arange(s.dates) * (12 // s.dates), n)
    frame = pd.DataFrame(
        {
            "parent": parent,
            "entity_id": [f"p{i}" for i in parent],
            "parent_id": [f"p{i}" for i in parent],
            "as_of_date": pd.to_datetime({"year": FIRST + year, "month": month + 1, "day": 1}),
            "sample": names[place][parent] if year == 0 else np.where(watched, "monitoring", ""),
            "weight": 1.0,
            "delay": (rng.poisson(0.5, n)[parent] + rng.binomial(1, 0.1, rows) * (s.dates > 1)).astype(float),
            "used": np.clip(rng.beta(2, 3, n)[parent] + rng.normal(0, 0.05, rows), 0, 1),
            "income": rng.lognormal(8, 0.6, n)[parent],
            "tenure": rng.gamma(2, 4, n)[parent],
            "enquiries": rng.poisson(1.0, n)[parent].astype(float),
            "region": rng.choice(["north", "south", "west"], n)[parent],
            "sex_code": rng.choice(["F", "M"], n)[parent],
        }
    )
    return frame[frame["sample"] != ""]


def developed(panel: pd.DataFrame, seed: int, contract: Contract = CONTRACT) -> Subject:
    """Return a scorecard learnt on development and calibrated out of fold, with the figures it earned."""
    return claimed(subject(scorecard(panel, contract, seed), panel, contract, {}, rules.load(DAY), seed))


def scorecard(panel: pd.DataFrame, contract: Contract, seed: int) -> Scorer:
    """Return a scorecard learnt on a panel's development sample and calibrated out of fold, as a whole model."""
    learn = sample(panel, contract, "development")
    card = Scorecard(directions(contract))
    splits = folds(learn, 3, seed)
    out_of_fold = cross_val_predict(card, learn.X, learn.y, cv=splits, method="predict_proba")[:, 1]
    calibration = calibrated(out_of_fold, learn.y, learn.weight, contract.outcome)
    fitted = Scorecard(directions(contract)).fit(learn.X, learn.y)
    predictions = calibration.apply(raw(fitted, learn.X))
    candidate = Candidate("scorecard", fitted, calibration, predictions, pd.DataFrame(), contract.outcome)
    return assemble(candidate, learn, contract, Params(), {})


def claimed(s: Subject) -> Subject:
    """Return the subject with the figures of the hold-out that development would have claimed."""
    arrays = [s.holdout[c].to_numpy(float) for c in ("outcome", "predicted", "weight")]
    figures = {n: m(*arrays) for n, m in measures(s.outcome).items()}
    line = calibration_line(*arrays, s.holdout["parent_id"].to_numpy(), s.outcome)
    figures |= {n: v[0] for n, v in line.items()}
    return replace(s, figures={f"holdout_{n}": float(v) for n, v in figures.items()})
