"""The page of all pages: models first, worst on top; then bad news, studies, packs and every report, to be searched."""

from __future__ import annotations

import base64
import hashlib
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from workbench.evidence import Verdict
from workbench.params import ends
from workbench.registry.lifecycle import IN_USE
from workbench.reporting import models, packs, page
from workbench.reporting.listing import Row, Site, newest
from workbench.reporting.studies import periods_of

PLACE = "index.html"
_DATA = ("portfolios/", "panel/")  # rooms whose warnings are about the data, not about a model


@dataclass(frozen=True)
class Study:
    """A study as a row: the newest of its runs of each step, worst first, and its periods."""

    name: str
    rows: tuple[Row, ...]
    periods: tuple[str, ...]

    @property
    def last(self) -> Row:
        """The row of the run that began last."""
        return max(self.rows, key=lambda r: r.record.start)

    @property
    def verdict(self) -> str:
        """The worst light."""
        return min(self.rows, key=lambda r: r.rank).record.verdict

    @property
    def lights(self) -> list[tuple[str, int]]:
        """How many of each light, worst first."""
        return _counts(self.rows)


def render(site: Site) -> str:
    """Return the index, in the language of all studies where they have one. See `_rendered`."""
    with site.speaking_of() as spoken:
        return _rendered(spoken)


def _rendered(site: Site) -> str:
    """Return the index. A try that failed stands beside the run that still counts.

    One small script, which the page's policy knows by its hash, searches and filters; without it everything of the
    newest periods is there to read.
    """
    present = {r.record.run_id for rows in site.studies.values() for r in newest(rows)}
    bad = sorted((r for r in site.rows if r.is_bad and r.record.run_id in present), key=lambda r: r.rank)
    of_data = [r for r in bad if r.step.startswith(_DATA) and r.record.verdict == Verdict.amber]
    newest_models = models.newest(site)
    script = (page.TEMPLATES / "filter.js").read_text(encoding="utf-8").strip()
    return page.site(
        "index.html",
        PLACE,
        site,
        models=newest_models,
        used=sum(v.state in IN_USE for v in newest_models),
        studies=[_study(name, rows) for name, rows in site.studies.items()],
        bad=[r for r in bad if r not in of_data],
        counts=_counts([r for r in site.rows if r.record.run_id in present]),
        of_data=of_data,
        packs=sorted(_packs(site), key=lambda r: (r.study, ends(r.period)), reverse=True),
        reports=sorted(site.rows, key=lambda r: (r.study, _backward(r), r.record.start)),
        present=present,
        periods=sorted({r.period for r in site.rows if r.period}, key=ends, reverse=True),
        lights=[str(v) for v in sorted({Verdict(r.record.verdict) for r in site.rows}, key=lambda v: v.rank)],
        script=page.verbatim(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        when=time.strftime("%Y-%m-%d %H:%M"),
    )


def _study(name: str, rows: list[Row]) -> Study:
    return Study(name, tuple(newest(rows)), tuple(periods_of(rows)))


def _counts(rows: Iterable[Row]) -> list[tuple[str, int]]:
    lights = Counter(r.record.verdict for r in rows)
    return [(str(v), lights[v]) for v in sorted(Verdict, key=lambda v: v.rank) if lights[v]]


def _packs(site: Site) -> list[Row]:
    return [r for r in site.current if packs.is_pack(r.record)]


def _backward(row: Row) -> tuple[int, ...]:
    """Return what puts a study's newest period first: its last month, counted down."""
    last, length = ends(row.period)
    return (-int(last.replace("-", "") or 0), length)
