"""The pages of a study in another language, from what its current runs have left: nothing is run again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench import home
from workbench.evidence import LEFT_BEHIND
from workbench.params import UserError
from workbench.registry import current, recorded
from workbench.registry.current import Record
from workbench.registry.recorded import artifact
from workbench.reporting import index, page
from workbench.runs import outcome
from workbench.words import speaking


def render(study: str, language: str, period: str = "") -> list[Path]:
    """Write the pages of a study's current runs (with `period`, of that one) below `reports/LANGUAGE/`; return them.

    The published pages stay as they are: they belong to their runs, byte for byte. Raises `UserError` where the study
    has no current run.
    """
    records = current.everything(study=study)
    if not records:
        raise UserError(f"study '{study}' has no finished run; `workbench run {study}` makes one")
    chosen = [r for r in records if period in ("", r.period)]
    pages = [_written(r, [s for s in records if s.key == r.key], language) for r in chosen]
    _index(language)
    return pages


def in_language(record: Record, language: str) -> Path:
    """Write one run's page below `reports/LANGUAGE/` and return it."""
    siblings = [s for s in current.everything(study=record.study) if s.key == record.key]
    return _written(record, siblings, language)


def _index(language: str) -> None:
    """Write the page of all pages in the language, with links to those that were rendered in it."""
    folder = home.reports() / language
    with speaking(language):
        content = index.render([_spoken(r) for r in current.everything()], current.everything(current.FAILED), folder)
    home.put(folder / "index.html", content.encode())


def _spoken(record: Record) -> Record:
    """Return a record whose headline is in the language now spoken; as it was recorded, where its evidence is gone."""
    if not artifact(record, f"evidence/{LEFT_BEHIND}").exists():
        return record
    speaks = outcome.headline(recorded.left_behind(record), record.step)
    return replace(record, headline=str(speaks.answer)) if speaks else record


def _written(record: Record, siblings: list[Record], language: str) -> Path:
    notebook = artifact(record, "notebook.ipynb")
    left_behind = recorded.left_behind(record)
    html = page.render(notebook, left_behind, _facts(record, siblings, language))
    target = home.reports() / language / f"{record.key.place}/{record.slug}.html"
    home.put(target, html.encode())
    return target


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
        "params": json.loads(artifact(record, "params.json").read_text(encoding="utf-8")),
        "attached": beside,
        "index": f"{language}/index.html",
    }
