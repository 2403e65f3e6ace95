"""Mask personal data in a text: an error, a headline, a log line keeps its sense and tells nobody who it was about."""

from __future__ import annotations

import re
import unicodedata

from workbench.personal.kinds import candidates
from workbench.personal.people import CHINESE, ORDINARY, is_called, is_known

_HAN = "\u4e00-\u9fff"
_CHINESE_NAME = re.compile(rf"(?<![{_HAN}])(?!(?:{ORDINARY})){CHINESE.pattern}(?![{_HAN}])")
_ADDRESSED = re.compile(  # a name beside the word for whose it is, or before the form of address
    rf"(?:(?<=客户|姓名|先生|女士|小姐)|(?<=借款人|联系人|担保人|持卡人|申请人))[:：是为]?\s*(?P<v>{CHINESE.pattern})"
    rf"|(?P<w>{CHINESE.pattern})(?=先生|女士|小姐|老师|经理)"
)
_PART = r"[^\W\d_a-zà-þ][^\W\d_]*(?:['’.-][^\W\d_]+)*\.?"  # begins with a capital: Smith, SMITH, O'Connor, Nguyễn
LATIN_NAME = re.compile(rf"(?<!\w){_PART}(?:,? (?:(?:de|la|van|von|der|bin|al) )*{_PART})+(?!\w)")
_QUOTED = re.compile(  # an apostrophe inside a word ends nothing; Python quotes a text that holds one with "
    r"'(?P<one>(?:[^'\n]|(?<=[A-Za-zÀ-ÿ])'(?=[A-Za-zÀ-ÿ])){2,400})'" + r'|"(?P<two>[^"\n]{2,400})"'
)
_BESIDE, _BESIDE_FOREIGN = 24, 80  # characters around a number within which a name is its owner's
_PLAIN_VALUE = re.compile(r"[\d\s.,:/%+-]*")  # a number, a date, a percentage
_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_./@-]*", re.A)  # a column, a step, a path: our own words
_TELLING = re.compile(rf"[^\W\d_]{{4,}}|[{_HAN}]{{2,}}")  # longer than a code
_CLASS = re.compile(r"[A-Z][A-Za-z0-9]*")
_OF_CLASS = re.compile(  # how Python goes on after a class's name
    r"' object (?:has no attribute|is not (?:callable|iterable|subscriptable|an iterator)|does not support|cannot be)\b"
)
_ENGINE_ERRORS = frozenset(  # what the engine's own errors begin with: two capitals, as a name has
    f"{kind} Error"
    for kind in (
        "Binder", "Catalog", "Constraint", "Conversion", "Dependency", "Internal", "Interrupt", "Invalid Input",
        "Parser", "Permission", "Sequence", "Serialization", "Settings", "Syntax", "Transaction",
    )
)  # fmt: skip
_MANY = 5  # rows a value stands in to be nobody's own


def mask(kind: str, value: str) -> str:
    """Return a value that its owner would know again and nobody else.

    >>> mask("identity number", "11010519491231002X"), mask("name", "John Smith")
    ('1101**********002X', 'J*** S****')
    >>> mask("e-mail address", "jane@bank.de"), mask("e-mail address", "a.b@c.de")
    ('j***@b***.d*', '*.*@*.d*')
    """
    if kind == "e-mail address":  # a part of one letter would stand there whole
        value = re.sub(r"(?<![^\W_])[^\W_](?![^\W_])", "*", value)
    if kind in ("name", "e-mail address", "address", "account name"):
        return re.sub(r"(?<=[^\W_])[^\W_]", "*", value)
    keep = 4 if len(value) > 12 else 2
    return value[:keep] + re.sub(r"\w", "*", value[keep:-keep]) + value[-keep:]


def masked(text: str, foreign: bool = False) -> str:
    """Return a text with what keeps the rule of a kind masked, and names beside it, addressed, or quoted.

    `foreign` texts, other people's errors, quote values as they are: there every quotation is masked as a value.

    >>> masked("loans.amt: not a number (1 row, e.g. '张三 13800138000')")
    "loans.amt: not a number (1 row, e.g. '张* 13*******00')"
    """
    unified = unicodedata.normalize("NFKC", text)
    if personal := candidates(unified):
        text = unified
    reach = _BESIDE_FOREIGN if foreign else _BESIDE
    for c in reversed(personal):
        before, after = text[max(0, c.start - reach) : c.start], text[c.end : c.end + reach]
        whole = f"{_without_names(before)}{mask(c.kind, text[c.start : c.end])}{_without_names(after)}"
        text = text[: c.start - len(before)] + whole + text[c.end + len(after) :]
    text = _ADDRESSED.sub(lambda m: m[0].replace(m["v"] or m["w"], mask("name", m["v"] or m["w"])), text)
    hidden = _foreign if foreign else _quoted
    return _QUOTED.sub(lambda m: f"{m[0][0]}{hidden(m)}{m[0][0]}", text)


def _quoted(m: re.Match[str]) -> str:
    return _without_names(m["one"] or m["two"])


def _foreign(m: re.Match[str]) -> str:
    text = m["one"] or m["two"]
    return text if _IDENTIFIER.fullmatch(text) or _is_class(m) else masked_value(text)


def _is_class(m: re.Match[str]) -> bool:
    """Say whether what is quoted is the name of a class, by the words that Python puts around it."""
    name, around = m["one"] or "", m.string
    by_python = around.endswith("type object ", 0, m.start()) or _OF_CLASS.match(around, m.end() - 1)
    return bool(_CLASS.fullmatch(name) and by_python and not is_known(name))


def masked_value(text: str, rows: int = 1, header: str = "") -> str:
    """Return one value of a column nobody called personal as an error may show it; `rows` hold it.

    Numbers, dates, short codes and what many rows hold stay (if they keep the rule of no kind); of any other words
    the first letter does: one row's words may be a name that no list knows.

    >>> masked_value("two"), masked_value("Ólafsdóttir"), masked_value("1,200"), masked_value("13800138000")
    ('two', 'Ó**********', '1,200', '1**********')
    """
    unified = unicodedata.normalize("NFKC", text)
    if candidates(unified, header):
        return re.sub(r"(?<=[\w*])\w", "*", masked(unified))
    if _PLAIN_VALUE.fullmatch(unified) or rows >= _MANY:
        return _without_names(text)
    return _TELLING.sub(lambda m: mask("name", m[0]), _without_names(text))


def _without_names(value: str) -> str:
    value = LATIN_NAME.sub(lambda m: mask("name", m[0]) if _is_name(m[0]) else m[0], value)
    return _CHINESE_NAME.sub(lambda m: mask("name", m[0]), value)


def _is_name(words: str) -> bool:
    return words not in _ENGINE_ERRORS and is_called(words)
