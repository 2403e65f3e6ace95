"""One look at the store, in which nothing is asked twice: an audit meets the same runs and files at every event."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, TypeVar

from workbench.registry import copies

if TYPE_CHECKING:
    from sqlite3 import Connection

T = TypeVar("T")


@dataclass
class _Look:
    answers: dict[tuple[Any, ...], Any] = field(default_factory=dict)
    ending: ExitStack = field(default_factory=ExitStack)


_look: ContextVar[_Look | None] = ContextVar("look", default=None)


@contextmanager
def once() -> Iterator[None]:
    """Ask everything once within the block, and let what was copied or opened for it go at its end."""
    look = _Look()
    mark = _look.set(look)
    try:
        with look.ending:
            yield
    finally:
        _look.reset(mark)


def answer(ask: Callable[[], T], *key: Any) -> T:
    """Return what `ask` says; within a look it is asked once for each key, which names what is asked and of what."""
    look = _look.get()
    if look is None:
        return ask()
    if key not in look.answers:
        look.answers[key] = ask()
    return look.answers[key]


@contextmanager
def connected(connect: Callable[[], Connection], path: Path) -> Iterator[Connection]:
    """Have a database open, within a look until it ends: to open it takes longer than to be answered."""
    look = _look.get()
    if look is None:
        with closing(connect()) as database:
            yield database
    else:
        yield answer(lambda: look.ending.enter_context(closing(connect())), path)


def is_open() -> bool:
    """Say whether a look is under way: copies are kept until it ends."""
    return _look.get() is not None


def folder(*what: str) -> Path:
    """Return an empty folder for a copy of this; it goes when the look ends, without one when the process does."""
    look = _look.get()
    if look is None:
        return copies.place(*what)
    place = Path(mkdtemp())
    look.ending.callback(shutil.rmtree, place, ignore_errors=True)
    return place
