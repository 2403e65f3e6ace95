"""Sound models to put to the test: an event and a rate, each developed on half of a planted panel."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from workbench import rules
from workbench.contracts import Column, Contract, Outcome, Words
from workbench.evidence import Evidence
from workbench.models.development import Params, assemble
from workbench.models.kinds import fitting, settings_of
from workbench.models.measures import calibration_line, measures
from workbench.models.samples import directions, sample
from workbench.models.scorer import raw
from workbench.models.tuning import Candidate, calibrated
from workbench.validation import battery
from workbench.validation.subject import Subject, subject

N = 8000
COLUMNS = (
    Column(name="delay", type="number", monotone=1, description="months past due"),
    Column(name="income", type="number", monotone=-1, description="monthly income"),
    Column(name="sex_code", type="category", fairness=True),
)
LOSS = Outcome(
    name="loss",
    kind="rate",
    words=Words(event="loss", events="losses", rate="loss rate", predicted="predicted loss"),
)


def developed(panel: pd.DataFrame, contract: Contract) -> Subject:
    """Return the simplest kind of model that fits, learnt on development, with the figures it earned."""
    learn, outcome = sample(panel, contract, "development"), contract.outcome
    kind, estimator = next(iter(fitting(outcome).items()))
    given = {"monotone": directions(contract), "bounded": outcome.kind == "rate", "seed": 1}
    fitted = settings_of(estimator, **given)[0].fit(learn.X, learn.y)
    calibration = calibrated(raw(fitted, learn.X), learn.y, learn.weight, outcome)
    candidate = Candidate(kind, fitted, calibration, calibration.apply(raw(fitted, learn.X)), pd.DataFrame(), outcome)
    tested = subject(assemble(candidate, learn, contract, Params(), {}), panel, contract, {}, rules.load(), seed=3)
    h = tested.holdout
    arrays = (h["outcome"].to_numpy(), h["predicted"].to_numpy(), h["weight"].to_numpy())
    line = calibration_line(*arrays, h["parent_id"].to_numpy(), outcome)
    figures = {n: m(*arrays) for n, m in measures(outcome).items()} | {n: v[0] for n, v in line.items()}
    return replace(tested, figures={f"holdout_{n}": v for n, v in figures.items()})


def planted(seed: int, outcome_of) -> pd.DataFrame:
    """Return a panel whose outcome rises with `delay` and falls with `income`."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "entity_id": [f"a{i}" for i in range(N)],
            "parent_id": [f"a{i}" for i in range(N)],
            "as_of_date": pd.Timestamp("2020-01-01"),
            "sample": np.where(np.arange(N) < N // 2, "development", "holdout"),
            "weight": 1.0,
            "delay": rng.poisson(0.8, N).astype(float),
            "income": rng.lognormal(8, 0.6, N),
            "sex_code": rng.choice(["F", "M"], N),
        }
    )
    z = -2.2 + 0.9 * frame["delay"] - 1.0 * (np.log(frame["income"]) - 8)
    return frame.assign(outcome=outcome_of(z.to_numpy(), rng))


@pytest.fixture(scope="session")
def contract() -> Contract:
    return Contract(name="mart__panel", title="t", columns=COLUMNS)


@pytest.fixture(scope="session")
def panel() -> pd.DataFrame:
    return planted(11, lambda z, rng: (rng.random(len(z)) < 1 / (1 + np.exp(-z))).astype(float))


@pytest.fixture(scope="session")
def sound(panel, contract) -> Subject:
    return developed(panel, contract)


@pytest.fixture(scope="session")
def items(sound) -> list[Evidence]:
    """The whole battery on the sound model, run once."""
    return battery.run(sound)


@pytest.fixture(scope="session")
def loss(contract) -> Subject:
    """A sound model of a loss rate between 0 and 1."""
    panel = planted(12, lambda z, rng: rng.beta(4 / (1 + np.exp(-z)), 4 / (1 + np.exp(z))))
    return developed(panel, contract.model_copy(update={"outcome": LOSS, "entity": "loan"}))


@pytest.fixture(scope="session")
def loss_items(loss) -> list[Evidence]:
    """The whole battery on the model of a rate, run once."""
    return battery.run(loss)


@pytest.fixture(scope="session")
def case_control(sound) -> Subject:
    """Half of the rows with the event, weighted back to the true rate; the predictions are the true ones of the model."""
    rng = np.random.default_rng(2)
    rows = pd.concat([sound.development, sound.holdout], ignore_index=True)
    rows = pd.concat([rows] * 3, ignore_index=True).assign(entity_id=lambda r: [f"c{i}" for i in range(len(r))])
    rows["parent_id"] = rows["entity_id"]
    rows["outcome"] = (rng.random(len(rows)) < rows["predicted"]).astype(float)
    base, bad = rows["outcome"].mean(), rows[rows["outcome"] == 1]
    drawn = pd.concat([bad, rows[rows["outcome"] == 0].sample(len(bad), random_state=1)]).sample(frac=1, random_state=1)
    drawn["weight"] = np.where(drawn["outcome"] == 1, base / 0.5, (1 - base) / 0.5)
    half = len(drawn) // 2
    learn, held = drawn.iloc[:half].reset_index(drop=True), drawn.iloc[half:].reset_index(drop=True)
    reference = {
        n: (b, tuple(b.counts(learn[n], learn["weight"].to_numpy()))) for n, (b, _) in sound.model.reference.items()
    }
    return replace(sound, model=replace(sound.model, reference=reference), development=learn, holdout=held)
