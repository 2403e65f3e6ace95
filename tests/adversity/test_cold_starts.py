"""Runners that all begin at once where nothing is yet: one store, every study whole, nobody turned away."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


def _wrong(bank, place: Path, runners: int) -> str:
    """Start so many runners at once in an empty home, a study each; return what went wrong, empty where nothing did."""
    studies = tuple(f"study_{i}" for i in range(runners))
    home = bank.furnish(place, studies, short=True)
    begun = [bank.start(home, "run", study) for study in studies]
    ended = [bank.end(run) for run in begun]
    wrong = [f"{s}: {r.code} {r.text[-300:]}" for s, r in zip(studies, ended, strict=True) if r.code != 0]
    statuses = bank.ask(home, "SELECT name, status FROM runs")
    wrong += [f"{len(statuses)} runs"] if len(statuses) != 2 * runners else []  # a step's and the study's own
    wrong += [f"{name} is {status}" for name, status in statuses if status != "FINISHED"]
    wrong += [] if len(bank.current_runs(home)) == runners else ["a study without its current run"]
    again = bank.run(home, "run", studies[0])  # the index of the last writer names whoever had ended by then
    index = (home / "reports" / "index.html").read_text()
    wrong += [f"{s} is not in the index" for s in studies if s not in index] + ([again.text] if again.code else [])
    wrong += [*bank.wrong_in_store(home), *bank.leftovers(home, bank.nursery)]
    shutil.rmtree(home)
    return "; ".join(wrong)


@pytest.mark.whole
def test_three_runners_begin_at_once_where_nothing_is(bank, tmp_path, measured):
    measured("cold starts of 3 runners at once, quick", 1, [w for w in [_wrong(bank, tmp_path / "home", 3)] if w])


@pytest.mark.whole
def test_thirty_times_eight_runners_begin_at_once_where_nothing_is(bank, tmp_path, measured):
    wrong = [_wrong(bank, tmp_path / str(n), 8) for n in range(30)]
    measured("cold starts of 8 runners at once", 30, [w for w in wrong if w])
