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
