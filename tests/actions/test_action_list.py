"""A list leaves out who opted out, holds the capacity of each officer, says why, and its file starts no formula."""

import pandas as pd
import pytest

from workbench.actions.action_list import action_list
from workbench.evidence.table import to_csv
from workbench.params import UserError


def _candidates(n: int = 10, **columns) -> pd.DataFrame:
    made = {
        "entity_id": [f"c{i}" for i in range(n)],
        "priority": [float(i) for i in range(n)],
        "reason": "balance falls",
        "measure": "call",
    }
    return pd.DataFrame({**made, **columns})


def test_the_highest_priority_comes_first_and_nobody_who_opted_out_is_on_it():
    made = action_list(_candidates(), capacity=3, opted_out={"c9", "c7"})
    assert list(made.rows["entity_id"]) == ["c8", "c6", "c5"] and list(made.rows["rank"]) == [1, 2, 3]
    assert (made.candidates, made.opted_out, made.beyond_capacity) == (10, 2, 5)


def test_capacity_is_each_officers():
    made = action_list(_candidates(officer_code=["O1", "O2"] * 5), capacity=2, opted_out=set())
    assert made.rows.groupby("officer_code")["entity_id"].apply(list).to_dict() == {
        "O1": ["c8", "c6"],
        "O2": ["c9", "c7"],
    }
    assert sorted(made.rows["rank"]) == [1, 1, 2, 2]


def test_equal_priorities_come_in_the_order_of_entities_whatever_the_order_of_rows():
    rows = _candidates(priority=1.0)
    shuffled = action_list(rows.sample(frac=1, random_state=1), capacity=4, opted_out=set())
    pd.testing.assert_frame_equal(shuffled.rows, action_list(rows, capacity=4, opted_out=set()).rows)


def test_what_is_said_of_the_list_is_what_became_of_the_candidates():
    card = action_list(_candidates(), capacity=3, opted_out={"c1"}).evidence("watch_list", "Whom to look at?")
    assert str(card.answer) == (
        "3 of 10 candidates are on the list; 1 opted out of being approached, 6 are beyond the capacity."
    )


def test_the_file_starts_no_formula(tmp_path):
    rows = action_list(_candidates(reason="=cmd|' /C calc'!A0"), capacity=1, opted_out=set()).rows
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
        action_list(candidates, capacity=capacity, opted_out=set())
    assert str(e.value) == words
