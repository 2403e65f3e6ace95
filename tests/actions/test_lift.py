"""Event lift: the SQL is Mantel and Haenszel's ratio by hand, planted causes come first, chance alone doesn't pass."""

from math import log, sqrt

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from workbench.actions import event_gain, events, foretelling, lift
from workbench.actions.lift import Matching, Sure
from workbench.contracts import Column, Contract, Outcome
from workbench.params import UserError

M = Matching("gone = 1", "gone = 0", ("region_code", "n_logins"), months=3)
SURE = Sure(3, 1.1)


def bank(customers=1500, months=18, seed=1):
    """Customers whose engagement moves their logins, their leaving and one idle event; `cause` alone drives them out."""
    rng = np.random.default_rng(seed)
    engaged, rows, log_ = rng.integers(0, 3, customers), [], []
    begins = pd.date_range("2020-01-01", periods=months, freq="MS")
    for c in range(customers):
        push = 0.0
        for t in range(months):
            gone = rng.random() < 0.015 * np.exp(1.6 * push - 0.5 * engaged[c])
            rows.append((f"c{c}", begins[t], float(engaged[c] * 4), float(gone)))
            if gone:
                break
            push *= 0.6
            for kind, chance in (("cause", 0.05), ("idle", 0.03 + 0.05 * engaged[c]), ("noise", 0.06)):
                if rng.random() < chance:
                    log_.append((f"c{c}", kind, rows[-1][1] + pd.Timedelta(days=int(rng.integers(0, 27)))))
                    push += kind == "cause"
    months_ = pd.DataFrame(rows, columns=["entity_id", "month", "n_logins", "gone"])
    account = pd.DataFrame(
        {"entity_id": [f"c{c}" for c in range(customers)], "region_code": [f"R{c % 3}" for c in range(customers)]}
    )
    log_ = pd.DataFrame(log_, columns=["entity_id", "event_kind", "happened_at"])
    return months_, account, log_.assign(recorded_at=log_["happened_at"])


@pytest.fixture(scope="module")
def made():
    months, account, log_ = bank()
    return months, account, log_, lift.states(months, account, M)


def by_hand(log_, states, kind):
    """Mantel and Haenszel's ratio and the error of its logarithm, row by row."""
    on = set(
        zip(
            log_.loc[log_["event_kind"] == kind, "entity_id"],
            _number(log_.loc[log_["event_kind"] == kind, "happened_at"]),
            strict=True,
        )
    )
    strata = {}
    for r in states.itertuples():
        strata.setdefault(r.stratum, []).append((r.entity_id, (r.entity_id, r.month_no) in on, r.y))
    sides, weighed = [0.0, 0.0], []
    for rows in strata.values():
        n1 = sum(exposed for _, exposed, _ in rows)
        n0, n = len(rows) - n1, len(rows)
        if n1 and n0:
            weighed += [(who, exposed, y * (n0 if exposed else n1) / n) for who, exposed, y in rows]
    for _, exposed, w in weighed:
        sides[not exposed] += w
    adds = {}
    for who, exposed, w in weighed:
        adds[who] = adds.get(who, 0) + (w if exposed else -sides[0] / sides[1] * w)
    return sides[0] / sides[1], sqrt(sum(u * u for u in adds.values())) / sides[0]


def _number(at):
    return at.dt.year * 12 + at.dt.month


@pytest.mark.parametrize("kind", ["cause", "idle", "noise"])
def test_ratio_and_interval_are_those_by_hand(made, kind):
    _, _, log_, states = made
    row = lift.lift(log_, states, SURE).set_index("event_kind").loc[kind]
    ratio, error = by_hand(log_, states, kind)
    assert row["ratio"] == pytest.approx(ratio)
    assert log(row["high"] / row["ratio"]) == pytest.approx(1.959964 * error, rel=1e-5)


def test_the_planted_cause_passes_and_nothing_else_does(made):
    _, _, log_, states = made
    rows = lift.lift(log_, states, SURE)
    assert rows["event_kind"].iloc[0] == "cause" and list(rows["passes"]) == [True, False, False]
    assert rows["low"].iloc[0] > 1.3 and 1 <= rows["lead_months"].iloc[0] <= 3


def test_without_matching_on_logins_an_idle_event_looks_as_if_it_kept_them(made):
    months, account, log_, _ = made
    unmatched = lift.states(months, account, Matching("gone = 1", "gone = 0", ("region_code",)))
    rows = lift.lift(log_, unmatched, SURE).set_index("event_kind")
    matched = lift.lift(log_, made[3], SURE).set_index("event_kind")
    assert rows.at["idle", "ratio"] < matched.at["idle", "ratio"]


def test_a_state_is_of_the_months_before_and_its_outcome_of_the_months_after(made):
    months, _, _, states = made
    row = states[states["y"] == 1].iloc[0]
    gone = months[(months["entity_id"] == row["entity_id"]) & (months["gone"] == 1)]["month"]
    assert _number(gone).iloc[0] - row["month_no"] == row["after"] <= 3
    assert states["month_no"].max() == _number(months["month"]).max() - 3


def test_sure_alone_is_not_enough_where_it_does_not_matter(made):
    _, _, log_, states = made
    by = {m: lift.lift(log_, states, Sure(3, m)).set_index("event_kind") for m in (1.0, 1.1, 4.0)}
    cause = by[1.0].loc["cause"]
    error = log(cause["high"] / cause["ratio"]) / 1.959964
    assert cause["p_value"] == pytest.approx(2 * stats.norm.sf(log(cause["ratio"]) / error), rel=1e-3)
    assert by[1.0].at["cause", "p_value"] < by[1.1].at["cause", "p_value"] < by[4.0].at["cause", "p_value"]
    assert by[1.1].at["cause", "passes"] and not by[4.0]["passes"].any()


def test_a_rare_kind_is_not_judged(made):
    _, _, log_, states = made
    rows = lift.lift(log_, states, Sure(10**6, 1.1))
    assert rows["ratio"].isna().all() and not rows["passes"].any()


def test_what_came_in_late_is_not_counted(made):
    dates = pd.DataFrame(
        {"entity_id": ["u", "u", "v"], "as_of_date": pd.to_datetime(["2020-03-01", "2020-06-01", "2020-03-01"])}
    )
    at = pd.to_datetime(["2020-01-05", "2020-03-20", "2020-03-21", "2019-12-31"])
    log_ = pd.DataFrame({"entity_id": "u", "event_kind": "a", "happened_at": at, "recorded_at": at})
    log_.loc[2, "recorded_at"] = pd.Timestamp("2020-04-02")
    assert list(lift.counted(log_, dates, ["a"], 3)["n_a"]) == [2, 0, 0]


def test_an_unknown_column_is_told_in_one_line(made):
    months, account, _, _ = made
    with pytest.raises(
        UserError,
        match=r"^actions/events: match_on 'shoe' is no column of core__month or core__account; did you mean 'gone'\?$",
    ):
        lift.states(months, account, Matching("gone = 1", "gone = 0", ("shoe",)))


def test_the_gain_is_there_where_counts_tell_and_not_where_they_do_not():
    rng = np.random.default_rng(3)
    n = 6000
    rows = pd.DataFrame({"parent_id": [f"c{i % 1500}" for i in range(n)], "x": rng.normal(size=n)})
    rows["as_of_date"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 12, n) * 31, unit="D")
    counts = pd.DataFrame({"n_a": rng.poisson(0.5, n).astype(float), "n_b": rng.poisson(0.5, n).astype(float)})
    rows["outcome"] = (rng.random(n) < 1 / (1 + np.exp(2 - rows["x"] - 1.2 * counts["n_a"]))).astype(float)
    words = Contract(name="p", title="p", entity="customer", columns=[Column(name="x", type="number", role="feature")])
    facts = event_gain.gain(rows, counts, words, 0.25, 1)
    assert facts["gain"] > 0.03 and facts["low"] > 0
    assert event_gain.gain(rows, counts[["n_b"]], words, 0.25, 1)["low"] < 0.005


def test_dates_nearer_than_the_window_tell_no_gain():
    dates = pd.to_datetime(["2020-01-01", "2020-02-01"] * 20)
    rows = pd.DataFrame({"parent_id": [f"c{i}" for i in range(40)], "x": 1.0, "as_of_date": dates})
    rows["outcome"] = (np.arange(40) % 4 < 2).astype(float)
    outcome = Outcome(event="gone = 1", window_months=6)
    x = Column(name="x", type="number", role="feature")
    words = Contract(name="p", title="p", entity="customer", columns=[x], outcome=outcome)
    facts = event_gain.gain(rows, pd.DataFrame({"n_a": np.ones(40)}), words, 0.25, 1)
    card = foretelling.gain_evidence(facts)
    assert (card.verdict, card.value) == ("not_evaluated", None)
    assert str(card.answer).startswith("0 rows to learn from, 20 later ones: both need rows with and without the event")


def test_the_answers_name_what_was_planted(made):
    _, _, log_, states = made
    p = events.Params()
    flag = {"name": "left_bank", "type": "number", "description": "leaving the bank (1 in the month)"}
    months = Contract(name="core__month", title="m", columns=[flag])
    answer = foretelling.lift_evidence(lift.lift(log_, states, SURE), p, months)
    assert str(answer.question) == "After which events does leaving the bank follow within 3 months?"
    assert answer.value == 1 and "cause (× " in str(answer.answer)
    waits = pd.DataFrame(
        {
            "event_kind": ["first_use", "credit_check"],
            "n": [90, 50],
            "total_days": [90.0, 20.0],
            "share": [0.8, 0.2],
            "median_days": [10.0, 4.0],
            "p90_days": [12.0, 5.0],
        }
    )
    assert (
        str(events.bottleneck_evidence(waits, pd.DataFrame(), p).answer)
        == "Most for credit check: 20 days in all, 4.0 in the median of 50."
    )
    few = events.bottleneck_evidence(waits.assign(n=[90, 5]), pd.DataFrame(), p)
    assert str(few.answer) == "Fewer than 10 wait for each step of the bank's: too few to tell of."
    paths = pd.DataFrame({"path": ["complaint → call", "complaint"], "customers": [6, 5], "share": [0.55, 0.45]})
    assert str(events.paths_evidence(paths, p).answer) == (
        "The paths of so many customers differ that none may be told of."
    )


def test_a_funnel_of_one_step_and_an_empty_process_are_refused():
    with pytest.raises(UserError, match=r"^actions/events: steps \['a'\]: a funnel has two steps or more$"):
        events.Params(steps=["a"]).verify()
    with pytest.raises(
        UserError, match=r"^actions/events: official is empty; say what may follow each step of the process$"
    ):
        events.Params(official={}).verify()
