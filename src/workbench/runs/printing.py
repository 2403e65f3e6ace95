"""Pages of a study as PDF, beside the pages they are made from; the pack where a study has one."""

from __future__ import annotations

from pathlib import Path

from workbench import home
from workbench.params import ONCE, UserError, nearest
from workbench.registry import about, current, marks, placed
from workbench.registry.current import Record
from workbench.reporting import packs, pdf
from workbench.reporting.page import language_in
from workbench.runs import rendering
from workbench.words import heard, say, speaking


def write(study: str, step: str = "", period: str = "", language: str = "") -> list[Path]:
    """Write pages of a study as PDF and return them: a step's, else the packs', else all of the period.

    Without a period it is the latest there is; without a language, that in which the pages were made. `UserError`
    where there is nothing to print.
    """
    chosen = _chosen(current.everything(study=study), study, step, period)
    published = [not language or rendering.is_in(r, language) for r in chosen]
    pages = [None if p else rendering.in_language(r, language) for r, p in zip(chosen, published, strict=True)]
    return [written(r, page, language) for r, page in zip(chosen, pages, strict=True)]


def written(record: Record, page: Path | None = None, language: str = "") -> Path:
    """Write a run's page (the published one, or `page`, in a language) as PDF beside it and return the PDF's path."""
    source = page or home.reports() / record.pages["page.html"]
    siblings = current.everything(study=record.study)
    html = source.read_bytes() if page else placed.today(record, placed.PAGE, siblings, marks.of(siblings))
    text, target = html.decode(), source.with_suffix(".pdf")
    spoken = language or language_in(text)
    home.put(target, pdf.render(text, _footer(record, spoken), front=packs.is_pack(record)))
    return target


def _footer(record: Record, language: str) -> str:
    """Return what stands below each page: study, period, and that it is simulated."""
    of_study = about.of(record)
    with speaking(language):
        parts = [heard(of_study.title), "" if record.period == ONCE else record.period]
        parts += [str(say("simulated, not real customers"))] if of_study.simulated else []
        return " · ".join(part for part in parts if part)


def _chosen(records: list[Record], study: str, step: str, period: str) -> list[Record]:
    """Return the runs whose pages are printed, or raise `UserError` with what there is."""
    if not records:
        raise UserError(f"study '{study}' has no finished run; `workbench run {study}` makes one")
    steps = {r.step for r in records}
    if step and step not in steps:
        raise UserError(f"study '{study}' has no finished step '{step}'; {nearest(step, steps)}")
    those = [r for r in records if r.step == step] if step else packs.among(records) or records
    periods = {r.period for r in those}
    if period and period not in periods:
        raise UserError(f"study '{study}' has no page of period {period}; {nearest(period, periods)}")
    latest = period or max(periods, key=lambda p: (p != ONCE, p))
    return [r for r in those if r.period == latest]
