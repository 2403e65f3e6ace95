"""The page of all pages: every study and step with verdict, key figures, time and links; bad news on top."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from workbench import evidence
from workbench.reporting import page

_RANK = ("error", "red", "amber")
SHOWN_FIGURES = 4


def render(studies: dict[str, list[dict[str, Any]]], folder: Path) -> str:
    """Return the index of the latest run of every step; links lead to pages that are there in `folder`."""
    rows = {
        name: [_row(name, r, folder) for r in sorted(found, key=lambda r: r["start"])]
        for name, found in studies.items()
    }
    rows = {name: found for name, found in rows.items() if found}
    told = [(name, r) for name, found in rows.items() for r in found if r["verdict"] in _RANK]
    told.sort(key=lambda t: _RANK.index(t[1]["verdict"]))
    return (
        page.templates()
        .get_template("index.html")
        .render(studies=rows, told=told, css=page.css(), when=time.strftime("%Y-%m-%d %H:%M"))
    )


def _row(study: str, r: dict[str, Any], folder: Path) -> dict[str, Any]:
    place = f"{study}/{r['step'].replace('@', '-')}.html"
    return {
        **r,
        "page": place if (folder / place).exists() else "",
        "when": time.strftime("%Y-%m-%d %H:%M", time.localtime(r["start"])),
        "took": f"{r['seconds']:.0f} s",
        "shown": [(k.replace("_", " "), evidence.number(v)) for k, v in list(r["figures"].items())[:SHOWN_FIGURES]],
    }
