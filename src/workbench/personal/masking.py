"""Mask personal data in a text: an error, a headline, a log line keeps its sense and tells nobody who it was about."""

from __future__ import annotations

import re
import unicodedata

from workbench.personal.kinds import candidates

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖"
    "贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_DOUBLE = "欧阳|司马|上官|诸葛|司徒|东方|皇甫|尉迟|公孙|慕容|令狐|夏侯|宇文|长孙"
_CHINESE_NAME = re.compile(rf"(?:{_DOUBLE}|[{_SURNAMES}])[\u4e00-\u9fff]{{1,2}}")
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


def looks_like_a_name(value: str) -> bool:
    """Say whether a whole value is written like a person's name: a Chinese surname and one or two characters, or
    two or more words with capitals.

    >>> [looks_like_a_name(v) for v in ("张三", "John Smith", "上海", "paid_off", "Visa")]
    [True, True, False, False, False]
    """
    return bool(_CHINESE_NAME.fullmatch(value.strip()) or _LATIN_NAME.fullmatch(value.strip()))


def _without_names(value: str) -> str:
    for pattern in (_LATIN_NAME, re.compile(rf"(?<![\u4e00-\u9fff]){_CHINESE_NAME.pattern}(?![\u4e00-\u9fff])")):
        value = pattern.sub(lambda m: mask("name", m[0]), value)
    return value
