"""The pages of a study in another language, from what its current runs have left: nothing is run again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from workbench import home
from workbench.evidence import LEFT_BEHIND
from workbench.params import UserError
from workbench.registry import current, placed
from workbench.registry.current import Record
from workbench.reporting import page, site


def render(study: str, language: str, period: str = "") -> list[Path]:
    """Write the pages of a study's current runs (with `period`, of that one) below `reports/LANGUAGE/`; return them.

    The published pages stay as they are: they belong to their runs, byte for byte. Raises `UserError` where the study
    has no current run.
    """
    records = current.everything(study=study)
    if not records:
        raise UserError(f"study '{study}' has no finished run; `workbench run {study}` makes one")
    chosen = [r for r in records if period in ("", r.period)]
    pages = [_written(r, records, language) for r in chosen]
    site.write(language)
    return pages


def _written(record: Record, records: list[Record], language: str) -> Path:
    notebook = placed.location(record, "notebook.ipynb")
    left_behind = json.loads(placed.location(record, f"evidence/{LEFT_BEHIND}").read_text(encoding="utf-8"))
    siblings = [s for s in records if s.key == record.key]
    html = page.render(notebook, left_behind, _facts(record, siblings, language))
    target = home.reports() / language / f"{record.key.place}/{record.slug}.html"
    home.put(target, html.encode())
    _lead(record, records, language)
    return target


def _lead(record: Record, records: list[Record], language: str) -> None:
    """Let the page and those of the periods beside it lead to one another, as far as they are there in the language."""
    folder = home.reports() / language
    there = [r for r in records if (folder / f"{r.key.place}/{r.slug}.html").exists()]
    for r in (record, *placed.neighbours(record, there)):
        path = folder / f"{r.key.place}/{r.slug}.html"
        home.put(path, placed.filled(path.read_bytes(), placed.links(r, there)))


def _facts(record: Record, siblings: list[Record], language: str) -> dict[str, Any]:
    place = f"{language}/{record.key.place}"
    up = "../" * f"{place}/{record.slug}".count("/")
    beside = {name.removeprefix("evidence/"): up + p for name, p in record.pages.items() if name != "page.html"}
    return {
        "study": record.study,
        "title": record.title,
        "owner": record.owner,
        "period": record.period,
        "language": language,
        "simulated": record.simulated,
        "step": record.step,
        "run_id": record.run_id,
        "link": record.link,
        "steps": [(s.step, f"{place}/{s.slug}") for s in siblings],
        "place": f"{place}/{record.slug}",
        "params": json.loads(placed.location(record, "params.json").read_text(encoding="utf-8")),
        "attached": beside,
        "index": f"{language}/index.html",
    }
