"""Small groups are hidden so that no total gives them back: tried by recomputing them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

from workbench.evidence import Evidence
from workbench.evidence.disclosure import HIDDEN, People, determined, few, suppressed, tellable, told
from workbench.figures import early_warning, feedback
from workbench.words import say


def test_one_small_group_takes_the_next_smallest_with_it():
    shown = suppressed(pd.DataFrame({"group": list("abcd"), "n": [100, 4, 30, 50], "rate": [0.1] * 4}), "n", 10)
    assert shown["suppressed"].tolist() == [False, True, True, False]
    assert shown.loc[shown["suppressed"], ["n", "rate"]].isna().all(axis=None)
    assert shown.loc[0, "n"] == 100 and shown["group"].tolist() == list("abcd")


def test_groups_may_be_named_by_sentences():
    table = pd.DataFrame({"cause": [say("late"), say("early"), say("late")], "what": list("aab"), "n": [40, 50, 3]})
    assert suppressed(table, "n", 10, by=("cause", "what"))["suppressed"].all()


def test_two_small_groups_that_are_few_together_take_a_third():
    shown = suppressed(pd.DataFrame({"group": list("abc"), "n": [2, 3, 40]}), "n", 10)
    assert shown["suppressed"].all()


def test_nobody_is_told_as_nobody_and_large_groups_stay():
    shown = suppressed(pd.DataFrame({"group": list("abc"), "n": [0, 10, 40]}), "n", 10)
    assert not shown["suppressed"].any()


@pytest.mark.parametrize("seed", range(20))
def test_no_hidden_cell_follows_from_the_totals_of_its_row_column_and_table(seed):
    rng = np.random.default_rng(seed)
    cells = pd.MultiIndex.from_product([range(4), range(5)], names=["risk", "need"]).to_frame(index=False)
    cells["n"] = rng.integers(0, 60, len(cells))
    shown = suppressed(cells, "n", 10, by=("risk", "need"))
    hidden = shown["suppressed"].to_numpy()
    assert hidden[(cells["n"] > 0) & (cells["n"] < 10)].all()
    at = np.flatnonzero(hidden)
    totals = [np.ones(len(at))]
    totals += [(cells.loc[at, name] == v).to_numpy(float) for name in ("risk", "need") for v in cells[name].unique()]
    system = np.array(totals)
    for i in range(len(at)):  # a cell follows where its unit vector is a sum of totals
        unit = np.eye(len(at))[i]
        weights, *_ = np.linalg.lstsq(system.T, unit, rcond=None)
        assert not np.allclose(system.T @ weights, unit, atol=1e-8), "a total gives the cell back"


def test_the_only_hidden_cell_of_a_row_is_recomputed_without_complement():
    assert determined(np.array([[True]])).tolist() == [True]
    assert determined(np.array([[True, True]])).tolist() == [False, False]


def test_what_cannot_be_hidden_well_is_refused():
    with pytest.raises(ValueError, match="k must be 1 or more, not 0"):
        suppressed(pd.DataFrame({"g": ["a"], "n": [1]}), "n", 0)
    with pytest.raises(ValueError, match="a group stands twice; aggregate it first"):
        suppressed(pd.DataFrame({"g": ["a", "a"], "n": [1, 2]}), "n", 10, by=("g",))


def _between(cells: np.ndarray, hidden: np.ndarray, lines: list[np.ndarray]) -> list[tuple[float, float]]:
    """Attack: the least and the most that each hidden cell can be, given every shown cell and the total of each line."""
    at = np.flatnonzero(hidden)
    totals = np.array([line[at] for line in lines], float)
    sums = np.array([cells[line & hidden].sum() for line in lines])
    ends = []
    for i in range(len(at)):
        aim = np.eye(len(at))[i]
        solved = [optimize.linprog(sign * aim, A_eq=totals, b_eq=sums, bounds=(0, None)) for sign in (1, -1)]
        assert all(s.success or s.status == 3 for s in solved)
        ends.append((solved[0].fun, np.inf if solved[1].status == 3 else -solved[1].fun))
    return ends


@pytest.mark.parametrize("seed", range(12))
def test_an_attack_by_all_totals_finds_no_small_cell_of_a_crossed_table(seed):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(np.outer(rng.gamma(1, 8, 5), rng.gamma(1, 2, 4)))
    table = pd.DataFrame(counts, columns=list("wxyz")).assign(stage=list("abcde"))
    shown = People(parts=tuple("wxyz")).published(table)
    cells, hidden = counts.astype(float).ravel(), shown[list("wxyz")].isna().to_numpy().ravel()
    small = (cells > 0) & (cells < 10)
    assert hidden[small].all() and (HIDDEN in shown) == small.any()
    row, column = (v.ravel() for v in np.indices(counts.shape))
    lines = [np.ones(20, bool), *(row == i for i in range(5)), *(column == i for i in range(4))]
    for (low, high), n in zip(_between(cells, hidden, lines), cells[hidden], strict=True):
        if 0 < n < 10:
            assert high - low > 0.5, "the totals leave one number"


def test_neither_a_step_of_a_funnel_nor_what_lies_between_two_is_few():
    table = pd.DataFrame({"step": [1, 2, 3, 4, 5, 6], "n": [100, 97, 60, 55, 18, 12], "rate": 0.5})
    people = People(("n",), nested=True, tells_nothing=("step",))
    shown = people.published(table)
    assert shown[HIDDEN].tolist() == [False, True, False, True, True, False], "the last is told before those between"
    assert shown["step"].tolist() == [1, 2, 3, 4, 5, 6] and shown["rate"].isna().tolist() == shown[HIDDEN].tolist()
    stands = shown["n"].dropna()
    assert (-stands.diff().dropna() >= 10).all() and (stands >= 10).all()
    assert people.published(table.assign(n=[100, 97, 60, 55, 12, 4]))[HIDDEN].tolist() == [
        False,
        True,
        False,
        True,
        False,
        True,
    ]


def test_no_share_of_the_step_before_gives_a_hidden_step_back():
    table = pd.DataFrame({"n": [100, 60, 55, 18], "of_previous": [np.nan, 0.6, 55 / 60, 18 / 55], "of_first": 0.5})
    people = People(("n",), nested=True, of_previous=("of_previous",))
    shown = people.published(table)
    assert shown["n"].isna().tolist() == [False, False, True, False]
    assert shown["of_previous"].isna().tolist() == [True, False, True, True] and shown["of_first"].notna().iloc[3]
    assert shown[HIDDEN].tolist() == [False, False, True, True]
    assert people.published(table.head(0)).empty


def test_what_became_of_them_is_hidden_where_few_and_in_a_second_place_of_its_row_and_column():
    table = pd.DataFrame({"n": [200, 120, 60], "declined": [40, 30, 0], "gone": [36, 27, 0], "silent": [4, 3, 0]})
    shown = People(("n",), nested=True, parts=("declined", "gone", "silent")).published(table)
    parts = shown[["declined", "gone", "silent"]]
    assert shown["n"].tolist() == [200, 120, 60] and parts["silent"].iloc[:2].isna().all()
    assert (parts.isna().sum(axis=1).iloc[:2] >= 2).all(), "else n and the others give it back"


def test_tables_that_stand_below_each_other_are_each_closed_and_the_row_of_all_stays():
    table = pd.DataFrame(
        {"column": ["region"] * 3 + ["sex"] * 2, "segment": list("abcmf"), "n": [5, 40, 55, 50, 50], "rate": 0.1}
    )
    shown = People(("n",), ("column", "segment"), within="column").published(table)
    assert shown[HIDDEN].tolist() == [True, True, False, False, False]
    whole = pd.DataFrame({"segment": ["a", "b", "c", "all"], "n": [5, 40, 55, 100]})
    shown = People(("n",), ("segment",), whole="all").published(whole)
    assert shown[HIDDEN].tolist() == [True, True, False, False]


def test_evidence_never_holds_what_is_hidden_and_a_picture_is_drawn_of_the_rest():
    table = pd.DataFrame({"group": list("abc"), "n": [3, 40, 50], "lane": "x", "portrait": "tells"})
    people = People(("n",), ("group",), tells_nothing=("lane",))
    card = Evidence(key="k", question="?", verdict="info", answer="!", table=table, people=people)
    assert card.table["group"].tolist() == ["c", "a", "b"] and card.table[HIDDEN].tolist() == [False, True, True]
    assert card.table["portrait"].isna().tolist() == [False, True, True] and (card.table["lane"] == "x").all()
    assert people.published(card.table) is card.table, "published once is published"
    assert told(table, "n")["group"].tolist() == ["c"]
    unseen = People(("n",), ("group",), unseen=("n",)).published(table)
    assert "n" not in unseen and unseen[HIDDEN].sum() == 2
    large = People(("n",), ("group",), unseen=("n",)).published(table.assign(n=[30, 40, 50]))
    again = Evidence(
        key="k", question="?", verdict="info", answer="!", table=large, people=People(("n",), unseen=("n",))
    )
    assert list(again.table) == ["group", "lane", "portrait"]
    assert [few(n) for n in (0, 1, 9, 10)] == [False, True, True, False]


def test_where_a_hidden_row_stands_tells_nothing_of_its_number():
    table = pd.DataFrame({"need": list("dcab"), "n": [30, 4, 25, 40], "profit": [-5.0, -1.0, 2.0, 9.0]})
    shown = People(("n",), ("need",)).published(table)
    assert shown["need"].tolist() == ["d", "b", "a", "c"], "else the profit of c lay between its neighbours'"
    by_month = table.assign(profit=[1.0, 3.0, 2.0, 0.0])
    assert People(("n",), ("need",)).published(by_month)["need"].tolist() == list("dcab")


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((118, 19, 0), "118, 19, 0"),
        ((118, 19, 4), "118, [suppressed], [suppressed]"),  # 19 goes with it: the whole would give 4 back
        ((118, 6, 4, 0), "118, [suppressed], [suppressed], 0"),
        ((12, 4), "[suppressed], [suppressed]"),
        ((4,), "[suppressed]"),
    ],
)
def test_a_sentence_hides_what_a_table_of_the_same_parts_hides(parts, words):
    assert str(say("{parts:,}", parts=tellable(*parts))) == words
    table = People(("n",), ("part",)).published(pd.DataFrame({"part": list("abcd")[: len(parts)], "n": parts}))
    shown = dict(zip(table["part"], table["n"], strict=True))
    in_words = {p: n for p, n in zip("abcd", tellable(*parts), strict=False) if isinstance(n, int)}
    assert {p: int(n) for p, n in shown.items() if not np.isnan(n)} == in_words


LINE = "All groups are too small to be shown: fewer than 10, or they would give such a one away."


def _card(n: list[int]) -> str:
    table = pd.DataFrame({"month": [f"2018-{i:02d}" for i in range(1, len(n) + 1)], "n": n, "rate": 0.5})
    whole = Evidence(key="k", question="q", verdict="info", answer="a", table=table, people=People(("n",), ("month",)))
    return whole._repr_html_()


def test_a_table_of_which_every_row_is_hidden_is_a_line():
    card = _card([3, 4, 2])
    assert LINE in card and "<table" not in card and "2018-01" not in card
    by_number = pd.DataFrame({"months before": [2, 3, 4], "events": [3, 4, 2]})
    people = People(("events",), ("months before",))
    e = Evidence(key="k", question="q", verdict="info", answer="a", table=by_number, people=people)
    assert LINE in e._repr_html_() and "<table" not in e._repr_html_()
    assert str(early_warning.lead(e.table, None)) == LINE


def test_rows_hidden_whole_are_named_in_a_line_where_they_are_most_of_the_table():
    card = _card([3, 40, 5, 2])
    assert "Too small to be shown, 3 more: 2018-01, 2018-03, 2018-04." in card
    assert card.count("<tr>") == 2 and "suppressed" not in card
    words = pd.DataFrame({"what": [say("late"), say("early"), say("late again")], "n": [40, 3, 4]})
    card_ = Evidence(key="k", question="q", verdict="info", answer="a", table=words, people=People(("n",), ("what",)))
    assert "more: early, late again, late." not in card_._repr_html_() and LINE in card_._repr_html_()
    card_ = replace(card_, table=words.assign(n=[40, 6, 7]), people=People(("n",), ("what",)))
    assert "Too small to be shown, 2 more: early, late again." in card_._repr_html_()
    few_hidden = _card([6, 40, 50, 60, 7])
    assert "more:" not in few_hidden and few_hidden.count("<tr>") == 6 and "suppressed" in few_hidden


def test_a_picture_of_which_every_group_is_hidden_is_a_line():
    months = pd.DataFrame({"month": pd.date_range("2018-01-01", periods=3, freq="MS"), "n": [3, 4, 2], "weighted": 1.0})
    assert str(feedback.scores(told(months, "n"))) == LINE
    assert feedback.scores(told(months.assign(n=30), "n")).__class__.__name__ == "Picture"
