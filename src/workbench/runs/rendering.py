"""The pages of a study in another language, from what its current runs have left: nothing is run again.

Each ends with a digest of its content and of what it was made from, so that it is known whether it still is that.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from workbench import home
from workbench.params import ONCE, UserError, canonical
from workbench.registry import about, current, marks, placed, recorded, slots
from workbench.registry.current import Record
from workbench.registry.marks import Marks
from workbench.reporting import page, site
from workbench.words import LANGUAGES, speaking

_STAMP = b"<!--made from "
_NAVIGATION = re.compile(rb"<nav\b.*?</nav>", re.DOTALL)


def render(study: str, language: str, *periods: str) -> list[Path]:
    """Write the pages of a study's current runs (with `periods`, of those) below `reports/LANGUAGE/`; return them.

    The published pages stay as they are: they belong to their runs, byte for byte; those that are in the language
    already have no second copy. Raises `UserError` where the study has no current run.
    """
    records = current.everything(study=study)
    if not records:
        raise UserError(f"study '{study}' has no finished run; `workbench run {study}` makes one")
    chosen = [r for r in records if (not periods or r.period in periods) and not is_in(r, language)]
    there = [r for r in records if r in chosen or _place(r, language).exists()]
    marked = marks.of(records)
    pages = [_written(r, there, language, marked) for r in chosen]
    follow(study)
    site.write(language if pages else "")
    return pages


def is_in(record: Record, language: str) -> bool:
    """Say whether the published page of a run is in the language."""
    return language == (record.language or "en")


def in_language(record: Record, language: str) -> Path:
    """Write one run's page below `reports/LANGUAGE/` and return it."""
    records = current.everything(study=record.study)
    there = [r for r in records if r == record or _place(r, language).exists()]
    return _written(record, there, language, marks.of(records))


def follow(study: str) -> None:
    """Let the pages of a study in every language it was once rendered in be those of its current runs.

    A period of which a page is there has one of each of its steps; that of a step which is gone goes. A page that is
    still what it was made from stays as it is.
    """
    for language in LANGUAGES:
        if there := set((home.reports() / language / study).glob("*/*/*.html")):
            _follow(study, language, there)


def _follow(study: str, language: str, there: set[Path]) -> None:
    records = current.everything(study=study)
    periods = {path.parents[1].name for path in there}
    wanted = {_place(r, language): r for r in records if r.period in periods}
    marked, siblings = marks.of(records), list(wanted.values())
    lost = set[Path]()
    for path, record in wanted.items():
        try:
            if not _is_made_from(path, _origin(record, siblings, language, marked)):
                _written(record, siblings, language, marked)
        except (OSError, ValueError):  # what its run left is lost: there is nothing to hold the page to
            lost.add(path)
    for path in (there - wanted.keys()) | lost:
        for gone in (path, path.with_suffix(".pdf")):
            gone.unlink(missing_ok=True)


def _place(record: Record, language: str) -> Path:
    return home.reports() / language / f"{record.key.place}/{record.slug}.html"


def _written(record: Record, there: list[Record], language: str, marked: Marks) -> Path:
    """Write a run's page, with the way to those of the study that are there in the language or will be.

    A PDF beside it goes where the page said something else before.
    """
    notebook, left_behind = recorded.artifact(record, "notebook.ipynb"), recorded.left_behind(record)
    params = json.loads(recorded.artifact(record, "params.json").read_text(encoding="utf-8"))
    facts = _facts(record, there, language) | {"params": params}
    with speaking(language):
        contents = {slots.EARLIER: marked.html(record), slots.PERIODS: placed.links(record, there)}
    content = slots.filled(page.render(notebook, left_behind, facts).encode(), contents)
    target = _place(record, language)
    if not target.exists() or _says(target.read_bytes()) != _says(content):
        target.with_suffix(".pdf").unlink(missing_ok=True)
    home.put(target, content + _stamp(content, _origin(record, there, language, marked)))
    for r in placed.neighbours(record, there):
        if (path := _place(r, language)).exists():
            home.put(path, slots.filled(path.read_bytes(), {slots.PERIODS: placed.links(r, there)}))
    return target


def _origin(record: Record, there: list[Record], language: str, marked: Marks) -> bytes:
    """Return all that a page is made from: its run, what the study is called, and what it leads to."""
    facts = _facts(record, there, language)
    with speaking(language):
        shown = marked.html(record)
    return canonical([record.digest, facts, placed.links(record, there), shown])


def _says(content: bytes) -> bytes:
    """Return a page without its stamp and the ways to other steps and periods, which no PDF shows."""
    return _NAVIGATION.sub(b"", slots.filled(content.partition(_STAMP)[0], {slots.PERIODS: ""}))


def _stamp(content: bytes, origin: bytes) -> bytes:
    return _STAMP + hashlib.sha256(content + origin).hexdigest().encode() + b"-->"


def _is_made_from(path: Path, origin: bytes) -> bool:
    if not path.exists():
        return False
    content, _, _ = (whole := path.read_bytes()).rpartition(_STAMP)
    return whole == content + _stamp(content, origin)


def _facts(record: Record, there: list[Record], language: str) -> dict[str, Any]:
    siblings = {s.step: s for period in (ONCE, record.period) for s in there if s.period == period}
    of_study = about.of(record)
    order = {name: i for i, name in enumerate(of_study.steps)}
    place = f"{language}/{record.key.place}"
    up = "../" * f"{place}/{record.slug}".count("/")
    beside = {name.removeprefix("evidence/"): up + p for name, p in record.pages.items() if name != "page.html"}
    return {
        "study": record.study,
        "title": of_study.title,
        "description": of_study.description,
        "owner": of_study.owner,
        "period": record.period,
        "language": language,
        "simulated": of_study.simulated,
        "step": record.step,
        "run_id": record.run_id,
        "start": record.start,
        "link": record.link,
        "steps": [
            (s.step, f"{place}/{s.slug}")
            for s in sorted(siblings.values(), key=lambda s: order.get(s.step, len(order)))
        ],
        "place": f"{place}/{record.slug}",
        "attached": beside,
        "index": f"{language}/index.html",
    }
