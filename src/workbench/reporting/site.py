"""The site on disk: every page that isn't a run's, written whole, known by its digest, gone with what it was about."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench import home
from workbench.evidence import digest_file
from workbench.reporting import index, models, studies
from workbench.reporting.listing import Site, gather, sites
from workbench.words import LANGUAGES, speaking

WAIT_SECONDS = 10
_DIGESTS = "site.json"  # place below reports/ → the digests its page may have


def pages(site: Site) -> Iterator[tuple[str, str]]:
    """Yield place and content of every page of the site, its first one last: what it leads to is there before it."""
    yield from studies.pages(site)
    yield from models.pages(site)
    yield index.PLACE, index.render(site)


def write(language: str = "") -> Path:
    """Write the site from the current runs, in `language` and in every language it is there in; return its first page.

    Two runners side by side wait for one another: the later one's pages speak of both.
    """
    with _alone():
        _put(dict(_everything(language)))
    return home.reports() / language / index.PLACE


def changed() -> list[str]:
    """Return the pages that are other than they were written last, as places below `reports/`."""
    with _alone():
        return [place for place, digests in _digests().items() if _digest(place) not in digests]


@contextmanager
def _alone() -> Iterator[None]:
    """Wait for whoever writes the site now, though not for ever."""
    until = time.monotonic() + WAIT_SECONDS
    while True:
        with home.locked(_DIGESTS) as alone:
            if alone or time.monotonic() > until:
                yield
                return
        time.sleep(0.05)


def linked(place: str, mlflow: str) -> str:
    """Return a page of the site as it would be written now, with links into an MLflow UI; empty where it is none."""
    if place not in _digests():
        return ""
    language, _, inner = place.partition("/")
    language, inner = (language, inner) if language in LANGUAGES else ("", place)
    with speaking(language or "en"):
        of_language = gather(language, mlflow)
        if inner == index.PLACE:
            return index.render(of_language)
        return next((content for at, content in pages(of_language) if at == inner), "")


def _everything(language: str) -> Iterator[tuple[str, bytes]]:
    for name in dict.fromkeys(["", *sites(), language]):
        with speaking(name or "en"):
            for place, content in pages(gather(name)):
                yield f"{name}/{place}".lstrip("/"), content.encode()


def _put(contents: dict[str, bytes]) -> None:
    """Let the site hold these pages and no others; a crash between leaves each page old or new, and both are known."""
    before = _digests()
    new = {place: hashlib.sha256(content).hexdigest() for place, content in contents.items()}
    _remember({p: [*before.get(p, ()), *([new[p]] if p in new else [])] for p in {*before, *new}})
    for place, content in contents.items():
        if _digest(place) != new[place]:
            home.put(home.reports() / place, content)
    for place in before.keys() - new.keys():
        (home.reports() / place).unlink(missing_ok=True)
    _remember({place: [digest] for place, digest in new.items()})


def _digest(place: str) -> str:
    path = home.reports() / place
    return digest_file(path) if path.exists() else ""


def _digests() -> dict[str, list[str]]:
    try:
        return json.loads(_memory().read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none yet, or damaged: all is written anew
        return {}


def _remember(digests: dict[str, list[str]]) -> None:
    home.put(_memory(), json.dumps(digests, indent=1, sort_keys=True).encode())


def _memory() -> Path:
    return home.mlruns() / "current" / _DIGESTS
