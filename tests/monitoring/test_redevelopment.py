"""A challenger is developed where an alarm asks for another model, on rows the champion hasn't seen, parents whole."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from workbench.contracts import Column, Contract, Outcome
from workbench.models.samples import sample
from workbench.models.scorer import Calibration
from workbench.models.tuning import Candidate
from workbench.monitoring import redevelopment
from workbench.monitoring.redevelopment import Params
from workbench.params import UserError

OUTCOME = Outcome(event="late", window_months=6)
CONTRACT = Contract(
    name="mart__panel",
    title="panel",
    columns=(Column(name="x", type="number"), Column(name="z", type="number")),
    outcome=OUTCOME,
)


def _lights(kind: str, light: str, known_in: str = "2019-05") -> pd.DataFrame:
    row = {"kind": kind, "subject": "x", "period": "2019-05", "value": 0.3, "light": light, "known_in": known_in}
    return pd.DataFrame([row])


@pytest.mark.parametrize(
    ("lights", "when", "is_due"),
    [
        (_lights("drift", "red"), "red", True),
        (_lights("drift", "amber"), "red", False),
        (_lights("data", "red"), "red", False),  # a broken delivery is mended, not modelled
        (_lights("calibration", "red", "2019-04"), "red", False),
        (_lights("drift", "green"), "always", True),
    ],
)
def test_a_challenger_is_called_for_where_another_model_would_mend_what_rings(lights, when, is_due):
    due, answer = redevelopment.called_for(lights, Params(until="2019-05", when=when))
    assert due is is_due
    if not is_due:
        assert "No challenger is developed; `when: always` does it all the same." in answer.answer


def _panel(n: int = 3000, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    months = pd.date_range("2018-01-31", "2019-05-31", freq="ME")
    rows = pd.DataFrame({"parent_id": rng.integers(0, n // 3, n), "as_of_date": rng.choice(months, n)})
    rows = rows.assign(entity_id=rows["parent_id"], x=rng.normal(size=n), z=rng.normal(size=n), weight=1.0)
    p = 1 / (1 + np.exp(2 - 1.5 * rows["x"]))
    early = rows["as_of_date"] < "2018-03-31"
    return rows.assign(outcome=(rng.random(n) < p) * 1.0, sample=np.where(early, "development", "monitoring"))


def test_only_newest_rows_known_by_then_are_taken_and_a_parent_stands_on_one_side():
    panel, p = _panel(), Params(until="2019-05", recent_months=6)
    rows = redevelopment.recent(panel, OUTCOME, p)
    assert rows["as_of_date"].max() == pd.Timestamp("2018-11-30")  # its window has just ended
    assert rows["as_of_date"].min() == pd.Timestamp("2018-06-30")
    sides = rows.groupby("parent_id")["sample"].nunique()
    assert sides.max() == 1 and set(rows["sample"]) == {"development", "holdout"}
    assert rows["sample"].eq("holdout").mean() == pytest.approx(0.3, abs=0.05)
    again = redevelopment.recent(panel.sample(frac=1, random_state=2), OUTCOME, p)
    pd.testing.assert_frame_equal(again.sort_index(), rows.sort_index())
    with pytest.raises(UserError) as e:
        redevelopment.recent(panel, OUTCOME, Params(until="2018-06"))
    assert str(e.value) == "monitoring/redevelopment: no outcome of a monitoring row is known by 2018-06-30 yet"


def _model(column: str, scale: float = 1.0) -> SimpleNamespace:
    def predict(X: pd.DataFrame) -> np.ndarray:
        return scale / (1 + np.exp(2 - 1.5 * X[column].to_numpy()))

    return SimpleNamespace(predict=predict)


def _challenger(column: str) -> Candidate:
    estimator = SimpleNamespace(predict_proba=lambda X: np.column_stack([1 - (p := _model(column).predict(X)), p]))
    return Candidate("scorecard", estimator, Calibration(1.0, 0.0), np.zeros(1), pd.DataFrame(), OUTCOME)


def test_a_sure_lead_asks_for_submission_and_a_wrong_level_for_calibration():
    p = Params(until="2019-05")
    held = sample(redevelopment.recent(_panel(9000), OUTCOME, p), CONTRACT, "holdout")
    better = redevelopment.against(_model("z"), _challenger("x"), held, p)
    assert str(better.verdict) == "amber" and "submit it." in better.answer and better.value > 0.2
    level = redevelopment.against(_model("x", 0.5), _challenger("x"), held, p)
    assert str(level.verdict) == "info" and level.value == 0
    assert "its level is right: re-calibrating the champion does as well." in level.answer
    same = redevelopment.against(_model("x"), _challenger("x"), held, p)
    assert "It is no reason to change the model." in same.answer
