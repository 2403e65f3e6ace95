"""What is put on record about a version: plan, re-performance, findings and how they close, conditions met."""

import time
from datetime import date, timedelta
from types import SimpleNamespace

import pytest

import governed
from governed import MODEL
from workbench import cli
from workbench.params import UserError
from workbench.registry import (
    audit,
    chained,
    committee,
    events,
    inventory,
    needs,
    obligations,
    signatures,
    state,
)
from workbench.registry.events import Event
from workbench.registry.request import Case, Request

LATER = (date.today() + timedelta(days=90)).isoformat()
OWED = {"severity": "high", "owner": "dev", "due": LATER}


def _refused(verb: str, person: str, version: str = "2", **more: object) -> str:
    with pytest.raises(UserError) as e:
        governed.move(verb, person, version, **more)
    return str(e.value).partition(" is refused: ")[2]


def _in_validation(version: str = "2") -> None:
    governed.move("submit", "dev", version)
    governed.move("validate", "val", version)


def test_a_finding_of_high_severity_stops_an_approval_until_it_is_closed(bank, capsys):
    _in_validation()
    raised = governed.move("finding", "val", "2", reason="segment B is 20% too low", more=OWED)
    assert (raised.source, raised.target) == ("in validation", "in validation")
    words = f"finding {raised.seq} (high, dev, due {LATER}): segment B is 20% too low"
    assert _refused("approve", "app") == words
    assert inventory.listing()[-1].findings == (words,)
    assert cli.main(["findings"]) == 0
    assert "segment B is 20% too low" in capsys.readouterr().out
    assert _refused("close", "val", reason="calibrated anew", more={"finding": 99}) == (
        f"no open finding has the number 99; open: {raised.seq}"
    )
    assert _refused("close", "val", reason="calibrated anew") == f"which finding; open: {raised.seq}"
    closing = {"finding": raised.seq, "test": "holdout_auc >= 0.7"}
    governed.move("close", "val", "2", reason="calibrated anew", more=closing)
    governed.move("approve", "app", "2")
    (closed,) = obligations.findings(events.read(), MODEL)
    assert (closed.is_open, closed.how, closed.test) == (False, "calibrated anew", "holdout_auc >= 0.7")
    assert audit.run().findings == ()


def test_the_test_of_a_closed_finding_is_asked_of_every_later_version(bank):
    raised = governed.move("finding", "val", "1", reason="it ranked too little", more=OWED)
    closing = {"finding": raised.seq, "test": "holdout_auc >= 0.74"}
    governed.move("close", "val", "1", reason="a new input", more=closing)
    weak = governed.registered(4, {"holdout_auc": 0.7})
    _in_validation(weak)
    assert _refused("approve", "app", weak) == (
        f"it fails the test of closed finding {raised.seq} (holdout_auc >= 0.74): "
        "holdout_auc >= 0.74: contradicted, it is 0.7"
    )


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"owner": "dev", "due": LATER}, "a severity (high, medium, low)"),
        ({}, "a severity (high, medium, low); who sees to it (owner); by which day (due)"),
        ({**OWED, "owner": "deb"}, "nobody is called 'deb'; did you mean 'dev'?"),
        ({**OWED, "due": "2020-01-01"}, "'2020-01-01' is no day after today; write YYYY-MM-DD"),
        ({**OWED, "due": "soon"}, "'soon' is no day after today; write YYYY-MM-DD"),
    ],
)
def test_a_finding_names_severity_owner_and_day(bank, more, words):
    assert _refused("finding", "val", reason="something", more=more) == words


def test_a_test_that_is_none_closes_nothing(bank):
    raised = governed.move("finding", "val", "1", reason="it ranked too little", more=OWED)
    with pytest.raises(UserError) as e:
        governed.move("close", "val", "1", reason="mended", more={"finding": raised.seq, "test": "better now"})
    assert str(e.value) == "'better now' is no test; write `holdout_gini >= 0.45` or `calibration_line is green`"


@pytest.mark.parametrize(
    ("test", "why"),
    [
        ("trends is not red", "trends is not_evaluated"),
        ("drift is not red", "drift is error"),
        ("lines is not red", ""),
        ("auc is not red", "auc is red"),
        ("auc is not green", ""),
        ("trends is green", "trends is not_evaluated"),
        ("lines is green", ""),
    ],
)
def test_a_light_that_was_never_lit_passes_no_test(monkeypatch, test, why):
    lights = {"trends": "not_evaluated", "drift": "error", "lines": "green", "auc": "red"}
    content = {"evidence": [{"key": key, "verdict": light} for key, light in lights.items()]}
    monkeypatch.setattr(obligations.recorded, "left_behind", lambda record: content)
    assert str(obligations.fails(test, None, SimpleNamespace())) == why


def test_of_a_retired_version_nothing_is_owed_any_more(bank, monkeypatch):
    """No move settles it: it stays in the register as it was, and neither inventory nor audit asks for it."""
    raised = governed.move("finding", "val", "1", reason="it ranked too little", more=OWED)
    register = obligations.table(events.read()).set_index("number")["state"].to_dict()
    assert register == {raised.seq: "open", 0: "open"}
    governed.champion("2")
    monkeypatch.setattr(events, "now", lambda: "2099-01-01T00:00:00Z")
    monkeypatch.setattr(obligations, "now", events.now)
    register = obligations.table(events.read()).set_index("number")["state"].to_dict()
    assert register == {raised.seq: "retired from use"}
    assert str(committee.owed(committee.gather(committee.Params(study="bank", version=2))).verdict) == "green"
    retired = next(e for e in inventory.listing() if e.version == "1")
    assert (retired.findings, retired.overdue, retired.conditions) == ((), (), ())


def test_an_exception_that_has_ended_can_only_be_retired(bank, monkeypatch):
    until = (date.today() + timedelta(days=30)).isoformat()
    governed.move("exempt", "app", "2", reason="nothing else", until=until)
    with monkeypatch.context() as later:
        later.setattr(events, "now", lambda: "2099-01-01T00:00:00Z")
        assert f"bank.pd version 2: its exception ended on {until}; retire it" in _seen()
    assert _refused("submit", "dev") == ("it is exception use, and submit begins at candidate or rejected")
    governed.move("retire", "own", "2", reason="its exception has ended")


def test_conditions_name_owner_and_day_and_go_when_they_are_met(bank):
    _in_validation()
    assert _refused("approve", "app", conditions=("watch it",)) == (
        "condition 'watch it' names no day and owner; write \"2027-01-31 d001: what is to be done\""
    )
    condition = f"{LATER} dev: watch segment B"
    governed.move("approve", "app", "2", conditions=(condition,))
    assert _refused("meet", "val", reason="watched", more={"condition": "another"}) == (
        f"no such condition is open; open: {condition}"
    )
    governed.move("meet", "val", "2", reason="three months without a light", more={"condition": condition})
    assert state.replay(events.read()).of(MODEL, "2").conditions == ()
    assert audit.run().findings == ()


def _asking(**tier: bool) -> None:
    content = governed.policy()
    content["by_tier"][2] |= tier
    governed.write_policy(content)
    governed.moves.adopt("app")


def test_an_approval_may_ask_for_a_plan_that_was_signed_before_the_results(bank, monkeypatch):
    _asking(plan=True)
    _in_validation()
    assert _refused("approve", "app") == f"no validation plan is signed (`workbench plan {MODEL}/2 --as ID`)"
    plan = governed.move(
        "plan", "val", "2", attached={"tests": ["auc", "evidence"], "params": {"seed": 1, "model": "pd"}}
    )
    assert events.evidence(plan)["plan"]["tests"] == ["auc", "evidence"]
    assert _refused("approve", "app") == (
        f"its battery ran before the plan was signed (event {plan.seq}); "
        "`workbench run params/bank.yaml --step validation/battery@2 --fresh`"
    )
    governed.battery(2, start=time.time() + 60)
    otherwise = ["seed: null instead of 1", "test evidence was not run"]
    assert _refused("approve", "app") == (
        f'the battery did otherwise than the plan says ({", ".join(otherwise)}); say why (--reason "…"), or run it as '
        "planned"
    )
    approved = governed.move("approve", "app", "2", reason="the seed was lost")
    assert events.evidence(approved)["deviations"] == approved.details["deviations"] == otherwise
    assert audit.run().findings == ()


def test_an_approval_may_ask_that_somebody_else_made_it_again(bank):
    _asking(reproduction=True)
    _in_validation()
    assert _refused("approve", "app") == f"nobody has made it again (`workbench reproduce {MODEL}/2 --as ID`)"
    assert "has developed it; somebody else decides" in _both_roles("reproduce")
    governed.move("reproduce", "val", "2", more={"verdict": "different"}, attached={"verdict": "different"})
    assert _refused("approve", "app") == (
        f"making it again came to different (`workbench reproduce {MODEL}/2 --as ID`)"
    )
    governed.move("reproduce", "val", "2", more={"verdict": "identical"}, attached={"verdict": "identical"})
    governed.move("approve", "app", "2")
    assert audit.run().findings == ()


def test_who_may_not_sign_is_told_before_the_work(bank):
    governed.moves.may("reproduce", "val")
    with pytest.raises(UserError, match=r"dev is developer; it takes the role validator \(.*\)$"):
        governed.moves.may("reproduce", "dev")


def _both_roles(verb: str) -> str:
    content = governed.policy()
    content["by_tier"][2]["reproduction"] = True
    content["people"]["dev"]["roles"] = ["developer", "validator"]
    governed.write_policy(content)
    governed.moves.adopt("app")
    return _refused(verb, "dev")


def test_code_that_no_commit_holds_is_not_submitted(bank):
    loose = governed.registered(6, commit="none: git is not installed")
    assert _refused("submit", "dev", loose) == (
        "no commit holds all the code of its run (none: git is not installed); commit, and run the study again"
    )


def test_the_same_model_from_code_that_a_commit_holds_is_a_version_that_can_be_submitted(bank):
    loose = governed.registered(7, commit="none: git is not installed")
    assert governed.registered(7, commit="none: git is not installed") == loose
    held = governed.registered(7)
    assert int(held) == int(loose) + 1 and governed.registered(7) == held
    assert governed.registered(7, commit="none: git is not installed") in (held, loose)  # one there is, either is right
    governed.move("submit", "dev", held)


def test_what_is_put_on_record_moves_nobody_and_can_say_nothing_else(bank):
    before = state.replay(events.read()).of(MODEL, "1")
    more = {**OWED, "replaces": "7", "missing_approvals": 3}
    governed.move("finding", "val", "1", reason="x", more=more)
    assert state.replay(events.read()).of(MODEL, "1") == before
    promoted = Request("review", MODEL, "1", "val", reason="look", more={"replaces": "7"})
    assert "replaces" not in governed.moves.make(promoted).details


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("plan", "no validation plan was signed before it"),
        ("reproduction", "making it again had come to nothing: nobody had done it"),
    ],
)
def test_an_approval_that_an_altered_client_makes_without_what_its_tier_asks_is_named(bank, monkeypatch, asked, words):
    _asking(**{asked: True})
    _in_validation()
    with monkeypatch.context() as altered:
        altered.setattr(needs, "missing", lambda move, case: [])
        forged = governed.move("approve", "app", "2")
    assert [f"{f.place}: {f.what}" for f in audit.run().findings] == [
        f"event {forged.seq} (approve bank.pd 2): {words}"
    ]
    with pytest.raises(UserError, match="nothing is moved or served on it"):
        governed.move("promote", "own", "2")


def _approved_by_an_altered_client(monkeypatch) -> str:
    """Let a client without any look of ours approve version 2; return the place of its event."""
    with monkeypatch.context() as altered:
        altered.setattr(needs, "missing", lambda move, case: [])
        forged = governed.move("approve", "app", "2")
    return f"event {forged.seq} (approve bank.pd 2)"


def _seen() -> list[str]:
    return [f"{f.place}: {f.what}" for f in audit.run().findings]


def test_an_approval_over_an_open_finding_of_high_severity_is_named_and_nothing_is_built_on_it(bank, monkeypatch):
    _in_validation()
    of_another = governed.move("finding", "val", "1", reason="of another version", more=OWED)
    governed.move("finding", "val", "2", reason="a small thing", more={**OWED, "severity": "low"})
    raised = governed.move("finding", "val", "2", reason="segment B is 20% too low", more=OWED)
    place = _approved_by_an_altered_client(monkeypatch)
    words = f"finding {raised.seq} of high severity was open, and it was made all the same"
    assert _seen() == [f"{place}: {words}"] and raised.seq != of_another.seq
    with pytest.raises(UserError) as e:
        governed.move("promote", "own", "2")
    assert str(e.value) == f"governance: {place}: {words}; nothing is moved or served on it; `workbench audit`"


@pytest.mark.parametrize(
    ("section", "chapters", "words"),
    [
        ("validator", {"opinion": None}, "nobody had written validator.opinion, and it was made all the same"),
        (
            "developer",
            {"limitations": "None at all."},
            "developer.limitations said other words than event 6 submitted, and it was made all the same",
        ),
    ],
)
def test_an_approval_on_empty_or_other_chapters_by_an_altered_client_is_named(
    bank, monkeypatch, section, chapters, words
):
    _in_validation()
    governed.write_chapters(**{section: chapters})
    assert _seen() == []
    place = _approved_by_an_altered_client(monkeypatch)
    assert _seen() == [f"{place}: {words}"]
    governed.write_chapters()
    assert _seen() == [f"{place}: {words}"]


def test_a_submission_on_empty_chapters_by_an_altered_client_is_named(bank, monkeypatch):
    governed.write_chapters(developer={"limitations": "", "overrides": ""})
    with monkeypatch.context() as altered:
        altered.setattr(needs, "missing", lambda move, case: [])
        forged = governed.move("submit", "dev", "2")
    empty = "nobody had written developer.limitations, developer.overrides"
    assert _seen() == [f"event {forged.seq} (submit bank.pd 2): {empty}, and it was made all the same"]


def test_an_approval_whose_client_leaves_the_chapters_out_is_named(bank, monkeypatch):
    _in_validation()
    monkeypatch.setattr(Case, "_written", lambda case: {})
    place = _approved_by_an_altered_client(monkeypatch)
    assert _seen() == [f"{place}: its evidence.json holds no chapters"]


def _forged(monkeypatch, verb: str, person: str, version: str = "2", **more: object) -> Event:
    """Let a client without any look of ours make a move."""
    with monkeypatch.context() as altered:
        altered.setattr(needs, "missing", lambda move, case: [])
        altered.setattr(governed.moves, "_not_theirs", lambda move, case: [])
        return governed.move(verb, person, version, **more)


def _is_seen(e: Event, words: str) -> None:
    """Assert that audit and guard name this, and nothing else."""
    assert _seen() == [f"event {e.seq} ({e.verb} bank.pd {e.version}): {words}"]
    assert chained.of_newest(events.read()) == [words]


@pytest.fixture
def others(bank) -> None:
    """People of the same roles, of whom the model isn't."""
    content = governed.policy()
    for person, role in (("dev9", "developer"), ("own9", "owner")):
        if not signatures.place(person).exists():
            signatures.generate(person)
        content["people"][person] = {"roles": [role], "key": signatures.public(person)}
    governed.write_policy(content)
    governed.moves.adopt("app")


def test_a_move_of_another_models_owner_or_developer_by_an_altered_client_is_named(others, monkeypatch):
    submitted = _forged(monkeypatch, "submit", "dev9")
    _is_seen(submitted, "dev9 is none of the model's developers (dev), whose move it is")
    with pytest.raises(UserError, match="nothing is moved or served on it"):
        governed.move("validate", "val", "2")


def test_a_retirement_by_another_models_owner_by_an_altered_client_is_named(others, monkeypatch):
    retired = _forged(monkeypatch, "retire", "own9", reason="old")
    _is_seen(retired, "own9 isn't the model's owner, own, whose move it is")


def test_a_second_approval_by_the_same_person_by_an_altered_client_is_named(bank, monkeypatch):
    governed.write_policy(governed.policy(exposure="high"))
    governed.moves.adopt("app")
    _in_validation()
    governed.move("approve", "app", "2")
    _is_seen(_forged(monkeypatch, "approve", "app"), "app had approved it already")


@pytest.mark.parametrize("days", [1, 90])
def test_an_exemption_within_90_days_is_lawful(bank, days):
    until = (date.today() + timedelta(days=days)).isoformat()
    exempted = governed.move("exempt", "app", "2", reason="nothing else", until=until)
    assert _seen() == [] and chained.of_newest(events.read()) == [] and exempted.target == "exception use"


def test_an_exemption_for_longer_or_without_a_reason_by_an_altered_client_is_named(bank, monkeypatch):
    until = (date.today() + timedelta(days=200)).isoformat()
    exempted = _forged(monkeypatch, "exempt", "app", reason="nothing else", until=until)
    _is_seen(exempted, f"its last day, {until}, isn't within 90 days of {exempted.at[:10]}")


def test_a_move_without_the_reason_it_takes_by_an_altered_client_is_named(bank, monkeypatch):
    _is_seen(_forged(monkeypatch, "retire", "own", reason=" "), "it gives no reason")


def test_an_exemption_without_a_last_day_by_an_altered_client_is_named(bank, monkeypatch):
    exempted = _forged(monkeypatch, "exempt", "app", reason="nothing else")
    words = f"its last day, none, isn't within 90 days of {exempted.at[:10]}"
    assert chained.of_newest(events.read()) == [words]


def test_an_approval_of_what_is_referred_without_a_condition_by_an_altered_client_is_named(bank, monkeypatch):
    referred = governed.registered(5, verdict="refer")
    _in_validation(referred)
    approved = _forged(monkeypatch, "approve", "app", referred)
    _is_seen(approved, "the battery referred the version, and it was made without a condition")


def test_an_approval_of_what_is_referred_with_a_condition_is_lawful(bank):
    referred = governed.registered(5, verdict="refer")
    _in_validation(referred)
    governed.move("approve", "app", referred, conditions=(f"{LATER} dev: watch segment B",))
    assert _seen() == [] and chained.of_newest(events.read()) == []
