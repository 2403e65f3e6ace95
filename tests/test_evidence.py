"""Evidence: worst first, escaped, left behind whole."""

import json

import pandas as pd
import pytest

from workbench import evidence
from workbench.evidence import Evidence, Verdict


def _e(name: str, verdict: str, **more) -> Evidence:
    return Evidence(key=name, question="Is it so?", verdict=verdict, answer="It is.", value=1.0, **more)


def test_bad_news_comes_first_and_order_is_kept_within_a_light():
    items = [_e("a", "green"), _e("b", "red"), _e("c", "info"), _e("d", "error"), _e("e", "red")]
    assert [e.key for e in evidence.worst_first(items)] == ["d", "b", "e", "a", "c"]
    assert evidence.worst(items) is Verdict.error
    assert evidence.worst([]) is Verdict.info


def test_what_a_customer_typed_is_shown_not_run():
    evil = "<img src=x onerror=alert(1)>"
    shown = Evidence(
        key="a",
        question=evil,
        verdict="red",
        answer=evil,
        value=evil,
        threshold=evil,
        source=evil,
        table=pd.DataFrame({evil: [evil]}),
    )._repr_html_()
    assert "<img src=x" not in shown


def test_evidence_is_frozen_and_unknown_verdicts_are_refused():
    with pytest.raises(AttributeError):
        _e("a", "green").name = "b"
    with pytest.raises(ValueError, match="purple"):
        _e("a", "purple")


def test_what_is_left_behind_is_complete_and_its_digests_hold(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_STEP_DIR", str(tmp_path))
    extra = tmp_path.parent / "model.json"
    extra.write_text("{}")
    items = [_e("a", "green", table=pd.DataFrame({"x": [1]})), _e("b", "amber")]
    said = {"tags": {"model__pd": {"verdict": "pass"}}, "series": {"auc": {"2018-03": 0.7}}}
    shown = evidence.leave(items, figures={"auc": 0.7}, files={"model/model.json": extra}, **said)
    left = json.loads((tmp_path / evidence.LEFT_BEHIND).read_text())
    assert left["verdict"] == "amber" and left["figures"] == {"auc": 0.7}
    assert left["tags"] == {"model__pd": {"verdict": "pass"}} and left["series"] == {"auc": {"2018-03": 0.7}}
    assert left["files"].keys() == {"a.csv", "model/model.json"}
    assert all(evidence.digest_file(tmp_path / n) == d for n, d in left["files"].items())
    assert list(shown.table["verdict"]) == ["amber", "green"]
    assert (str(shown.verdict), str(shown.answer)) == ("amber", "2 answers: 1 amber, 1 green.")


def test_long_answers_are_shown_whole():
    said = "seldom " * 40 + "cut"
    assert (
        said
        in evidence.summary([Evidence(key="a", question="A question?", verdict="green", answer=said)])._repr_html_()
    )


def test_long_tables_are_folded_not_cut():
    shown = Evidence(
        key="a", question="A question?", verdict="green", answer="x", table=pd.DataFrame({"row": range(100)})
    )._repr_html_()
    assert "<summary>90 more rows</summary>" in shown and ">99</td>" in shown


def test_run_by_hand_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.delenv("WORKBENCH_STEP_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    evidence.leave([_e("a", "green")])
    assert list(tmp_path.iterdir()) == []
