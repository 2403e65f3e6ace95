"""Refuse personal data before a page or run is kept: numbers by their rules, names by fingerprint."""

from __future__ import annotations

import datetime
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

# A number stands alone: not inside hex or a word, not after a decimal point (`Tel.138…` is fine).
_BEFORE = r"(?<![0-9A-Za-z_])(?<![^A-Za-z]\.)"
_AFTER = r"(?![0-9A-Za-z_])(?!\.\d)"
_ALONE = r"(?<!\d[ -])"  # groups with spaces aren't a stretch of a longer row of numbers
_NUMBER = re.compile(
    rf"{_BEFORE}(?:"
    r"(?P<abroad>(?<![+)])\+[1-9](?:[ ()-]{0,2}\d){7,14}(?!,\d))"
    r"|(?P<mobile>1[3-9]\d{9}|1[3-9]\d-\d{4}-\d{4})"
    rf"|{_ALONE}(?P<spaced>1[3-9]\d \d{{4}} \d{{4}})(?! \d)"
    rf"|{_ALONE}(?P<ssn>(?!000|666|9)\d{{3}}-(?!00)\d\d-(?!0000)\d{{4}})(?!-)"
    r"|(?P<resident>[1-9]\d{5}[ -]?(?:18|19|20)\d{6}[ -]?\d{3}[0-9Xx])"
    r"|(?P<card>\d{13,19})"
    rf"|{_ALONE}(?P<grouped>\d{{4}}(?P<s>[ -])"
    r"(?:\d{4}(?P=s)\d{4}(?P=s)\d{1,7}|\d{6}(?P=s)\d{4,5}))(?![ -]\d)"
    rf"){_AFTER}"
)
_PROVINCE = re.compile(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|91")
_ISSUERS = re.compile(  # first digits and length: ISO/IEC 7812 ranges as the card schemes publish them
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}"
    r"|62\d{14,17}|(?:6011|64[4-9]\d|65\d\d)\d{12,15}|35(?:2[89]|[3-8]\d)\d{12,15}"
)
_AT = re.compile(r"@((?:[A-Za-z0-9-]+\.)+([A-Za-z]{2,24}))(?![A-Za-z0-9-])")
_LOCAL = re.compile(r"[A-Za-z0-9._%+'-]*[A-Za-z0-9_]\Z")
_FILES = frozenset(("png", "jpg", "jpeg", "gif", "svg", "webp", "js", "css"))  # `icon@2x.png` is a file
_EMBEDDED = re.compile(r"data:[\w/+.-]+(?:;[\w=-]+)*;base64,[\w+/=%]+(?:\r?\n[\w+/=%]{40,})*|[\w+/]{200,}={0,2}", re.A)
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\[nrt]|\x1b\[[0-9;]*m")
_PLAIN_TAG = re.compile(r'</?(?:td|th|tr|li|p|div)(?: (?:class|id|style)="[^"<>]*")*>')
_AROUND = 20  # characters of context on each side


@dataclass(frozen=True)
class Finding:
    """One personal value, masked, so that a report of it isn't a leak of it.

    `kind` is one of identity number, phone number, card number, e-mail address, name; `position` the offset
    in the scanned text where it first stands, `context` the masked words around, `times` how often it stands.
    """

    kind: str
    masked: str
    position: int
    context: str
    times: int = 1


def scan(text: str, fingerprints: Container[str] = (), key: bytes = b"", known: str = "") -> list[Finding]:
    """Return the personal data in plain text, one finding per distinct value, in order of appearance.

    Numbers are found by their own rules (checksum, issuer, date, range); names, addresses and identifiers
    only where their fingerprint, made with the same `key`, is in `fingerprints`, in any case. Names and
    e-mail addresses that stand in `known`, the product's own words, are no findings; numbers always are.
    Raises `ValueError` where fingerprints come without their key.
    """
    if fingerprints and not key:
        raise ValueError("fingerprints without a key: give the key they were made with")
    text = _EMBEDDED.sub(" ", unicodedata.normalize("NFKC", text))
    spans = [*_numbers(text), *_addresses(text, known.casefold())]
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
    found = {f: scan(_READERS[f.suffix.lower()](f), fingerprints, key, known) for f in files if _is_read(f)}
    return {path: findings for path, findings in found.items() if findings}


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


def _numbers(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield kind, start and end of numbers that keep the rules of their kind."""
    for m in _NUMBER.finditer(text):
        group = next(name for name in _KINDS if m[name])
        digits = re.sub(r"[ -]", "", m[group])
        if group == "resident" and not _is_resident(digits):
            group = "card"
        if group in ("card", "grouped") and not _is_card(digits):
            continue
        yield _KINDS[group], *m.span(group)


_KINDS = {
    **dict.fromkeys(("abroad", "mobile", "spaced"), "phone number"),
    **dict.fromkeys(("ssn", "resident"), "identity number"),
    **dict.fromkeys(("card", "grouped"), "card number"),
}


def _is_resident(number: str) -> bool:
    """Tell whether 17 digits and a check character are a resident identity number (GB 11643-1999)."""
    try:
        born = datetime.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(int(d) * pow(2, 17 - i, 11) for i, d in enumerate(number[:17]))
    is_right = "10X98765432"[total % 11] == number[17].upper()
    return is_right and bool(_PROVINCE.match(number)) and born <= datetime.date.today()


def _is_card(number: str) -> bool:
    """Tell whether digits have an issuer's prefix and length and the Luhn check digit (ISO/IEC 7812-1)."""
    if not _ISSUERS.fullmatch(number):
        return False
    digits = [int(d) for d in reversed(number)]
    return (sum(digits[::2]) + sum(sum(divmod(2 * d, 10)) for d in digits[1::2])) % 10 == 0


def _addresses(text: str, known: str) -> Iterator[tuple[str, int, int]]:
    """Yield e-mail addresses, searched from the @ outward: most text has none, and that is quick to see."""
    for m in _AT.finditer(text):
        local = _LOCAL.search(text[max(0, m.start() - 64) : m.start()])
        if not local or local[0] == "git" or m[2].lower() in _FILES:
            continue
        start = m.start() - len(local[0])
        if text[start : m.end()].casefold() not in known:
            yield "e-mail address", start, m.end()


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


def mask(kind: str, value: str) -> str:
    """Return a value that its owner would know again and nobody else.

    >>> mask("identity number", "11010519491231002X"), mask("name", "John Smith")
    ('1101**********002X', 'J*** S****')
    """
    if kind in ("name", "e-mail address"):
        return re.sub(r"(?<=[^\W_])[^\W_]", "*", value)
    keep = 4 if len(value) > 12 else 2
    return value[:keep] + re.sub(r"\w", "*", value[keep:-keep]) + value[-keep:]


def _context(text: str, start: int, end: int) -> str:
    """Return the words around, masked like names: beside a number there is often a name."""
    before, after = text[max(0, start - _AROUND) : start], text[end : end + _AROUND]
    hidden = [re.sub(r"\d", "*", mask("name", " ".join(part.split()))) for part in (before, after)]
    return f"{hidden[0]} [...] {hidden[1]}".strip()


class _Reader(HTMLParser):
    """Gathers the text of a page; see `visible_text`."""

    inline = re.compile(r"a|abbr|b|code|em|font|i|mark|s|small|span|strong|sub|sup|tspan|u|var|wbr")
    told = frozenset(("title", "alt", "value", "placeholder", "label", "summary"))

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the attributes that a reader meets."""
        if not self.inline.fullmatch(tag):
            self.parts.append("\n")
        for name, value in attrs:
            told = name in self.told or name.startswith("aria-")
            if value and (told or value.startswith(("mailto:", "tel:"))):
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
        said = (output[k] for k in ("text", "ename", "evalue", "traceback") if k in output)
        yield from (_plain(_joined(text)) for text in said)
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
