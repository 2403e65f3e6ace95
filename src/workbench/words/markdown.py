"""Markdown in the language now spoken: each heading, paragraph and list item is one template of the catalogue."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from workbench.words.catalogue import language, translated

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

    from workbench.words.sentence import Text

_HELD = re.compile("([一-鿿（）“”，。；：、] ?| )?\ue000(\\d+)\ue001( ?[一-鿿（）“”，。；：、]| )?")
_TYPED = re.compile(r"`([^`\n]+)`")


@cache
def parser() -> MarkdownIt:
    """Return the parser: CommonMark and tables; HTML in the source is shown, never run."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table")


def templates(source: str) -> list[str]:
    """Return the templates of a Markdown text, in order.

    >>> templates("# The panel\\n\\nA row is\\nan account.\\n\\n- one\\n- two")
    ['The panel', 'A row is an account.', 'one', 'two']
    """
    return [one_line(t.content) for t in _inline(parser().parse(source))]


def to_html(source: str, shift: int = 0) -> str:
    """Return a Markdown text as HTML in the language now spoken, its headings moved down by `shift` levels."""
    tokens = parser().parse(source)
    for token in _inline(tokens):
        translation = translated(one_line(token.content))
        if translation != one_line(token.content):
            token.children = parser().parseInline(translation)[0].children
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + shift)}"
    return parser().renderer.render(tokens, parser().options, {})


def text_html(text: Text) -> str:
    """Return a text as HTML, begun with a capital.

    Markdown in its templates counts; in its facts it is shown as typed, but names to type.
    """
    from workbench.words.sentence import begun

    facts: list[str] = []

    def held(fact: str) -> str:
        facts.append(re.sub("[\ue000\ue001]", "", fact))
        return f"\ue000{len(facts) - 1}\ue001"

    spoken = begun(text.spoken(held))
    if spoken.startswith("\ue000"):
        facts[0] = begun(facts[0])
    whole = parser().render(spoken)
    return _HELD.sub(lambda m: _filled(m, facts[int(m[2])]), whole)


def _filled(m: re.Match[str], fact: str) -> str:
    """Return a fact in its place, without the spaces that its neighbours in Chinese don't want."""
    from workbench.words.sentence import beside

    before, after = m[1] or "", m[3] or ""
    return coded(beside(beside(before, fact), after) if language() != "en" else before + fact + after)


def coded(text: str) -> str:
    """Return a sentence as HTML; what stands between backticks, a name to type, is code.

    >>> coded("give it `role: parent`, where n < 2")
    'give it <code>role: parent</code>, where n &lt; 2'
    """
    return _TYPED.sub(r"<code>\1</code>", html.escape(text))


def literal(text: str) -> str:
    r"""Return a text so that Markdown shows it as it was typed: no link, picture, heading or HTML in it acts.

    >>> literal("a [b](c) <d>")
    'a \\[b\\]\\(c\\) \\<d\\>'
    """
    return re.sub(r"[\\`*_{}\[\]()#+!|<>~&]", r"\\\g<0>", text)


def one_line(text: str) -> str:
    """Return a paragraph as one line, as the catalogue holds it."""
    return " ".join(text.split())


def _inline(tokens: list[Token]) -> Iterator[Token]:
    return (t for t in tokens if t.type == "inline")
