"""Claims: a column that is read though not declared, a broken direction, an idle input; of any kind of model."""

from dataclasses import fields, replace

import numpy as np
import pytest
from scipy.special import expit, logit

from workbench.models.scorer import Scorer
from workbench.validation import claims


class _Peeking(Scorer):
    """A model that charges a group more, whose column it doesn't declare."""

    def predict(self, X):
        predicted = super().predict(X)
        return np.where(X["sex_code"] == "F", expit(logit(predicted) + 0.3), predicted)


def _as(kind, model):
    return kind(**{f.name: getattr(model, f.name) for f in fields(Scorer)})


def test_a_column_that_is_read_and_not_declared_is_red_and_named(sound):
    e = claims.test(replace(sound, model=_as(_Peeking, sound.model)))
    assert str(e.verdict) == "red" and "Read, though not declared: sex_code." in e.answer
    assert e.sight.limit == 0.01 and e.sight.distance < 0
    plain = claims.test(sound)
    assert (
        str(plain.verdict) == "green"
        and "6 columns are not among the inputs, and 0 of them move predictions" in plain.answer
    )


def test_a_direction_broken_in_one_bin_is_red_and_named(sound):
    card = type(sound.model.estimator).from_dict(sound.model.estimator.to_dict())
    values = list(card.effects_["delay"])
    values[0] = max(values) + 0.5  # who was never late is charged most
    card.effects_ = {**card.effects_, "delay": tuple(values)}
    e = claims.test(replace(sound, model=replace(sound.model, estimator=card)))
    row = e.table.set_index("input").loc["delay"]
    assert str(e.verdict) == "red" and "Against their direction: delay." in e.answer and row["broken"] > 0.10
    assert e.value == row["broken"] and e.table.set_index("input").loc["income", "broken"] == 0


def test_an_input_that_moves_nothing_and_one_declared_otherwise_are_amber(sound):
    card = type(sound.model.estimator).from_dict(sound.model.estimator.to_dict())
    card.effects_ = {**card.effects_, "income": tuple(0.0 for _ in card.effects_["income"])}
    e = claims.test(replace(sound, model=replace(sound.model, estimator=card)))
    assert str(e.verdict) == "amber" and "Declared, and without any effect: income." in e.answer
    free = {n: {**f, "monotone": 0} for n, f in sound.model.features.items()}
    e = claims.test(replace(sound, model=replace(sound.model, features=free)))
    assert (
        str(e.verdict) == "amber" and "Declared otherwise by the contract than by the model: delay, income" in e.answer
    )


def test_the_model_of_a_rate_keeps_its_claims_and_values_are_exchanged_not_made(loss):
    assert str(claims.test(loss).verdict) == "green"
    rows = loss.development.head(100)
    other = claims.exchanged(rows, ["income"])
    assert (
        sorted(other["income"]) == pytest.approx(sorted(rows["income"])) and (other["income"] != rows["income"]).all()
    )
    assert (other["delay"] == rows["delay"]).all()
