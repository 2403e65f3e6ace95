"""Catalogues: one gettext file a language (msgid = the English template), read by Babel; the language now spoken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "locale"
LANGUAGES = ("en", "zh_CN")
_spoken: ContextVar[str] = ContextVar("language", default="en")
_untranslated: set[str] = set()
_recorded: dict[str, dict[str, str]] = {name: {} for name in LANGUAGES}


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
    if name == "en":
        return msgid
    if msgid not in catalogue(name) and msgid in _recorded[name]:
        return _recorded[name][msgid]
    if msgid not in catalogue(name) and any(c.isalpha() for c in re.sub(r"\{[^}]*\}", "", msgid)):
        _untranslated.add(msgid)
    return catalogue(name).get(msgid, msgid)


def remember(msgid: str, name: str, words: str) -> None:
    """Know what a template was in a language when it was recorded: it stands in where the catalogue has it no more."""
    if name in LANGUAGES:
        _recorded[name][msgid] = words


def has(msgid: str, name: str = "") -> bool:
    """Say whether the catalogue of a language (the one now spoken) holds a template; English needs none."""
    return (name or language()) != "en" and msgid in catalogue(name or language())


def is_term(msgid: str) -> bool:
    """Say whether a text is a term of the product: the catalogue of some language holds it."""
    return any(has(msgid, name) for name in LANGUAGES)


def untranslated() -> set[str]:
    """Return the templates that were asked for in this process and that the catalogue lacks."""
    return set(_untranslated)


@cache
def catalogue(name: str) -> dict[str, str]:
    """Return msgid → translation of a language, untranslated entries left out."""
    from babel.messages.pofile import read_po

    with (FOLDER / f"{name}.po").open("rb") as file:
        messages = read_po(file, locale=name)
    return {m.id: m.string for m in messages if m.id and m.string and not m.fuzzy}


def words() -> list[str]:
    """Return every sentence of the product, in English and as it is translated: nobody's name."""
    return [text for name in LANGUAGES if name != "en" for pair in catalogue(name).items() for text in pair]
