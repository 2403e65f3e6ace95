"""A page as it lies in `reports/`: what its run left, byte for byte, and in one slot links to the periods beside it.

A run can't know the periods that come after it; the slot is filled when a neighbour is published, and whoever holds a
page against its run takes the slot's content out first, and asks that it is what it has to be.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence

from workbench import home
from workbench.params import ONCE
from workbench.registry import proof, recorded
from workbench.registry.current import Record

PAGE = "page.html"  # the artifact that is a step's page
_BEGIN, _END = b"<!--periods-->", b"<!--/periods-->"
SLOT = (_BEGIN + _END).decode()
_SLOT = re.compile(re.escape(_BEGIN) + rb"(.*?)" + re.escape(_END), re.S)


def kind(period: str) -> str:
    """Return whether a period is a `month`, a `quarter`, a `year` or `once`: only like periods are neighbours.

    >>> kind("2018-03"), kind("2018-Q1"), kind("2018"), kind("once")
    ('month', 'quarter', 'year', 'once')
    """
    return ONCE if period == ONCE else "quarter" if "Q" in period else "month" if "-" in period else "year"


def beside(period: str, periods: Iterable[str]) -> tuple[str, str]:
    """Return the period before and the one after among those of its kind, empty where there is none.

    >>> beside("2018-03", ["2018-01", "2018-Q2", "2018-02", "2018-05", "once"])
    ('2018-02', '2018-05')
    """
    like = {p for p in periods if kind(p) == kind(period)} if period != ONCE else set()
    return max((p for p in like if p < period), default=""), min((p for p in like if p > period), default="")


def links(record: Record, siblings: Iterable[Record]) -> bytes:
    """Return what stands in the slot of a record's page: links to the periods before and after it, as HTML.

    `siblings`: current records of the study; those of the same step count. Periods are digits, `Q` and a dash.
    """
    before, after = beside(record.period, (s.period for s in siblings if s.slug == record.slug))
    up = "../" * (record.slug.count("/") + 1)
    place = f"{record.slug}.html"
    parts = [f'<a rel="prev" href="{up}{before}/{place}">‹ {before}</a>'] if before else []
    parts += [f'<a rel="next" href="{up}{after}/{place}">{after} ›</a>'] if after else []
    return " ".join(parts).encode()


def filled(page: bytes, content: bytes) -> bytes:
    """Return a page with this in its slot; one without a slot as it is."""
    return _SLOT.sub(lambda _: _BEGIN + content + _END, page, count=1)


def stands(record: Record, artifact: str, siblings: Sequence[Record]) -> bool:
    """Say whether a page lies in `reports/` as it has to: as its run left it, with the links of today."""
    path = home.reports() / record.pages[artifact]
    if not path.exists():
        return False
    content, expected = path.read_bytes(), links(record, siblings) if artifact == PAGE else b""
    slot = _SLOT.search(content) if artifact == PAGE else None
    if slot and slot[1] != expected:
        return False
    digest = hashlib.sha256(filled(content, b"") if slot else content).hexdigest()
    return proof.is_as_left(digest, record.files[artifact])


def neighbours(record: Record, siblings: Sequence[Record]) -> list[Record]:
    """Return the records whose pages lead to this one: the same step's, a period before and after."""
    pair = beside(record.period, (s.period for s in siblings if s.slug == record.slug))
    return [s for s in siblings if s.slug == record.slug and s.period in pair]


def publish(record: Record, siblings: Sequence[Record]) -> list[str]:
    """Let `reports/` hold the run's pages, with the links of today; return the places that did not.

    A PDF beside a page that was another run's shows that other page, and goes.
    """
    changed = [artifact for artifact in record.pages if not stands(record, artifact, siblings)]
    for artifact in changed:
        content, target = recorded.artifact(record, artifact).read_bytes(), home.reports() / record.pages[artifact]
        if not target.exists() or filled(target.read_bytes(), b"") != filled(content, b""):
            target.with_suffix(".pdf").unlink(missing_ok=True)
        if artifact == PAGE:
            content = filled(content, links(record, siblings))
        home.put(target, content)
    return [record.pages[artifact] for artifact in changed]
