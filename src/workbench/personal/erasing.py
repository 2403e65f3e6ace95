"""A person taken out of a text that was kept: rows of tables go whole, elsewhere the name gives way to a word."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from typing import Any

FORGOTTEN = "[forgotten]"
_ROW = re.compile(r"<tr\b[^>]*>(?:(?!<tr\b).)*?</tr>", re.DOTALL | re.IGNORECASE)


def pattern(names: Iterable[str]) -> re.Pattern[str]:
    """Return what finds any of these pseudonyms and identifiers where it stands alone.

    >>> bool(pattern(["C12"]).search("C123")), bool(pattern(["C12"]).search("(C12)"))
    (False, True)
    """
    each = "|".join(re.escape(n) for n in sorted(names, key=len, reverse=True))
    return re.compile(rf"(?<![0-9A-Za-z_])(?:{each})(?![0-9A-Za-z_])")


def erased(content: bytes, suffix: str, names: re.Pattern[str]) -> bytes:
    """Return a file's bytes without what `names` finds: rows of CSV, JSON and HTML tables go, words are replaced."""
    text = content.decode("utf-8", "surrogateescape")
    if not names.search(text):
        return content
    if suffix == ".csv":
        text = _csv(text, names)
    elif suffix in (".json", ".ipynb"):
        try:
            text = json.dumps(_pruned(json.loads(text), names), indent=1, ensure_ascii=False)
        except ValueError:
            text = _markup(text, names)
    return _markup(text, names).encode("utf-8", "surrogateescape")


def _csv(text: str, names: re.Pattern[str]) -> str:
    out = io.StringIO()
    rows = csv.reader(io.StringIO(text, newline=""))
    csv.writer(out, lineterminator="\n").writerows(r for r in rows if not names.search(",".join(r)))
    return out.getvalue()


def _markup(text: str, names: re.Pattern[str]) -> str:
    return names.sub(FORGOTTEN, _ROW.sub(lambda m: "" if names.search(m[0]) else m[0], text))


def _pruned(content: Any, names: re.Pattern[str]) -> Any:
    if isinstance(content, str):
        return _markup(content, names)
    if isinstance(content, dict):
        return {_markup(k, names): _pruned(v, names) for k, v in content.items()}
    if not isinstance(content, list):
        return content
    if content and all(isinstance(line, str) for line in content):  # a notebook's text, line by line
        whole = "".join(content)
        return _markup(whole, names).splitlines(keepends=True) if names.search(whole) else content
    return [_pruned(v, names) for v in content if not (isinstance(v, list) and _names_somebody(v, names))]


def _names_somebody(row: list[Any], names: re.Pattern[str]) -> bool:
    return any(isinstance(v, str) and names.search(v) for v in row)
