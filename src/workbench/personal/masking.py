"""Mask personal data in a text: an error, a headline, a log line keeps its sense and tells nobody who it was about."""

from __future__ import annotations

import re
import unicodedata

from workbench.personal.kinds import candidates
from workbench.personal.people import CHINESE

_CHINESE_NAME = re.compile(rf"(?<![\u4e00-\u9fff]){CHINESE.pattern}(?![\u4e00-\u9fff])")
_LATIN_NAME = re.compile(r"[A-Z][a-zà-ÿ'-]+(?:[ -](?:de|la|van|von|der|bin|al))*(?: [A-Z][a-zà-ÿ'.-]*)+")
_QUOTED = re.compile(r"'([^']{2,80})'")


def mask(kind: str, value: str) -> str:
    """Return a value that its owner would know again and nobody else.

    >>> mask("identity number", "11010519491231002X"), mask("name", "John Smith")
    ('1101**********002X', 'J*** S****')
    """
    if kind in ("name", "e-mail address", "address", "account name"):
        return re.sub(r"(?<=[^\W_])[^\W_]", "*", value)
    keep = 4 if len(value) > 12 else 2
    return value[:keep] + re.sub(r"\w", "*", value[keep:-keep]) + value[-keep:]


def masked(text: str) -> str:
    """Return a text with what keeps the rule of a kind masked, and quoted values that look like a name.

    >>> masked("loans.amt: not a number (1 rows, e.g. '张三 13800138000')")
    "loans.amt: not a number (1 rows, e.g. '张* 13*******00')"
    """
    unified = unicodedata.normalize("NFKC", text)
    if personal := candidates(unified):
        text = unified
    for c in reversed(personal):
        text = text[: c.start] + mask(c.kind, text[c.start : c.end]) + text[c.end :]
    return _QUOTED.sub(lambda m: f"'{_without_names(m[1])}'", text)


def _without_names(value: str) -> str:
    for pattern in (_LATIN_NAME, _CHINESE_NAME):
        value = pattern.sub(lambda m: mask("name", m[0]), value)
    return value
