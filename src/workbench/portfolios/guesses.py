"""Guess from one column's name and values what it is: type, personal data, protected group, code for missing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from itertools import chain, pairwise, takewhile

import numpy as np
import pandas as pd

from workbench.contracts import Column, Contract
from workbench.contracts.readings import DECIMAL_COMMA, EXACT, are_day_numbers, grouped, shown, typed
from workbench.personal import are_names, is_card, is_resident
from workbench.portfolios.looks import SEEN, Look

FEW_CODES = 30  # so many different values are listed as allowed ones
MANY_CODES = 100  # so many are still codes, but too many to list
MOSTLY = 0.99
_PARSED = 200  # different values read as dates or names

CHINESE_NUMBER = r"(客户|合同|贷款|借据|账户|家庭|卡|流水)(编号|号码|号)$|账号$"  # whose, or of what
KEY = rf"(^|_)(id|nr|key)(_|$)|_(no|num|number)$|clientnum|编号|号码|{CHINESE_NUMBER}"
_PERSONAL = {
    "identifier": r"national_?id|(^|_)ssn|passport|id_?card|tax_?id|身份证|证件",
    "contact": r"phone|mobile|telephone|e_?mail|手机|电话|邮箱",
    "address": r"address|street|(^|_)city(_|$)|(^|_)zip|post_?code|postal|地址|住址",
    "name": r"(^|_)name$|surname|姓名|客户名称",
}
_PERSONS_NAME = (
    r"^name$|(customer|client|applicant|borrower|holder|guarantor|debtor|owner|person|employee|contact|spouse|user"
    r"|first|last|full|given|family|middle|sur)_?name|姓名|客户名称"
    r"|(^|_)(manager|officer|agent|signed_by)(_| |$)|客户经理"
)
_NOT_A_PERSON = r"bank|branch|product|model|manufact|brand|originator|servicer|series|vehicle|franchise|job|file"
_FAIRNESS = (
    r"(^|_)(sex|gender|age|birth\w*|dob|marital|marriage|family_status|foreign\w*|nationality|citizen\w*"
    r"|ethnic\w*|race|racial|religion|married|male|female|hispan\w*|latin[oa]\w*|asian\w*|minority|disab\w*)(_|$)"
    r"|^(is_)?(black|white)$|性别|年龄|婚姻|民族|宗教|国籍|籍贯|户籍|残疾"
)
_AGE_OF_A_THING = r"(loan|account|vehicle|car|cur|initial|card|house)_age"
_AFTERWARDS = (
    r"charge?d?_?off|chg_?off|recover|collected|collection|total_py?mnt|total_rec_|out_prncp|last_py?mnt"
    r"|write_?off|written_off|(^|_)loss(es)?(_|$)|closed?_date|settle|核销|回收|结清|催收|代偿|损失"
)
_ASPECT = {
    "capacity": (
        r"income|(^|_)inc(_|$)|salary|payment|pymnt|pmt|burden|dti|inst?al?lment|open_to_buy|employed"
        r"|收入|工资|月供|应还|实还|还款额|负债"
    ),
    "credit_record": (
        r"delinq|late|overdue|past_due|default|credit_history|credit_score|fico|(^|_)inq|grade"
        r"|逾期|征信|评分|信用分|查询次数|评级"
    ),
    "size": r"limit|amount|(^|_)amt|amnt|balance|gross|(^|_)bal(_|$)|appv|额度|金额|余额|本金",
    "relationship": r"months_on_book|tenure|since|relationship|contact|inactive|campaign|账龄|年限|合作",
    "offer": r"rate|term|product|card_category|purpose|(^|_)apr(_|$)|利率|期限|产品|用途|担保|还款方式",
}
_AMOUNT = (
    r"income|salary|limit|amount|(^|_)amt|amnt|gross|appv|(^|_)n_|count|(^|_)cnt"
    r"|收入|工资|额度|金额|余额|月供|次数|笔数|天数"
)
_CODE = r"(^|_)(code|type|status|flag|category|cat|grade|kind|class)\d*$"
_HIGH = (365243, 999, 9999, 99999, 999999, 9999999, 99999999, 999999999)
_LOW = (-1, -9, -99, -999, -9999, -99999, -999999, -9999999, -99999999, -999999999)
_NINES = (-9, -99, -999, -9999, -99999, 99, 999, 9999, 99999)  # from which codes count on: -9, -8, -7; 9999, 9998
_LONGEST_RUN = 4
_LONG_CODE = 900  # from here on one of them is a code without the others, too
_FAR = -999  # from here on down a code may stand below values that are negative themselves
_UNKNOWN = {
    *("unknown", "xna", "n/a", "na", "null", "nan", "?", "-", "missing", "not available", "no record"),
    *("未知", "无记录", "不详", "未填", "缺失", "空"),
}

_CALLED_DATE = r"date|(^|_)(day|dt|dob)(_|$)|birth|日期|日$"
_LONG = re.compile(r"\d{11,}(?:\.0+)?")
_SIGNS = re.compile(r"[+-]?[\d.,]+(?:\s*%)?")
_GROUPED = {sign: re.compile(grouped(sign, "." if sign == "," else ",")) for sign in ",."}
_DECIMAL = {",": re.compile(DECIMAL_COMMA), ".": re.compile(r"[+-]?(?:\d+(?:,\d+)*)?\.\d+\s*%?")}
_IDENTITY = re.compile(r"\d{17}[\dXx]|\d{13,19}")
_NO_DAY = re.compile(r"(?:2[1-9]|[3-9]\d)\d{2}(?:-\d{2}-\d{2}|\d{4}|/\d{1,2}/\d{1,2})(?:[T ].*)?")  # from 2100 on
_MAIL = re.compile(r"[^@\s]+@[\w-]+(\.[\w-]+)*\.[A-Za-z]{2,24}")
_PHONE = re.compile(r"1[3-9]\d{9}|1[3-9]\d[ -]\d{4}[ -]\d{4}|\+[1-9][\d ()-]{7,18}|\d{3}-\d{3}-\d{4}")
_DATE = re.compile(  # 2020-01-31, 20200131, 2020-01, 2020/1/31; 31/1/2020, 1/2020, 31-Jan-20
    r"(?:19|20|29|99)\d{2}(?:-\d{2}-\d{2}|\d{4}|-\d{2}|/\d{1,2}/\d{1,2})(?:[T ].*)?"
    r"|\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}|\d{1,2}/\d{4}|\d{1,2}-[A-Za-z]{3}-\d{2,4}|[A-Za-z]{3}-\d{2,4}"
)
_CHINESE_DAY = re.compile(r"(?:19|20)\d{2}年\d{1,2}月\d{1,2}日")
CHINESE_FORMAT = "%Y年%m月%d日"


def type_of(seen: Look, name: str) -> str:
    """Return the contract type that fits the values: date, number, integer, category or text."""
    if seen.is_date:
        return "date"
    if not seen.texts or seen.is_flag:
        return "category" if seen.texts else "text"
    if _are_dates(seen) or is_day_number(seen, name) or is_chinese_day(seen):
        return "date"
    if _share_of_numbers(seen) < MOSTLY or any(t[0] == "0" and len(t) > 1 and t.isdecimal() for t in seen.plain[:SEEN]):
        return _words(seen)
    if seen.different <= 2 or (re.search(_CODE, name) and seen.different <= FEW_CODES):
        return "category"
    numbers = seen.numbers[np.isfinite(seen.numbers)]
    whole = bool((numbers % 1 == 0).all())
    long = whole and (seen.mostly(_LONG, 0.5) or np.abs(numbers).max() > EXACT)
    return "text" if long else "integer" if whole else "number"


def _share_of_numbers(seen: Look) -> float:
    """Return the share of rows with a number, among those that don't hold a word for unknown."""
    unknown = sum(n for t, n in zip(seen.texts, seen.counts, strict=True) if t.lower() in _UNKNOWN)
    return seen.number_share * seen.known / max(seen.known - unknown, 1)


def is_key(c: Column) -> bool:
    """Say whether a column is called like a key: an id, a number of something."""
    return is_called(KEY, c)


def is_called_date(c: Column) -> bool:
    """Say whether a column is called a date."""
    return is_called(_CALLED_DATE, c)


def is_called(pattern: str, c: Column) -> bool:
    """Say whether a column's name, or its name in the file, matches."""
    return bool(re.search(pattern, c.name) or re.search(pattern, c.source, re.I))


def is_day_number(seen: Look, name: str) -> bool:
    """Say whether a column called a date holds the day numbers of a spreadsheet (43831 for 2020-01-01)."""
    return bool(re.search(_CALLED_DATE, name)) and are_day_numbers(pd.Series(seen.plain[:SEEN], dtype="string"))


def is_chinese_day(seen: Look) -> bool:
    """Say whether a column holds days written as 2021年3月5日, with or without a zero before single digits."""
    return seen.is_text and seen.mostly(_CHINESE_DAY, MOSTLY) and _reads(seen, CHINESE_FORMAT)


def is_percent(seen: Look) -> bool:
    """Say whether numbers are written with a percent sign."""
    return any(t.endswith("%") for t in seen.plain[:SEEN])


def is_grouped(seen: Look, sign: str) -> bool:
    """Say whether numbers are held as text with this sign, a comma or a point, between thousands."""
    return _holds_numbers(seen) and any(sign in t and _GROUPED[sign].fullmatch(t) for t in seen.plain[:SEEN])


def has_decimals(seen: Look, sign: str) -> bool:
    """Say whether numbers are held as text with this sign, a comma or a point, where no thousands can be parted."""
    texts = seen.plain[:SEEN] if _holds_numbers(seen) else ()
    return any(_DECIMAL[sign].fullmatch(t) and not _GROUPED[sign].fullmatch(t) for t in texts)


def grouped_share(seen: Look) -> float:
    """Return the share of different values in which one comma stands before three last digits: 5,906 may be both."""
    texts = seen.plain[:SEEN] if _holds_numbers(seen) else ()
    return sum(t.count(",") == 1 and "." not in t and bool(_GROUPED[","].fullmatch(t)) for t in texts) / max(
        len(texts), 1
    )


def _holds_numbers(seen: Look) -> bool:
    return seen.is_text and seen.mostly(_SIGNS, MOSTLY)


def personal(seen: Look, name: str, source: str) -> str:
    """Return the kind of personal data a column seems to hold, '' for none; yes/no flags about it hold none.

    Few different names are names all the same: those of a bank's managers stand in many rows each.
    """
    expected = is_called_name(name) or is_called_name(source)
    if seen.different <= 2:
        return "name" if expected and are_names(seen.texts, expected) else ""
    for kind, pattern in _PERSONAL.items():
        if (re.search(pattern, name) or re.search(pattern, source)) and not re.search(_NOT_A_PERSON, name):
            holds_codes = kind == "name" and seen.different <= min(FEW_CODES, seen.known / 20)
            return "" if holds_codes and not expected and not are_names(seen.texts, expected=True) else kind
    return _personal_by_value(seen, expected)


def is_called_name(header: str) -> bool:
    """Say whether a column is called as one that names persons."""
    return bool(re.search(_PERSONS_NAME, header.lower()) and not re.search(_NOT_A_PERSON, header.lower()))


def is_fairness(name: str) -> bool:
    """Say whether a column is called like a group by which treatment is compared."""
    return bool(re.search(_FAIRNESS, name) and not re.search(_AGE_OF_A_THING, name))


def is_afterwards(name: str) -> bool:
    """Say whether a column is called like something known only after the outcome."""
    return bool(re.search(_AFTERWARDS, name))


def below_zero(seen: Look, name: str, missing: tuple[str, ...]) -> float | None:
    """Return the share below zero of a column called like an amount or a count; None for any other, or for many."""
    if not re.search(_AMOUNT, name):
        return None
    counts = np.array([0 if t in missing else n for t, n in zip(seen.texts, seen.counts, strict=True)])
    share = float(counts[seen.numbers < 0].sum() / max(counts[np.isfinite(seen.numbers)].sum(), 1))
    return share if share <= 1 - MOSTLY else None


def aspect(name: str) -> str:
    """Return the aspect of the customer a column is called like."""
    return next((a for a, pattern in _ASPECT.items() if re.search(pattern, name)), "basics")


def missing_codes(seen: Look, kind: str) -> tuple[str, ...]:
    """Return codes that seem to stand for missing.

    'Unknown'; a 999 far above, a -1 below all other values, -9, -8 and -7 together; a day of the year 9999.
    """
    if kind == "category":
        return tuple(sorted(c for c in seen.texts if c.lower() in _UNKNOWN))
    if kind == "date":
        return tuple(sorted(shown(t) for t in seen.texts if _NO_DAY.fullmatch(t)))
    if kind not in ("number", "integer"):
        return ()
    return (*sorted(c for c in seen.texts if c.lower() in _UNKNOWN), *_numbers_apart(seen))


def _numbers_apart(seen: Look) -> tuple[str, ...]:
    different = np.unique(seen.numbers[np.isfinite(seen.numbers)])
    if len(different) < 10:
        return ()
    counts, from_nines = np.array(seen.counts), [_counted_from(nine) for nine in _NINES]
    repeated = {float(v) for v in chain(_HIGH, _LOW, *from_nines) if counts[seen.numbers == v].sum() > 1}
    runs = [list(takewhile(repeated.__contains__, each)) for each in from_nines]
    alone = {v for v in repeated if v in _HIGH or v in _LOW or abs(v) > _LONG_CODE}
    codes = alone.union(*(run for run in runs if len(run) > 1))
    return tuple(f"{c:.0f}" for c in (*_far_above(different, codes), *_far_below(different, codes)))


def _counted_from(nine: int) -> list[int]:
    """Return the codes that count towards zero from a value of nines.

    >>> _counted_from(-9)
    [-9, -8, -7, -6]
    """
    return [nine - i if nine > 0 else nine + i for i in range(_LONGEST_RUN)]


def _far_above(different: np.ndarray, codes: Set[float]) -> Iterator[float]:
    """Yield the codes among values (n, ascending) that are three times as high as all below them, the highest first."""
    for run, below in _runs(different[::-1], codes):
        if run[-1] <= 0 or below >= run[-1] / 3:
            return
        yield from run


def _far_below(different: np.ndarray, codes: Set[float]) -> Iterator[float]:
    """Yield the codes among values (n, ascending) below all others: a -1 or -99 where those aren't negative.

    One from -999 on may stand below negative values, where it is three times as low.
    """
    for run, above in _runs(different, codes):
        if run[0] >= 0 or (above < 0 and (run[0] > _FAR or above <= run[0] / 3)):
            return
        yield from run


def _runs(values: np.ndarray, codes: Set[float]) -> Iterator[tuple[list[float], float]]:
    """Yield the codes values (n, in order) begin with, those that follow one another together, and what comes next."""
    run: list[float] = []
    for value, after in pairwise(values):
        if value not in codes:
            return
        run.append(float(value))
        if after not in codes or abs(after - value) != 1:
            yield run, float(after)
            run = []


def _are_dates(seen: Look) -> bool:
    if not seen.mostly(_DATE, MOSTLY):
        return False
    return _reads(seen)


def _reads(seen: Look, written: str = "") -> bool:
    """Say whether the first different values are read as dates by a format (`written`), by the usual ones without."""
    column = Column(name="date", type="date", format=written)
    first = pd.Series(seen.plain[:_PARSED], dtype="string")
    first = first[~first.str.fullmatch(_NO_DAY.pattern)]
    read, _ = typed(first, column, Contract(name="draft", title="", columns=(column,)))
    return bool(len(read)) and read.notna().mean() > MOSTLY


def _words(seen: Look) -> str:
    """Few different values are codes; a value of its own in every second row is free text."""
    n, rows = seen.different, seen.known
    is_code = (n <= FEW_CODES and n <= max(2, rows / 2)) or (n <= MANY_CODES and n <= rows / 20)
    return "category" if is_code else "text"


def _personal_by_value(seen: Look, expected: bool) -> str:
    if not seen.texts:
        return ""
    if seen.mostly(_MAIL, 0.8) or seen.mostly(_PHONE, 0.8):
        return "contact"
    if seen.mostly(_IDENTITY, 0.8):
        texts = seen.plain[:SEEN]
        checked = sum(n for t, n in zip(texts, seen.counts, strict=False) if is_resident(t) or is_card(t))
        return "identifier" if checked > 0.8 * sum(seen.counts[:SEEN]) else ""
    return "name" if not seen.plain[0][0].isdigit() and are_names(seen.plain[:_PARSED], expected) else ""
