"""A study's page: its steps by its periods as lights, and what each run says, the newest period first."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.params import ends
from workbench.reporting import models, page
from workbench.reporting.listing import Row, Site


def pages(site: Site) -> Iterator[tuple[str, str]]:
    """Yield place and content of every study's page."""
    of_models = {v.model: v for v in models.newest(site)}.values()
    for name in site.studies:
        with site.speaking_of(name) as of_study:
            content = _page(of_study, name, [v for v in of_models if v.made_by.study == name])
        yield f"{name}/index.html", content


def _page(site: Site, name: str, of_models: list[models.Version]) -> str:
    rows = site.studies[name]
    periods = periods_of(rows)
    return page.site(
        "study.html",
        f"{name}/index.html",
        site,
        name=name,
        about=rows[-1].record,
        periods=periods,
        steps=list(dict.fromkeys(r.step for r in sorted(rows, key=lambda r: r.record.start))),
        cells={(r.step, r.period): r for r in rows if r.record.status == "FINISHED"},
        sections=[(p, [r for r in rows if r.period == p]) for p in [*reversed(periods), ""]],
        models=of_models,
    )


def periods_of(rows: list[Row]) -> list[str]:
    """Return the periods of a study's rows in order of time, runs without a period apart."""
    return sorted({r.period for r in rows if r.period}, key=ends)
