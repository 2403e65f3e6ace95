"""A run is made from earlier inputs where what it has read is no longer what its study's current runs have written."""

from dataclasses import replace

import pytest

from workbench.registry import current, earlier

PANEL, MODEL = "mart__panel", "model__pd"


def _run(step: str, period: str = "once", reads=None, tables=None, models=None) -> current.Record:
    about = {"study": "s", "slug": step, "step_key": "k", "status": "FINISHED", "verdict": "green", "headline": ""}
    entries = {"tables": tables or {}, "models": models or {}}
    made = {kind: {n: {"digest": d} for n, d in e.items()} for kind, e in entries.items()}
    reads = reads or {}
    of_run = {
        "run_id": f"{step} {period}",
        "reads": tuple(reads),
        "inputs": {n.lstrip("?"): d for n, d in reads.items()},
    }
    return current.Record(**about, **made, **of_run, step=step, period=period, start=1.0, seconds=1.0)


@pytest.fixture
def runs(tmp_path, monkeypatch) -> list[current.Record]:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    build = _run("panel/build", tables={PANEL: "p1"})
    development = _run("models/development", reads={PANEL: "p1"}, models={MODEL: "m1"})
    battery = _run("validation/battery", reads={PANEL: "p1", MODEL: "m1", "?core__month": ""})
    report = _run("reporting/pack", reads={"evidence:validation/battery": battery.digest})
    return [build, development, replace(battery, inputs={PANEL: "p1", MODEL: "m1"}), report]


def _report(runs) -> list[current.Record]:
    *rest, battery, report = runs
    return [*rest, battery, replace(report, inputs={"evidence:validation/battery": battery.digest})]


def test_where_all_inputs_stand_nothing_is_marked(runs):
    assert earlier.of(_report(runs)) == frozenset()


def test_another_version_marks_who_judged_the_one_before_and_who_reports_of_that(runs):
    build, development, *rest = _report(runs)
    other = replace(development, models={MODEL: {"digest": "m2"}}, run_id="other")
    assert earlier.of([build, other, *rest]) == {"validation/battery once", "reporting/pack once"}


def test_an_input_that_nobody_makes_any_longer_marks_too_and_an_undeclared_one_does_not(runs):
    build, development, battery, report = _report(runs)
    assert earlier.of([build, battery, report]) == {"validation/battery once", "reporting/pack once"}
    more = replace(development, inputs={PANEL: "p1", "core__account": "a0"})
    assert earlier.of([build, more, battery, report]) == frozenset()


def test_an_earlier_period_is_held_to_what_was_made_for_it_alone():
    build = _run("panel/build", tables={PANEL: "p2"})
    months = [
        _run("monitoring/drift", m, reads={PANEL: "p1"}, tables={"mart__drift": "d"}) for m in ("2018-01", "2018-02")
    ]
    pack = _run("reporting/pack", "2018-01", reads={"mart__drift": "d0"})
    assert earlier.of([build, *months]) == {"monitoring/drift 2018-02"}
    assert earlier.of([build, *months, pack]) == {"monitoring/drift 2018-02", "reporting/pack 2018-01"}


def test_a_record_from_before_it_named_its_inputs_is_held_to_what_its_run_left(runs, tmp_path):
    build, *_ = runs
    old = _run("models/development", reads={PANEL: "p1"})
    old = replace(old, inputs={}, folder="old")
    place = tmp_path / "mlruns/old/evidence/evidence.json"
    place.parent.mkdir(parents=True)
    place.write_text('{"tables": {"read": {"mart__panel": "p0"}}}')
    assert earlier.of([build, old]) == {old.run_id}
    place.unlink()
    assert earlier.of([build, old]) == frozenset()
