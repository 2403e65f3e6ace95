"""Split integrity: parents and rows in both samples, dates that overlap, performance windows that reach over."""

from dataclasses import replace

import numpy as np
import pandas as pd

from workbench.validation import split_integrity


def _loans(sound, later: bool):
    """Three rows a loan, drawn into the samples row by row, as a careless split does it."""
    d, h = sound.development.head(900), sound.holdout.head(900)
    loan = np.arange(900) // 3
    months = pd.Timestamp("2021-01-01") if later else d["as_of_date"].min()
    return replace(
        sound,
        development=d.assign(parent_id=loan, entity_id=[f"d{i}" for i in range(900)]),
        holdout=h.assign(parent_id=loan + 10, entity_id=[f"h{i}" for i in range(900)], as_of_date=months),
    )


def test_loans_that_stand_in_both_samples_row_by_row_are_red(sound):
    found = split_integrity.test(_loans(sound, later=False))
    assert str(found.verdict) == "red" and found.value == 290
    assert "290 of 300 parents of the hold-out stood in development, too." in found.answer


def test_the_same_loans_in_a_later_holdout_are_green_and_amber_where_windows_reach_over(sound):
    later = _loans(sound, later=True)
    assert str(split_integrity.test(later).verdict) == "green"
    outcome = later.contract.outcome.model_copy(update={"window_months": 13})
    reaching = replace(later, contract=later.contract.model_copy(update={"outcome": outcome}))
    found = split_integrity.test(reaching)
    assert str(found.verdict) == "amber" and "Performance windows of 290 parents reach" in found.answer


def test_a_single_late_row_of_development_makes_the_holdout_one_that_is_not_later(sound):
    later = _loans(sound, later=True)
    dates = later.development["as_of_date"].where(later.development.index > 0, pd.Timestamp("2021-06-01"))
    found = split_integrity.test(replace(later, development=later.development.assign(as_of_date=dates)))
    assert str(found.verdict) == "red"


def test_monitoring_rows_must_be_later_than_both(sound):
    watched = sound.holdout.head(50).assign(entity_id=[f"m{i}" for i in range(50)])
    assert split_integrity.test(replace(sound, later=watched)).value == 50
    assert split_integrity.test(replace(sound, later=watched.assign(as_of_date=pd.Timestamp("2020-01-02")))).value == 0


def test_a_sound_split_is_green(sound):
    assert str(split_integrity.test(sound).verdict) == "green"
