"""Split integrity: parents and rows in both samples, dates that overlap, performance windows that reach over."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from workbench import rules
from workbench.panel.cohort import UNDATED
from workbench.validation import data_age, raw, split_integrity


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
    card = split_integrity.test(_loans(sound, later=False))
    assert str(card.verdict) == "red" and card.value == 290
    assert "290 of 300 parents of the hold-out stood in development, too." in card.answer


def test_the_same_loans_in_a_later_holdout_are_green_and_amber_where_windows_reach_over(sound):
    later = _loans(sound, later=True)
    assert str(split_integrity.test(later).verdict) == "green"
    outcome = later.contract.outcome.model_copy(update={"window_months": 13})
    reaching = replace(later, contract=later.contract.model_copy(update={"outcome": outcome}))
    card = split_integrity.test(reaching)
    assert str(card.verdict) == "amber" and "Performance windows of 290 parents reach" in card.answer


def test_one_recorded_outcome_in_both_samples_is_red_though_the_holdout_is_later(sound):
    later = _loans(sound, later=True)
    same = {n: s.assign(entity_id=s["parent_id"].astype(str)) for n, s in _samples(later).items()}
    card = split_integrity.test(replace(later, **same))
    assert str(card.verdict) == "red" and card.table.set_index("what")["count"][split_integrity.ONCE] == 290
    one = {n: s.assign(outcome=(s["parent_id"] % 3 == 0) * 1.0) for n, s in _samples(later).items()}  # rows of a file
    assert split_integrity.test(replace(later, **one)).table.set_index("what")["count"][split_integrity.ONCE] == 290
    assert "290 entities have one recorded outcome, which stands in development and in the hold-out." in card.answer
    event = later.contract.outcome.model_copy(update={"event": "delay_months >= 3", "window_months": 6})
    dated = replace(later, contract=later.contract.model_copy(update={"outcome": event}), **same)
    assert split_integrity.test(dated).table.set_index("what")["count"][split_integrity.ONCE] == 0


def test_a_single_late_row_of_development_makes_the_holdout_one_that_is_not_later(sound):
    later = _loans(sound, later=True)
    dates = later.development["as_of_date"].where(later.development.index > 0, pd.Timestamp("2021-06-01"))
    card = split_integrity.test(replace(later, development=later.development.assign(as_of_date=dates)))
    assert str(card.verdict) == "red"


def test_monitoring_rows_must_be_later_than_both(sound):
    watched = sound.holdout.head(50).assign(entity_id=[f"m{i}" for i in range(50)])
    assert split_integrity.test(replace(sound, later=watched)).value == 50
    assert split_integrity.test(replace(sound, later=watched.assign(as_of_date=pd.Timestamp("2020-01-02")))).value == 0


def test_a_sound_split_is_green(sound):
    assert str(split_integrity.test(sound).verdict) == "green"


def test_a_holdout_that_lies_before_development_is_red(sound):
    before = replace(sound, holdout=sound.holdout.assign(as_of_date=pd.Timestamp("2016-01-01")))
    card = split_integrity.test(before)
    assert str(card.verdict) == "red" and card.value == len(sound.holdout)


def test_development_rows_under_new_names_are_found_and_rows_alike_by_chance_are_not(sound):
    taken = sound.development.head(400).assign(
        parent_id=range(10**6, 10**6 + 400), entity_id=[f"n{i}" for i in range(400)]
    )
    card = split_integrity.test(replace(sound, holdout=pd.concat([sound.holdout.tail(3600), taken])))
    assert str(card.verdict) == "red" and card.value == 0
    assert "Beyond chance 8.8% of the hold-out's rows stand in development under another name." in card.answer
    coarse = {n: (s.assign(income=s["income"].round(-3))) for n, s in _samples(sound).items()}
    assert split_integrity.twins(replace(sound, **coarse)) < 0.02


def _samples(s):
    return {"development": s.development, "holdout": s.holdout}


def test_outcomes_that_cannot_be_known_are_red_and_old_data_amber(sound):
    day = rules.load("2026-11-27")
    now = replace(sound, rules=day)
    assert str(data_age.test(now).verdict) == "amber" and data_age.test(now).value == pytest.approx(6.9, abs=0.05)
    dated = {n: s.assign(as_of_date=pd.Timestamp("2026-06-01")) for n, s in _samples(now).items()}
    outcome = now.contract.outcome.model_copy(update={"window_months": 6})
    for months, light in ((6, "red"), (3, "green")):
        outcome = outcome.model_copy(update={"window_months": months})
        contract = now.contract.model_copy(update={"outcome": outcome})
        card = data_age.test(replace(now, contract=contract, **dated))
        assert str(card.verdict) == light
    undated = {n: s.assign(as_of_date=UNDATED) for n, s in _samples(now).items()}
    assert str(data_age.test(replace(now, **undated)).verdict) == "info"


def test_a_window_of_months_ends_with_a_month(sound):
    """The panel counts whole months: of a calendar date those after its month, of an own day those from its month on."""
    outcome = sound.outcome.model_copy(update={"window_months": 12})
    contract = sound.contract.model_copy(update={"outcome": outcome})
    dates = pd.Series(pd.to_datetime(["2024-08-01", "2024-08-28"]))
    for own_month, expected in ((False, ["2025-09-01"] * 2), (True, ["2025-08-01"] * 2)):
        months = raw.Raw(pd.DataFrame(), frozenset(), 0, (), own_month)
        s = replace(sound, contract=contract, raw=months)
        assert data_age.known_from(s, dates).tolist() == [pd.Timestamp(e) for e in expected]
    plain = data_age.known_from(replace(sound, contract=contract, raw=None), dates)
    assert plain.tolist() == [pd.Timestamp("2025-08-01"), pd.Timestamp("2025-08-28")]
