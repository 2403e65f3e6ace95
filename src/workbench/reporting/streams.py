"""What a notebook told on the way, errors and streams: masked before the notebook is kept or shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from workbench import home, personal


def masked(notebook: Path) -> None:
    """Mask personal data in a notebook's errors and streams, where there is one.

    Tables, pictures and sentences are not touched: what they show is searched, and refused as a whole.
    """
    if not notebook.exists():
        return
    book = json.loads(notebook.read_text(encoding="utf-8"))
    outputs = [_masked(o) for cell in book["cells"] for o in cell.get("outputs", [])]
    if any(outputs):
        home.put(notebook, json.dumps(book, indent=1, ensure_ascii=False).encode())


def _masked(output: dict[str, Any]) -> bool:
    """Mask an output in place; say whether it told anything."""
    if output["output_type"] == "stream":
        output["text"] = _lines(output["text"], foreign=output["name"] == "stderr")
    elif output["output_type"] == "error":
        foreign = output["ename"] != "UserError"
        output["evalue"] = personal.masked(output["evalue"], foreign)
        output["traceback"] = [personal.masked(line, foreign=True) for line in output["traceback"]]
    else:
        return False
    return True


def _lines(text: str | list[str], foreign: bool) -> str:
    return personal.masked(text if isinstance(text, str) else "".join(text), foreign)
