"""Which encoding a text file is in: asked of its bytes, so that no file is read as letters that nobody wrote."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable

NO_TEXT = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7"}
_CHINESE = {"gb18030", "gbk", "gb2312"}
_CANDIDATES = ("gb18030", "cp950", "cp932", "cp1252")  # Chinese, traditional Chinese, Japanese, Western
_LEAST = 0.5  # mean weight of a reading's characters outside ASCII
_USUAL = 0.9
_SAMPLE = 20_000  # characters outside ASCII that are looked at
_LETTERS = re.compile(r"[^\x00-\x7f]+")
_WITHIN = re.compile(r"(?<=[A-Za-z])[^\x00-\x7f](?![^\x00-\x7f])|(?<![^\x00-\x7f])[^\x00-\x7f](?=[A-Za-z])")


def is_encoding(name: str) -> bool:
    """Say whether Python knows an encoding of text by this name (`rot13` and `zlib` are none).

    >>> is_encoding("gb18030"), is_encoding("rot13"), is_encoding("utf-8" + chr(0))
    (True, False, False)
    """
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError, UnicodeError):
        return False
    return bool(getattr(found, "_is_text_encoding", True)) and found.name.replace("_", "-") not in NO_TEXT


def decodes(chunks: Iterable[bytes], encoding: str) -> bool:
    """Say whether the bytes, in pieces, are text in this encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for chunk in chunks:
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def fitting(sample: bytes) -> str:
    """Return the encoding in which bytes that aren't UTF-8 read as text somebody wrote, '' where none does.

    Of Chinese, Japanese and Western encodings that decode the sample, the one whose characters are the
    frequent ones: each reads the others' bytes, but as rare characters.
    """
    if sample[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    if b"\x00" in sample:
        return _without_bom(sample)
    weights = {encoding: _weight(sample, encoding) for encoding in _CANDIDATES}
    best = max(weights, key=lambda e: weights[e])
    return best if weights[best] >= _LEAST else ""


def foreign_lines(lines: Iterable[bytes], encoding: str) -> tuple[int, int]:
    """Return the first line (from 1) that is UTF-8 and the first that isn't; 0 where there is none.

    Looked at are lines outside ASCII. A line that reads well both ways counts for neither.
    """
    first, other = 0, 0
    for n, line in enumerate(lines, 1):
        if line.isascii():
            continue
        if not decodes([line], "utf-8"):
            other = other or n
        elif not _is_usual(line, encoding):
            first = first or n
        if first and other:
            break
    return first, other


def _without_bom(sample: bytes) -> str:
    """ASCII in UTF-16 has its zero in the second byte (little-endian) or in the first."""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    name = "utf-16-le" if odd > 3 * even else "utf-16-be" if even > 3 * odd else ""
    whole = sample[: len(sample) // 2 * 2]
    return name if name and decodes([whole], name) and re.search(r"[\r\n]", whole.decode(name)) else ""


def _weight(sample: bytes, encoding: str) -> float:
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeError:
        return 0.0
    runs = _LETTERS.findall(text)
    seen = "".join(runs)[:_SAMPLE]
    if not seen:
        return 0.0
    if encoding == "cp1252":  # letters stand alone among those of ASCII
        return len("".join(c for r in runs if len(r) <= 2 for c in r if c.isalpha())) / len("".join(runs))
    within_words = len(_WITHIN.findall(text)) / len("".join(runs))  # as in Köln
    return sum(_frequent(c, encoding) for c in seen) / len(seen) - within_words


def _frequent(character: str, encoding: str) -> float:
    """Return 1 for a frequent character of the encoding, less for a rarer one; by the levels of its standard.

    GB 2312 level 1 has leads B0 to D7, Big5 level 1 A4 to C6, JIS X 0208 level 1 88 to 98; punctuation comes first.
    """
    try:
        lead = character.encode("gb2312" if encoding == "gb18030" else encoding)[0]
    except UnicodeError:
        return 0.0
    if encoding == "gb18030":
        return 1.0 if lead <= 0xA3 or 0xB0 <= lead <= 0xD7 else 0.7 if lead > 0xD7 else 0.2
    if encoding == "cp950":
        return 1.0 if lead <= 0xC6 else 0.5
    return 0.1 if 0xA1 <= lead <= 0xDF else 1.0 if lead <= 0x98 else 0.5  # half-width kana first


def _is_usual(line: bytes, encoding: str) -> bool:
    try:
        foreign = [c for c in line.decode(encoding) if not c.isascii()]
        if codecs.lookup(encoding).name in _CHINESE:
            return all(c.encode("gb2312") for c in foreign)
    except UnicodeError:
        return False
    if encoding in _CANDIDATES[1:3]:
        return sum(_frequent(c, encoding) for c in foreign) > _USUAL * len(foreign)
    return all(c.isalpha() for c in foreign)
