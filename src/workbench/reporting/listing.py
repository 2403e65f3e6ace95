"""What the site lists: a row per current run and per try that failed since, in the language now spoken, with links."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from workbench import home
from workbench.evidence import LEFT_BEHIND, Verdict
from workbench.evidence.table import is_share
from workbench.params import ONCE, ends
from workbench.registry import about, current, earlier, events, placed, runs, standing, titles
from workbench.registry.current import Record
from workbench.registry.events import Chain
from workbench.registry.state import Book, replay
from workbench.reporting.headline import headline
from workbench.reporting.page import language_in
from workbench.words import LANGUAGES, formatted, heard, language, number, speaking

SHOWN_FIGURES = 4
BAD = (Verdict.error, Verdict.red, Verdict.amber)
_FAILURE = re.compile(r"(?:cell (\d+): )?(.*)", re.S)


@dataclass(frozen=True)
class Row:
    """One run as the site shows it; `page` is its place seen from the site's first page, empty where there is none.

    `is_earlier`: whether it was made from earlier inputs than there are now.
    """

    record: Record
    page: str
    link: str
    attached: tuple[tuple[str, str], ...] = ()
    is_earlier: bool = False

    @property
    def study(self) -> str:
        """The study's name."""
        return self.record.study

    @property
    def period(self) -> str:
        """The period, empty where the study has none."""
        return "" if self.record.period == ONCE else self.record.period

    @property
    def step(self) -> str:
        """The step's name."""
        return self.record.step

    @property
    def called(self) -> str:
        """What the step is called."""
        return str(titles.of_step(self.step))

    @property
    def is_bad(self) -> bool:
        """Whether the light is amber or worse."""
        return self.record.verdict in BAD

    @property
    def rank(self) -> int:
        """How bad the light is: 0 the worst."""
        return rank(self.record.verdict)

    @property
    def when(self) -> str:
        """When the run began, to the minute, in local time."""
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(self.record.start))

    @property
    def took(self) -> str:
        """How long it took."""
        return f"{self.record.seconds:,.0f} s"

    @property
    def failure(self) -> tuple[int, str]:
        """In which cell a try failed (0 where in none) and what the error said; empty of a run that ended otherwise."""
        parts = _FAILURE.fullmatch(self.record.headline) if self.record.status == "FAILED" else None
        return (int(parts[1] or 0), parts[2]) if parts else (0, "")

    @property
    def figures(self) -> list[tuple[str, str]]:
        """Its first figures: name and number."""
        figures = list(self.record.figures.items())[:SHOWN_FIGURES]
        return [(k.replace("_", " "), formatted(v, ".2%") if is_share(k, v) else number(v)) for k, v in figures]


@dataclass(frozen=True)
class Site:
    """Everything the site's pages are made from.

    `versions`: every version the registry holds: model and number. `mlflow`: address of an MLflow UI that runs,
    empty without. `languages`: the other languages there is a site in, with the way there from the first page.
    `folder`: where the site lies below `reports/`.
    """

    rows: tuple[Row, ...]
    chain: Chain = field(default_factory=Chain)
    versions: tuple[tuple[str, str], ...] = ()
    mlflow: str = ""
    languages: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""

    @property
    def book(self) -> Book:
        """Where every version stands."""
        return replay(self.chain)

    @property
    def current(self) -> list[Row]:
        """The rows of runs that count."""
        return [r for r in self.rows if r.record.status == "FINISHED"]

    @property
    def studies(self) -> dict[str, list[Row]]:
        """The rows by study, each study's oldest first."""
        by_study: dict[str, list[Row]] = {}
        for row in sorted(self.rows, key=lambda r: (r.study, r.period, r.record.start)):
            by_study.setdefault(row.study, []).append(row)
        return by_study

    def original(self, study: str = "") -> str:
        """Return the language of a study's own pages, as its newest runs say; empty where none of them does.

        Without a study that of all of them; empty where they differ.
        """
        if not study:
            each = {self.original(name) for name in self.studies}
            return each.pop() if len(each) == 1 else ""
        return next(filter(None, (language_of(r.record) for r in reversed(self.studies.get(study, [])))), "")

    @contextmanager
    def speaking_of(self, study: str = "") -> Iterator[Site]:
        """Speak a study's language within the block (of all, without one), and have the site with its runs say so.

        Below a folder of a language's name all is in that language.
        """
        name = self.folder or self.original(study) or language()
        if name == language():
            yield self
            return
        with speaking(name):
            yield replace(self, rows=tuple(_spoken(r) if study in ("", r.study) else r for r in self.rows))


def rank(verdict: str) -> int:
    """Return how bad a light is: 0 the worst; a word that is no light comes last."""
    return Verdict(verdict).rank if verdict in set(Verdict) else len(Verdict)


def newest(rows: Iterable[Row]) -> list[Row]:
    """Return the rows of a study that speak of its present: those of each step's last period."""
    rows = list(rows)
    last: dict[str, str] = {}
    for r in sorted(rows, key=lambda r: ends(r.period)):
        last[r.step] = r.period
    return [r for r in rows if r.period == last[r.step]]


def gather(said_in: str = "", mlflow: str = "") -> Site:
    """Return the site from the current runs, the store and the chain; MLflow isn't opened where its store is SQLite.

    `said_in`: the language whose pages lie below a folder of its name; without, the pages of the runs themselves.
    """
    everything = current.everything()
    moved = earlier.of(everything)
    good, failed = about.today(everything), about.today(current.everything(current.FAILED))
    if said_in:
        good = [spoken(r) for r in good]
    chain, rows = events.read(), listed(good, failed, home.reports() / said_in, mlflow)
    rows = [replace(r, is_earlier=r.record.run_id in moved) for r in rows]
    return Site(tuple(rows), chain, tuple(standing.versions()), mlflow, _languages(said_in), said_in)


def listed(good: list[Record], failed: list[Record], folder: Path, mlflow: str = "") -> list[Row]:
    """Return a row per run; links lead to pages that are there in `folder`, else to those the runs themselves left."""
    experiments = runs.experiments() if mlflow else {}
    return [
        Row(
            r,
            page=_page(r, f"{r.key.place}/{r.slug}.html", folder),
            link=r.link or (f"{mlflow}/#/experiments/{e}/runs/{r.run_id}" if (e := experiments.get(r.run_id)) else ""),
            attached=tuple(
                (_name(r, p), way) for a, p in r.pages.items() if a != placed.PAGE and (way := _page(r, p, folder))
            ),
        )
        for r in (*good, *failed)
    ]


def sites() -> list[str]:
    """Return the languages that have a site of their own below `reports/`."""
    return [name for name in LANGUAGES if (home.reports() / name / "index.html").exists()]


def _spoken(row: Row) -> Row:
    return replace(row, record=spoken(row.record)) if row.record.status == "FINISHED" else row


def language_of(record: Record) -> str:
    """Return a record's language; of one from before it was noted that of its page, empty where that isn't there."""
    path = home.reports() / f"{record.key.place}/{record.slug}.html"
    if record.language or not path.exists():
        return record.language
    with path.open(encoding="utf-8") as written:
        return language_in(written.read(100))


def _languages(said_in: str) -> dict[str, str]:
    up = "../" if said_in else ""
    ways = {"": f"{up}index.html"} if said_in else {}
    return ways | {name: f"{up}{name}/index.html" for name in sites() if name != said_in}


def _page(record: Record, place: str, folder: Path) -> str:
    if record.status != "FINISHED":
        return ""
    if (folder / place).exists():
        return place
    up = "" if folder == home.reports() else "../"
    return f"{up}{place}" if up and (home.reports() / place).exists() else ""


def _name(record: Record, place: str) -> str:
    """Return what an attached page is called: its file, and for a page the folder the step has put it in."""
    folder, _, name = place.rpartition("/")
    kind = folder.rpartition("/")[2].removeprefix(f"{record.slug.rpartition('/')[2]}-")
    return f"{kind} {name.removesuffix('.html')}" if name.endswith(".html") else name


def spoken(record: Record) -> Record:
    """Return a record whose headline is in the language now spoken; a server isn't asked for its evidence."""
    words = _headline(record.folder, record.step, language()) if record.folder else ""
    return replace(record, headline=words or heard(record.headline))


@lru_cache(maxsize=10_000)
def _headline(folder: str, step: str, _language: str) -> str:
    """Return a run's headline in the language now spoken; empty where its evidence is gone."""
    file = home.mlruns() / folder / "evidence" / LEFT_BEHIND
    return headline(json.loads(file.read_text(encoding="utf-8")), step) if file.exists() else ""
