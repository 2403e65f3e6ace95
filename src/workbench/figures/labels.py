"""Labels that fit: broken between words, never inside a number; shortened only where they stay apart."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.textpath import TextPath

MOST_LINES = 3
SIZE = 8  # points


def width(text: str) -> int:
    """Return how much room a text takes, in narrow letters; a Chinese one takes two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def fitted(labels: Iterable[object], widest: int) -> list[str]:
    """Return labels of at most three lines, each about `widest` letters wide.

    A line ends between words or after a comma, in Chinese anywhere but inside a number. What is longer still is
    shortened at such a place with `…`, unless two labels would then read alike: those stay whole.

    >>> fitted(["12,500 to < 20,000", "missing"], 12)
    ['12,500 to <\\n20,000', 'missing']
    """
    whole = [_lines(str(label), widest) for label in labels]
    short = ["\n".join(_ended(lines[:MOST_LINES]) if len(lines) > MOST_LINES else lines) for lines in whole]
    return [s if short.count(s) == 1 else "\n".join(lines) for s, lines in zip(short, whole, strict=True)]


def size(label: str, room: float) -> float:
    """Return the type size, 8 points at most, at which every line of a label fits in so many points."""
    widest = max(TextPath((0, 0), line, size=SIZE).get_extents().width for line in label.split("\n"))
    return SIZE * min(1, room / max(widest, 1))


def _ended(lines: list[str]) -> list[str]:
    return [*lines[:-1], f"{lines[-1].rstrip(' ,;')} …"]


def _lines(text: str, widest: int) -> list[str]:
    lines = [""]
    for piece in re.findall(r"[0-9.,%+\-−]*[0-9][0-9.,%]*\s*|[一-鿿]|[^\s一-鿿]+\s*|\s+", text):
        if lines[-1] and width((lines[-1] + piece).rstrip()) > widest:
            lines[-1] = lines[-1].rstrip()
            lines.append("")
        lines[-1] += piece
    return [*lines[:-1], lines[-1].rstrip()]


def along(ax: Axes, labels: list[object], *, room: float) -> None:
    """Write labels below an axis of `room` inches: upright where they fit side by side, else at a slant."""
    letters = max(5, int(room * 11 / max(1, len(labels))))
    lines = fitted(labels, letters)
    is_upright = all(width(line) <= letters + 1 for label in lines for line in label.split("\n"))
    shown = lines if is_upright else fitted(labels, 26)
    turned = {} if is_upright else {"rotation": 40, "ha": "right", "rotation_mode": "anchor"}
    ax.set_xticks(range(len(labels)), shown, fontsize=8, **turned)


def every(ax: Axes, labels: list[object], *, most: int, at: Sequence[float] = ()) -> None:
    """Write at most so many of a row of labels below an axis, evenly spaced, the first among them; `at`: where."""
    places = at or range(len(labels))
    step = max(1, math.ceil(len(labels) / most))
    turned = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if len(labels) > 6 else {}
    ax.set_xticks(places[::step], [str(v) for v in labels[::step]], fontsize=8, **turned)
