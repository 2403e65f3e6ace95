"""`say`: a template with named facts, kept apart until somebody reads it; texts add up, and go through JSON whole."""

from __future__ import annotations

import math
import re
import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.words.catalogue import LANGUAGES, has, language, remember, speaking, translated
from workbench.words.heard import beside, heard
from workbench.words.names import display, is_name
from workbench.words.numbers import formatted

SEPARATOR = {
    "en": (", ", "; ", " "),
    "zh_CN": ("、", "；", ""),
}  # of a list, of a list with commas, of sentences
MIME = "application/vnd.workbench.text+json"


@dataclass(frozen=True)
class Text:
    """Sentences in order, each a template (the gettext msgid) with its facts.

    `str` says them in the language now spoken.

    Facts are numbers, short texts, other `Text`s, or lists of these. A template's fields carry Python's
    format specification: `{rate:.2%}`, `{n:,}`, `{gini:.4f}`; a list's parts are joined as the language joins them.
    What a field counts stands in it, in the plural: `{n:, rows are}` is "1 row is" or "2 rows are".
    A text that is a column's code name is said as pages call the column; `{column:s}` says a text as it stands.
    """

    parts: tuple[tuple[str, Mapping[str, Any]], ...] = ()

    def __str__(self) -> str:
        return self.spoken(str)

    def spoken(self, fact: Callable[[str], str]) -> str:
        """Return the text in the language now spoken; every fact, once written, goes through a function (`escape`)."""
        return SEPARATOR[language()][2].join(_Formatter(fact).said(t, facts) for t, facts in self.parts)

    def __add__(self, other: Text) -> Text:
        return Text(self.parts + other.parts)

    def __contains__(self, words: str) -> bool:
        return words in str(self)

    def __bool__(self) -> bool:
        return bool(self.parts)

    def in_language(self, name: str) -> str:
        """Return the text in a language."""
        with speaking(name):
            return str(self)

    @property
    def facts(self) -> dict[str, Any]:
        """Return every named fact, of the first sentence that names it."""
        all_facts: dict[str, Any] = {}
        for _, facts in self.parts:
            all_facts = {**facts, **all_facts}
        return all_facts

    def to_json(self) -> list[dict[str, Any]]:
        """Return the text as JSON can hold it, with what its templates are in other languages as long as we know it."""
        return [{"msgid": t, "facts": {k: _plain(v) for k, v in f.items()}, **_translations(t)} for t, f in self.parts]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """Return what a notebook keeps: the words now spoken, and the facts apart, for every other language."""
        from workbench.words.markdown import text_html

        return {"text/plain": str(self), "text/html": text_html(self), MIME: {"text": self.to_json()}}

    @classmethod
    def from_json(cls, parts: list[dict[str, Any]]) -> Text:
        """Return the text that `to_json` wrote."""
        for part in parts:
            for name, words in part.get("in", {}).items():
                remember(part["msgid"], name, words)
        return cls(tuple((p["msgid"], {k: _living(v) for k, v in p["facts"].items()}) for p in parts))


def say(template: str, **facts: Any) -> Text:
    """Return a text of one sentence: an English template and its facts by name. A term is a template without facts.

    >>> str(say("AUC {auc:.4f} on {n:,} rows.", auc=0.75, n=12000))
    'AUC 0.7500 on 12,000 rows.'
    >>> str(say("Red: {tests}.", tests=["auc", say("default rate")]))
    'Red: auc, default rate.'
    """
    return Text(((template, facts),))


def begun(sentence: str) -> str:
    """Return an English sentence with a capital at its beginning, where no name with signs of its own stands there.

    >>> begun("mean delay says most"), begun("taiwan_cards.pd version 1 is candidate."), begun("pH of 7")
    ('Mean delay says most', 'taiwan_cards.pd version 1 is candidate.', 'pH of 7')
    """
    first = sentence.partition(" ")[0].rstrip(".,:;")
    stays = language() != "en" or re.search(r"[._/]|^[a-z][A-Z]", first)
    return sentence if stays else sentence[:1].upper() + sentence[1:]


def joined(items: Iterable[Text | str]) -> str:
    """Return texts as one list in the language now spoken; semicolons part items that hold commas themselves."""
    texts, (comma, semicolon, _) = [str(item) for item in items], SEPARATOR[language()]
    return (semicolon if any(mark in text for text in texts for mark in (comma, "，")) else comma).join(texts)


class _Formatter(string.Formatter):
    def __init__(self, fact: Callable[[str], str]):
        self.fact = fact

    def said(self, template: str, facts: Mapping[str, Any]) -> str:
        if not facts:
            return heard(template)
        if language() == "en":
            return self.vformat(translated(template), (), facts)
        out = ""
        for literal, name, spec, _ in self.parse(translated(template)):
            out = beside(out, literal)
            out = out if name is None else beside(out, self.format_field(facts[name], spec or ""))
        return out

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, list | tuple):
            return joined(self.format_field(v, format_spec) for v in value)
        if isinstance(value, Text):
            return value.spoken(self.fact)
        if isinstance(value, str) and not format_spec:
            return self.fact(display(value) if is_name(value) else heard(value))
        return self.fact(formatted(value, format_spec))


def _translations(template: str) -> dict[str, dict[str, str]]:
    known = {name: translated(template, name) for name in LANGUAGES if has(template, name)}
    return {"in": known} if known else {}


def _plain(value: Any) -> Any:
    if isinstance(value, Text):
        return {"text": value.to_json()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, str | bool | int | type(None)):
        return value
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):  # JSON has none; a kernel's messages make text of them
        return None if math.isnan(value) else formatted(value)
    return value if isinstance(value, float | int) else str(value)


def _living(value: Any) -> Any:
    if isinstance(value, dict):
        return Text.from_json(value["text"])
    return [_living(v) for v in value] if isinstance(value, list) else value
