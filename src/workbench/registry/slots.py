"""Slots of a page: places for what its run can't know, or what is said anew while the run stays as it is.

A slot is a pair of comments that name it. What stands between them belongs to the day; all else is the run's own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from html import escape

from workbench.evidence.lights import light
from workbench.registry import titles
from workbench.registry.about import About
from workbench.words import heard, say

PERIODS, EARLIER, STEPS = "periods", "earlier", "steps"
_WORDS = ("study", "simulated", "about")
NAMES = (PERIODS, EARLIER, STEPS, *_WORDS)
_SLOT = re.compile(rf"<!--({'|'.join(NAMES)})-->(.*?)<!--/\1-->".encode(), re.S)


def slot(name: str, content: str = "") -> str:
    """Return a slot with its content as HTML."""
    return f"<!--{name}-->{content}<!--/{name}-->"


def filled(page: bytes, contents: Mapping[str, str]) -> bytes:
    """Return a page with this in its slots; of two of one name the first counts, and one that isn't named stays."""
    waiting = dict(contents)

    def fill(m: re.Match[bytes]) -> bytes:
        content = waiting.pop(m[1].decode(), None)
        return m[0] if content is None else slot(m[1].decode(), content).encode()

    return _SLOT.sub(fill, page)


def without_words(page: bytes) -> bytes:
    """Return a page without what changes by itself: where two still differ, a hand or another run has changed one."""
    return filled(page, dict.fromkeys(set(NAMES) - {PERIODS}, ""))


def steps(places: Iterable[tuple[str, str]], up: str, here: str, red: Collection[str] = ()) -> str:
    """Return links to the pages of a study's steps: each step's name and its place, from below which `up` leads out.

    `red`: names of those whose light is red, which a reader of any page of the study has to know.
    """
    mark, lit = ' class="here" aria-current="page"', f" {light('red')}"
    return "".join(
        f'<a href="{up}{escape(place)}.html"{mark if name == here else ""}>{escape(str(titles.of_step(name)))}'
        f"{lit if name in red else ''}</a>"
        for name, place in places
    )


def words(about: About) -> dict[str, str]:
    """Return what a study says of itself as the contents of its slots, in the language now spoken."""
    rows = [
        (say("Study"), heard(about.title)),
        (say("About"), heard(about.description)),
        (say("Owner"), heard(about.owner)),
    ]
    shown = [f"<div><dt>{escape(str(n))}</dt><dd>{escape(str(v))}</dd></div>" for n, v in rows if v]
    note = escape(str(say("simulated, not real customers")))
    return {
        "study": escape(str(heard(about.title))),
        "simulated": f'<span class="simulated">{note}</span>' if about.simulated else "",
        "about": "".join(shown),
    }
