"""The committee's paper: what is lacking is named, and a decision is the move that the command line would make."""

import json
import shutil

import pytest

import governed
from governed import MODEL
from running import NOTEBOOKS
from workbench.evidence import card
from workbench.params import UserError
from workbench.registry import committee, events, provenance, recorded, runs, state
from workbench.registry.current import Record
from workbench.registry.recorded import Recorded
from workbench.words import speaking


def _paper(**values: object) -> committee.Paper:
    return committee.gather(committee.Params(study="bank", model="pd", version=2, **values))


def test_a_paper_says_what_each_next_move_lacks_and_decides_nothing(bank):
    paper = _paper()
    rows = committee.next_moves(paper).table.set_index("move")
    assert rows.loc["submit", "people"] == "dev" and rows.loc["submit", "lacks"] == ""
    decision, event = committee.decide(paper)
    assert event is None and decision.verdict == "info"
    assert committee.proof(paper).verdict == "amber" and committee.standing(paper).value == "candidate"


def _watching(period: str, verdict: str, **more) -> Recorded:
    about = {"study": "bank", "status": "FINISHED", "headline": "", "seconds": 1.0, "run_id": "r", "step_key": "k"}
    record = Record(**about, step=f"monitoring/{verdict}", slug=verdict, period=period, verdict=verdict, start=1.0)
    return Recorded(record, {}, more.get("series", {}), {}, {}, more.get("read", {}))


def test_a_paper_says_what_monitoring_says_of_this_very_version_bad_news_first(bank, monkeypatch):
    digest = next(iter(_paper().case.record.models.values()))["digest"]
    here, earlier = {"model__pd": digest}, {"model__pd": "of version 1"}
    watching = {
        "monitoring/green": _watching("once", "green", read=here, series={"psi": {"2023-Q4": 0.1, "2023-Q3": 0.1}}),
        "monitoring/red": _watching("2024-05", "red", read=here),
        "monitoring/amber": _watching("2024-05", "amber", read=earlier),
    }
    monkeypatch.setattr(recorded, "read", lambda key, room: watching)
    (bank / "notebooks" / "monitoring").mkdir(parents=True)
    shutil.copy(NOTEBOOKS / "monitoring" / "causes.ipynb", bank / "notebooks" / "monitoring" / "red.ipynb")
    e = committee.monitored(_paper())
    assert e.verdict == "red"
    assert str(e.answer) == "Last monitoring: Why it rings: red (2024-05), monitoring/green: green (2023-Q4)."
    monkeypatch.setattr(recorded, "read", lambda key, room: {})
    assert committee.monitored(_paper()).verdict == "info"
    in_use = committee.gather(committee.Params(study="bank", model="pd", version=1))
    assert committee.monitored(in_use).verdict == "amber"


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


def test_what_a_move_lacks_is_kept_apart_from_its_words_and_said_in_chinese(bank, monkeypatch):
    commit = {provenance.COMMIT: "none: git is not installed"}
    monkeypatch.setattr(events, "adopted", lambda event: None)
    monkeypatch.setattr(runs, "params", lambda run_id: commit)
    paper = _paper()
    lacks = committee.next_moves(paper).table.set_index("move").loc["submit", "lacks"]
    assert str(lacks) == (
        "bank.pd isn't listed in params/governance.yaml (models: owner, developers, exposure, purpose, justification); "
        "no commit holds all the code of its run (none: git is not installed); commit, and run the study again"
    )
    recorded = json.loads(json.dumps(card.record(committee.next_moves(paper))))
    with speaking("zh_CN"):
        page = card.from_record(recorded)
    assert "<td>bank.pd 未列入 params/governance.yaml（" in page
    assert "；没有一次提交包含其运行的全部代码（无：未安装 git）；请提交代码，然后重新运行研究</td>" in page


def test_a_refusal_is_said_in_english_in_any_language(bank):
    governed.move("submit", "dev", "2")
    with speaking("zh_CN"), pytest.raises(UserError) as e:
        governed.move("reject", "app", "2")
    assert str(e.value) == 'bank.pd version 2: reject is refused: a reason (--reason "…")'
