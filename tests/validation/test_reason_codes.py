"""Reason codes: those of an additive model are measured exactly; exchanged ones, and those of a stranger, are red."""

from dataclasses import fields, replace

import numpy as np
import pytest

from workbench.models.scorer import Scorer
from workbench.validation import reason_codes


class _Mixed(Scorer):
    """A model whose reasons are given under each other's names."""

    def contributions(self, X):
        parts = super().contributions(X)
        return parts.set_axis(parts.columns[::-1], axis=1)[list(parts.columns)]


class _Silent(Scorer):
    """A model that gives no reasons."""

    explains = False


def _as(kind, model):
    return kind(**{f.name: getattr(model, f.name) for f in fields(Scorer)})


def test_reasons_of_a_scorecard_are_those_measured(sound):
    e = reason_codes.test(sound)
    table = e.table.set_index("background")
    assert str(e.verdict) == "green" and e.value >= 0.97 and table["jaccard"].iloc[0] >= 0.97
    assert table["first"].iloc[2] < table["first"].iloc[0], "a stranger's reasons do worse"
    rows = sound.holdout.head(50)
    given = reason_codes.stated(sound, rows) * sound.model.calibration.slope
    assert given == pytest.approx(reason_codes.measured(sound, rows, reason_codes.spread(sound)), abs=0.06)


def test_reasons_under_other_names_are_red(sound):
    e = reason_codes.test(replace(sound, model=_as(_Mixed, sound.model)))
    assert str(e.verdict) == "red" and e.value < 0.5
    silent = reason_codes.test(replace(sound, model=_as(_Silent, sound.model)))
    assert str(silent.verdict) == "not_evaluated" and "gives no reasons" in silent.answer


def test_agreement_is_counted_by_hand():
    given = np.array([[3.0, 2.0, -1.0], [1.0, -1.0, -1.0], [-1.0, -1.0, -1.0]])
    effects = np.array([[1.0, 2.0, -3.0], [2.0, 1.0, -2.0], [1.0, 1.0, 1.0]])
    first, jaccard = reason_codes.agreement(given, effects)
    assert first == 0.5, "of the two rows with a reason one has the largest effect first"
    assert jaccard == pytest.approx((1.0 + 0.5) / 2)
    assert np.isnan(reason_codes.agreement(-np.ones((2, 2)), np.ones((2, 2)))).all()


def test_the_model_of_a_rate_is_explained_in_its_own_unit(loss):
    e = reason_codes.test(loss)
    assert str(e.verdict) == "green" and e.value >= 0.9
