"""Kinds of personal data that keep a rule: pattern, checksum (stdnum, phonenumbers), and the words that stand near.

Some kinds are sure wherever they stand (a resident number with its check character, an IBAN, an e-mail address). Others
look like any number: they count where a word near them says so, or where they are no small part of the numbers of their
length. A few (US social security, passports) look like any code and count only beside their word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from workbench.personal.rules import (
    is_card,
    is_hong_kong_identity,
    is_iban,
    is_phone,
    is_resident,
    is_taiwan_identity,
)

REACH = 70  # characters around what stands in every value of a kind in which a whole one is looked for
NEAR = 40  # characters before a number in which its word is looked for
CROWD, FITTING = 5, 0.5  # so many numbers of one length are a column; fewer than this share fitting: another kind


@dataclass(frozen=True)
class Candidate:
    """A stretch of text that keeps the rule of a kind: its name, where it begins and ends."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True)
class Kind:
    """One kind: pattern with the value as group `v`, rule of the value, word that names it, when one counts.

    `counts`: `sure` alone, `crowd` unless most numbers of its length don't fit, `named` beside its word only.
    `where`: what stands in every value; the pattern is tried around it only, for most of a page holds none.
    """

    name: str
    pattern: re.Pattern[str]
    rule: Callable[[str], bool]
    word: re.Pattern[str]
    counts: str
    where: re.Pattern[str]

    def matches(self, text: str) -> list[re.Match[str]]:
        """Return the stretches of a text that keep pattern and rule."""
        if not (windows := _windows(self.where, text)):  # as in most short texts
            return []
        around = (self.pattern.finditer(text, start, end) for start, end in windows)
        by_place = {m.span("v"): m for matches in around for m in matches}
        return [m for m in by_place.values() if self.rule(m["v"])]


# A number stands alone: not inside hex or a word, not after a decimal point (`Tel.138…` is fine). Letters glued to a
# mobile or resident number don't hide it (`tel13800138000`), unless they could be digits of a hexadecimal number.
_GLUED = r"(?:(?<![0-9A-Za-z_])[A-Za-z]*[G-Zg-z][A-Za-z]*|(?<![0-9A-Za-z_]))(?<![^A-Za-z]\.)"
_UNGLUED = r"(?![0-9_A-Fa-f])(?!\.\d)"
_STRICT = r"(?<![0-9A-Za-z_])(?<![^A-Za-z]\.)"
_AFTER = r"(?![0-9A-Za-z_])(?!\.\d)"
_ALONE = r"(?<!\d[ -])"  # groups with spaces aren't a stretch of a longer row of numbers
_UUID = re.compile(r"(?<![\w-])(?=[\d-]*[a-f])[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}(?![\w-])", re.A | re.I)
_LONG = r"\d[\d ().-]{6,}"  # what every number has
_LETTERED = r"[A-Z]\d{2}"
# `where` looks for these in every text: it begins with one set of characters, which is what `re` finds fast.
_ACCOUNT_NAME = r"[cwvCWV微](?:(?i:hat|eixin|x)|信)"  # chat, weixin, vx, wx, 微信; more than these does no harm
_BLANK = re.compile(r"\s")
_PLATE = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_STREET = r"Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Square|Way|Place|Pl|Terrace"


@lru_cache(maxsize=16)
def _windows(where: re.Pattern[str], text: str) -> list[tuple[int, int]]:
    """Return the stretches of a text around what is looked for, grown to white space and joined where they meet."""
    joined: list[tuple[int, int]] = []
    begin, reach = -1, 0  # of the stretch that still grows; white space is looked for only where it may end
    for w in where.finditer(text):
        at, end = w.span()
        start = max(0, at - REACH)
        if begin < 0:
            begin = start
        elif start > reach and start > (grown := _grown(text, reach)):
            joined.append((begin, grown))
            begin = start
        reach = end + REACH
    return [*joined, (begin, _grown(text, reach))] if begin >= 0 else joined


def _grown(text: str, end: int) -> int:
    blank = _BLANK.search(text, end)
    return blank.start() if blank else len(text)


def candidates(text: str, header: str = "") -> list[Candidate]:
    """Return what keeps the rule of a kind and counts where it stands, in order; of two that overlap, the first.

    `header` is the name of the column the text comes from, a word for all of it.
    """
    spans = [(m.start("v"), -m.end("v"), kind) for kind in KINDS for m in _fitting(kind, text, header)]
    chosen, reached = [], 0
    for start, end, kind in sorted(spans, key=lambda s: s[:2]):
        if start >= reached:
            chosen.append(Candidate(kind.name, start, -end))
            reached = -end
    return chosen


def _fitting(kind: Kind, text: str, header: str) -> Iterator[re.Match[str]]:
    matches = [m for m in kind.matches(text) if not _is_in_uuid(text, *m.span("v"))]
    if kind.counts == "sure" or (header and kind.word.search(header)):
        yield from matches
        return
    lost = kind.counts == "named" or _is_lost_in_a_crowd(text, matches)
    yield from (m for m in matches if not lost or kind.word.search(text[max(0, m.start("v") - NEAR) : m.start("v")]))


def _is_in_uuid(text: str, start: int, end: int) -> bool:
    """Say whether a stretch is the decimal part of a UUID, whose last twelve digits often make a phone number."""
    return any(u.start() <= start and end <= u.end() for u in _UUID.finditer(text, max(0, start - 36), end + 36))


def _is_lost_in_a_crowd(text: str, matches: list[re.Match[str]]) -> bool:
    """Say whether most whole numbers of the matches' lengths don't fit: then these fit by chance."""
    bare = [m for m in matches if m["v"].isdecimal()]
    lengths = {len(m["v"]) for m in bare}
    if not bare:
        return False
    crowd = sum(len(m[0]) in lengths for m in re.finditer(r"(?<![\w.])\d+(?![\w.])", text))
    return crowd >= CROWD and len(bare) < FITTING * crowd


def _always(_: str) -> bool:
    return True


def _kind(
    name: str, pattern: str, rule: Callable[[str], bool], word: str, counts: str = "sure", where: str = _LONG
) -> Kind:
    return Kind(name, re.compile(pattern), rule, re.compile(word, re.IGNORECASE), counts, re.compile(where))


_PHONE = r"phone|mobile|(?<![a-z])(tel|cell|call|fax|contact)|手机|电话|联系|致电"
_IDENTITY = r"identity|national.?id|(?<![a-z])id(?![a-z])|ssn|social|身份|证件|证号"
_FILES = r"(?:png|jpg|jpeg|gif|svg|webp|js|css)(?![\w-])"  # `icon@2x.png` is a file
_HAN = r"\u4e00-\u9fff"
_MAIL = (
    rf"(?P<v>(?:(?<![A-Za-z0-9._%+'-])(?!git@)[A-Za-z0-9._%+'-]*[A-Za-z0-9_]|(?<![{_HAN}])[{_HAN}]{{1,10}})"
    rf"@(?!\S*\.{_FILES})(?:[^\W_](?:[\w-]*[^\W_])?\.)+(?:[A-Za-z]{{2,24}}|[{_HAN}]{{2,6}}))(?![A-Za-z0-9-])"
)
_RESIDENT = rf"{_GLUED}(?P<v>[1-9]\d{{5}}[ -]?(?:18|19|20)\d{{6}}[ -]?\d{{3}}[0-9Xx]){_AFTER}"
_SOCIAL = rf"{_STRICT}{_ALONE}(?P<v>(?!000|666|9)\d{{3}}(?P<s>-?)(?!00)\d\d(?P=s)(?!0000)\d{{4}})(?!-){_AFTER}"
_ABROAD = rf"{_STRICT}(?P<v>(?<![+)])\+[1-9](?:[ ().-]{{0,2}}\d){{7,14}})(?!,\d){_AFTER}"
_GROUPED_MOBILE = (
    rf"{_STRICT}{_ALONE}(?P<v>(?:86[ -])?1[3-9]\d"
    rf"(?:(?P<s>[ .-])\d{{4}}(?P=s)\d{{4}}|[ -]\d{{8}}|\d{{4}}[ -]\d{{4}}))(?! \d){_AFTER}"
)
_MOBILE = rf"{_GLUED}(?P<v>(?:86)?1[3-9]\d{{9}})(?:{_AFTER}|{_UNGLUED})"
_LANDLINE = (
    rf"{_STRICT}{_ALONE}(?P<v>(?:0\d{{2,3}}[ -]|\(0\d{{2,3}}\)[ -]?)(?:\d{{7,8}}|\d{{3,4}}[ -]\d{{4}}))"
    rf"(?![ -]\d){_AFTER}"
)
_GERMAN = rf"{_STRICT}{_ALONE}(?P<v>0[1-9]\d{{1,3}}[ /]\d{{5,8}})(?![ -]\d){_AFTER}"
_US_BARE = rf"{_STRICT}(?P<v>1?[2-9]\d{{2}}[2-9]\d{{6}}){_AFTER}"
_US_PHONE = (
    rf"{_STRICT}{_ALONE}(?P<v>(?:1[ .-])?(?:[2-9]\d{{2}}[ .-]|\([2-9]\d{{2}}\)[ .-]?)[2-9]\d{{2}}[ .-]\d{{4}})"
    rf"(?!-){_AFTER}"
)
_GROUPED_CARD = (
    rf"{_STRICT}{_ALONE}(?P<v>\d{{4}}(?P<s>[ -])(?:\d{{4}}(?P=s)\d{{4}}(?P=s)\d{{1,7}}|\d{{6}}(?P=s)\d{{4,5}}))"
    rf"(?![ -]\d){_AFTER}"
)
_IBAN = r"(?<![0-9A-Za-z])(?P<v>(?i:[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?))(?![0-9A-Za-z])"
_WECHAT = (
    r"(?:(?i:(?<![a-z])(?:wechat|weixin|vx|wx)(?: id)?)\s*[:：=]|微信号?(?:是|为)?)\s*[:：=]?\s*"
    r"(?P<v>(?a:[A-Za-z][\w-]{5,19}))(?a:(?!\w))"
)
_SPELT_MAIL = (
    r"(?<![\w.])(?P<v>[\w.+-]{1,64} ?(?:\[at\]|\(at\)) ?[\w-]+(?:(?:\.| ?\[dot\] ?)[\w-]+)*\.[A-Za-z]{2,24})(?!\w)"
)
_NUMBER_PLATE = (
    rf"(?P<v>[{_PLATE}][A-HJ-NP-Z][·• .]?(?=[A-HJ-NP-Z]*\d)[A-HJ-NP-Z0-9]{{4,5}}[A-HJ-NP-Z0-9挂学警港澳])"
    r"(?![0-9A-Za-z])"
)
_STREET_ZH = (
    rf"(?P<v>[{_HAN}]{{2,20}}(?:路|街|道|巷|弄|村|小区|胡同)[{_HAN}]{{0,6}}\d+\s*(?:号|弄|栋|室|楼|单元)"
    rf"(?:[{_HAN}\d-]{{0,12}}(?:号|室|楼|栋|单元))?)"
)
_STREET_EU = (  # the street's word is part of its name: Musterstraße 12; or stands before it: 12 rue de la Paix
    r"(?<!\w)(?P<v>[A-ZÄÖÜ][\w-]*(?:straße|strasse|str\.|weg|platz|gasse|allee) \d{1,4}[a-z]?"
    r"|\d{1,4} (?:rue|avenue|boulevard|chemin|place|quai) (?:[dl][eua]?s? |[dl]['’])?"
    r"(?:la |l['’])?[A-ZÉ][\w' -]{2,30})(?!\w)"
)
_STREET_EN = rf"(?<![0-9A-Za-z_])(?P<v>\d{{1,5}} (?:[A-Z][\w.'-]+ ){{1,3}}(?:{_STREET})\b)"

KINDS = (
    _kind("e-mail address", _MAIL, _always, "mail|邮", where="@"),
    _kind("e-mail address", _SPELT_MAIL, _always, "mail|邮", where=r"\[at\]|\(at\)"),
    _kind("identity number", _RESIDENT, is_resident, _IDENTITY),
    _kind("identity number", rf"{_STRICT}(?P<v>[1-9]\d{{14}}){_AFTER}", is_resident, _IDENTITY, "crowd"),
    _kind(
        "identity number",
        r"(?<![0-9A-Za-z])(?P<v>[A-Z][1289]\d{8})(?![0-9A-Za-z])",
        is_taiwan_identity,
        _IDENTITY,
        where=_LETTERED,
    ),
    _kind(
        "identity number",
        r"(?<![0-9A-Za-z])(?P<v>[a-z][1289]\d{8})(?![0-9A-Za-z])",
        is_taiwan_identity,
        _IDENTITY,
        "named",
        r"[a-z]\d{2}",
    ),
    _kind(
        "identity number",
        r"(?<![0-9A-Za-z])(?P<v>[A-Z]{1,2}\d{6}\([0-9A]\))",
        is_hong_kong_identity,
        _IDENTITY,
        where=_LETTERED,
    ),
    _kind("identity number", _SOCIAL, _always, _IDENTITY, "named"),
    _kind(
        "passport number",
        r"(?<![0-9A-Za-z])(?P<v>[A-Z]\d{8}|[EK][A-Z]\d{7}|\d{9})(?![0-9A-Za-z])",
        _always,
        "passport|护照",
        "named",
        where=r"[A-Z]\d{7,}|\d{9,}",
    ),
    _kind("phone number", _ABROAD, lambda v: is_phone(v, None), _PHONE),
    _kind("phone number", rf"{_STRICT}(?P<v>0086[ -]?1[3-9]\d[ .-]?\d{{4}}[ .-]?\d{{4}}){_AFTER}", _always, _PHONE),
    _kind("phone number", _GROUPED_MOBILE, _always, _PHONE),
    _kind("phone number", _MOBILE, lambda v: is_phone(v[-11:], "CN"), _PHONE, "crowd"),
    _kind("phone number", rf"{_STRICT}(?P<v>0\d{{9,11}}){_AFTER}", lambda v: is_phone(v, "CN"), _PHONE, "crowd"),
    _kind("phone number", _US_BARE, lambda v: is_phone(v, "US"), _PHONE, "named"),
    _kind("phone number", _LANDLINE, lambda v: is_phone(v, "CN"), _PHONE),
    _kind("phone number", _GERMAN, lambda v: is_phone(v, "DE"), _PHONE),
    _kind("phone number", _US_PHONE, lambda v: is_phone(v, "US"), _PHONE),
    _kind("card number", rf"{_STRICT}(?P<v>\d{{13,19}}){_AFTER}", is_card, r"card|卡号|账号|账户", "crowd"),
    _kind("card number", _GROUPED_CARD, is_card, "card|卡号"),
    _kind("bank account", _IBAN, is_iban, "iban", where=r"[A-Za-z]\d{2}"),
    _kind("account name", r"(?<![0-9A-Za-z_])(?P<v>wxid_[A-Za-z0-9_]{6,32})", _always, "微信|wechat", where="wxid_"),
    _kind("account name", _WECHAT, _always, "微信|wechat", where=_ACCOUNT_NAME),
    _kind("account name", r"(?<!\d)(?P<v>[1-9]\d{4,10})(?!\d)", _always, r"(?<![a-z])qq(?![a-z])", "named", r"\d{5,}"),
    _kind("number plate", _NUMBER_PLATE, _always, "车牌|plate", where=f"[{_PLATE}][A-Z]"),
    _kind("address", _STREET_ZH, _always, "住址|地址|address", where=r"\d\s*(?:号|弄|栋|室|楼|单元)"),
    _kind("address", _STREET_EN, _always, "address", where=r"\d [A-Z]"),
    _kind(
        "address",
        _STREET_EU,
        _always,
        "address",
        where=r"(?:straße|strasse|str\.|weg|platz|gasse|allee) \d|\d [rabcpq][a-z]+ ",
    ),
)
