"""What the hold-out says: the figure that lights the light is named, and stands on its side of the limit."""

import numpy as np
import pandas as pd
import pytest

from workbench.evidence import Verdict
from workbench.models import comparison
from workbench.models.samples import Sample

SURE = {"auc": 0.7, "gini": 0.42, "ks": 0.3, "brier": 0.17, "log_loss": 0.5, "slope": 1.0, "intercept": 0.0}
S = Sample(pd.DataFrame({"z": np.zeros(100)}), np.tile([0.0, 0.0, 0.0, 1.0], 25), np.ones(100), np.arange(100))


def _on_holdout(**measured: float):
    values = SURE | measured
    ends = {f"{name}_{end}": v + off for name, v in values.items() for end, off in (("low", -0.01), ("high", 0.01))}
    return comparison.on_holdout(pd.DataFrame([{"candidate": "scorecard", **values, **ends}]), "scorecard", S)


def test_a_value_that_rounds_to_its_limit_has_digits_that_tell_them_apart():
    assert "Gini is 0.397, below the amber limit of 0.4." in _on_holdout(gini=0.3966).answer
    assert "Gini is 0.2499, below the red limit of 0.25." in _on_holdout(gini=0.2499).answer
    assert "Gini is 0.31, below the amber limit of 0.4." in _on_holdout(gini=0.312).answer


@pytest.mark.parametrize(
    ("slope", "words"),
    [
        (
            1.382,
            "Calibration slope is 1.382 (1.372 to 1.392), further from 1 than the amber limit of 0.15: predictions ",
        ),
        (
            0.8499,
            "Calibration slope is 0.8499 (0.840 to 0.860), further from 1 than the amber limit of 0.15: predictions ",
        ),
    ],
)
def test_a_slope_that_lights_the_light_is_named_first(slope, words):
    evidence = _on_holdout(slope=slope)
    side = "are too timid." if slope > 1 else "are too extreme."
    assert evidence.verdict is Verdict.amber and str(evidence.answer).startswith(words + side)
    assert "校准斜率" in evidence.answer.in_language("zh_CN")[:4]


def test_where_nothing_is_off_no_limit_is_spoken_of():
    evidence = _on_holdout()
    assert evidence.verdict is Verdict.green and str(evidence.answer).startswith("On the hold-out scorecard has AUC")


class _Scored:
    kind = "scorecard"

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        return X["z"].to_numpy(float)


def _tied(order: np.ndarray, levels: int) -> Sample:
    rng = np.random.default_rng(3)
    z = rng.choice(np.arange(1, levels + 1) / (levels + 1), 2000)
    y = (rng.random(2000) < z).astype(float)
    return Sample(pd.DataFrame({"z": z[order]}), y[order], np.ones(2000), order.astype(str))


def test_equal_predictions_are_in_one_group_whatever_the_order_of_the_file():
    for levels in (4, 48):
        cards = [comparison.calibration(_tied(o, levels), _Scored()) for o in (np.arange(2000), np.arange(2000)[::-1])]
        pd.testing.assert_frame_equal(cards[0].table, cards[1].table)
    assert len(cards[0].table) == 10 and "in the lowest tenth to" in cards[0].answer


def test_fewer_groups_than_ten_are_called_so():
    card = comparison.calibration(_tied(np.arange(2000), 4), _Scored())
    assert list(card.table["group"]) == [1, 2, 3, 4] and "of 4 groups the mean prediction" in card.answer
    assert str(card.answer).endswith("Rows with the same prediction stay in one group, so there are fewer than ten.")
