"""What the desk was asked against development: moved intents, less sureness and more handed over are seen, few are not."""

import json

import numpy as np
import pandas as pd
import pytest

from workbench.models.scorer import Calibration, Scorer
from workbench.monitoring import questions
from workbench.panel.bins import Bins
from workbench.params import UserError

INTENTS = ("balance", "fees", "fraud", "repay")


@pytest.fixture
def model() -> Scorer:
    """A model of which only the reference and two facts are asked."""
    intents, sure = Bins("intent_code", groups=tuple((i,) for i in INTENTS)), Bins("predicted", edges=(0.5, 0.8))
    reference = {
        "intent_code": (intents, tuple(intents.counts(pd.Series(np.repeat(INTENTS, (100, 100, 50, 150)))))),
        "predicted": (sure, tuple(sure.counts(pd.Series(np.repeat([0.3, 0.7, 0.9], (60, 80, 260)))))),
    }
    facts = {"answers_from": 0.8, "handed_over": 0.35}
    return Scorer("intents", None, Calibration(1.0, 0.0), Bins("predicted", (0.5,)), {}, reference, facts)


@pytest.fixture
def p(tmp_path, monkeypatch) -> questions.Params:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    return questions.Params(study="desk")


def log(n: int, shares=(0.25, 0.25, 0.125, 0.375), unsure: float = 0.35, month: str = "2026-11", seed: int = 1):
    """Return a desk's book as it reads back."""
    rng = np.random.default_rng(seed)
    sure = np.where(rng.uniform(size=n) < unsure, rng.choice([0.3, 0.7], n, p=[3 / 7, 4 / 7]), 0.9)
    became = np.where(sure < 0.8, "handed over", "answered")
    return pd.DataFrame(
        {
            "moment": f"{month}-28T12:00:00",
            "language_code": "en",
            "intent_code": rng.choice(INTENTS, n, p=shares),
            "predicted": sure,
            "became_code": became,
            "reason": np.where(sure < 0.8, "unsure", ""),
        }
    )


def lights(items) -> list[str]:
    return [str(e.verdict) for e in items]


def test_what_is_as_on_development_is_green(model, p):
    assert lights(questions.watched(log(600), model, p)) == ["green"] * 3


def test_other_intents_and_less_sureness_light_red(model, p):
    intents, sureness, unsure = questions.watched(log(600, shares=(0.0, 0.0, 0.9, 0.1), unsure=0.7), model, p)
    assert lights([intents, sureness, unsure]) == ["red"] * 3
    assert unsure.value == pytest.approx(0.7, abs=0.06)
    assert intents.table["now"].sum() == 600


def test_below_the_fewest_nothing_is_judged(model, p):
    items = questions.watched(log(40, unsure=1.0), model, p)
    assert lights(items) == ["not_evaluated"] * 3
    assert str(items[0].answer) == "40 questions were asked so far; nothing is judged below 100."


def test_months_with_questions_enough_are_followed(model, p):
    book = pd.concat([log(150, month="2026-09"), log(30, month="2026-10"), log(150, unsure=0.8, month="2026-11")])
    series = questions.series(book, model, p)
    assert list(series["unsure"]) == ["2026-09", "2026-11"]
    assert series["psi"]["2026-11"] > series["psi"]["2026-09"]


def test_the_book_is_a_file_the_step_reads_and_may_not_be_there_yet(p):
    (path,) = questions.files(p)
    assert not path.exists() and questions.served(p).empty
    path.parent.mkdir(parents=True)
    rows = log(3).to_dict("records")
    refused = {**rows[0], "intent_code": "", "became_code": "refused"}  # it never reached the model
    path.write_text("".join(json.dumps(r) + "\n" for r in [*rows, refused]))
    assert len(questions.served(p)) == 3
    path.write_text("no json\n")
    with pytest.raises(UserError) as e:
        questions.served(p)
    assert str(e.value) == "monitoring/questions: log.jsonl of desk: a line is no JSON; move the file away"
