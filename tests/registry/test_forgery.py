"""Without a key nothing is moved or served, whatever is written into the store; an altered client is seen by the audit."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import governed
from workbench import home
from workbench.evidence import digest_file
from workbench.params import UserError
from workbench.registry import audit, chained, current, events, moves, needs, request, serving, signatures

MODEL = governed.MODEL


def _found() -> list[str]:
    return [f"{f.place}: {f.what}" for f in audit.run().findings]


def _written(event: events.Event, evidence: dict) -> None:
    """Write an event as a client does that has left out every look of ours."""
    events.seal(replace(event, run_id=events.prepared(event, evidence)))


def _promotion(person: str = "own", key: str = "dev") -> events.Event:
    """Return the promotion of version 2 that nobody has approved, signed with somebody's key."""
    chain = events.read()
    last = chain.events[-1]
    e = replace(last, seq=last.seq + 1, prev=last.digest, version="2", person=person, source="approved", detail="{}")
    return replace(e, signature=signatures.sign(signatures.load(key), e.digest.encode()))


FORGED = (
    "governance: event 6 (promote bank.pd 2): its content was altered, or the signature isn't that of own;"
    " nothing is moved or served on it; `workbench audit`"
)


def test_a_promotion_that_is_not_signed_by_the_owner_moves_and_serves_nothing(bank):
    _written(_promotion(), {})
    for attempt in (
        lambda: serving.champion(MODEL),
        lambda: governed.move("submit", "dev", "2"),
        lambda: moves.adopt("app"),
    ):
        with pytest.raises(UserError) as e:
            attempt()
        assert str(e.value) == FORGED
    assert len(events.read().events) == 6


def test_the_owner_himself_cannot_promote_what_nobody_has_approved(bank):
    _written(_promotion(key="own"), {})
    with pytest.raises(UserError) as e:
        serving.champion(MODEL)
    assert str(e.value) == (
        "governance: event 6 (promote bank.pd 2): it begins at approved, where the version was candidate;"
        " nothing is moved or served on it; `workbench audit`"
    )


def test_a_chain_that_is_whole_holds(bank):
    chained.must_hold(events.read())
    assert serving.champion(MODEL).metadata is not None


def _altered(monkeypatch, **changed: object) -> str:
    """Approve version 2 with a client whose evidence says otherwise; return the audit's first finding."""
    governed.move("submit", "dev", "2")
    governed.move("validate", "val", "2")
    true = request.Case.evidence
    monkeypatch.setattr(request.Case, "evidence", lambda case: {**true(case), **changed})
    governed.move("approve", "app", "2")
    monkeypatch.setattr(request.Case, "evidence", true)
    return _found()[0]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {"figures": {"holdout_auc": 0.9}},
            "its evidence.json gives other figures than the run that registered the version",
        ),
        ({"verdict": "sound"}, "its evidence.json gives the verdict sound, the battery pass"),
        ({"files": {"artifacts/model.json": "0" * 64}}, "its evidence.json names other files than the event"),
    ],
)
def test_evidence_is_held_to_the_runs_and_files_it_names(bank, monkeypatch, changed, words):
    assert _altered(monkeypatch, **changed) == f"event 8 (approve bank.pd 2): {words}"


def test_an_approval_by_a_client_that_looks_at_nothing_is_named(bank, monkeypatch):
    low = governed.registered(4, {"holdout_auc": 0.55}, "refuse")
    governed.move("submit", "dev", low)
    governed.move("validate", "val", low)
    with monkeypatch.context() as altered:
        altered.setattr(needs, "missing", lambda move, case: [])
        governed.move("approve", "app", low)
    assert _found() == [
        f"event 8 (approve bank.pd {low}): the battery said refuse of the version, and it was made all the same",
        f"event 8 (approve bank.pd {low}): holdout_auc is 0.55, its tier asks 0.6",
    ]


def test_an_event_dated_back_is_named(bank):
    first = events.read().events[0]
    back = replace(
        _promotion(key="own"), verb="retire", source="candidate", target="retired", at="2020-01-01T00:00:00Z"
    )
    back = replace(back, detail=json.dumps({"reason": "r"}))
    _written(replace(back, signature=signatures.sign(signatures.load("own"), back.digest.encode())), {})
    before = events.read().events[-2]
    assert f"event 6 (retire bank.pd 2): it is dated 2020-01-01T00:00:00Z, before event 5 ({before.at})" in _found()
    assert first.at <= before.at


def test_a_clock_behind_dates_no_event_before_the_last(bank, monkeypatch):
    monkeypatch.setattr(events, "now", lambda: "2020-01-01T00:00:00Z")
    before = events.read().events[-1].at
    assert governed.move("review", "val", reason="r").at == before


def test_a_battery_that_speaks_of_two_versions_says_of_each_its_own(bank):
    (record,) = [r for r in current.everything() if r.step == "validation/battery@1"]
    other = {"name": MODEL, "version": "2", "tags": {"validation.verdict": "refuse"}}
    both = replace(record, tags={"model__other": other, **record.tags})
    assert (request.verdict(both, MODEL, "1"), request.verdict(both, MODEL, "2")) == ("pass", "refuse")


def test_a_page_and_a_monitoring_run_that_were_altered_are_named(bank):
    (record,) = [r for r in current.everything() if r.step == "validation/battery@2"]
    page = home.reports() / "bank/once/battery.html"
    home.put(page, b"refuse")
    path = home.mlruns() / record.folder / "evidence/evidence.json"
    current.put(replace(record, pages={"evidence/evidence.json": "bank/once/battery.html"}))
    assert _found() == [
        "bank/once validation/battery@2: its record was changed",
        "reports/bank/once/battery.html: changed since its run wrote it; `workbench run` puts it right",
    ]
    current.put(record)
    page.unlink()
    path.write_text("all is green")
    assert digest_file(path) != record.files["evidence/evidence.json"]
    assert _found() == ["bank/once validation/battery@2: evidence.json was changed"]
