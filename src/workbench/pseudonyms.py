"""Keyed pseudonyms for personal data, and the memory of what was replaced without keeping it."""

from __future__ import annotations

import contextlib
import functools
import hmac
import os
import re
import secrets
import tempfile
import time
import unicodedata
from collections.abc import Container, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.params import UserError

if TYPE_CHECKING:
    from pandas import Series

VARIABLE = "WORKBENCH_PSEUDONYM_KEY"
FILE = "pseudonym.key"  # below `mlruns/`
MADE = re.compile(r"[a-z][a-z0-9_]*_[0-9a-f]{16}")  # as `pseudonym` makes one
_KEY_BYTES = 32
_PATIENCE = 2.0  # seconds a second process waits for the first one to fill the key file

# Scripts written without spaces between words: kana, Han, Hangul. Their unit is the character.
_NO_SPACES = "\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_SPACELESS = re.compile(f"[{_NO_SPACES}]")
_WORD = re.compile(rf"[^\W_{_NO_SPACES}]+")
_JOINTS = " ·・().#/-"  # what may stand inside a name or address in such a script
_RUN = re.compile(rf"[{_NO_SPACES}](?:[{_NO_SPACES}0-9a-z]|[{_JOINTS}](?=[{_NO_SPACES}0-9a-z]))*")
# An identifier stands alone: not in hex, a decimal, a UUID.
_DIGITS = re.compile(r"(?<![0-9A-Za-z_-])(?<![^A-Za-z]\.)\d{7,}(?![0-9A-Za-z_]|\.\d|-\w)")
_WORDS_HEAD, _WORDS_LONGEST = 1, 8  # the head decides where a scan looks closer; a value is longer by one
_CHARS_HEAD, _CHARS_LONGEST = 2, 40
_SHORTEST_TEXT, _SHORTEST_DIGITS = 5, 7


def key(home: Path) -> bytes:
    """Return the secret that makes pseudonyms and fingerprints.

    `WORKBENCH_PSEUDONYM_KEY` wins: hexadecimal of 32 characters or more is read as bytes, other text of
    16 characters or more as it stands, so that two machines can share it. Otherwise `home/pseudonym.key`,
    32 random bytes that only their owner may read, made once.
    Raises `UserError` where the variable is too short or the file isn't 32 bytes.
    """
    given = os.environ.get(VARIABLE)
    if given is not None:
        return _of_text(given.strip())
    path = Path(home) / FILE
    return _create(path) or _wait(path)


def mark(home: Path) -> str:
    """Return by what the key can be told from another one (16 hex characters), and not be learnt."""
    return hmac.digest(key(home), b"mark", "sha256").hex()[:16]


def purpose_key(key: bytes, purpose: str) -> bytes:
    """Return the key of a purpose, derived from another by HMAC-SHA256 (NIST SP 800-108); without a purpose that one.

    >>> purpose_key(b"0123456789abcdef", "") == b"0123456789abcdef"
    True
    """
    return hmac.digest(key, f"purpose\x1f{purpose}".encode(), "sha256") if purpose else key


def pseudonym(values: Series, key: bytes, prefix: str) -> Series:
    """Return text such as `customer_3fa9c0…` (prefix, 16 hex characters) in place of identifiers.

    Same index and name; missing and blank stay missing. The same value under the same key and prefix has
    the same pseudonym in every table, whether it was read as text, whole number or float (`7`, `"7"`, `7.0`),
    in upper or lower case, full or half width. Another prefix gives other characters, so that customer 7 and
    loan 7 can't be linked. 64 bits: among ten million values the chance of one collision is 3 in a million.

    >>> import pandas as pd
    >>> pseudonym(pd.Series(["A7", " a7 ", None]), b"0123456789abcdef", "customer").nunique()
    1
    """
    import numpy as np
    import pandas as pd

    codes, uniques = pd.factorize(values)
    made = [_pseudonym(normalised(written(v)), key, prefix) for v in uniques]
    looked_up = np.array([*made, None], dtype=object)[codes]  # code -1, missing, is the last place
    return pd.Series(looked_up, index=values.index, name=values.name, dtype="str")


def must_be_one(text: str, where: str) -> None:
    """Raise `UserError` where a text is no pseudonym: parameters are kept and shown; the message doesn't repeat it."""
    if not MADE.fullmatch(text):
        raise UserError(
            f"{where} is no pseudonym (customer_ and 16 of 0-9a-f); give the one that stands on the lists; "
            "`workbench identify` tells whose it is"
        )


def fingerprints(values: Iterable[Any], key: bytes) -> set[str]:
    """Return keyed digests by which personal values can be recognised in a page without being stored.

    Kept: text with two words or more that hold a letter, and five characters or more in all; text in
    scripts without spaces from three characters on; identifiers of seven digits or more. Shorter values
    (`Li`, `王芳`, one word alone) are left out: they would raise false alarms in ordinary sentences. So join
    first and last name before calling. Long values are known by their first 8 words or 40 characters.
    Each text adds two digests: of its beginning (a scan looks no further where that is unknown), and of all.

    >>> len(fingerprints(["Ann Lee", "Li", None, "1234567"], b"0123456789abcdef"))
    3
    """
    import pandas as pd

    made: set[str] = set()
    for value in pd.Series(list(values), dtype=object).dropna().unique():
        made.update(_digests(written(value), key))
    return made


def save_fingerprints(home: Path, study: str, made: Iterable[str]) -> Path:
    """Add fingerprints to `home/privacy/STUDY.txt` (sorted, one a line, mode 0600) and return its path.

    The file is replaced as a whole, so a reader never sees half of it; writers wait for each other.
    """
    folder = Path(home) / "privacy"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{study}.txt"
    with open(folder / ".lock", "a") as lock:
        _lock(lock.fileno())
        handle, temporary = tempfile.mkstemp(dir=folder, suffix=".part")  # mode 0600 from the start
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.writelines(f"{line}\n" for line in sorted(_lines(path) | set(made)))
        os.replace(temporary, path)
    return path


def load_fingerprints(home: Path, study: str = "*") -> frozenset[str]:
    """Return the fingerprints of a study (of all without a name), none where nothing was saved."""
    folder = Path(home) / "privacy"
    return frozenset().union(*(_lines(path) for path in sorted(folder.glob(f"{study}.txt"))))


def identifiers(text: str, made: Container[str], key: bytes) -> Iterator[tuple[int, int]]:
    """Yield start and end of the whole numbers in text whose fingerprint is among those made."""
    is_personal = {d: _digest([d], key) in made for d in set(_DIGITS.findall(text))}
    if any(is_personal.values()):
        yield from (m.span() for m in _DIGITS.finditer(text) if is_personal[m[0]])


def names(text: str, made: Container[str], key: bytes, known: str = "") -> Iterator[tuple[int, int]]:
    """Yield start and end of the names and addresses in NFKC text whose fingerprint is among those made.

    Case doesn't matter, nor does what stands between words, but words all in lower case are prose: a company
    called RED BANK must not forbid "red" before "bank". What also stands in `known` is left out. Offsets are
    those of the case-folded text: the same, but after rare letters that fold to two.
    """
    folded = text.casefold()
    for begin, end in _names_in_words(folded, made, key, known):
        if len(folded) != len(text) or not text[begin:end].islower():
            yield begin, end
    yield from _names_in_characters(folded, made, key, known)


def normalised(text: str) -> str:
    """Return text in one writing: compatibility forms unified (NFKC), case folded, ends stripped.

    >>> normalised(" Ａ７b ")
    'a7b'
    """
    return unicodedata.normalize("NFKC", text).casefold().strip()


def written(value: Any) -> str:
    """Return a value as text; a whole number that a missing neighbour turned into a float has no `.0`.

    >>> written(7.0), written(7), written("7.0")
    ('7', '7', '7.0')
    """
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _names_in_words(folded: str, made: Container[str], key: bytes, known: str) -> Iterator[tuple[int, int]]:
    words = _WORD.findall(folded)
    if hits := list(_recognised(words, _WORDS_HEAD, _WORDS_LONGEST, made, key)):
        ours = _words_of(known)
        spans = [m.span() for m in _WORD.finditer(folded)]
        strange = ((a, b) for a, b in hits if f" {' '.join(words[a:b])} " not in ours)
        yield from ((spans[a][0], spans[b - 1][1]) for a, b in strange)


def _names_in_characters(folded: str, made: Container[str], key: bytes, known: str) -> Iterator[tuple[int, int]]:
    runs = ((m.start(), f"{m[0]}\n") for m in _RUN.finditer(folded))
    places = [(start + i, c) for start, run in runs for i, c in enumerate(run) if c not in _JOINTS]
    chars = [c for _, c in places]
    if hits := list(_recognised(chars, _CHARS_HEAD, _CHARS_LONGEST, made, key)):
        ours = _characters_of(known)
        strange = ((a, b) for a, b in hits if "".join(chars[a:b]) not in ours)
        yield from ((places[a][0], places[b - 1][0] + 1) for a, b in strange)


@functools.lru_cache(maxsize=2)  # the product's words are long, and the same for every file of a step
def _words_of(known: str) -> str:
    return f" {' '.join(_WORD.findall(normalised(known)))} "


@functools.lru_cache(maxsize=2)
def _characters_of(known: str) -> str:
    return "".join(c for c in normalised(known) if c.isalnum())


def _recognised(
    units: Sequence[str], size: int, longest: int, made: Container[str], key: bytes
) -> Iterator[tuple[int, int]]:
    """Yield from where to where units are a remembered value, the longest; only known heads are followed."""
    heads = list(zip(*(units[i:] for i in range(size)), strict=False))
    worth = (h for h in set(heads) if not "".join(h).isdecimal() or len(h[0]) < _SHORTEST_DIGITS)
    begun = {h for h in worth if _digest(h, key, "head") in made}
    is_value = functools.cache(lambda words: _digest(words, key) in made)
    for i in (i for i, h in enumerate(heads) if h in begun) if begun else ():
        ends = range(min(i + longest, len(units)), i + size, -1)
        if end := next((e for e in ends if is_value(tuple(units[i:e]))), None):
            yield i, end


def _digest(units: Iterable[str], key: bytes, part: str = "all") -> str:
    """Return the fingerprint (32 hex characters) of words or characters in order: a value, or its head."""
    return hmac.digest(key, f"{part}\x1f{' '.join(units)}".encode(), "sha256").hex()[:32]


def _digests(text: str, key: bytes) -> Iterator[str]:
    """Yield what is remembered of one value: nothing where it's too short to be recognised safely."""
    folded = normalised(text)
    if first := _SPACELESS.search(folded):
        units = [c for c in folded[first.start() :] if c.isalnum()][:_CHARS_LONGEST]
        size, long_enough = _CHARS_HEAD, len(units) > _CHARS_HEAD
    elif folded.isdecimal():
        units, size, long_enough = [folded], 0, len(folded) >= _SHORTEST_DIGITS
    else:
        units, size = _WORD.findall(folded)[:_WORDS_LONGEST], _WORDS_HEAD
        lettered = [w for w in units if not w.isdecimal()]
        long_enough = len(lettered) > _WORDS_HEAD and len(folded) >= _SHORTEST_TEXT
    if long_enough:
        yield _digest(units, key)
        if size:
            yield _digest(units[:size], key, "head")


def _pseudonym(text: str, key: bytes, prefix: str) -> str | None:
    if not text:
        return None
    made = hmac.digest(key, f"pseudonym\x1f{prefix}\x1f{text}".encode(), "sha256").hex()
    return f"{prefix}_{made[:16]}"


def _of_text(given: str) -> bytes:
    if len(given) < 16:
        raise UserError(f"{VARIABLE}: {len(given)} characters; give 16 or more, or unset it")
    try:
        return bytes.fromhex(given) if len(given) >= 2 * 16 else given.encode()
    except ValueError:
        return given.encode()


def _create(path: Path) -> bytes | None:
    """Write a new key and return it; None where another process was first: O_EXCL lets one win."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return None
    made = secrets.token_bytes(_KEY_BYTES)
    with os.fdopen(handle, "wb") as file:
        file.write(made)
        file.flush()
        os.fsync(file.fileno())
    return made


def _wait(path: Path) -> bytes:
    """Return the key another process made; between its creating and its writing the file is empty."""
    deadline = time.monotonic() + _PATIENCE
    while not (key := path.read_bytes()) and time.monotonic() < deadline:
        time.sleep(0.01)
    if len(key) != _KEY_BYTES:
        raise UserError(f"{path}: {len(key)} bytes instead of {_KEY_BYTES}; restore it, or delete it")
    return key


def _lines(path: Path) -> set[str]:
    return set(path.read_text(encoding="ascii").split()) if path.exists() else set()


def _lock(handle: int) -> None:
    """Wait for the lock, freed when the file is closed; Windows has no fcntl, there the last writer wins."""
    with contextlib.suppress(ImportError):
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX)
