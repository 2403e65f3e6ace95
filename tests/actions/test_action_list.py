"""A list leaves out who opted out, holds the capacity of each officer, says why, and its file starts no formula."""

import pandas as pd
import pytest

from workbench import tables
from workbench.actions.action_list import ARREARS, DISCONTENT, OPTED_OUT, action_list, asked_of, made, opted_out
from workbench.contracts import Column, Contract
from workbench.customers import lists
from workbench.evidence.table import to_csv
from workbench.params import Key, UserError


def _candidates(n: int = 10, **columns) -> pd.DataFrame:
    made = {
        "entity_id": [f"c{i}" for i in range(n)],
        "priority": [float(i) for i in range(n)],
        "reason": "balance falls",
        "measure": "call",
    }
    return pd.DataFrame({**made, **columns})


def test_the_highest_priority_comes_first_and_nobody_who_opted_out_is_on_it():
    made = action_list(_candidates(), capacity=3, barred={"c9": OPTED_OUT, "c7": OPTED_OUT})
    assert list(made.rows["entity_id"]) == ["c8", "c6", "c5"] and list(made.rows["rank"]) == [1, 2, 3]
    assert (made.candidates, made.aside, made.beyond_capacity) == (10, {"opted_out": 2}, 5)


def test_capacity_is_each_officers():
    made = action_list(_candidates(officer_code=["O1", "O2"] * 5), capacity=2, barred={})
    assert list(made.rows.columns[:3]) == ["officer_code", "rank", "entity_id"]
    assert made.rows.iloc[:, :3].to_numpy().tolist() == [
        ["O1", 1, "c8"],
        ["O1", 2, "c6"],
        ["O2", 1, "c9"],
        ["O2", 2, "c7"],
    ]
    fewer = action_list(_candidates(officer_code=["O1", "O2"] * 5), capacity=2, barred={}, most=3)
    assert list(fewer.rows["entity_id"]) == ["c8", "c9", "c7"] and fewer.beyond_capacity == 7


def test_equal_priorities_come_in_the_order_of_entities_whatever_the_order_of_rows():
    rows = _candidates(priority=1.0)
    shuffled = action_list(rows.sample(frac=1, random_state=1), capacity=4, barred={})
    pd.testing.assert_frame_equal(shuffled.rows, action_list(rows, capacity=4, barred={}).rows)


def test_what_is_said_of_the_list_is_what_became_of_the_candidates():
    why = {
        "c1": OPTED_OUT,
        "c2": DISCONTENT,
        "c3": lists.WATCH,
        "c4": lists.SAVE,
        "c5": lists.SAVE,
        "c6": ARREARS,
        "x": lists.WATCH,
    }
    card = action_list(_candidates(), capacity=3, barred=why).evidence("offers", "Whom to call?", "by gain")
    assert str(card.answer) == (
        "3 of 10 candidates are on the list, 1 beyond the capacity. Set aside: 1 opted out of being approached, "
        "1 are in arrears, 1 are discontent and get an answer first, 1 stand on the watch list, 2 stand on the save list. "
        "One list contacts a customer: the first that wants him. Ranked by gain."
    )
    alone = action_list(_candidates(), capacity=9, barred={}).evidence("offers", "Whom to call?", "by gain")
    assert str(alone.answer) == "9 of 10 candidates are on the list, 1 beyond the capacity. Ranked by gain."


@pytest.mark.parametrize(
    ("values", "labels", "type_"),
    [
        ([1, 0, 0], {}, "integer"),
        ([1.0, 0.0, 0.0], {}, "number"),
        ([True, False, False], {}, "category"),
        (["yes", "no", "no"], {}, "category"),
        (["Y", "N", "N"], {"Y": "do not call", "N": "fine"}, "category"),
        (["do not call", "fine", "fine"], {"Y": "do not call", "N": "fine"}, "category"),
        (["是", "否", "否"], {}, "category"),
    ],
)
def test_an_opt_out_is_one_however_it_is_written(tmp_path, monkeypatch, values, labels, type_):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    key, columns = (
        Key("bank"),
        (
            Column(name="entity_id", type="text", role="key"),
            Column(name="opted_out", type=type_, role="fact", values=labels),
        ),
    )
    contract = Contract(name="a", title="A", columns=columns)
    account = pd.DataFrame({"entity_id": ["c0", "c1", "c2"], "opted_out": values})
    tables.write(key, "core__account", account, contract)
    assert opted_out(key) == {"c0"}
    unclear = account.astype({"opted_out": object}).assign(opted_out=["maybe", None, values[2]])
    tables.write(key, "core__account", unclear.astype({"opted_out": str}), contract)
    with pytest.raises(UserError) as e:
        opted_out(key)
    assert str(e.value) == (
        "core__account: opted_out says neither yes nor no of 2 customers; write 1 or 0 (yes or no), so that nobody is "
        "approached who must not be"
    )


def test_a_list_takes_nobody_from_one_that_goes_first_and_answers_a_complaint_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    key = Key("bank")
    account = _candidates(5)[["entity_id"]].assign(opted_out=["1", "0", "0", "0", "0"], officer_code="O1")
    columns = [Column(name="entity_id", type="text", role="key")]
    columns += [Column(name=n, type="category", role="fact") for n in ("opted_out", "officer_code")]
    tables.write(key, "core__account", account, Contract(name="a", title="A", currency="EUR", columns=tuple(columns)))
    for name, entity in ((lists.WATCH, "c1"), (lists.OFFER, "c2")):
        tables.write(key, name, pd.DataFrame({"entity_id": [entity]}))
    rows = _candidates(5, exposure_amt=1.0)
    watched = made(key, lists.WATCH, rows, capacity=9)
    assert len(watched.rows) == 5 and not watched.aside, "who opted out is watched: that is no approach"
    saved = made(key, lists.SAVE, rows, capacity=9)
    assert list(saved.rows["entity_id"]) == ["c4", "c3", "c2"] and saved.aside == {"opted_out": 1, lists.WATCH: 1}
    assert saved.rows[["officer_code", "currency"]].to_numpy().tolist() == [["O1", "EUR"]] * 3
    calls = made(key, lists.FOLLOW_UP, rows, capacity=9, answered={"c0", "c2"})
    assert list(calls.rows["entity_id"]) == ["c4", "c3", "c2"] and calls.aside == {"opted_out": 1, lists.WATCH: 1}
    assert asked_of(lists.SAVE) == ["?mart__list_watch", "?core__feedback", "?core__month"]
    assert (
        asked_of(lists.SAVE, ["core__month"]) == ["?mart__list_watch", "?core__feedback"]
        and asked_of(lists.WATCH) == []
    )
    feedback = {"kind_code": "nps", "invited_at": pd.Timestamp("2018-12-03"), "answered_at": pd.Timestamp("2018-12-09")}
    scored = pd.DataFrame({"entity_id": ["c3", "c4", "c4"], "score": [6.0, 3.0, 9.0], **feedback})
    scored.loc[2, "answered_at"] += pd.Timedelta(days=1)  # content since
    tables.write(key, "core__feedback", scored)
    assert made(key, lists.SAVE, rows, capacity=9).aside == {"opted_out": 1, "discontent": 1, lists.WATCH: 1}
    tables.write(key, "core__month", pd.DataFrame({"entity_id": ["c3"], "month": pd.to_datetime(["2019-02-01"])}))
    assert made(key, lists.SAVE, rows, capacity=9).aside == {"opted_out": 1, lists.WATCH: 1}, "two months ago by now"


def test_who_is_past_due_in_his_last_month_is_on_no_list_that_sells(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    key, at = Key("bank"), pd.to_datetime(["2018-11-01", "2018-12-01"])
    people, delays = pd.DataFrame({"entity_id": [f"c{i}" for i in range(4)]}), [(0, 0), (2, 0), (0, 1), (5, 6)]
    contract = Contract(name="a", title="A", columns=(Column(name="entity_id", type="text", role="key"),))
    tables.write(key, "core__account", people, contract)
    months = [(f"c{i}", month, float(d)) for i, both in enumerate(delays) for month, d in zip(at, both, strict=True)]
    tables.write(key, "core__month", pd.DataFrame(months, columns=["entity_id", "month", "delay_months"]))
    for name in (lists.SAVE, lists.OFFER, lists.CONTACT, "mart__list_of_a_new_step"):
        sold = made(key, name, _candidates(4), capacity=9)
        assert list(sold.rows["entity_id"]) == ["c1", "c0"] and sold.aside == {"arrears": 2}
    for name in (lists.WATCH, lists.FOLLOW_UP):
        assert len(made(key, name, _candidates(4), capacity=9).rows) == 4


def test_the_file_starts_no_formula(tmp_path):
    rows = action_list(_candidates(reason="=cmd|' /C calc'!A0"), capacity=1, barred={}).rows
    to_csv(rows, tmp_path / "list.csv")
    assert "'=cmd" in (tmp_path / "list.csv").read_text()


@pytest.mark.parametrize(
    ("candidates", "capacity", "words"),
    [
        (_candidates(), 0, "a list needs a capacity of at least 1, not 0"),
        (
            _candidates().drop(columns="reason"),
            1,
            "a list needs the columns entity_id, priority, reason, measure; missing: reason",
        ),
        (_candidates(entity_id="c1"), 1, "a list has one row a customer; 9 stand twice among the candidates"),
        (_candidates(measure=" "), 1, "a list says why and what: 10 candidates have no measure"),
    ],
)
def test_what_cannot_be_a_list_is_told_in_one_line(candidates, capacity, words):
    with pytest.raises(UserError) as e:
        action_list(candidates, capacity=capacity, barred={})
    assert str(e.value) == words
