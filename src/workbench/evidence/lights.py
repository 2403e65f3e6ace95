"""A traffic light as HTML: its word beside its colour, in the language now spoken."""

from __future__ import annotations

import html

from workbench.words import say

COLUMN = "light"  # of a table: its cells are lights
WORDS = ("error", "red", "amber", "not_evaluated", "green", "info")


def light(verdict: str) -> str:
    """Return a traffic light as HTML, its word beside its colour."""
    word = str(say(verdict.replace("_", " ")))
    return f'<span class="light {html.escape(verdict)}">{html.escape(word)}</span>'
