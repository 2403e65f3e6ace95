"""The funnel: equal to a walk through every customer's events, and each clause of its definition on a case by hand."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from workbench import engine
from workbench.actions import events
from workbench.actions.funnel import Funnel, funnel, progress_sql
from workbench.metrics.intervals import wilson
from workbench.params import UserError

DAY0 = datetime(2026, 1, 1)


def log(*rows):
    """Events from (customer, kind, day) or (customer, kind, day, case)."""
    made = [(*r, None)[:4] for r in rows]
    table = pd.DataFrame(made, columns=["entity_id", "event_kind", "day", "case_id"])
    table["happened_at"] = [DAY0 + timedelta(days=float(d)) for d in table.pop("day")]
    return table.astype({"entity_id": "string", "event_kind": "string", "case_id": "string"})


def reached(table, f, is_open=False):
    rows = funnel(table, f)
    return list(rows[rows["is_open"] == is_open]["reached"])


def walked(table, f):
    """The definition, customer by customer and event by event."""
    out = {}
    keys = ["entity_id", f.hold] if f.hold else ["entity_id"]
    for unit, mine in table.dropna(subset=keys).groupby(keys):
        events = sorted(zip(mine["happened_at"], mine["event_kind"], strict=True))
        first = min((at for at, kind in events if kind == f.steps[0]), default=None)
        if first is None:
            continue
        times = [first]
        for step in f.steps[1:]:
            end = first + timedelta(days=f.window_days)
            later = [at for at, kind in events if kind == step and times[-1] < at <= end]
            if not later:
                break
            times.append(min(later))
        out[unit] = (times, first + timedelta(days=f.window_days) > table["happened_at"].max())
    return out


CASES = st.lists(
    st.tuples(
        st.sampled_from("rstuvwxyz"), st.sampled_from("abcd"), st.integers(0, 40), st.sampled_from(["1", "2", None])
    ),
    min_size=15,
    max_size=120,
)


@settings(max_examples=30, deadline=None)
@given(
    rows=CASES,
    steps=st.lists(st.sampled_from("abcd"), min_size=2, max_size=4),
    hold=st.booleans(),
    days=st.integers(1, 20),
)
@example(rows=[("u", "a", 0, None)], steps=["a", "b"], hold=True, days=1)
@example(rows=[("u", "a", 0, "1")], steps=["a", "a"], hold=True, days=1)
@pytest.mark.whole
def test_the_funnel_is_what_a_walk_through_the_events_counts(rows, steps, hold, days):
    table = log(*rows)
    f = Funnel(tuple(steps), days, hold="case_id" if hold else "")
    expected = walked(table, f)
    got = engine.frame(progress_sql(f), {"events": table})
    keys = ["entity_id", "case_id"] if hold else ["entity_id"]
    seen = {}
    for row in got.to_dict("records"):
        times = [row[f"at_{k + 1}"] for k in range(len(steps))]
        seen[tuple(row[k] for k in keys)] = ([t.to_pydatetime() for t in times if not pd.isna(t)], row["is_open"])
    assert seen == expected
    table = funnel(table, f)
    for is_open in (False, True):
        counts = [sum(o == is_open and len(t) > k for t, o in expected.values()) for k in range(len(steps))]
        assert list(table[table["is_open"] == is_open]["reached"]) in (counts, [])


def test_a_repeat_of_the_first_step_does_not_begin_the_window_anew():
    table = log(("u", "a", 0), ("u", "a", 25), ("u", "b", 35), ("z", "x", 99))
    assert reached(table, Funnel(("a", "b"), 30)) == [1, 0]
    assert reached(table, Funnel(("a", "b"), 35)) == [1, 1]


def test_a_step_is_later_than_the_one_before_it():
    table = log(
        ("u", "a", 1), ("u", "b", 1), ("v", "b", 0), ("v", "a", 1), ("w", "a", 1), ("w", "b", 2), ("z", "x", 99)
    )
    assert reached(table, Funnel(("a", "b"), 30)) == [3, 1]


def test_the_held_attribute_is_the_same_at_every_step():
    table = log(("u", "a", 0, "1"), ("u", "b", 1, "2"), ("v", "a", 0, "3"), ("v", "b", 1, "3"), ("z", "x", 99))
    assert reached(table, Funnel(("a", "b"), 30)) == [2, 2]
    assert reached(table, Funnel(("a", "b"), 30, hold="case_id")) == [2, 1]


def test_a_cohort_whose_window_is_not_over_is_told_apart():
    table = log(("u", "a", 0), ("u", "b", 3), ("v", "a", 80), ("z", "x", 99))
    f = Funnel(("a", "b"), 30)
    assert (reached(table, f), reached(table, f, is_open=True)) == ([1, 1], [1, 0])


def test_rates_carry_wilsons_interval_and_times_their_median():
    table = log(*((f"c{i}", "a", 0) for i in range(10)), *((f"c{i}", "b", i + 1) for i in range(8)), ("z", "x", 99))
    last = funnel(table, Funnel(("a", "b"), 30)).iloc[-1]
    low, high = proportion_confint(8, 10, method="wilson")
    assert (last["of_previous"], last["previous_low"], last["previous_high"]) == pytest.approx((0.8, low, high))
    assert (last["median_days"], last["p90_days"]) == pytest.approx((4.5, 7.3))


def test_wilson_has_no_interval_of_nobody():
    assert np.isnan(wilson(0, 0)).all()


def test_split_counts_add_up_to_the_whole():
    table = log(*((f"c{i}", "a", 0, str(i % 3)) for i in range(10)), ("c1", "b", 1, "9"), ("z", "x", 99))
    rows = funnel(table, Funnel(("a", "b"), 30), by=("case_id",))
    assert list(rows.groupby("step")["reached"].sum()) == reached(table, Funnel(("a", "b"), 30)) == [10, 1]


def test_a_missing_column_is_told_in_one_line():
    with pytest.raises(UserError, match=r"^funnel: the events have no column 'shop'; name one of the event table$"):
        funnel(log(("u", "a", 0)), Funnel(("a", "b"), 30), by=("shop",))


def test_the_table_of_the_funnel_begins_with_the_cohort():
    p = events.Params(steps=["a", "b"], hold="")
    rows = [(f"c{i}", kind, day) for i in range(12) for day, kind in enumerate(["a", "b"])] + [("x", "a", 300)]
    evidence = events.funnel_evidence(funnel(log(*rows), p.funnel), p)
    assert list(evidence.table.columns)[:2] == ["cohort", "step"]
