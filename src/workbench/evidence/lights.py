"""A traffic light as HTML: its word beside its colour, in the language now spoken."""

from __future__ import annotations

import html

from workbench.words import Text, say

COLUMN = "light"  # of a table: its cells are lights
WORDS = ("error", "red", "amber", "not_evaluated", "green", "info")


def in_words(verdict: str) -> Text:
    """Return the word of a light, for a sentence."""
    return say(verdict.replace("_", " "))


def light(verdict: str) -> str:
    """Return a traffic light as HTML, its word beside its colour."""
    word = str(in_words(verdict))
    return f'<span class="light {html.escape(verdict)}">{html.escape(word)}</span>'
