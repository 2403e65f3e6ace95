"""The choice: the simplest candidate that loses nothing that matters for sure, on the same rows."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from workbench.models import development
from workbench.models.choice import choose, losses
from workbench.models.development import Candidate, Sample
from workbench.models.scorer import Calibration
from workbench.params import UserError

N = 20_000  # so many that chance does not put a noisier view above the truth


@pytest.fixture(scope="module")
def s() -> Sample:
    rng = np.random.default_rng(7)
    z = rng.normal(size=N)
    y = (rng.random(N) < 1 / (1 + np.exp(2 - z))).astype(float)
    return Sample(pd.DataFrame({"z": z}), y, np.ones(N), np.repeat(np.arange(N // 2), 2).astype(str))


def _candidates(s: Sample, **noise: float) -> list[Candidate]:
    """Candidates that see the truth through so much noise."""
    rng = np.random.default_rng(1)
    seen = {k: 1 / (1 + np.exp(2 - s.X["z"] - v * rng.normal(size=N))).to_numpy() for k, v in noise.items()}
    return [Candidate(k, None, Calibration(1, 0), out, pd.DataFrame()) for k, out in seen.items()]


P = development.Params()


def test_a_loss_that_is_sure_and_matters_rules_a_simpler_candidate_out(s):
    chosen, evidence = choose(_candidates(s, scorecard=0.8, tree=0.8, boosted=0.0), s, P)
    row = evidence.table.set_index("candidate").loc["scorecard"]
    assert chosen.kind == "boosted" and row["loss"] > 0.01 and row["loss_low"] > 0
    assert "every simpler candidate surely loses more than 0.010 of it" in evidence.answer


def test_a_loss_that_does_not_matter_is_borne_for_the_simpler(s):
    candidates = _candidates(s, scorecard=0.08, tree=0.8, boosted=0.0)
    chosen, evidence = choose(candidates, s, P)
    assert chosen.kind == "scorecard" and "and is simpler" in evidence.answer


def test_the_study_may_name_its_own(s):
    chosen, evidence = choose(
        _candidates(s, scorecard=0.1, tree=0.8, boosted=0.0), s, P.model_copy(update={"choice": "tree"})
    )
    assert chosen.kind == "tree" and "named by the study file" in evidence.answer


def test_losses_are_paired_so_their_intervals_are_narrow(s):
    table = losses(_candidates(s, scorecard=0.1, boosted=0.0), s, 1).set_index("candidate")
    assert table.at["boosted", "loss"] == 0.0
    assert table.at["scorecard", "loss_high"] - table.at["scorecard", "loss_low"] < 0.02


def test_the_seed_of_the_resamples_does_not_decide(s):
    candidates = _candidates(s, scorecard=0.35, boosted=0.0)
    assert len({choose(candidates, s, P.model_copy(update={"seed": i}))[0].kind for i in range(10)}) == 1


def test_what_holds_only_in_its_own_time_is_not_chosen_by_later_rows():
    rng = np.random.default_rng(5)
    n, month = 6000, np.sort(np.arange(6000) % 24)
    z, mood = rng.normal(size=n), rng.normal(size=24)[month]  # each month has its own rate, which no later one shares
    y = (rng.random(n) < 1 / (1 + np.exp(1 - 0.5 * z - 1.5 * mood))).astype(float)
    dates = np.datetime64("2015-01", "M") + month
    s = Sample(pd.DataFrame({"z": z, "month": month.astype(float)}), y, np.ones(n), np.arange(n).astype(str))
    s = Sample(s.X, y, s.weight, s.parent_id, as_of_date=dates.astype("datetime64[ns]"))
    kinds = {"scorecard": LogisticRegression(), "boosted": HistGradientBoostingClassifier(max_iter=40)}
    kinds["scorecard"] = make_pipeline(make_column_transformer(("passthrough", ["z"])), kinds["scorecard"])
    tuned = [Candidate(k, e.fit(s.X, y), Calibration(1, 0), _held_out(e, s), pd.DataFrame()) for k, e in kinds.items()]
    assert choose(tuned, s, P)[0].kind == "boosted"
    chosen, why = choose(tuned, s, P, forward_in_time=True)
    assert chosen.kind == "scorecard" and "Compared on the 4,500 rows that are later" in why.answer
    with pytest.raises(
        UserError, match="development's 1 dates can't be cut into 4 parts; widen them, or leave chosen_"
    ):
        choose(tuned, Sample(s.X, y, s.weight, s.parent_id, as_of_date=np.full(n, dates[0])), P, forward_in_time=True)


def _held_out(estimator, s: Sample) -> np.ndarray:
    return cross_val_predict(estimator, s.X, s.y, cv=KFold(3, shuffle=True, random_state=1), method="predict_proba")[
        :, 1
    ]
