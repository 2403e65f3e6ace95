"""Guess from one column's name and values what it is: type, personal data, protected group, code for missing."""

from __future__ import annotations

import re

import pandas as pd

from workbench.contracts import Column, Contract, as_text
from workbench.contracts.readings import EXACT, typed

FEW_CODES = 30  # so many different values are listed as allowed ones
MANY_CODES = 100  # so many are still codes, but too many to list
MOSTLY = 0.99
_SEEN = 2000  # values looked at to tell dates and personal data

_PERSONAL = {
    "identifier": r"national_?id|(^|_)ssn|passport|id_?card|tax_?id|身份证|证件",
    "contact": r"phone|mobile|telephone|e_?mail|手机|电话|邮箱",
    "address": r"address|street|(^|_)city(_|$)|(^|_)zip|post_?code|postal|地址|住址",
    "name": r"(^|_)name$|surname|姓名|客户名称",
}
_NOT_A_PERSON = r"bank|branch|product|model|manufact|brand|originator|servicer|series|vehicle|franchise|job|file"
_FAIRNESS = (
    r"(^|_)(sex|gender|age|birth\w*|dob|marital|marriage|family_status|foreign\w*|nationality|citizen\w*"
    r"|ethnic\w*|race|religion)(_|$)|性别|年龄|婚姻|民族"
)
_AGE_OF_A_THING = r"(loan|account|vehicle|car|cur|initial|card|house)_age"
_AFTERWARDS = (
    r"charge?d?_?off|chg_?off|recover|collected|collection|total_py?mnt|total_rec_|out_prncp|last_py?mnt"
    r"|write_?off|written_off|(^|_)loss(es)?(_|$)|closed?_date|settle|核销|回收"
)
_ASPECT = {
    "capacity": r"income|(^|_)inc(_|$)|salary|payment|pymnt|pmt|burden|dti|inst?al?lment|open_to_buy|employed",
    "credit_record": r"delinq|late|overdue|past_due|default|credit_history|credit_score|fico|(^|_)inq|grade",
    "size": r"limit|amount|(^|_)amt|amnt|balance|gross|(^|_)bal(_|$)|appv",
    "relationship": r"months_on_book|tenure|since|relationship|contact|inactive|campaign",
    "offer": r"rate|term|product|card_category|purpose|(^|_)apr(_|$)",
}
_AMOUNT = r"income|salary|limit|amount|(^|_)amt|amnt|gross|appv|(^|_)n_|count|(^|_)cnt"
_CODE = r"(^|_)(code|type|status|flag|category|cat|grade|kind|class)\d*$"
_HIGH, _LOW = (365243, 999, 9999, 99999, 999999, 9999999, 99999999), (-1, -9, -99, -999, -9999)
_UNKNOWN = {"unknown", "xna", "n/a", "na", "null", "nan", "?", "-", "missing", "not available", "未知"}

_MAIL = r"[^@\s]+@[\w-]+(\.[\w-]+)*\.[A-Za-z]{2,24}"
_PHONE = r"1[3-9]\d{9}|1[3-9]\d[ -]\d{4}[ -]\d{4}|\+[1-9][\d ()-]{7,18}|\d{3}-\d{3}-\d{4}"
_DATE = (  # 2020-01-31, 20200131, 2020-01, 2020/1/31; 31/1/2020, 1/2020, 31-Jan-20
    r"(?:19|20)\d{2}(?:-\d{2}-\d{2}|\d{4}|-\d{2}|/\d{1,2}/\d{1,2})(?:[T ].*)?"
    r"|\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}|\d{1,2}/\d{4}|\d{1,2}-[A-Za-z]{3}-\d{2,4}|[A-Za-z]{3}-\d{2,4}"
)


def type_of(values: pd.Series, name: str) -> str:
    """Return the contract type that fits the values: date, number, integer, category or text."""
    known = values.dropna()
    if pd.api.types.is_datetime64_any_dtype(values):
        return "date"
    if known.empty or pd.api.types.is_bool_dtype(values):
        return "text" if known.empty else "category"
    text = as_text(known)
    if _are_dates(text):
        return "date"
    numbers = pd.to_numeric(text.str.replace(",", ""), errors="coerce")
    if numbers.notna().mean() < MOSTLY or text.str.fullmatch(r"0\d+").any():
        return _words(known)
    if known.nunique() <= 2 or (re.search(_CODE, name) and known.nunique() <= FEW_CODES):
        return "category"
    whole = (numbers.dropna() % 1 == 0).all()
    long = whole and (text.str.fullmatch(r"\d{11,}").mean() > 0.5 or numbers.abs().max() > EXACT)
    return "text" if long else "integer" if whole else "number"


def is_grouped(values: pd.Series) -> bool:
    """Say whether numbers are held as text with a comma between thousands."""
    if not pd.api.types.is_string_dtype(values):
        return False
    text = values.dropna()
    plain = text.str.fullmatch(r"\s*-?[\d,]+(\.\d+)?\s*")
    return bool(len(text) and plain.mean() > MOSTLY and text.str.fullmatch(r"\s*-?\d{1,3}(,\d{3})+(\.\d+)?\s*").any())


def personal(values: pd.Series, name: str, source: str) -> str:
    """Return the kind of personal data a column seems to hold, '' for none; yes/no flags about it hold none."""
    if values.nunique() <= 2:
        return ""
    for kind, pattern in _PERSONAL.items():
        if (re.search(pattern, name) or re.search(pattern, source)) and not re.search(_NOT_A_PERSON, name):
            holds_codes = kind == "name" and values.nunique() <= FEW_CODES < len(values) / 20
            return "" if holds_codes else kind
    return _personal_by_value(as_text(values.dropna().head(_SEEN)))


def is_fairness(name: str) -> bool:
    """Say whether a column is called like a group by which treatment is compared."""
    return bool(re.search(_FAIRNESS, name) and not re.search(_AGE_OF_A_THING, name))


def is_afterwards(name: str) -> bool:
    """Say whether a column is called like something known only after the outcome."""
    return bool(re.search(_AFTERWARDS, name))


def below_zero(values: pd.Series, name: str) -> float | None:
    """Return the share below zero of a column called like an amount or a count; None for any other, or for many."""
    if not re.search(_AMOUNT, name):
        return None
    share = float((as_numbers(values).dropna() < 0).mean())
    return share if share <= 1 - MOSTLY else None


def aspect(name: str) -> str:
    """Return the aspect of the customer a column is called like."""
    return next((a for a, pattern in _ASPECT.items() if re.search(pattern, name)), "basics")


def as_numbers(values: pd.Series) -> pd.Series:
    """Return values as numbers, commas between thousands taken out, NaN for what is none."""
    return pd.to_numeric(as_text(values).str.replace(",", ""), errors="coerce")


def missing_codes(values: pd.Series, kind: str) -> tuple[str, ...]:
    """Return codes that seem to stand for missing: 'Unknown', or a 999 far above (a -1 below) all other values."""
    if kind == "category":
        codes = as_text(values).dropna().unique()
        return tuple(sorted(c for c in codes if c.lower() in _UNKNOWN))
    if kind not in ("number", "integer"):
        return ()
    numbers = as_numbers(values).dropna()
    different = numbers.drop_duplicates().sort_values()
    if len(different) < 10:
        return ()
    found = []
    if different.iloc[-1] in _HIGH and different.iloc[-2] < different.iloc[-1] / 3:
        found.append(different.iloc[-1])
    if different.iloc[0] in _LOW and different.iloc[1] >= 0:
        found.append(different.iloc[0])
    return tuple(f"{code:.0f}" for code in found if (numbers == code).sum() > 1)


def _are_dates(text: pd.Series) -> bool:
    seen = text.head(_SEEN)
    if seen.str.fullmatch(_DATE).mean() < MOSTLY:
        return False
    column = Column(name="date", type="date")
    read, _ = typed(seen, column, Contract(name="draft", title="", columns=(column,)))
    return read.notna().mean() > MOSTLY


def _words(known: pd.Series) -> str:
    """Few different values are codes; a value of its own in every second row is free text."""
    n = known.nunique()
    is_code = (n <= FEW_CODES and n <= max(2, len(known) / 2)) or (n <= MANY_CODES and n <= len(known) / 20)
    return "category" if is_code else "text"


def _personal_by_value(text: pd.Series) -> str:
    if text.empty:
        return ""
    if text.str.fullmatch(_MAIL).mean() > 0.8 or text.str.fullmatch(_PHONE).mean() > 0.8:
        return "contact"
    identity = text.str.fullmatch(r"\d{17}[\dXx]") | text.str.fullmatch(r"\d{13,19}")
    held = text[identity.fillna(False).astype(bool)]
    checked = sum(_is_resident(v) or _is_card(v) for v in held)
    return "identifier" if checked > 0.8 * len(text) else ""


def _is_resident(number: str) -> bool:
    """Check character of an 18-digit resident number (GB 11643, ISO 7064 MOD 11-2)."""
    if len(number) != 18 or not number[:17].isdigit():
        return False
    total = sum(int(d) * pow(2, 17 - i, 11) for i, d in enumerate(number[:17]))
    return "10X98765432"[total % 11] == number[17].upper()


def _is_card(number: str) -> bool:
    """Check digit of a card number (ISO/IEC 7812, Luhn)."""
    digits = [int(d) for d in reversed(number) if d.isdigit()]
    return sum(d if i % 2 == 0 else d * 2 - 9 * (d > 4) for i, d in enumerate(digits)) % 10 == 0
