"""Who acts on a model's scores inherits the model's light: its worst, of this version, amber where nobody validated it."""

import json
from importlib import import_module
from pathlib import Path

import pytest

from workbench import home
from workbench.params import Key
from workbench.registry import current, earlier, model_read, recorded
from workbench.registry import state as lifecycle_state
from workbench.registry.recorded import Recorded
from workbench.runs import study, there
from workbench.words import say

SCORES = "mart__scores_churn"


def _run(step: str, verdict: str, **more) -> Recorded:
    about = {"study": "s", "period": "once", "slug": step, "run_id": "0" * 32, "step_key": "k", "status": "FINISHED"}
    about |= {"headline": "", "start": 0.0, "seconds": 1.0}
    return Recorded(current.Record(step=step, verdict=verdict, **about, **more), {}, {}, {}, {})


def _made(verdict: str) -> Recorded:
    entry = {"model__churn": {"name": "s.churn", "version": "2"}}
    return _run("models/development@churn", verdict, tables={SCORES: {}}, models=entry)


def _validated(verdict: str, version: str = "2") -> Recorded:
    tags = {"model__churn": {"name": "s.churn", "version": version, "tags": {}}}
    return _run("validation/battery@churn", verdict, reads=("mart__churn", "model__churn"), tags=tags)


def _watched(verdict: str, model: str = "churn") -> Recorded:
    return _run("monitoring/through_time", verdict, reads=("mart__churn", f"?model__{model}"))


@pytest.mark.parametrize(
    ("runs", "light", "words"),
    [
        ([_made("green"), _validated("red")], "red", "development green, validation red, monitoring not done."),
        ([_made("info"), _validated("green")], "green", "development info, validation green, monitoring not done."),
        ([_made("green")], "amber", "development green, validation not done, monitoring not done."),
        ([_made("green"), _validated("green", "1")], "amber", "validation not done, monitoring not done."),
        ([_made("amber"), _validated("green"), _watched("red")], "red", "validation green, monitoring red."),
        ([_made("green"), _validated("green"), _watched("red", "other")], "green", "monitoring not done."),
        ([_validated("red")], "not_evaluated", "No run of this study has made the scores mart__scores_churn."),
    ],
)
def test_the_worst_light_of_the_version_is_inherited(monkeypatch, runs, light, words):
    monkeypatch.setattr(recorded, "read", lambda key: {r.record.step: r for r in runs})
    judged = model_read.judged(Key("s"), SCORES)
    assert judged.verdict == light and str(judged.answer).endswith(words)
    if light != "not_evaluated":
        assert str(judged.answer).startswith("The scores acted on are those of model churn, version 2: development ")


@pytest.mark.parametrize(
    ("state", "words"),
    [("rejected", "The version was rejected: it may not be used."), ("retired", "The version was retired from use.")],
)
def test_a_version_that_may_not_be_used_is_red_and_a_list_of_it_from_before_is_made_from_earlier_inputs(
    monkeypatch, state, words
):
    runs = [_made("green"), _validated("green")]
    monkeypatch.setattr(recorded, "read", lambda key: {r.record.step: r for r in runs})
    before = recorded.digest(Key("s"), recorded.BARRED)
    other = lifecycle_state.Standing("s.other", "2", state)

    def standings(_: object) -> lifecycle_state.Book:
        return lifecycle_state.Book({(s.model, s.version): s for s in (barred, other)})

    monkeypatch.setattr(lifecycle_state, "replay", standings)
    barred = lifecycle_state.Standing("s.churn", "1", state)
    assert model_read.judged(Key("s"), SCORES).verdict == "green"
    barred = lifecycle_state.Standing("s.churn", "2", state)
    judged = model_read.judged(Key("s"), SCORES)
    assert judged.verdict == "red" and str(judged.answer).endswith(f"monitoring not done. {words}")
    list_ = _run("actions/conversion", "green", reads=(f"?{recorded.BARRED}",), inputs={recorded.BARRED: before}).record
    assert earlier.of([list_]) == {list_.run_id}


def test_a_list_that_does_not_go_by_the_scores_says_what_it_goes_by_and_inherits_no_light(monkeypatch):
    monkeypatch.setattr(recorded, "read", lambda key: {r.record.step: r for r in (_made("red"),)})
    judged = model_read.judged(Key("s"), SCORES, beside=say("what the trial says"))
    assert judged.verdict == "info" and str(judged.answer) == (
        "The scores beside the list are those of model churn, version 2: development red, validation not done, monitoring "
        "not done. The list goes by what the trial says."
    )


def test_every_action_that_reads_scores_asks_for_the_models_light_and_leaves_it_first():
    acting = []
    for step in there.steps():
        if not step.startswith("actions/"):
            continue
        module = import_module(f"workbench.{step.replace('/', '.')}")
        names = module.reads(module.Params())
        if scores := [n for n in names if n.startswith("mart__scores_")]:
            assert any(f"?judged:{n}" in names for n in scores), step
            cells = json.loads((home.root() / "notebooks" / f"{step}.ipynb").read_text(encoding="utf-8"))["cells"]
            assert any("answers = [judged, " in "".join(c["source"]) for c in cells), step
            acting.append(step)
    assert acting == ["actions/conversion", "actions/early_warning", "actions/retention"]


def test_it_waits_for_who_makes_the_scores_and_who_judges_the_model(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text((Path(__file__).parents[2] / "params" / "watched_customers.yaml").read_text())
    loaded = study.load(path)
    warned = next(s for s in loaded.steps if s.name == "actions/early_warning")
    judging = {"models/development", "validation/battery", "monitoring/through_time"}
    assert {n for n in warned.reads if "evidence:" in n} == {f"?evidence:{s}" for s in judging}
    assert judging <= loaded.needs["actions/early_warning"]
