"""Schedulers killed with kill -9, two at a time: every report is made once, in order, and everything is told."""

import multiprocessing
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

import slow_scheduler
from workbench.registry.reported import Attempt
from workbench.runs import schedule


@pytest.fixture
def own_home(tmp_path, empty_store, monkeypatch) -> Path:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "small.yaml").write_text("steps: {}")
    (tmp_path / "mlruns").mkdir()
    shutil.copy(empty_store, tmp_path / "mlruns")
    return tmp_path


def _kill(home: Path, since: str, times: int, seed: int) -> None:
    """Start two schedulers at once and kill both at a random moment, again and again; then let one end."""
    context, drawn = multiprocessing.get_context("forkserver"), random.Random(seed)
    context.set_forkserver_preload(["mlflow", "mlflow.store.tracking.sqlalchemy_store", "slow_scheduler"])
    for _ in range(times):
        two = [context.Process(target=slow_scheduler.run, args=(str(home), since)) for _ in range(2)]
        (home / "awake").unlink(missing_ok=True)
        for p in two:
            p.start()
        while not (home / "awake").exists():  # on a busy machine the imports alone take longer than any delay
            assert any(p.is_alive() for p in two), "no scheduler has begun"
            time.sleep(0.01)
        time.sleep(drawn.uniform(0, 2.0))
        for p in two:
            p.kill()
            p.join()
    slow_scheduler.run(str(home), since)


def _wrong(home: Path, since: str) -> tuple[list[str], dict[str, list[Attempt]]]:
    """Return what came out otherwise than once, in order and told, and every attempt by period."""
    report = slow_scheduler.scheduled(since).reports[slow_scheduler.NAME]
    past = schedule.history(slow_scheduler.NAME, report)
    periods = report.due_by(report.moment(slow_scheduler.AS_OF, datetime.now(UTC)))
    made = Counter(p for p, rows in past.attempts.items() for a in rows if a.status == "FINISHED")
    sent = Counter((home / "sent").read_text().splitlines())
    wrong = [f"{p} made {made[p]} times" for p in periods if made[p] != 1]
    wrong += [f"{p} {kind} not sent" for p in periods for kind in ("report", "breach") if not sent[f"{p} {kind}"]]
    wrong += [f"{p} not told" for p in periods if made[p] and not past.done(p).all_told]
    wrong += [f"{a.period} says RUNNING" for rows in past.attempts.values() for a in rows if a.status == "RUNNING"]
    ended = [past.done(p).ended for p in periods if made[p]]
    return wrong + ([] if ended == sorted(ended) else ["out of order"]), past.attempts


@pytest.mark.whole
@pytest.mark.parametrize(
    ("times", "since", "seed"),
    [(3, "2018-01", 7), (100, "2005-01", 11)],
)
def test_killed_at_random_moments_every_report_is_made_once(
    own_home, times, since, seed, measured: Callable[..., None]
):
    _kill(own_home, since, times, seed)
    wrong, attempts = _wrong(own_home, since)
    sent = (own_home / "sent").read_text().splitlines()
    # A message sent, but killed before that was noted, goes again; under the same Message-ID.
    again = len(sent) - len(set(sent))
    killed = sum(a.status == "KILLED" for rows in attempts.values() for a in rows)
    wrong += [f"{again} messages sent again"] if again > times else []
    wrong += ["no blow fell while a report was made"] if times > 50 and not killed else []
    measured(f"two schedulers killed, reports since {since}", times, wrong, seed)
