"""Which encoding a text file is in: asked of its bytes, so that no file is read as letters that nobody wrote."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable

from workbench.words import say

NO_TEXT = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7"}
_CHINESE = {"gb18030", "gbk", "gb2312"}
MEANT = {
    "gb18030": "Chinese",
    "cp949": "Korean",
    "cp950": "traditional Chinese",
    "cp932": "Japanese",
    "euc_jp": "Japanese",
    "cp1252": "Western",
}
_CANDIDATES = tuple(MEANT)
_EXTENDED = {"cp949": 0xC8, "euc_jp": 0xCF}  # the last leading byte of their frequent characters
_TOLD_APART = 12  # different syllables; of as many Chinese characters some lie beyond those of Korean
_KANA = re.compile("[\u3041-\u30fe]")
_SEVEN_BIT = {
    "iso2022_jp": re.compile(rb"\x1b\$[@B].*?\x1b\([BJ]", re.S),
    "iso2022_kr": re.compile(rb"\x1b\$\)C"),
    "hz": re.compile(rb"~\{(?:[!-}][!-~])+~\}"),
}
_READ_AS = ("gb18030", "cp1252", "latin-1")  # as which UTF-8 is read by mistake
_LINES = 500  # lines outside ASCII that are looked at for such a mistake
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
        codec = codecs.lookup(name)
    except (LookupError, ValueError, UnicodeError):
        return False
    return bool(getattr(codec, "_is_text_encoding", True)) and codec.name.replace("_", "-") not in NO_TEXT


def decodes(chunks: Iterable[bytes], encoding: str, whole: bool = True) -> bool:
    """Say whether the bytes, in pieces, are text in this encoding; its last character may be cut where not `whole`."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for chunk in chunks:
            decoder.decode(chunk)
        decoder.decode(b"", final=whole)
    except UnicodeError:
        return False
    return True


def fitting(sample: bytes) -> str:
    """Return the encoding in which bytes that aren't UTF-8 read as text somebody wrote, '' where none does.

    Of Chinese, Korean, Japanese and Western encodings that decode the sample, the one whose characters are the
    frequent ones: each reads the others' bytes, but as rare characters. Few Korean syllables can be Chinese
    characters, too (`as_well`).
    """
    if sample[:4] in (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE):
        return "utf-32"
    if sample[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    if b"\x00" in sample:
        return _without_bom(sample)
    weights = _weights(sample)
    best = max(weights, key=lambda e: weights[e])
    return best if weights[best] >= _LEAST else ""


def as_well(sample: bytes, encoding: str) -> str:
    """Return another encoding that fits as well as the one found; '' where they are told apart."""
    if encoding != "gb18030":
        return ""
    weights = _weights(sample)
    return "cp949" if weights["cp949"] >= max(weights["gb18030"], _USUAL) else ""


def better(sample: bytes, encoding: str) -> str:
    """Return the encoding that the bytes are plainly in where the one named reads them as letters nobody wrote."""
    name = codecs.lookup(encoding).name
    named = "gb18030" if name in _CHINESE else "cp1252" if name == "iso8859-1" else name
    weights = _weights(sample)
    if named not in weights or weights[named] >= _LEAST:
        return ""
    best = max(weights, key=lambda e: weights[e])
    return best if weights[best] >= _USUAL else ""


def seven_bit(sample: bytes) -> str:
    """Return the encoding of a text whose letters are written by escapes into ASCII; '' for any other.

    >>> seven_bit("上海".encode("hz")), seven_bit(b"id,amount")
    ('hz', '')
    """
    return next((e for e, escape in _SEVEN_BIT.items() if escape.search(sample) and decodes([sample], e)), "")


def remarks(sample: bytes, encoding: str) -> tuple[str, ...]:
    """Return what a reader should look at in a text read in this encoding: guessed, misread before, letters lost."""
    notes = []
    if not encoding.startswith("utf"):
        other = as_well(sample, encoding)
        nothing = say(
            "Nothing in the file names its encoding; {encoding} was guessed from its bytes: look whether its text "
            "reads well, else name another.",
            encoding=encoding,
        )
        notes.append(str(nothing))
        if other:
            facts = {"other": other, "meant": MEANT[other], "encoding": encoding, "guessed": MEANT[encoding]}
            notes.append(str(say("{other} ({meant}) fits as well as {encoding} ({guessed}).", **facts)))
    text = sample.decode(encoding, "ignore")
    if misread := _misread(text):
        again = say(
            "Its text seems to be UTF-8 that was once read as {encoding} and saved so (such as 涓婃捣 for 上海): "
            "export it again.",
            encoding=misread,
        )
        notes.append(str(again))
    if "\ufffd" in text:
        notes.append(str(say("Letters in it were lost before (it holds U+FFFD in their place): export it again.")))
    return tuple(notes)


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
    if even + odd > 0.6 * len(sample):
        name = "utf-32-le" if sample[0] else "utf-32-be"
    whole = sample[: len(sample) // 4 * 4 if "32" in name else len(sample) // 2 * 2]
    return name if name and decodes([whole], name) and re.search(r"[\r\n]", whole.decode(name)) else ""


def _weights(sample: bytes) -> dict[str, float]:
    """Return the mean weight of the characters outside ASCII (0 to 1) by encoding; 0 where it doesn't decode."""
    weights = {encoding: _weight(sample, encoding) for encoding in _CANDIDATES}
    text = sample.decode("gb18030", "ignore") if weights["gb18030"] else ""
    letters = "".join(_LETTERS.findall(text))[:_SAMPLE]
    if len(_KANA.findall(letters)) > 0.1 * len(letters):  # GB 2312 has Japan's letters where EUC-JP has them
        weights["gb18030"] = 0.0
    else:
        weights["euc_jp"] = 0.0
    if weights["cp949"] >= 0.98 and len(set(letters)) >= _TOLD_APART:
        weights["gb18030"] *= _LEAST
    return weights


def _misread(text: str) -> str:
    lines = [line for line in text.splitlines() if not line.isascii()][:_LINES]
    for read_as in _READ_AS:
        if sum(_was_utf8(line, read_as) for line in lines) > 0.3 * len(lines):
            return read_as
    return ""


def _was_utf8(line: str, read_as: str) -> bool:
    try:
        return not line.encode(read_as).decode("utf-8").isascii()
    except UnicodeError:
        return False


def _weight(sample: bytes, encoding: str) -> float:
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeError:
        return 0.0
    runs = _LETTERS.findall(text)
    seen = "".join(runs)[:_SAMPLE]
    if not seen:
        return 0.0
    if encoding == "cp1252":  # letters stand alone among those of ASCII, as do € and a space that doesn't break
        alone = (m for m in _LETTERS.finditer(text) if len(m[0]) <= 2)
        return sum(_is_western(text, i) for m in alone for i in range(*m.span())) / len("".join(runs))
    within_words = len(_WITHIN.findall(text)) / len("".join(runs))  # as in Köln
    return sum(_frequent(c, encoding) for c in seen) / len(seen) - within_words


def _is_western(text: str, at: int) -> bool:
    """Say whether a character is a letter, a space or a currency; £ beside a letter is none: Łódź is read so."""
    kind = unicodedata.category(text[at])
    beside = text[max(at - 1, 0) : at] + text[at + 1 : at + 2]
    return text[at].isalpha() or kind == "Zs" or (kind == "Sc" and not any(c.isalpha() for c in beside))


def _frequent(character: str, encoding: str) -> float:
    """Return 1 for a frequent character of the encoding, less for a rarer one; by the levels of its standard.

    GB 2312 level 1 has leads B0 to D7, Big5 level 1 A4 to C6, JIS X 0208 level 1 88 to 98 (in EUC B0 to CF), the
    syllables of KS X 1001 B0 to C8; punctuation comes first.
    """
    try:
        lead, *trail = character.encode("gb2312" if encoding == "gb18030" else encoding)
    except UnicodeError:
        return 0.0
    if encoding in _EXTENDED:  # what came to a standard later has other bytes, and is rare
        return 1.0 if 0xA1 <= lead <= _EXTENDED[encoding] and trail and trail[0] >= 0xA1 else 0.2
    if encoding == "gb18030":
        return 1.0 if lead <= 0xA3 or 0xB0 <= lead <= 0xD7 else 0.7 if lead > 0xD7 else 0.2
    if encoding == "cp950":
        return 1.0 if lead <= 0xC6 else 0.5
    if not trail:  # half-width kana; what else has one byte is no character of the standard
        return 0.1 if 0xA1 <= lead <= 0xDF else 0.0
    return 1.0 if lead <= 0x98 else 0.5


def _is_usual(line: bytes, encoding: str) -> bool:
    try:
        foreign = [c for c in line.decode(encoding) if not c.isascii()]
        if codecs.lookup(encoding).name in _CHINESE:
            return all(c.encode("gb2312") for c in foreign)
    except UnicodeError:
        return False
    if encoding in _CANDIDATES[1:-1]:
        return sum(_frequent(c, encoding) for c in foreign) > _USUAL * len(foreign)
    return all(c.isalpha() for c in foreign)
