"""Evidence: worst first, escaped, left behind whole."""

import json
import re

import pandas as pd
import pytest

from workbench import evidence
from workbench.evidence import Evidence, Verdict
from workbench.evidence.table import to_html


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
    tagged = {"tags": {"model__pd": {"verdict": "pass"}}, "series": {"auc": {"2018-03": 0.7}}}
    shown = evidence.leave(items, figures={"auc": 0.7}, files={"model/model.json": extra}, **tagged)
    record = json.loads((tmp_path / evidence.LEFT_BEHIND).read_text())
    assert record["verdict"] == "amber" and record["figures"] == {"auc": 0.7}
    assert record["tags"] == {"model__pd": {"verdict": "pass"}} and record["series"] == {"auc": {"2018-03": 0.7}}
    assert record["files"].keys() == {"a.csv", "model/model.json"}
    assert all(evidence.digest_file(tmp_path / n) == d for n, d in record["files"].items())
    assert list(shown.table["verdict"]) == ["amber", "green"]
    assert (str(shown.verdict), str(shown.answer)) == ("amber", "2 answers: 1 amber, 1 green.")


def test_long_answers_are_shown_whole():
    answer = "seldom " * 40 + "cut"
    assert (
        answer
        in evidence.summary([Evidence(key="a", question="A question?", verdict="green", answer=answer)])._repr_html_()
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


def test_a_table_for_spreadsheets_holds_no_formula_and_numbers_stay_numbers(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_STEP_DIR", str(tmp_path))
    evil = ["=cmd|' /C calc'!A0", "+1+cmd", "-2+3", "@SUM(A1)", "\tx", "\rx", " =1", "-1.5", "+12.3%", "plain", "a=b"]
    evidence.leave([_e("a", "green", table=pd.DataFrame({"=x": evil, "n": [-1.5] * len(evil)}))])
    cells = pd.read_csv(tmp_path / "a.csv", dtype=str, keep_default_na=False)
    assert list(cells.columns) == ["'=x", "n"] and set(cells["n"]) == {"-1.5"}
    assert all(cell.startswith("'") for cell in cells["'=x"][:7])
    assert list(cells["'=x"][7:]) == ["-1.5", "+12.3%", "plain", "a=b"]


def test_a_record_comes_back_whole():
    from workbench.evidence import card
    from workbench.words import say, speaking

    table = pd.DataFrame({"feature": ["a"], "iv": [0.25], "says": [say("In order")]})
    whole = _e("a", "amber", table=table, threshold=say("In order"))
    bundle = json.loads(json.dumps(whole._repr_mimebundle_()[card.MIME]))
    assert card.from_record(bundle) == card.html_card(whole)
    with speaking("zh_CN"):
        assert card.from_record(bundle).count("正常") == 2
    bare = Evidence.from_record(whole.record())
    assert (bare.table, bare.figure, bare.answer) == (None, None, whole.answer)


@pytest.mark.parametrize(
    ("columns", "percent"),
    [
        ({"predicted": 0.2, "observed": 0.3, "low": 0.25, "high": 1.0}, ["predicted", "observed", "low", "high"]),
        ({"observed": 0.3, "n": 12, "observed_low": 0.2}, ["observed"]),
        (
            {"observed": 0.3, "observed_low": 0.2, "separation": 0.7, "separation_low": 0.6},
            ["observed", "observed_low"],
        ),
        ({"lead": 0.01, "low": 0.0, "high": 0.02}, []),
        ({"observed": 2500.0, "low": 0.5, "high": 3000.0}, []),
        ({"observed": 1, "expected": 0.5}, ["expected"]),
        ({"mean PD": 0.1, "churn probability": 0.2, "change": -0.3}, ["mean PD", "churn probability", "change"]),
        ({"mean predicted loss": 0.1, "mean change": 0.2}, ["mean predicted loss"]),
        ({"of_previous": 1.0, "previous_low": 0.9931, "gain": 0.01}, ["of_previous", "previous_low"]),
        (
            {"share that buys": 0.0895, "P(churn)": 0.05, "in common": 0.34},
            ["share that buys", "P(churn)", "in common"],
        ),
        ({"followed": 0.47, "decisions turned, at most": 0.13}, ["followed", "decisions turned, at most"]),
        ({"followed": 1, "converted": 0, "spread": 0.07}, []),
        ({"completeness": 0.2685, "auc": 0.7, "share of grade": "A"}, ["completeness"]),
    ],
)
def test_what_a_column_is_decides_whether_it_is_percent(columns, percent):
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", to_html(pd.DataFrame([columns])))
    assert [n for n, cell in zip(columns, cells, strict=True) if cell.endswith("%")] == percent


def test_shares_are_shown_as_percent_with_their_interval_and_years_whole():
    table = pd.DataFrame({"share": [0.123, 0.05], "default rate": [0.2, 0.25], "low": 0.1, "iv": 0.04, "year": 2007})
    shown = _e("a", "green", table=table)._repr_html_()
    assert all(f">{t}<" in shown for t in ("12.3%", "5.00%", "20.0%", "10.0%", "0.04", "2007"))


def test_an_optional_answer_with_nothing_to_evaluate_decides_no_light(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_STEP_DIR", str(tmp_path))
    items = [_e("a", "green"), _e("b", "not_evaluated")]
    lights = [str(evidence.leave(items, optional=keys).verdict) for keys in ((), ("b",))]
    assert lights == ["not_evaluated", "green"]
    assert json.loads((tmp_path / evidence.LEFT_BEHIND).read_text())["verdict"] == "green"
    assert str(evidence.leave([*items, _e("c", "amber")], optional=("b", "c")).verdict) == "amber"


def test_a_table_of_more_rows_than_a_page_holds_says_where_the_rest_is():
    page = to_html(pd.DataFrame({"n": range(20)}), rows=1_234_567)
    assert "10 more rows" in page
    assert "… and 1,233,567 more in the CSV beside the MLflow run&#x27;s evidence" in page


def test_a_header_around_a_word_that_only_the_bank_knows_is_translated_with_the_word_in_it():
    from workbench.words import speaking

    header = ["mean closure probability", "highest closure rate", "lowest closure rate", "mean PD", "closure rate"]
    table = pd.DataFrame([[0.1] * len(header)], columns=header)
    assert re.findall(r"<th[^>]*>([^<]*)</th>", to_html(table)) == header
    with speaking("zh_CN"):
        shown = re.findall(r"<th[^>]*>([^<]*)</th>", to_html(table))
    assert shown[:3] == ["closure probability 均值", "最高 closure rate", "最低 closure rate"]
    assert shown[3] == "违约概率（PD）均值" and shown[4] == "closure rate"


def test_a_period_stays_on_its_line_and_every_light_is_one():
    table = pd.DataFrame({"period": ["2009-Q3"], "since": ["2009-07-31"], "estimated_light": ["red"], "code": ["2009"]})
    cells = re.findall(r"<td.*?</td>", to_html(table))
    assert cells[:2] == ['<td class="when">2009-Q3</td>', '<td class="when">2009-07-31</td>']
    assert cells[2:] == ['<td><span class="light red">red</span></td>', "<td>2009</td>"]
