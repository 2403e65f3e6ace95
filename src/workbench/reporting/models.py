"""The models of the site: what each is, where its life cycle stands, what validation and monitoring say by period."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from workbench import home, tables
from workbench.params import ends
from workbench.registry import recorded
from workbench.registry.events import Event
from workbench.registry.lifecycle import REJECTED, RETIRED
from workbench.registry.state import Standing
from workbench.reporting import page
from workbench.reporting.document import TEMPLATE, TITLES
from workbench.reporting.listing import Row, Site, rank
from workbench.words import Text, say

_HEAD = re.compile(rb"<code>(\d+):[0-9a-f]{64}</code>")
LIGHTS = {"refuse": "red", "refer": "amber", "pass": "green"}  # what a battery says of a version, as a light


@dataclass(frozen=True)
class Version:
    """A version a current run has made: its run's row, what the life cycle says, and the last word on it.

    `until`: the period that the last word of monitoring is on, of a run without one the last it has looked at; empty
    where it isn't known.
    """

    made_by: Row
    entry: dict[str, Any]
    name: str
    standing: Standing
    verdict: str
    watched: Row | None
    until: str = ""

    @property
    def model(self) -> str:
        """Name of the registered model."""
        return self.entry["name"]

    @property
    def version(self) -> str:
        """Number of the version."""
        return str(self.entry["version"])

    @property
    def state(self) -> str:
        """The state in the life cycle, in words."""
        return stated(self.standing)

    @property
    def place(self) -> str:
        """Where the model's page lies, seen from the site's first page."""
        return place(self.made_by.study, self.name)

    @property
    def light(self) -> str:
        """The light of what validation says, empty where it says nothing."""
        return LIGHTS.get(self.verdict, "")

    @property
    def is_rejected(self) -> bool:
        """Whether an approver has rejected it, whatever the validation says."""
        return self.standing.state == REJECTED

    @property
    def decided(self) -> str:
        """The light of the version: red where it was rejected, else that of what validation says."""
        return "red" if self.is_rejected else self.light

    @property
    def rank(self) -> int:
        """How bad the worse of what was decided and last monitoring is: 0 the worst."""
        return min(rank(self.decided), self.watched.rank if self.watched else rank(""))


def refused(model: str, version: str) -> Text:
    """Return in words that the independent validation refused a version."""
    return say("{model} version {version} was refused by the independent validation", model=model, version=version)


def stated(standing: Standing) -> str:
    """Return where a version stands in words."""
    return stated_word(standing.state)


def stated_word(state: str) -> str:
    """Return a state of the life cycle in words; people retire, too."""
    return "retired from use" if state == RETIRED else state


def place(study: str, name: str) -> str:
    """Return where a model's page lies below the site's folder."""
    return f"{study}/models/{name}.html"


def made(site: Site) -> list[Version]:
    """Return the version of every model and period that a current run has made, oldest first."""
    return [_version(site, row, name, entry) for row in site.current for name, entry in row.record.models.items()]


def newest(site: Site) -> list[Version]:
    """Return the newest version of every model, bad news first."""
    last = {v.model: v for v in sorted(made(site), key=lambda v: (ends(v.made_by.period), v.made_by.record.start))}
    return sorted(last.values(), key=lambda v: (v.rank, v.model))


def _version(site: Site, row: Row, key: str, entry: Any) -> Version:
    verdicts = [_verdict(r, key, entry) for r in _of(site, row.study) if key in r.record.tags]
    watching = [r for r in _of(site, row.study) if r.step.startswith("monitoring/") and _reads(r, key)]
    watched = _last(watching)
    return Version(
        made_by=row,
        entry=dict(entry),
        name=key.removeprefix(tables.MODEL),
        standing=site.book.of(entry["name"], entry["version"]),
        verdict=next((v for v in reversed(verdicts) if v), ""),
        watched=watched,
        until=recorded.watched_by(watched.record) if watched else "",
    )


def _last(watching: list[Row]) -> Row | None:
    """Return the worst word of the newest period."""
    newest_ = max((ends(r.period) for r in watching), default=None)
    return min((r for r in watching if ends(r.period) == newest_), key=lambda r: r.rank, default=None)


def _of(site: Site, study: str) -> list[Row]:
    return [r for r in site.current if r.study == study]


def _reads(row: Row, key: str) -> bool:
    return key in {name.lstrip("?") for name in row.record.reads}


def _verdict(row: Row, key: str, entry: Any) -> str:
    """Return what a validation says of this very version, empty where it speaks of another."""
    tagged = row.record.tags[key]
    return tagged["tags"].get("validation.verdict", "") if tagged["version"] == entry["version"] else ""


def pages(site: Site) -> Iterator[tuple[str, str]]:
    """Yield place and content of every model's page."""
    every = made(site)
    for newest_ in newest(site):
        same = [v for v in every if v.model == newest_.model]
        with site.speaking_of(newest_.made_by.study) as of_study:
            content = _page(of_study, newest_, same)
        yield newest_.place, content


def _page(site: Site, newest_: Version, same: list[Version]) -> str:
    key = tables.of_model(newest_.name)
    speaking = [r for r in site.current if r.study == newest_.made_by.study and _speaks(r, key)]
    return page.site(
        "model.html",
        newest_.place,
        site,
        m=newest_,
        versions=list(_versions(site, newest_.model, same)),
        speaking=sorted(speaking, key=lambda r: (ends(r.period), r.record.start), reverse=True),
        says=lambda row: row.record.tags.get(key, {}).get("tags", {}).get("validation.verdict", ""),
        of_version=lambda row: row.record.tags.get(key, {}).get("version", "") or _read_by(row, same),
        moves=[_told(e) for e in reversed(site.chain.of(newest_.model))],
    )


def _read_by(row: Row, same: list[Version]) -> str:
    """Return the version that a run without a word on it has read: the last one made before it."""
    before = [v for v in same if v.made_by.record.start <= row.record.start]
    return before[-1].version if before else ""


def _speaks(row: Row, key: str) -> bool:
    return key not in row.record.models and (key in row.record.tags or _reads(row, key))


def _versions(site: Site, model: str, same: Iterable[Version]) -> Iterator[dict[str, Any]]:
    """Yield every version registry or chain know, newest first; `made` where a current run stands behind it."""
    current_ = {v.version: v for v in same}
    registered = {version for name, version in site.versions if name == model}
    moved = {version for name, version in site.book.standings if name == model}
    for version in sorted({*current_, *registered, *moved}, key=int, reverse=True):
        standing = site.book.of(model, version)
        yield {
            "version": version,
            "state": stated(standing),
            "standing": standing,
            "made": current_.get(version),
            "is_gone": version not in registered and version not in current_,
            "documents": list(_documents(site, model, version)),
            "outdated": _is_outdated(site, model, version),
        }


def _documents(site: Site, model: str, version: str) -> Iterator[tuple[str, Text]]:
    """Yield place and title of every document that was written of a version."""
    study, _, name = model.partition(".")
    for document, title in TITLES.items():
        at = f"{study}/models/{name}/{version}/{document}.{'xlsx' if document == TEMPLATE else 'html'}"
        if (home.reports() / site.folder / at).exists():
            yield at, title


def _is_outdated(site: Site, model: str, version: str) -> bool:
    """Say whether a move of the version came after its documents, which name the head of the chain they rest on."""
    last = max((e.seq for e in site.chain.of(model) if e.version == version), default=0)
    if not last:  # most versions: no document is opened for them
        return False
    for place_, _ in _documents(site, model, version):
        path = home.reports() / site.folder / place_
        head = _HEAD.search(path.read_bytes()) if path.suffix == ".html" else None
        if head and int(head[1]) < last:
            return True
    return False


def _told(event: Event) -> dict[str, str]:
    """Return a move without who made it: the page goes to more people than `workbench history`."""
    reason = str(event.details.get("reason", ""))
    states = {"source": event.source, "target": "retired from use" if event.target == RETIRED else event.target}
    return {"at": event.at[:10], "version": event.version, "role": event.role, "reason": reason, **states}
