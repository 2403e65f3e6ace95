"""The pages of a study in another language, from what its current runs have left: nothing is run again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from workbench import home
from workbench.params import ONCE, UserError
from workbench.registry import current, placed, recorded
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
    there = [r for r in records if r in chosen or _place(r, language).exists()]
    pages = [_written(r, there, language) for r in chosen]
    site.write(language)
    return pages


def in_language(record: Record, language: str) -> Path:
    """Write one run's page below `reports/LANGUAGE/` and return it."""
    there = [r for r in current.everything(study=record.study) if r == record or _place(r, language).exists()]
    return _written(record, there, language)


def _place(record: Record, language: str) -> Path:
    return home.reports() / language / f"{record.key.place}/{record.slug}.html"


def _written(record: Record, there: list[Record], language: str) -> Path:
    """Write a run's page, with the way to those of the study that are there in the language or will be."""
    notebook, left_behind = recorded.artifact(record, "notebook.ipynb"), recorded.left_behind(record)
    siblings = {s.step: s for period in (ONCE, record.period) for s in there if s.period == period}
    html = page.render(notebook, left_behind, _facts(record, list(siblings.values()), language))
    target = _place(record, language)
    home.put(target, html.encode())
    for r in (record, *placed.neighbours(record, there)):
        if (path := _place(r, language)).exists():
            home.put(path, placed.filled(path.read_bytes(), placed.links(r, there)))
    return target


def _facts(record: Record, siblings: list[Record], language: str) -> dict[str, Any]:
    place = f"{language}/{record.key.place}"
    up = "../" * f"{place}/{record.slug}".count("/")
    beside = {name.removeprefix("evidence/"): up + p for name, p in record.pages.items() if name != "page.html"}
    return {
        "study": record.study,
        "title": record.title,
        "description": record.description,
        "owner": record.owner,
        "period": record.period,
        "language": language,
        "simulated": record.simulated,
        "step": record.step,
        "run_id": record.run_id,
        "start": record.start,
        "link": record.link,
        "steps": [(s.step, f"{place}/{s.slug}") for s in siblings],
        "place": f"{place}/{record.slug}",
        "params": json.loads(recorded.artifact(record, "params.json").read_text(encoding="utf-8")),
        "attached": beside,
        "index": f"{language}/index.html",
    }
