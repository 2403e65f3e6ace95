"""A page as it lies in `reports/`: what its run left, byte for byte, and in its slots what is true today.

A run can't know the periods that come after it, nor what its study will be called: the slots are filled when the page
is published, and again when that changes. Whoever holds a page against its run fills the run's own in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workbench import home
from workbench.evidence import Verdict, digest_file
from workbench.params import ONCE
from workbench.registry import about, proof, recorded, slots
from workbench.registry.current import Record
from workbench.registry.marks import NONE, Marks
from workbench.words import speaking

PAGE = "page.html"  # the artifact that is a step's page
SLOT = slots.slot(slots.PERIODS)
_NO_WAYS = {slots.PERIODS: "", slots.STEPS: ""}  # no PDF shows the ways to other pages


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


def links(record: Record, siblings: Iterable[Record]) -> str:
    """Return what stands in the slot of a record's page: links to the periods before and after it, as HTML.

    `siblings`: current records of the study; those of the same step count. Periods are digits, `Q` and a dash.
    """
    before, after = beside(record.period, (s.period for s in siblings if s.slug == record.slug))
    up = "../" * (record.slug.count("/") + 1)
    place = f"{record.slug}.html"
    parts = [f'<a rel="prev" href="{up}{before}/{place}">‹ {before}</a>'] if before else []
    parts += [f'<a rel="next" href="{up}{after}/{place}">{after} ›</a>'] if after else []
    return " ".join(parts)


def steps(record: Record, names: Sequence[str], siblings: Sequence[Record]) -> dict[str, str]:
    """Return the slot with the ways to the steps of these names, as the study's last run had them; none without names.

    They lead to the same period's pages; of a step that has none in it to the one made once, else to the newest.
    """
    if not names:
        return {}
    places, red = {}, []
    for name in names:
        like = [s for s in siblings if s.step == name]
        near = max(like, key=lambda s: (s.period == record.period, s.period == ONCE, s.recency), default=record)
        places[name] = f"{near.key.place}/{name.replace('@', '-')}"
        red += [name] if near.step == name != record.step and near.verdict == Verdict.red else []
    up = "../" * f"{record.key.place}/{record.slug}".count("/")
    return {slots.STEPS: slots.steps(places.items(), up, record.step, red)}


def stands(record: Record, artifact: str, siblings: Sequence[Record], marked: Marks = NONE) -> bool:
    """Say whether a page lies in `reports/` as it has to: as its run left it, with what is true today in its slots.

    `marked`: the marks of the study's runs.
    """
    path = home.reports() / record.pages[artifact]
    if not path.exists():
        return False
    if not artifact.endswith(".html"):
        return proof.is_as_left(digest_file(path), record.files[artifact])
    try:
        return path.read_bytes() == today(record, artifact, siblings, marked)
    except Exception:  # noqa: BLE001 - whatever the artifact store raises: what is lost can't be shown
        return False


def today(record: Record, artifact: str, siblings: Sequence[Record], marked: Marks = NONE) -> bytes:
    """Return a page of a run as it has to lie in `reports/` now."""
    content = recorded.artifact(record, artifact).read_bytes()
    return (
        slots.filled(content, _contents(record, artifact, siblings, marked)) if artifact.endswith(".html") else content
    )


def _contents(record: Record, artifact: str, siblings: Sequence[Record], marked: Marks) -> dict[str, str]:
    with speaking(record.language or "en"):
        says = about.of(record)
        words = slots.words(says) | {slots.EARLIER: marked.html(record)}
        ways = {slots.PERIODS: links(record, siblings)} | steps(record, says.steps, siblings)
    return words | (ways if artifact == PAGE else {})


def neighbours(record: Record, siblings: Sequence[Record]) -> list[Record]:
    """Return the records whose pages lead to this one: the same step's, a period before and after."""
    pair = beside(record.period, (s.period for s in siblings if s.slug == record.slug))
    return [s for s in siblings if s.slug == record.slug and s.period in pair]


def publish(record: Record, siblings: Sequence[Record]) -> list[str]:
    """Let `reports/` hold the run's pages as they are today; return the places that a hand or another run had changed.

    A PDF beside a page that said something else shows that other page, and goes. The marks are known when all runs have
    ended: `freshen` sets them then.
    """
    changed = []
    for artifact in (a for a in record.pages if not stands(record, a, siblings)):
        content, target = today(record, artifact, siblings), home.reports() / record.pages[artifact]
        there = target.read_bytes() if target.exists() else b""
        _put(record, artifact, there, content)
        if slots.without_words(there) != slots.without_words(content):
            changed.append(record.pages[artifact])
    return changed


def freshen(record: Record, siblings: Sequence[Record], marked: Marks, attached: bool = False) -> None:
    """Let the slots of a run's page (`attached`: of those beside it, too) say what is true today, and nothing else."""
    for artifact in (a for a in record.pages if a == PAGE or (attached and a.endswith(".html"))):
        target = home.reports() / record.pages[artifact]
        there = target.read_bytes() if target.exists() else b""
        content = slots.filled(there, _contents(record, artifact, siblings, marked))
        if there != content:
            _put(record, artifact, there, content)


def _put(record: Record, artifact: str, there: bytes, content: bytes) -> None:
    target = home.reports() / record.pages[artifact]
    if not there or slots.filled(there, _NO_WAYS) != slots.filled(content, _NO_WAYS):
        target.with_suffix(".pdf").unlink(missing_ok=True)
    home.put(target, content)
