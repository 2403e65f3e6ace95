"""Small groups are hidden so that no total gives them back: tried by recomputing them."""

import numpy as np
import pandas as pd
import pytest

from workbench.evidence.disclosure import determined, suppressed


def test_one_small_group_takes_the_next_smallest_with_it():
    shown = suppressed(pd.DataFrame({"group": list("abcd"), "n": [100, 4, 30, 50], "rate": [0.1] * 4}), "n", 10)
    assert shown["suppressed"].tolist() == [False, True, True, False]
    assert shown.loc[shown["suppressed"], ["n", "rate"]].isna().all(axis=None)
    assert shown.loc[0, "n"] == 100 and shown["group"].tolist() == list("abcd")


def test_two_small_groups_that_are_few_together_take_a_third():
    shown = suppressed(pd.DataFrame({"group": list("abc"), "n": [2, 3, 40]}), "n", 10)
    assert shown["suppressed"].all()


def test_nobody_is_told_as_nobody_and_large_groups_stay():
    shown = suppressed(pd.DataFrame({"group": list("abc"), "n": [0, 10, 40]}), "n", 10)
    assert not shown["suppressed"].any()


@pytest.mark.parametrize("seed", range(20))
def test_no_hidden_cell_follows_from_the_totals_of_its_row_column_and_table(seed):
    rng = np.random.default_rng(seed)
    cells = pd.MultiIndex.from_product([range(4), range(5)], names=["risk", "need"]).to_frame(index=False)
    cells["n"] = rng.integers(0, 60, len(cells))
    shown = suppressed(cells, "n", 10, by=("risk", "need"))
    hidden = shown["suppressed"].to_numpy()
    assert hidden[(cells["n"] > 0) & (cells["n"] < 10)].all()
    at = np.flatnonzero(hidden)
    totals = [np.ones(len(at))]
    totals += [(cells.loc[at, name] == v).to_numpy(float) for name in ("risk", "need") for v in cells[name].unique()]
    system = np.array(totals)
    for i in range(len(at)):  # a cell follows where its unit vector is a sum of totals
        unit = np.eye(len(at))[i]
        weights, *_ = np.linalg.lstsq(system.T, unit, rcond=None)
        assert not np.allclose(system.T @ weights, unit, atol=1e-8), "a total gives the cell back"


def test_the_only_hidden_cell_of_a_row_is_recomputed_without_complement():
    assert determined(np.array([[True]])).tolist() == [True]
    assert determined(np.array([[True, True]])).tolist() == [False, False]


def test_what_cannot_be_hidden_well_is_refused():
    with pytest.raises(ValueError, match="k must be 1 or more, not 0"):
        suppressed(pd.DataFrame({"g": ["a"], "n": [1]}), "n", 0)
    with pytest.raises(ValueError, match="a group stands twice; aggregate it first"):
        suppressed(pd.DataFrame({"g": ["a", "a"], "n": [1, 2]}), "n", 10, by=("g",))
