"""A study's page: its steps by its periods as lights, and what each run says, the newest period first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from workbench.params import ends
from workbench.registry.recorded import EVIDENCE
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
    rows = in_order(site.studies[name])
    periods = periods_of(rows)
    return page.site(
        "study.html",
        f"{name}/index.html",
        site,
        name=name,
        about=site.studies[name][-1].record,
        periods=periods,
        steps=list(dict.fromkeys(r.step for r in rows)),
        cells={(r.step, r.period): r for r in rows if r.record.status == "FINISHED"},
        sections=[(p, [r for r in rows if r.period == p]) for p in [*reversed(periods), ""]],
        models=of_models,
    )


def in_order(rows: list[Row]) -> list[Row]:
    """Return a study's rows in the order in which its steps stand on one another, whenever each was run last."""
    wrote = {name: r.step for r in rows for name in (*r.record.tables, *r.record.models)}
    needs: dict[str, set[str]] = {r.step: set() for r in rows}
    for r in rows:
        read = [name.lstrip("?") for name in r.record.reads]
        stood_on = {wrote.get(name, name.removeprefix(EVIDENCE)) for name in read}
        needs[r.step] |= stood_on & needs.keys() - {r.step}
    level = _levels(needs)
    return sorted(rows, key=lambda r: (level[r.step], r.step, ends(r.period), r.record.start))


def _levels(needs: Mapping[str, set[str]]) -> dict[str, int]:
    """Return how many steps, one on another, each step stands on; those of a circle stand alike."""
    out: dict[str, int] = {}
    level = 0
    while len(out) < len(needs):
        waiting = [step for step in needs if step not in out]
        out |= dict.fromkeys([s for s in waiting if needs[s] <= out.keys()] or waiting, level)
        level += 1
    return out


def periods_of(rows: list[Row]) -> list[str]:
    """Return the periods of a study's rows in order of time, runs without a period apart."""
    return sorted({r.period for r in rows if r.period}, key=ends)
