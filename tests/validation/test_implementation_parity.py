"""Implementation parity: a version as MLflow serves it is the scorer; a wrong number, a wrong grade, a lost column are red."""

from dataclasses import replace

import numpy as np

from workbench.validation import implementation_parity


def _served(s, change=lambda out: out):
    return replace(s, served=lambda rows: change(s.model.scored(rows)))


def test_the_same_numbers_are_green_and_the_least_difference_is_not(sound):
    e = implementation_parity.test(_served(sound))
    assert (
        str(e.verdict) == "green"
        and e.value == 0
        and "400 golden records through MLflow's pyfunc: 0 differ" in e.answer
    )
    e = implementation_parity.test(
        _served(sound, lambda out: out.assign(predicted=out["predicted"].astype(np.float32)))
    )
    assert str(e.verdict) == "amber" and 1e-9 < e.value < 1e-6
    e = implementation_parity.test(_served(sound, lambda out: out.assign(predicted=out["predicted"] + 1e-5)))
    assert str(e.verdict) == "red" and e.table.set_index("what").loc["score", "differ"] == 0


def test_another_grade_and_a_lost_column_are_red(sound):
    e = implementation_parity.test(
        _served(sound, lambda out: out.assign(grade_code=out["grade_code"].replace({"A": "B"})))
    )
    assert str(e.verdict) == "red" and e.table.set_index("what").loc["grade_code", "differ"] > 0
    assert str(implementation_parity.test(_served(sound, lambda out: out.drop(columns="score"))).verdict) == "red"
    assert str(implementation_parity.test(sound).verdict) == "not_evaluated"


def test_records_with_most_inputs_missing_are_golden(sound):
    h = sound.holdout.copy()
    h.loc[h.index < 30, ["delay", "income"]] = np.nan
    records = implementation_parity.golden(replace(sound, holdout=h))
    assert len(records) == 430 and records.tail(30).isna().all(axis=None)
