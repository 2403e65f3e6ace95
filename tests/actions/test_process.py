"""Processes, paths and returns: each SQL text is what a walk through the events counts."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workbench.actions import events, paths, process
from workbench.words import speaking

DAY0 = datetime(2026, 1, 1)
# Many short walks a log, for what takes the time are the queries, which count them all; and one event alone.
LOGS = st.integers(1, 130).flatmap(
    lambda last: st.lists(
        st.tuples(
            st.sampled_from("stuvwxyz"), st.sampled_from("abc"), st.integers(0, last), st.sampled_from("12345678")
        ),
        min_size=25,
        max_size=100,
    )
)
ALONE = [("u", "a", 0, "1")]
KINDS = st.lists(st.sampled_from("abc"), max_size=2, unique=True)


def table(rows):
    whose, kinds, days, cases = zip(*rows, strict=True)
    columns = {"entity_id": whose, "event_kind": kinds, "case_id": cases}
    texts = {name: pd.array(values, dtype="string") for name, values in columns.items()}
    return pd.DataFrame({**texts, "happened_at": np.datetime64(DAY0) + np.array(days, "timedelta64[D]")})


def walks(rows, of):
    """Each unit's events as (day, kind), in order."""
    units = defaultdict(list)
    for row in rows:
        units[row[of]].append((row[2], row[1]))
    return {unit: sorted(mine) for unit, mine in units.items()}


@settings(max_examples=15, deadline=None)
@given(rows=LOGS)
@example(rows=ALONE)
def test_the_graph_the_variants_and_the_waits_are_what_a_walk_counts(rows):
    cases, log = walks(rows, 3), table(rows)
    days, extra = defaultdict(list), Counter()
    for mine in cases.values():
        for (d1, a), (d2, b) in pairwise(mine):
            days[a, b].append(d2 - d1)
        extra.update({k: n - 1 for k, n in Counter(k for _, k in mine).items() if n > 1})
    got = process.graph(log)
    assert {(r.from_kind, r.to_kind): r.n for r in got.itertuples()} == {k: len(v) for k, v in days.items()}
    for r in got.itertuples():
        assert r.median_days == pytest.approx(np.median(days[r.from_kind, r.to_kind]))
        assert r.p90_days == pytest.approx(np.quantile(days[r.from_kind, r.to_kind], 0.9))
    taken = Counter(process.ARROW.join(k for _, k in mine) for mine in cases.values())
    courses = process.variants(log)
    assert dict(zip(courses["variant"], courses["cases"], strict=True)) == taken
    assert courses["share"].sum() == pytest.approx(1)
    waited = defaultdict(float)
    for (_, to), each in days.items():
        waited[to] += sum(each)
    assert dict(zip(*process.waits(log)[["event_kind", "total_days"]].to_numpy().T, strict=True)) == pytest.approx(
        waited
    )
    again = process.rework(log)
    assert dict(zip(again["event_kind"], again["extra"], strict=True)) == extra


@settings(max_examples=15, deadline=None)
@given(rows=LOGS)
@example(rows=ALONE)
def test_conformance_is_what_a_walk_by_the_official_process_allows(rows):
    official = {"a": ["b"], "b": ["c"], "c": []}
    bad = Counter()
    cases = walks(rows, 3)
    conform = 0
    for mine in cases.values():
        kinds = [k for _, k in mine]
        wrong = {f"{a} → {b}" for a, b in pairwise(kinds) if b not in official[a]}
        wrong |= {f"{k} × 2" for k, n in Counter(kinds).items() if n > 1}
        wrong |= {f"… → {kinds[0]}"} if kinds[0] != "a" else set()
        bad.update(wrong)
        conform += not wrong
    n, of, deviations = process.conformance(table(rows), official)
    assert (n, of) == (conform, len(cases))
    assert dict(zip(deviations["deviation"], deviations["cases"], strict=True)) == bad


@settings(max_examples=15, deadline=None)
@given(rows=LOGS, kinds=KINDS)
@example(rows=ALONE, kinds=[])
def test_paths_are_the_next_four_events_in_the_window(rows, kinds):
    expected, last = Counter(), max(r[2] for r in rows)
    for mine in walks(rows, 0).values():
        first = min((d for d, k in mine if k == "a"), default=None)
        if first is not None and first + 30 <= last:
            after = [k for d, k in mine if first < d <= first + 30 and (not kinds or k in kinds)]
            expected[process.ARROW.join(["a", *after[:4]])] += 1
    got = paths.paths(table(rows), "a", kinds)
    assert dict(zip(got["path"], got["customers"], strict=True)) == expected


@settings(max_examples=15, deadline=None)
@given(rows=LOGS)
@example(rows=ALONE)
def test_the_time_between_is_to_the_customers_next_of_the_kind(rows):
    gaps, counts = defaultdict(list), Counter()
    for mine in walks(rows, 0).values():
        for kind in {k for _, k in mine}:
            at = [d for d, k in mine if k == kind]
            counts[kind] += len(at)
            gaps[kind] += [b - a for a, b in pairwise(at)]
    got = paths.between(table(rows), ())
    assert {r.event_kind: (r.n, r.followed) for r in got.itertuples()} == {
        k: (n, len(gaps[k]) / n) for k, n in counts.items()
    }
    for r in got.itertuples():
        assert gaps[r.event_kind] == [] or r.median_days == pytest.approx(np.median(gaps[r.event_kind]))


@settings(max_examples=15, deadline=None)
@given(rows=LOGS)
@example(rows=ALONE)
def test_the_triangle_counts_who_came_back_in_whole_months(rows):
    def month(d):
        at = DAY0 + timedelta(days=d)
        return at.year * 12 + at.month

    last = max(r[2] for r in rows)
    whole = month(last) if month(last + 1) > month(last) else month(last) - 1
    units = walks(rows, 0)
    cohorts = {u: min((month(d) for d, k in mine if k == "a"), default=None) for u, mine in units.items()}
    expected = {}
    for cohort in {c for c in cohorts.values() if c is not None and c <= whole}:
        members = [u for u, c in cohorts.items() if c == cohort]
        for m in range(cohort, whole + 1):
            expected[cohort, m - cohort] = (len(members), sum(any(month(d) == m for d, _ in units[u]) for u in members))
    got = paths.triangle(table(rows), "a")
    assert {(r.cohort, r.age): (r.customers, r.active) for r in got.itertuples()} == expected


def test_cases_under_way_are_those_without_a_final_kind():
    assert process.cases(table([("u", "a", 1, "1"), ("u", "b", 2, "1"), ("u", "a", 3, "2")]), ["b"]) == (2, 1)


def test_what_is_done_twice_is_said_in_words():
    deviations = pd.DataFrame(
        {"deviation": [f"documents_asked{process.TWICE}", f"a_b{process.ARROW}c"], "cases": [20, 10]}
    )
    twice, course = events.in_words(deviations, "deviation")["deviation"]
    assert str(twice) == "documents asked a second time" and course == "a b, c"
    with speaking("zh_CN"):
        assert str(twice) == "再次要求补充资料"


def test_what_comes_again_soonest_and_last_is_told():
    gaps = pd.DataFrame({"event_kind": ["call", "login", "cured"], "n": 9, "median_days": [40.0, 3.0, np.nan]})
    assert str(events.between_evidence(gaps).answer) == (
        "Soonest comes login again, in the median after 3 days; last of 2 kinds call, after 40 days."
    )
    assert str(events.between_evidence(gaps.tail(1)).answer) == "Nothing happened a second time."


def test_cases_that_wait_still_are_named_as_what_the_waits_do_not_see():
    log = table([(f"u{i}", kind, day, str(i)) for i in range(20) for kind, day in (("a", 0), ("credit_check", 3))])
    card = events.bottleneck_evidence(process.waits(log), process.rework(log), events.Params())
    assert card.value == "credit check" and str(card.blind_to).startswith("cases that wait still")
