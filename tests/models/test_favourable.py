"""A favourable event: the score rises with it, grade A is the most likely, points mirror, rows are capped by choice."""

import numpy as np
import pandas as pd
import pytest

from workbench.contracts import Column, Contract, Outcome
from workbench.models import comparison, development, readable, strength
from workbench.models.samples import Sample, learnt_rows
from workbench.models.scorer import to_score

WORDS = {"event": "subscription", "events": "subscriptions", "rate": "share subscribed"}
WORDS |= {"predicted": "probability to subscribe", "positive": "subscribed", "negative": "declined"}
SUBSCRIPTION = Outcome(name="subscription", direction="favourable", words=WORDS)
CONTRACT = Contract(
    name="mart__panel",
    title="t",
    outcome=SUBSCRIPTION,
    columns=(
        Column(name="balance", type="number", monotone=1, description="balance"),
        Column(name="call_seconds", type="number", description="length of the call"),
    ),
)


@pytest.fixture(scope="module")
def developed():
    rng, n = np.random.default_rng(8), 3000
    balance = rng.normal(size=n)
    y = (rng.random(n) < 1 / (1 + np.exp(1.2 - 0.8 * balance))).astype(float)
    X = pd.DataFrame({"balance": balance, "call_seconds": y * 3 + rng.normal(0, 0.7, n)})
    s = Sample(X, y, np.ones(n), np.arange(n).astype(str), outcome=SUBSCRIPTION)
    p = development.Params(folds=2, choice="scorecard")
    tuned = development.candidates(s, CONTRACT, p)
    return s, p, tuned, development.assemble(development.choose(tuned, s, p)[0], s, CONTRACT, p, {})


def test_the_score_is_600_at_20_to_1_for_what_the_bank_wants():
    assert to_score(np.array([20 / 21]), SUBSCRIPTION)[0] == pytest.approx(600)
    assert to_score(np.array([1 / 21]), Outcome())[0] == pytest.approx(600)
    p = np.linspace(0.1, 0.9, 9)
    assert np.all(np.diff(to_score(p, SUBSCRIPTION)) > 0) and np.all(np.diff(to_score(p, Outcome())) < 0)
    assert to_score(p, SUBSCRIPTION) == pytest.approx(to_score(1 - p, Outcome()))


def test_grade_a_subscribes_most_and_no_grade_turns_back(developed):
    s, _, _, model = developed
    scored = model.scored(s.X)
    rates = pd.Series(s.y).groupby(scored["grade_code"]).mean()
    assert rates.index[0] == "A" and np.all(np.diff(rates) < 0)
    card = comparison.grades(model, s)
    assert card.verdict == "green" and "share subscribed" in card.table and "0 turn back" in card.answer
    best = scored.groupby("grade_code")["score"].mean()
    assert np.all(np.diff(best) < 0)


def test_printed_points_add_up_to_the_score_before_calibration(developed):
    s, _, tuned, _ = developed
    card = next(c for c in tuned if c.kind == "scorecard")
    points = readable.points(card, s, CONTRACT).table.set_index(["characteristic", "bin"])["points"]
    row = s.X.iloc[[3]]
    total = sum(points[n, b.bins.labelled(row[n]).iloc[0]] for n, b in card.estimator.bins_.items())
    exact = to_score(card.estimator.predict_proba(row)[:, 1], SUBSCRIPTION)[0]
    assert total == pytest.approx(exact, abs=0.1 * len(card.estimator.bins_))


def test_a_feature_that_says_too_much_is_said_to_be_suspicious(developed):
    s, *_ = developed
    card = strength.strengths(s, CONTRACT)[1]
    assert card.verdict == "amber" and "Suspicious, for above 0.5: call_seconds" in card.answer
    assert str(card.question) == "Which features separate subscribed from declined?"


def test_all_rows_are_learnt_from_unless_the_study_caps_them():
    rows = pd.DataFrame(
        {
            "sample": "development",
            "outcome": [0.0, 1.0] * 100,
            "weight": 1.0,
            "entity_id": np.arange(200).astype(str),
            "parent_id": np.repeat(np.arange(50), 4).astype(str),
            "balance": np.arange(200.0),
            "call_seconds": 1.0,
        }
    )
    whole = development.sample(rows, CONTRACT, "development", development.Params().max_development_rows)
    card = learnt_rows(rows, whole)
    assert card.verdict == "info" and str(card.answer).startswith("All 200 rows of development are learnt from.")
    assert "50 parents" in card.answer
    capped = development.sample(rows, CONTRACT, "development", 100, seed=1)
    assert pd.Series(capped.parent_id).value_counts().eq(4).all(), "whole parents are drawn"
    card_capped = learnt_rows(rows, capped)
    assert card_capped.verdict == "amber" and "100 of 200 rows of development" in card_capped.answer


def test_the_tuning_table_shows_seeds_and_every_setting(developed):
    table = development.tuning(developed[2]).table
    assert {"seed", "folds", "settings"} <= set(table)
    boosted = table[table["candidate"] == "boosted"].iloc[0]
    assert boosted["seed"] == 42 and "learning_rate=" in boosted["settings"] and "monotone=1" in boosted["settings"]
