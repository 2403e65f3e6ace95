"""A runner's heartbeat: a file in its work folder, so that whoever looks, wherever, knows within a minute that it died.

Its age is taken from the clock of the file system it lies on, by touching a file beside it: no two machines' clocks are
compared. Where the store is a server, its runs carry the time in a tag as well, and there clocks must agree.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from workbench import home

EVERY_SECONDS = 15
LOST_SECONDS = 60  # three beats missed, and a quarter of a minute for a slow disk
BEAT = "beat"


def folder(owner: str) -> Path:
    """Return the folder a runner works in."""
    return home.mlruns() / "work" / owner


@contextmanager
def beating(tell: Callable[[], None]) -> Iterator[Path]:
    """Yield this runner's work folder; its beat is renewed, and `tell` called, every quarter of a minute."""
    place, stop = folder(home.me()), Event()
    place.mkdir(parents=True, exist_ok=True)
    _beat(place)
    thread = Thread(target=_keep_beating, args=(place, tell, stop), daemon=True, name="heartbeat")
    thread.start()
    try:
        yield place
    finally:
        stop.set()
        thread.join(EVERY_SECONDS)


def lives(owner: str, tags: Mapping[str, str] | None = None) -> bool:
    """Say whether a runner lives: its process, where this machine can see it; else its beat, else that of its run.

    `tags` are the run's, given where its store is a server: the runner's folder may lie where we can't look.
    """
    known = home.is_alive(owner)
    if known is not None:
        return known
    place = folder(owner)
    if place.is_dir():
        return _age(place) < LOST_SECONDS
    return tags is not None and time.time() - float(tags.get(BEAT, 0)) < LOST_SECONDS


def dead() -> list[Path]:
    """Return the work folders of runners that are gone."""
    return [p for p in sorted((home.mlruns() / "work").glob("*")) if p.is_dir() and not lives(p.name)]


def _keep_beating(place: Path, tell: Callable[[], None], stop: Event) -> None:
    while not stop.wait(EVERY_SECONDS):
        with contextlib.suppress(Exception):  # a full disk or a busy server: the next beat may get through
            _beat(place)
            tell()


def _beat(place: Path) -> None:
    (place / BEAT).touch()


def _age(place: Path) -> float:
    """Return the seconds since the last beat; a folder without one has its own time."""
    clock = place.parent / f".clock-{home.me()}"
    try:
        clock.touch()
        now = clock.stat().st_mtime
        return now - ((place / BEAT) if (place / BEAT).exists() else place).stat().st_mtime
    except OSError:  # swept by another looker at this very moment: as old as can be
        return float("inf") if not place.is_dir() else time.time() - place.stat().st_mtime
    finally:
        clock.unlink(missing_ok=True)
