"""Every setting that isn't tuned has a reason, and a candidate at an end of what was tried is said to be there."""

import pandas as pd
import pytest

from workbench.models.kinds import edges, fixed, kinds
from workbench.models.scorecard import Scorecard
from workbench.models.scorer import Calibration
from workbench.models.trees import BoostedTrees
from workbench.models.tuning import Candidate, fixed_settings, tuning


@pytest.mark.parametrize("name", kinds())
def test_every_fixed_setting_has_a_reason(name):
    kind = kinds()[name]
    assert set(fixed(kind)) == set(kind.KIND.reasons) and all(map(str, kind.KIND.reasons.values()))


def test_a_candidate_at_an_end_of_its_grid_is_said_to_be_there():
    inner, end = BoostedTrees(max_depth=3, n_trees=150), Scorecard(C=0.01)
    assert [str(e) for e in edges(BoostedTrees, inner)] == ["n_trees 150, the least that was tried"]
    assert [str(e) for e in edges(Scorecard, end)] == ["C 0.01, the least that was tried"]
    assert edges(Scorecard, Scorecard(C=0.1)) == []


def _candidate(estimator, best=None) -> Candidate:
    rows = [(estimator.KIND.name, "C=1", "", 3, 0.7, "chosen")]
    columns = ["candidate", "settings", "seed", "folds", "cross-validated AUC", ""]
    table = pd.DataFrame(rows, columns=columns)
    return Candidate(estimator.KIND.name, estimator, Calibration(1, 0), [], table, best=best or estimator)


def test_the_page_says_so_and_lists_the_reasons():
    answer = tuning([_candidate(Scorecard(C=0.01))]).answer
    assert "beyond which something better may lie: scorecard (C 0.01, the least that was tried)." in answer
    assert "None is best at an end of what was tried." in tuning([_candidate(Scorecard(C=0.1))]).answer
    preferred = tuning([_candidate(Scorecard(C=0.01), best=Scorecard(C=0.1))]).answer  # an inner setting scored better
    assert "None is best at an end of what was tried." in preferred
    e = fixed_settings([_candidate(Scorecard()), _candidate(BoostedTrees())])
    assert e.value == 6 and str(e.verdict) == "info" and "Each has a reason." in e.answer
    assert set(e.table["setting"]) >= {"min_bin_size", "learning_rate"} and (e.table["reason"].map(str) != "").all()
