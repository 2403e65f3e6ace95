"""The committee's paper: what is lacking is named, and a decision is the move that the command line would make."""

import pytest

import governed
from governed import MODEL
from workbench.params import UserError
from workbench.registry import committee, events, state


def _paper(**values: object) -> committee.Paper:
    return committee.gather(committee.Params(study="bank", model="pd", version=2, **values))


def test_a_paper_says_what_each_next_move_lacks_and_decides_nothing(bank):
    paper = _paper()
    rows = committee.next_moves(paper).table.set_index("move")
    assert rows.loc["submit", "people"] == "dev" and rows.loc["submit", "lacks"] == ""
    decision, event = committee.decide(paper)
    assert event is None and decision.verdict == "info"
    assert committee.proof(paper).verdict == "amber" and committee.standing(paper).value == "candidate"


def test_a_decision_is_a_signed_move(bank):
    governed.move("submit", "dev", "2")
    governed.move("validate", "val", "2")
    decision, event = committee.decide(_paper(decision="approve", person="app"))
    assert state.replay(events.read()).of(MODEL, "2").state == "approved"
    assert decision.verdict == "green" and event.seq == events.read().events[-1].seq


def test_a_decision_that_lacks_something_is_refused_as_everywhere(bank):
    with pytest.raises(UserError) as e:
        committee.decide(_paper(decision="approve", person="app"))
    assert str(e.value) == "bank.pd version 2: approve is refused: it is candidate, and approve begins at in validation"


def test_without_a_policy_nobody_may_do_anything(bank, monkeypatch):
    monkeypatch.setattr(events, "adopted", lambda event: None)
    paper = _paper()
    assert committee.standing(paper).verdict == "amber"
    assert set(committee.next_moves(paper).table["people"]) == {""}
