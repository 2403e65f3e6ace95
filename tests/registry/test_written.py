"""What people write of a model: checked line by line, needed before a move, and every claim in it is a test."""

from __future__ import annotations

from pathlib import Path

import pytest

import governed
from workbench import home
from workbench.params import UserError
from workbench.registry import claims, events, registered, written
from workbench.registry.written import Chapters

WRITTEN = """
developer:
  intended_use: {en: "Cards: {{claim: holdout_auc >= 0.5}}.", zh_CN: "信用卡：{{claim: holdout_auc >= 0.5}}。"}
  restrictions: none
  limitations: It sees one bank.
  overrides: Two people decide.
validator: {opinion: 1, assessment: Sound.}
"""


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    return tmp_path / written.place("bank.pd")


def _write(place: Path, text: str) -> None:
    home.put(place, text.encode())


def test_what_is_written_is_read_by_language(place):
    assert written.load("bank.pd") == Chapters() and len(Chapters().missing("developer")) == 4
    _write(place, WRITTEN)
    chapters = written.load("bank.pd")
    assert chapters.missing("developer") == chapters.missing("validator") == []
    assert chapters.developer.intended_use.zh_CN.startswith("信用卡") and str(chapters.developer.restrictions) == "none"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("developr: {}", "developr: unknown; did you mean 'developer'?"),
        ("developer: {intended: x}", "developer.intended: unknown; did you mean 'intended_use'?"),
        ("developer: {limitations: {zh: x}}", "developer.limitations.zh: unknown; did you mean 'zh_CN'?"),
        ("validator: {opinion: 5}", "validator.opinion: write 4 or less"),
        ("[a]", "write sections: `developer: {...}`"),
        ("developer: [", "not YAML: line 1: expected the node content, but found '<stream end>'"),
    ],
)
def test_a_mistake_is_named_with_its_place(place, text, line):
    _write(place, text)
    with pytest.raises(UserError) as e:
        written.load("bank.pd")
    assert str(e.value) == f"params/chapters/bank.pd.yaml: {line}"


def test_a_language_that_is_missing_is_missing(place):
    _write(place, WRITTEN.replace(', zh_CN: "信用卡：{{claim: holdout_auc >= 0.5}}。"', ""))
    assert written.load("bank.pd").missing("developer") == ["developer.intended_use (zh_CN)"]


def test_braces_are_a_claim_or_a_mistake(place):
    _write(place, WRITTEN)
    assert [c.words for c in claims.of(written.load("bank.pd"))] == ["holdout_auc >= 0.5"]
    _write(place, WRITTEN.replace("It sees one bank.", "'{{claim: holdout_auc about 0.5}}'"))
    with pytest.raises(
        UserError, match=r"developer.limitations: '{{claim: holdout_auc about 0.5}}' is no claim; write"
    ):
        claims.of(written.load("bank.pd"))
    _write(place, WRITTEN.replace("0.5}}。", "0.6}}。"))
    with pytest.raises(UserError, match=r"developer\.intended_use: its languages claim different things"):
        claims.of(written.load("bank.pd"))


def test_a_claim_is_held_against_what_is_logged():
    made = [
        claims.Claim("c", n, s, v)
        for n, s, v in (("auc", ">=", 0.7), ("auc", "<", 0.7), ("acu", ">", 0), ("psi", "<", 1))
    ]
    results = claims.tested(made, {"auc": claims.Figure(0.75, "r", "auc")})
    assert [(t.holds, t.is_open) for t in results] == [(True, False), (False, False), (False, False), (False, True)]
    assert [t.words for t in claims.contradicted(results)] == [
        "auc < 0.7: contradicted, it is 0.75",
        "acu > 0: no run of the version has logged it; did you mean 'auc'?",
    ]


def test_of_monitoring_the_newest_period_with_known_outcomes_counts():
    series = {"separation": {"2018-01": 0.7, "2018-02": 0.8}, "psi": {"2018-01": 0.1, "2018-02": 0.2, "2018-03": 0.9}}
    seen = claims.monthly(series, "r", {"holdout_auc": 0.75})
    assert seen["psi"].value == 0.2 and seen["psi"].period == "2018-02" and seen["holdout_auc"].value == 0.8
    assert seen["holdout_gini"].value == pytest.approx(0.6) and claims.monthly({}, "r", {}) == {}


def test_nothing_is_submitted_without_the_developers_chapters_nor_approved_without_the_validators(bank):
    governed.write_chapters(developer={"limitations": " "})
    with pytest.raises(UserError) as e:
        governed.move("submit", "dev", "2")
    refused = "bank.pd version 2: submit is refused: params/chapters/bank.pd.yaml:"
    assert str(e.value) == f"{refused} developer.limitations: nobody has written it"
    governed.write_chapters(developer={"limitations": "It is worse: {{claim: holdout_auc >= 0.9}}."})
    with pytest.raises(UserError) as e:
        governed.move("submit", "dev", "2")
    assert str(e.value) == f"{refused} holdout_auc >= 0.9: contradicted, it is 0.75"
    governed.write_chapters(validator={"opinion": None})
    submitted = governed.move("submit", "dev", "2")
    assert events.evidence(submitted)["chapters"]["digest"] == written.load(governed.MODEL).digest
    governed.move("validate", "val", "2")
    with pytest.raises(UserError, match=r"params/chapters/bank\.pd\.yaml: validator.opinion: nobody has written it"):
        governed.move("approve", "app", "2")
    governed.write_chapters()
    assert events.evidence(governed.move("approve", "app", "2"))["chapters"]["validator"]["opinion"] == 2
    assert registered.one(governed.MODEL, "2").tags["state"] == "approved"


def test_an_approval_rests_on_the_words_that_were_submitted(bank):
    submitted = governed.move("submit", "dev", "2")
    governed.move("validate", "val", "2")
    governed.write_chapters(developer={"limitations": "None at all.", "overrides": "Nobody may."})
    with pytest.raises(UserError) as e:
        governed.move("approve", "app", "2")
    assert str(e.value) == (
        "bank.pd version 2: approve is refused: params/chapters/bank.pd.yaml: developer.limitations, developer.overrides: "
        f"other words than event {submitted.seq} submitted; put those back, or reject it and submit it again"
    )
    governed.move("reject", "app", "2", reason="other words")
    again = governed.move("submit", "dev", "2")
    governed.move("validate", "val", "2")
    governed.write_chapters(
        developer={"limitations": "None at all.", "overrides": "Nobody may."}, validator={"assessment": "Better."}
    )
    governed.move("approve", "app", "2")  # the validator's chapters are written after the submission
    assert written.of_move(again).developer.limitations.en == "None at all."
