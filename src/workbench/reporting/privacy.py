"""Refuse personal data before a page or run is kept: numbers by their rules, names by fingerprint."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from workbench import pseudonyms
from workbench.params import UserError
from workbench.personal import Candidate, candidates, mask

_EMBEDDED = re.compile(r"data:[\w/+.-]+(?:;[\w=-]+)*;base64,[\w+/=%]+(?:\r?\n[\w+/=%]{40,})*|[\w+/]{200,}={0,2}", re.A)
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\[nrt]|\x1b\[[0-9;]*m")
_PLAIN_TAG = re.compile(  # of a table or a block, of a picture's lines
    r'</?(?:td|th|tr|li|p|div)(?: (?:class|id|style)="[^"<>]*")*>'
    r"|</?(?:path|use|g|defs|rect|clipPath)"
    r'(?:\s(?:d|id|x|y|width|height|style|transform|clip-path)="[^"<>]*"|\sxlink:href="#[^"<>]*")*/?>'
)
_AROUND = 20  # characters of context on each side


@dataclass(frozen=True)
class Finding:
    """One personal value, masked, so that a report of it isn't a leak of it.

    `kind` is a kind's name in `personal.kinds`, or name; `position` the offset
    in the scanned text where it first stands, `context` the masked words around, `times` how often it stands.
    """

    kind: str
    masked: str
    position: int
    context: str
    times: int = 1


def scan(
    text: str, fingerprints: Container[str] = (), key: bytes = b"", known: str = "", header: str = ""
) -> list[Finding]:
    """Return the personal data in plain text, one finding per distinct value, in order of appearance.

    Numbers, handles and addresses are found by the rules of their kind and by context (`personal.candidates`;
    `header` names the column the text comes from); names and identifiers only where their fingerprint, made with
    the same `key`, is in `fingerprints`, in any case. Names and e-mail addresses that stand in `known`, the
    product's own words, are no findings; numbers always are.
    Raises `ValueError` where fingerprints come without their key.
    """
    if fingerprints and not key:
        raise ValueError("fingerprints without a key: give the key they were made with")
    text = _EMBEDDED.sub(" ", unicodedata.normalize("NFKC", text))
    spans = [(c.kind, c.start, c.end) for c in candidates(text, header) if not _is_known(c, text, known)]
    if fingerprints:
        spans += [("identity number", *span) for span in pseudonyms.identifiers(text, fingerprints, key)]
        spans += [("name", *span) for span in pseudonyms.names(text, fingerprints, key, known)]
    return _findings(text, spans)


def scan_files(
    paths: Iterable[Path], fingerprints: Container[str] = (), key: bytes = b"", known: str = ""
) -> dict[Path, list[Finding]]:
    """Return the findings per file; a clean file isn't in the result. Folders are searched to the bottom.

    Read are pages, notebooks and text: .html .svg .ipynb .json .csv .txt .log .md .yaml; no other file is.
    Raises `UserError` where an .ipynb isn't a notebook.
    """
    files = [f for p in map(Path, paths) for f in (sorted(p.rglob("*")) if p.is_dir() else [p])]
    by_file = {f: _scanned(f, fingerprints, key, known) for f in files if _is_read(f)}
    return {path: findings for path, findings in by_file.items() if findings}


def _scanned(path: Path, fingerprints: Container[str], key: bytes, known: str) -> list[Finding]:
    if path.suffix.lower() == ".csv":
        columns = _columns(path)
        return [f for name, text in columns.items() for f in scan(text, fingerprints, key, known, header=name)]
    return scan(_READERS[path.suffix.lower()](path), fingerprints, key, known)


def _columns(path: Path) -> dict[str, str]:
    """Return a CSV's columns as texts under their headers: a number is judged among those of its column."""
    rows = list(csv.reader(io.StringIO(_plain(_decoded(path)))))
    width = max(map(len, rows), default=0)
    names = [f"{i} {name}" for i, name in enumerate([*rows[0], *[""] * (width - len(rows[0]))])] if rows else []
    return {n: "\n".join(row[i] for row in rows if i < len(row)) for i, n in enumerate(names)}


def _is_known(c: Candidate, text: str, known: str) -> bool:
    """E-mail addresses and addresses that stand in the product's own words are none of a customer's."""
    return c.kind in ("e-mail address", "address") and text[c.start : c.end].casefold() in known.casefold()


def visible_text(html: str) -> str:
    """Return what a page tells its reader: text, tooltips, labels, form values, mail and phone links.

    Scripts, styles and embedded images are left out; comments stay, because a plot drawn as SVG keeps its
    labels in them. Cells and blocks end a line; inline tags don't, so a number in two colours is one number.

    >>> visible_text('<p>a<b>b</b> &amp; c</p><img alt="d"><script>e</script>').split()
    ['ab', '&', 'c', 'd']
    """
    reader = _Reader()
    reader.feed(_PLAIN_TAG.sub("\n", _EMBEDDED.sub(" ", html)))  # most tags tell nothing: 5 times as fast
    reader.close()
    return "".join(reader.parts)


def notebook_text(path: Path) -> str:
    """Return what running a notebook put into it: outputs, errors, and the injected parameters.

    The source of other cells is the product's own and isn't read. Raises `UserError` where it's no notebook.
    """
    try:
        book = json.loads(_decoded(path))
        parts = [part for cell in book["cells"] for part in _cell(cell)]
        parts += _leaves(book.get("metadata", {}).get("papermill", {}).get("parameters", {}))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"{path}: not a notebook (no JSON with cells); run the step again") from None
    return "\n".join(parts)


def _findings(text: str, spans: list[tuple[str, int, int]]) -> list[Finding]:
    """Return one finding per distinct value; of two that overlap, the first kind found stays."""
    first: dict[tuple[str, str], list[int]] = {}
    reached = 0
    for kind, start, end in sorted(spans, key=lambda s: (s[1], -s[2])):
        if start >= reached:
            first.setdefault((kind, text[start:end]), []).append(start)
            reached = end
    return [
        Finding(kind, mask(kind, value), at[0], _context(text, at[0], at[0] + len(value)), len(at))
        for (kind, value), at in first.items()
    ]


def _context(text: str, start: int, end: int) -> str:
    """Return the words around, masked like names: beside a number there is often a name."""
    before, after = text[max(0, start - _AROUND) : start], text[end : end + _AROUND]
    hidden = [re.sub(r"\d", "*", mask("name", " ".join(part.split()))) for part in (before, after)]
    return f"{hidden[0]} [...] {hidden[1]}".strip()


class _Reader(HTMLParser):
    """Gathers the text of a page; see `visible_text`."""

    inline = re.compile(r"a|abbr|b|code|em|font|i|mark|s|small|span|strong|sub|sup|tspan|u|var|wbr")
    texts = frozenset(("title", "alt", "value", "placeholder", "label", "summary"))

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the attributes that a reader meets."""
        if not self.inline.fullmatch(tag):
            self.parts.append("\n")
        for name, value in attrs:
            is_text = name in self.texts or name.startswith("aria-")
            if value and (is_text or value.startswith(("mailto:", "tel:"))):
                self.handle_comment(value)

    def handle_endtag(self, tag: str) -> None:
        """End the line after a cell or block."""
        if not self.inline.fullmatch(tag):
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        """Keep text, but not that of scripts and styles."""
        if self.cdata_elem not in ("script", "style"):
            self.parts.append(data)

    def handle_comment(self, data: str) -> None:
        """Keep comments, on a line of their own."""
        self.parts.append(f"\n{data}\n")


def _cell(cell: dict[str, Any]) -> Iterator[str]:
    if "injected-parameters" in cell.get("metadata", {}).get("tags", []):
        yield _plain(_joined(cell["source"]))
    for output in cell.get("outputs", []):
        texts = (output[k] for k in ("text", "ename", "evalue", "traceback") if k in output)
        yield from (_plain(_joined(text)) for text in texts)
        for kind, content in output.get("data", {}).items():
            if kind in ("text/html", "image/svg+xml"):
                yield visible_text(_joined(content))
            elif kind.startswith("text/"):
                yield _plain(_joined(content))
            elif kind.endswith("json"):
                yield from _leaves(content)


def _joined(lines: str | list[str]) -> str:
    return lines if isinstance(lines, str) else "".join(lines)


def _plain(text: str) -> str:
    """Return text with escaped characters read and terminal colours gone."""
    return _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else " " if m[0][0] == "\\" else "", text)


def _leaves(content: Any) -> list[str]:
    """Return the keys and values of JSON as text."""
    if isinstance(content, dict):
        return [text for k, v in content.items() for text in (k, *_leaves(v))]
    return [t for v in content for t in _leaves(v)] if isinstance(content, list) else [str(content)]


def _json_text(path: Path) -> str:
    text = _decoded(path)
    try:
        return "\n".join(_leaves(json.loads(text)))
    except (ValueError, RecursionError):
        return _plain(text)


def _decoded(path: Path) -> str:
    """Return a file's text: UTF-8, else GB 18030 (Chinese spreadsheets), else Latin-1, which never fails."""
    content = Path(path).read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def _is_read(path: Path) -> bool:
    return path.suffix.lower() in _READERS and path.is_file()


_READERS: dict[str, Callable[[Path], str]] = {
    ".ipynb": notebook_text,
    ".json": _json_text,
    **dict.fromkeys((".html", ".htm", ".svg"), lambda path: visible_text(_decoded(path))),
    **dict.fromkeys((".csv", ".txt", ".log", ".md", ".yaml", ".yml"), lambda path: _plain(_decoded(path))),
}
