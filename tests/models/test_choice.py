"""The choice: the simplest candidate that loses nothing that matters for sure, on the same rows."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from workbench import metrics
from workbench.contracts import Outcome
from workbench.models import development
from workbench.models.choice import choose, losses
from workbench.models.development import Candidate, Sample
from workbench.models.measures import measures
from workbench.models.scorer import Calibration

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
    assert "every simpler candidate surely loses some of it, and more than 0.010" in evidence.answer


def test_where_the_simplest_is_the_best_no_simpler_one_is_spoken_of(s):
    chosen, evidence = choose(_candidates(s, scorecard=0.0, tree=0.8, boosted=0.5), s, P)
    assert chosen.kind == "scorecard" and "the best, and no candidate is simpler." in evidence.answer


def test_a_loss_that_does_not_matter_is_borne_for_the_simpler(s):
    candidates = _candidates(s, scorecard=0.08, tree=0.8, boosted=0.0)
    chosen, evidence = choose(candidates, s, P)
    assert chosen.kind == "scorecard" and "and is simpler" in evidence.answer


def test_the_study_may_name_its_own(s):
    chosen, evidence = choose(_candidates(s, tree=0.8, boosted=0.0), s, P.model_copy(update={"choice": "tree"}))
    assert chosen.kind == "tree" and "named by the study file" in evidence.answer


def test_losses_are_paired_so_their_intervals_are_narrow(s):
    table = losses(_candidates(s, scorecard=0.1, boosted=0.0), s, 1).set_index("candidate")
    assert table.at["boosted", "loss"] == 0.0
    assert table.at["scorecard", "loss_high"] - table.at["scorecard", "loss_low"] < 0.02


@pytest.mark.parametrize("name", ["auc", "gini", "brier", "log_loss"])
def test_an_interval_is_that_of_the_predictions_themselves_where_their_order_alone_is_read(s, name):
    measure, both = (
        measures(s.outcome)[name],
        [c.out_of_fold[:500].round(2) for c in _candidates(s, tree=0.8, boosted=0)],
    )
    y, parents, w = s.y[:500], s.parent_id[:500], np.random.default_rng(2).random(500)
    for metric, predicted in ((measure, both[:1]), (measure.gain, both)):
        by_value = metrics.bootstrap_interval(metric, (y, *predicted, w), parents, 1)
        assert measure.interval(y, tuple(predicted), w, parents, 1) == by_value


@pytest.mark.whole
def test_the_seed_of_the_resamples_does_not_decide(s):
    candidates = _candidates(s, scorecard=0.35, boosted=0.0)
    assert len({choose(candidates, s, P.model_copy(update={"seed": i}))[0].kind for i in range(6)}) == 1


@pytest.mark.parametrize(("apart", "alike"), [(0.7, 1), (1.0, 1), (0.7, 4)])
def test_the_interval_of_ks_holds_what_the_population_has(apart, alike):
    """100 events and 1,000 others, normal scores so far apart; a bootstrap held it in 75 to 86 of 100."""
    rng, ks, y = np.random.default_rng(0), measures(Outcome())["ks"], np.repeat([1.0, 0.0], [100, 1000])
    truth, parent, held = 2 * norm.cdf(apart / 2) - 1, np.arange(1100) // alike, 0
    for _ in range(200):
        shared = rng.normal(0, np.sqrt(0.5), 1100)[parent] if alike > 1 else 0.0
        score = apart * y + shared + rng.normal(0, np.sqrt(0.5 if alike > 1 else 1.0), 1100)
        low, high = ks.interval(y, (score,), np.ones(1100), parent, 1)
        assert 0 <= low < ks(y, score) < high <= 1
        held += low <= truth <= high
    assert held >= 0.88 * 200


def test_the_interval_of_a_gain_in_ks_goes_to_both_sides_of_none():
    rng, ks, y = np.random.default_rng(1), measures(Outcome())["ks"], np.repeat([1.0, 0.0], [100, 1000])
    score, parent = y + rng.normal(0, 1, 1100), np.arange(1100)
    worse = score + rng.normal(0, 3, 1100)
    low, high = ks.interval(y, (worse, score), np.ones(1100), parent, 1)
    assert low < ks.gain(y, worse, score) < high < 0
    assert ks.interval(y, (score, score), np.ones(1100), parent, 1) == (0, 0)
