"""What a step is called: its notebook's title, in the language now spoken."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from workbench import home
from workbench.words import Text, names, say


def of_step(step: str) -> Text:
    """Return what a step is called: its notebook's title, and the instance's name where a study has it twice."""
    base = step.partition("@")[0]
    path = home.root() / "notebooks" / f"{base}.ipynb"
    return with_instance(_title(path) if path.exists() else base, step)


def with_instance(title: str, step: str) -> Text:
    """Return a notebook's English title as a step of this name is called."""
    instance = step.partition("@")[2]
    return say("{step} · {name}", step=say(title), name=say(names.words_of(instance))) if instance else say(title)


def of_notebook(notebook: dict[str, Any]) -> str:
    """Return the notebook's title, in English; empty where it has none."""
    return next((m[1] for text in texts(notebook) if (m := re.search(r"^# (.+)$", text, re.M))), "")


def texts(notebook: dict[str, Any]) -> Iterator[str]:
    """Return the Markdown of a notebook's cells of text."""
    return ("".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "markdown")  # a text, or its lines


@cache
def _title(path: Path) -> str:
    return of_notebook(json.loads(path.read_text(encoding="utf-8"))) or path.stem
