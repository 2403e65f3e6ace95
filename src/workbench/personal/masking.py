"""Mask personal data in a text: an error, a headline, a log line keeps its sense and tells nobody who it was about."""

from __future__ import annotations

import re
import unicodedata

from workbench.personal.kinds import candidates
from workbench.personal.people import CHINESE, ORDINARY, is_called

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
    hidden = _foreign if foreign else _without_names
    return _QUOTED.sub(lambda m: f"{m[0][0]}{hidden(m['one'] or m['two'])}{m[0][0]}", text)


def _foreign(quoted: str) -> str:
    return quoted if _IDENTIFIER.fullmatch(quoted) else masked_value(quoted)


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
    value = LATIN_NAME.sub(lambda m: mask("name", m[0]) if is_called(m[0]) else m[0], value)
    return _CHINESE_NAME.sub(lambda m: mask("name", m[0]), value)
