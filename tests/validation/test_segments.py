"""Segments: one in which the model no longer ranks is named, though the whole hardly shows it; errors are those of AUC."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from workbench import metrics
from workbench.validation import battery, segments


def _unranked(s, rows, share):
    """Rows of which those of one group have outcomes that have nothing to do with their predictions."""
    rng = np.random.default_rng(7)
    mixed = (rows["sex_code"] == "F") & (rng.random(len(rows)) < share)
    noise = (rng.random(len(rows)) < rows["predicted"].mean()) * 1.0
    return rows.assign(outcome=rows["outcome"].where(~mixed, noise))


def test_a_segment_in_which_the_model_ranks_nothing_is_red_and_named(sound):
    e = segments.test(replace(sound, holdout=_unranked(sound, sound.holdout, 1.0)))
    assert str(e.verdict) == "red" and "sex_code 'F' has most surely lost: Gini" in e.answer
    table = e.table.set_index(["column", "segment"])
    assert table.loc[("sex_code", "F"), "lost"] > 0.8 and table.loc[("sex_code", "M"), "light"] == "green"
    assert table.loc[("sex_code", "F"), "beyond"] < table.loc[("sex_code", "F"), "lost"]
    assert str(segments.test(sound).verdict) == "green"


def test_a_fall_that_all_segments_share_is_not_theirs(sound):
    rng, rows = np.random.default_rng(7), sound.holdout
    mixed = rows.assign(
        outcome=rows["outcome"].where(
            rng.random(len(rows)) < 0.5, rows["outcome"].sample(frac=1, random_state=3).to_numpy()
        )
    )
    e = segments.test(replace(sound, holdout=mixed))
    assert e.table.set_index("column").loc[segments.WHOLE, "lost"] > 0.3 and str(e.verdict) == "green"


def test_later_periods_are_asked_and_quarters_are_segments(sound):
    day = pd.Timestamp("2021-01-01") + pd.to_timedelta(np.arange(len(sound.holdout)) % 365, unit="D")
    later = _unranked(sound, sound.holdout, 1.0).assign(as_of_date=day, sample="monitoring")
    e = battery._answer("segments", battery.tests()["segments"], replace(sound, later=later))
    assert str(e.verdict) == "red" and "the hold-out green, the rows of 2021 red." in e.answer
    assert {"2021Q1", "2021Q4"} <= set(segments.ginis(replace(sound, holdout=later))["segment"])


def test_the_loss_and_its_error_are_those_of_the_two_samples(sound):
    whole = segments.ginis(sound).iloc[0]
    d, h = sound.development, sound.holdout
    ginis = [metrics.gini(r["outcome"], r["predicted"], r["weight"]) for r in (d, h)]
    low, high = metrics.auc_interval(h["outcome"], h["predicted"])
    before = metrics.auc_interval(d["outcome"], d["predicted"])
    errors = [2 * (b - a) / (2 * 1.96) for a, b in (before, (low, high))]
    assert whole["column"] == segments.WHOLE and whole["lost"] == pytest.approx(1 - ginis[1] / ginis[0])
    assert whole["standard_error"] == pytest.approx(np.hypot(*errors) / ginis[0], rel=0.02)


def test_without_events_enough_it_is_not_evaluated(sound):
    few = sound.holdout.groupby("outcome").head(15).reset_index(drop=True)
    e = segments.test(replace(sound, holdout=few))
    assert str(e.verdict) == "not_evaluated" and "No segment has 20 events in both samples." in e.answer
