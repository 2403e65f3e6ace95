"""One look at the store, in which nothing is asked twice: an audit meets the same runs and files at every event."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass
class _Look:
    answers: dict[tuple[Any, ...], Any] = field(default_factory=dict)
    copies: ExitStack = field(default_factory=ExitStack)


_look: ContextVar[_Look | None] = ContextVar("look", default=None)


@contextmanager
def once() -> Iterator[None]:
    """Ask everything once within the block, and let what was copied for it go at its end."""
    look = _Look()
    mark = _look.set(look)
    try:
        with look.copies:
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


def is_open() -> bool:
    """Say whether a look is under way: copies are kept until it ends."""
    return _look.get() is not None


def folder() -> Path:
    """Return a new folder for a copy; it goes when the look ends, and stays where there is none."""
    place, look = Path(mkdtemp()), _look.get()
    if look is not None:
        look.copies.callback(shutil.rmtree, place, ignore_errors=True)
    return place
