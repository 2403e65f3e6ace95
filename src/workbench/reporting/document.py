"""A document of a model version: chapters of blocks, each number with its run; a page that ends in its digest."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.evidence import Evidence, card, table
from workbench.registry import claims
from workbench.registry.claims import Tested
from workbench.reporting import page
from workbench.rules import regulations
from workbench.words import Text, say
from workbench.words.pair import Pair

if TYPE_CHECKING:
    import pandas as pd

DIGEST = "<!--sha256-->"  # where a document's digest stands; it is made over the page with nothing else there
TITLES: Mapping[str, Text] = {  # name of the file → title
    "inventory_entry": say("Inventory entry"),
    "development_document": say("Development document"),
    "validation_report": say("Validation report"),
    "monitoring_report": say("Monitoring report"),
    "decision_log": say("Decision log"),
    "model_card": say("Model card"),
    "ecb_template": say("ECB template"),
}
TEMPLATE = "ecb_template"  # a workbook, the others are pages
NOBODY = say("nobody has written it")
UNRECORDED = say("no run records it")


@dataclass(frozen=True)
class Row:
    """One item of a list: what it is and its value with where that was read, or why there is none.

    `typed`: the value is a person's words.
    """

    key: str
    what: Text
    value: Text | str = ""
    source: str = ""
    absent: Text = UNRECORDED
    typed: bool = False

    @property
    def is_there(self) -> bool:
        """Whether there is a value."""
        return bool(self.value)


@dataclass(frozen=True)
class Rows:
    """A list of items."""

    rows: tuple[Row, ...]
    kind: str = field(default="rows", init=False)


@dataclass(frozen=True)
class Answer:
    """What a run has answered, with its table and picture; `n`: rows of its whole table."""

    evidence: Evidence
    source: str
    n: int = 0
    kind: str = field(default="answer", init=False)

    @property
    def html(self) -> Any:
        """The card, in the language now spoken."""
        return page.verbatim(page.reachable(card.html_card(self.evidence, self.n)))


@dataclass(frozen=True)
class Sheet:
    """A table of facts; `caption` says what it holds, `source` where they were read."""

    caption: Text
    content: pd.DataFrame
    source: str = ""
    kind: str = field(default="sheet", init=False)

    @property
    def html(self) -> Any:
        """The table, in the language now spoken."""
        return page.verbatim(page.reachable(table.to_html(self.content)))


@dataclass(frozen=True)
class Typed:
    """A chapter that a person has written, its claims held against the figures; empty where nobody has."""

    name: str
    what: Text
    text: Pair
    guidance: Text
    where: str
    tested: tuple[Tested, ...] = ()
    kind: str = field(default="typed", init=False)

    @property
    def is_there(self) -> bool:
        """Whether it is written in the language now spoken."""
        return bool(str(self.text))

    @property
    def html(self) -> Any:
        """The text with every claim beside what the test says; everything typed is escaped."""
        by_words = {t.claim.words: t for t in self.tested}
        parts, at, text = [], 0, str(self.text)
        for written_claim in claims.CLAIM.finditer(text):
            parts.append(html.escape(text[at : written_claim.start()]))
            words = f"{written_claim[1]} {written_claim[2]} {float(written_claim[3]):g}"
            parts.append(_claim(words, by_words.get(words)))
            at = written_claim.end()
        whole = "".join([*parts, html.escape(text[at:])])
        return page.verbatim("".join(f"<p>{p}</p>" for p in whole.split("\n\n")))


@dataclass(frozen=True)
class Chapter:
    """A numbered chapter; `key` is what a pointer of the register names."""

    key: str
    title: Text
    blocks: tuple[Rows | Answer | Sheet | Typed, ...]


@dataclass(frozen=True)
class Document:
    """A document: its name (of the file), chapters, and what is wrong with it in words."""

    name: str
    chapters: tuple[Chapter, ...]
    findings: tuple[Text, ...] = ()

    @property
    def title(self) -> Text:
        """What it is called."""
        return TITLES[self.name]

    @property
    def rows(self) -> list[Row]:
        """Every item of every list."""
        return [row for c in self.chapters for b in c.blocks if isinstance(b, Rows) for row in b.rows]

    @property
    def keys(self) -> set[str]:
        """What a pointer can name: chapters and items."""
        return {c.key for c in self.chapters} | {row.key for row in self.rows}

    @property
    def completeness(self) -> tuple[int, int]:
        """How many items are there, of how many."""
        return sum(row.is_there for row in self.rows), len(self.rows)

    @property
    def outdated(self) -> list[Text]:
        """A sentence for each rescinded rule that the document cites."""
        return regulations.rescinded(_cited(self))


def _cited(d: Document) -> Iterator[str]:
    for e in (b.evidence for c in d.chapters for b in c.blocks if isinstance(b, Answer)):
        yield from (e.source, e.threshold.in_language("en"))


def _claim(words: str, tested: Tested | None) -> str:
    if tested is None:
        return f"<code>{html.escape(words)}</code>"
    light = "green" if tested.holds else "not_evaluated" if tested.is_open else "red"
    source = f" <code>{tested.figure.run_id[:8]} · {html.escape(tested.figure.key)}</code>" if tested.figure else ""
    return (
        f'<span class="claim {light}"><code>{html.escape(words)}</code> {html.escape(str(tested.text))}{source}</span>'
    )


def event(number: int) -> str:
    """Return how an event of the chain is named beside what was read there, in the language now spoken."""
    return str(say("event {number}", number=number))


def absent(key: str, what: Text, why: Text) -> Rows:
    """Return an item that isn't there, as a block of its own."""
    return Rows((Row(key, what, absent=why),))


def chapter(key: str, title: Text, *blocks: Rows | Answer | Sheet | Typed | Iterable[Any]) -> Chapter:
    """Return a chapter of blocks; lists of blocks are laid flat."""
    flat = [b for part in blocks for b in (part if isinstance(part, list | tuple) else [part])]
    return Chapter(key, title, tuple(flat))


def render(d: Document, facts: dict[str, Any]) -> str:
    """Return the document as a page in the language now spoken; it ends in the SHA-256 of all the rest.

    `facts`: the head (`about`: name → value), the `runs` it was made from, and `simulated`. The page has no moment in
    it: the same records give the same bytes.
    """
    whole = page.templates().get_template("document.html").render(d=d, f=facts, css=page.css(), digest=DIGEST)
    return whole.replace(DIGEST, digest(whole.replace(DIGEST, "", 1)), 1)


def digest(whole: str) -> str:
    """Return the digest of a document without it (SHA-256, hex)."""
    return hashlib.sha256(whole.encode()).hexdigest()


def is_whole(content: str) -> bool:
    """Say whether a written document is as its own digest says."""
    before, mark, rest = content.rpartition('<code class="sha256">')
    stated, _, after = rest.partition("</code>")
    return bool(mark) and digest(f"{before}{mark}</code>{after}") == stated
