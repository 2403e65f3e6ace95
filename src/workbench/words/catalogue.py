"""Catalogues: one gettext file a language (msgid = the English template), read by Babel; the language now spoken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "locale"
LANGUAGES = ("en", "zh_CN")
_spoken: ContextVar[str] = ContextVar("language", default="en")


def language() -> str:
    """Return the language now spoken (`en` unless within `speaking`)."""
    return _spoken.get()


@contextmanager
def speaking(name: str) -> Iterator[None]:
    """Say and draw everything within the block in this language."""
    if name not in LANGUAGES:
        raise ValueError(f"language '{name}': known are {', '.join(LANGUAGES)}")
    token = _spoken.set(name)
    try:
        yield
    finally:
        _spoken.reset(token)


def translated(msgid: str, name: str = "") -> str:
    """Return a template or a term in a language (the one now spoken); as it is where the catalogue lacks it.

    >>> translated("default rate"), translated("default rate", "zh_CN")
    ('default rate', '违约率')
    """
    name = name or language()
    return msgid if name == "en" else catalogue(name).get(msgid, msgid)


@cache
def catalogue(name: str) -> dict[str, str]:
    """Return msgid → translation of a language, untranslated entries left out."""
    from babel.messages.pofile import read_po

    with (FOLDER / f"{name}.po").open("rb") as file:
        found = read_po(file, locale=name)
    return {m.id: m.string for m in found if m.id and m.string and not m.fuzzy}
