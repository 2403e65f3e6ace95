"""A run whose runner is gone is crashed within a minute, whoever looks and from wherever; one that lives is left alone."""

import os
import shutil
import time

import pytest

from workbench import cli, home
from workbench.params import Key
from workbench.registry import current, heartbeat, runs, store

ELSEWHERE = "another-host-1234abcd-4026531836:77:1700000000"
KEY = Key("beats", "once")


@pytest.fixture
def here(empty_store, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    (tmp_path / "mlruns").mkdir()
    shutil.copy(empty_store, tmp_path / "mlruns")
    return tmp_path


def _begun(owner: str, seconds: float | None) -> str:
    """Begin a run of a runner elsewhere whose last beat is so many seconds old (None: its folder is gone)."""
    parent = runs.start(KEY, "beats", {})
    run_id = runs.start(KEY, "portfolios/intake", {"step_key": "k"}, parent)
    for run in (parent, run_id):
        store.client().set_tag(run, "runner", owner)
    if seconds is not None:
        _beat(owner, seconds)
    return run_id


def _beat(owner: str, seconds: float) -> None:
    place = heartbeat.folder(owner)
    place.mkdir(parents=True, exist_ok=True)
    (place / heartbeat.BEAT).touch()
    then = time.time() - seconds
    os.utime(place / heartbeat.BEAT, (then, then))


def test_a_runner_elsewhere_lives_by_its_beat_and_has_crashed_a_minute_after_the_last(here, capsys):
    run_id = _begun(ELSEWHERE, 50)
    assert runs.reconcile() == [] and runs.status(run_id) == "RUNNING"
    _beat(ELSEWHERE, 61)
    assert cli.main(["runs"]) == 0
    out = capsys.readouterr().out
    assert "portfolios/intake: its runner is gone; crashed, KILLED in MLflow" in out and "CRASHED" in out
    assert runs.status(run_id) == "KILLED" and runs.reconcile() == []
    assert current.read(KEY, "portfolios/intake", current.FAILED).status == "CRASHED"
    assert "(last try, crashed)" in (here / "reports" / "index.html").read_text()


def test_the_doctor_names_crashed_runs_and_a_run_without_its_runners_folder_is_one(here):
    from workbench.runs import doctor

    _begun(ELSEWHERE, None)
    words = "runs: 2 crashed (beats portfolios/intake, beats beats): `workbench runs`"
    assert doctor._runs() == (False, words)
    runs.reconcile()
    assert doctor._runs() == (True, "runs: none crashed")


def test_a_runner_here_is_judged_by_its_process_and_another_containers_number_is_not_ours(here):
    assert heartbeat.lives(home.me())
    assert not heartbeat.lives(f"{home.machine()}:999999999:1")
    host = home.machine().rpartition("-")[0]
    other = f"{host}-1:{os.getpid()}:1"  # the same number, in another container on this host
    assert home.is_alive(other) is None and not heartbeat.lives(other)
    _beat(other, 5)
    assert heartbeat.lives(other)


def test_a_working_runner_beats(here, monkeypatch):
    monkeypatch.setattr(heartbeat, "EVERY_SECONDS", 0.05)
    beats = []
    with heartbeat.beating(lambda: beats.append(1)) as place:
        first = (place / heartbeat.BEAT).stat().st_mtime_ns
        time.sleep(0.4)
        assert (place / heartbeat.BEAT).stat().st_mtime_ns > first and beats
    assert not list(place.parent.glob(".clock*"))


@pytest.mark.parametrize(("seconds", "lives"), [(20, True), (70, False)])
def test_where_the_store_is_a_server_the_runs_tag_is_the_beat(here, seconds, lives):
    assert heartbeat.lives(ELSEWHERE, {heartbeat.BEAT: f"{time.time() - seconds:.0f}"}) is lives


def test_a_crashed_run_does_not_stand_beside_a_later_good_one(here):
    run_id = _begun(ELSEWHERE, 61)
    record = runs._stopped(store.client().get_run(run_id))
    current.put(current.dataclasses.replace(record, run_id="1" * 32, status="FINISHED", start=record.start + 9))
    runs.reconcile()
    assert current.read(KEY, "portfolios/intake", current.FAILED) is None
