"""A model that names is validated by what its confidence says of right and wrong; a fault of its own lights a test."""

from dataclasses import replace

import numpy as np
import pytest

from workbench import rules
from workbench.actions import service
from workbench.models import naming
from workbench.models.scorer import Calibration
from workbench.validation import battery
from workbench.validation.subject import Subject, subject

P = service.Params(study="service_desk", folds=3, sentences=False)


@pytest.fixture(scope="module")
def s() -> Subject:
    asked = service.questions(P)
    learn = service.part(asked, "train")
    crossed = service.out_of_fold(learn, P)
    model = service.developed(learn, crossed, service.left_out(asked, P), P)
    panel, contract = service.panel(asked, crossed, model)
    claimed = service.claimed(naming.asked(model, service.part(asked, "test")))
    return subject(model, panel, contract, claimed, rules.load(), 42)


def _lights(s: Subject, *names: str) -> dict[str, str]:
    return {e.key: str(e.verdict) for e in battery.run(s, names=names)}


def test_every_question_is_named_again_and_comes_out_as_claimed(s):
    d, panel = s.development, s.panel[s.panel["sample"] == "development"]
    assert (d["outcome"].to_numpy() == panel["outcome"].to_numpy()).all()
    assert 0.6 < d["outcome"].mean() < 0.95  # by heart it would be 1
    assert _lights(s, "reperformance", "split_integrity", "claims") == dict.fromkeys(
        ("claims", "reperformance", "split_integrity"), "green"
    )


def test_what_development_wrote_of_right_and_wrong_is_not_read(s):
    lied = s.panel.assign(outcome=s.panel["outcome"].where(s.panel["outcome"].isna(), 1.0))
    again = subject(s.model, lied, s.contract, s.figures, s.rules, s.seed)
    assert (again.holdout["outcome"] == s.holdout["outcome"]).all()


def test_the_battery_holds_what_a_name_needs_and_leaves_out_what_needs_inputs(s):
    kind = s.outcome.scale
    assert kind == "named" and s.outcome.is_binary
    assert set(battery.mandatory(kind)) <= set(battery.tests(kind))
    assert not {"weak_spot", "coefficients", "challenger", "signs"} & set(battery.tests(kind))
    assert {"named_rightly", "answered", "unseen", "worst_intents", "plain_words"} <= set(battery.mandatory(kind))


def test_no_test_breaks_and_the_overall_verdict_names_what_was_left_out(s):
    items = battery.run(s)
    assert not [e.key for e in items if str(e.verdict) == "error"]
    overall = battery.verdict(items, s)
    assert "made for other outcomes than a name that is right see: calibration parts, challenger" in str(
        overall.blind_to
    )
    keys = {e.key for e in items}
    assert set(battery.mandatory("named")) <= keys


def test_too_sure_a_model_is_seen(s):
    sure = replace(s.model, calibration=Calibration(1.0, 4.0))
    lights = _lights(subject(sure, s.panel, s.contract, s.figures, s.rules, s.seed), "central_tendency", "jeffreys")
    assert lights == {"central_tendency": "amber", "jeffreys": "red"}


def test_a_model_that_answers_everything_is_seen(s):
    facts = {**s.model.facts, "answers_from": 0.0}
    lights = _lights(replace(s, model=replace(s.model, facts=facts)), "answered", "unseen")
    assert lights == {"answered": "red", "unseen": "red"}


def test_a_missed_intent_and_wrong_names_are_seen(s):
    h = s.holdout.copy()
    missed = h["intent_code"].isin(["balance"])
    h.loc[missed, ["named_code", "outcome"]] = ["fraud", 0.0]
    assert _lights(replace(s, holdout=h), "worst_intents") == {"worst_intents": "red"}
    wrong = np.arange(len(h)) % 2 == 0
    h.loc[wrong, ["named_code", "outcome"]] = ["no such intent", 0.0]
    lights = _lights(replace(s, holdout=h), "named_rightly", "plain_words")
    assert lights == {"named_rightly": "red", "plain_words": "red"}
