"""Vintages: events that come earlier than development's are seen at equal age; counts are those by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from workbench import metrics
from workbench.panel.outcome import EVENT_AFTER
from workbench.validation import vintages


def _dated(s, rows, seed, months=range(1, 13)):
    rng = np.random.default_rng(seed)
    month = rng.choice(list(months), len(rows)).astype(float)
    return rows.assign(**{EVENT_AFTER: np.where(rows["outcome"] == 1, month, np.nan)})


@pytest.fixture(scope="module")
def dated(sound):
    later = sound.holdout.assign(as_of_date=pd.Timestamp("2021-04-01"), sample="monitoring")
    outcome = sound.contract.outcome.model_copy(update={"window_months": 12})
    contract = sound.contract.model_copy(update={"outcome": outcome})
    parts = (sound.development, sound.holdout, later)
    parts = [_dated(sound, rows, seed) for seed, rows in enumerate(parts)]
    return replace(sound, contract=contract, development=parts[0], holdout=parts[1], later=parts[2])


def test_events_that_come_in_the_first_month_are_seen_at_equal_age(dated):
    assert str(vintages.test(dated).verdict) == "green" and vintages.ages(dated) == [1, 3, 6, 9, 12]
    early = replace(dated, later=_dated(dated, dated.later, 9, [1, 1, 1, 2, 3]))
    e = vintages.test(early)
    assert str(e.verdict) == "amber" and "2 vintages; 2021Q2 is off most surely:" in e.answer
    assert "In the first month of the window most came in 2021Q2:" in e.answer
    last = e.table[(e.table["vintage"] == "2021Q2") & (e.table["months"] == 12)].iloc[0]
    assert last["light"] == "green", "by the window's end as many have come as before"


def test_the_rate_it_could_see_is_beyond_the_limit_it_is_judged_by(dated):
    e = vintages.test(dated)
    base = e.table.iloc[0]["development rate"]
    assert e.sight.least > base * dated.rules["rate_off_period"].amber


def test_shares_are_those_counted_by_hand(dated):
    table = vintages.by_age(dated)
    row = table[(table["vintage"] == "2021Q2") & (table["months"] == 3)].iloc[0]
    assert row["rate"] == pytest.approx((dated.later[EVENT_AFTER] <= 3).mean())
    assert row["development rate"] == pytest.approx((dated.development[EVENT_AFTER] <= 3).mean())
    assert row["low"] < row["rate"] < row["high"] and row["effective n"] == pytest.approx(len(dated.later))
    from statsmodels.stats.proportion import proportions_ztest

    alone = vintages.by_age(replace(dated, holdout=dated.later, later=dated.later.head(0)))
    sizes = [len(dated.later), len(dated.development)]
    counts = [[(r[EVENT_AFTER] <= age).sum() for r in (dated.later, dated.development)] for age in alone["months"]]
    p = [proportions_ztest(pair, sizes)[1] for pair in counts]
    assert alone["p"].to_numpy() == pytest.approx(metrics.holm(p), rel=1e-6)


def test_without_dated_events_or_enough_of_them_it_is_not_evaluated(sound, dated):
    assert "doesn't know in which month" in vintages.test(sound).answer
    few = dated.holdout.groupby("outcome").head(10).reset_index(drop=True)
    e = vintages.test(replace(dated, holdout=few, later=few.head(0)))
    assert str(e.verdict) == "not_evaluated" and "No vintage has events enough." in e.answer
