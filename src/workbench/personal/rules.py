"""Rules a value of a kind keeps: check characters, prefixes, numbering plans (stdnum, phonenumbers)."""

from __future__ import annotations

import re
from functools import cache

_PROVINCE = re.compile(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|91")
_ISSUERS = re.compile(  # first digits and length: ISO/IEC 7812 ranges as the card schemes publish them
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}"
    r"|62\d{14,17}|(?:6011|64[4-9]\d|65\d\d)\d{12,15}|35(?:2[89]|[3-8]\d)\d{12,15}"
)


def digits(value: str) -> str:
    """Return a number without what is written between its digits.

    >>> digits("+86 138-1234.5678")
    '8613812345678'
    """
    return re.sub(r"[^\dXx]", "", value)


def is_resident(value: str) -> bool:
    """Say whether a value is a resident identity number: 18 characters (GB 11643-1999), or the 15 digits before it."""
    from stdnum.cn import ric

    number = digits(value).upper()
    if not _PROVINCE.match(number):
        return False
    if len(number) == 15:
        return bool(re.fullmatch(r"\d{6}\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}", number))
    return len(number) == 18 and _is_date(number[6:14]) and number[-1] == ric.calc_check_digit(number)


def _is_date(text: str) -> bool:
    import datetime

    try:
        return datetime.date(int(text[:4]), int(text[4:6]), int(text[6:])) <= datetime.date.today()
    except ValueError:
        return False


def is_card(value: str) -> bool:
    """Say whether digits have an issuer's prefix and length and the Luhn check digit (ISO/IEC 7812-1)."""
    from stdnum import luhn

    number = digits(value)
    return bool(_ISSUERS.fullmatch(number)) and luhn.is_valid(number)


def is_iban(value: str) -> bool:
    """Say whether a value is an IBAN (ISO 13616)."""
    from stdnum import iban

    return iban.is_valid(value)


def is_taiwan_identity(value: str) -> bool:
    """Say whether a value is a Taiwan identity number: letter, nine digits, weighted check digit.

    No kept library checks it. Source: 內政部戶政司, 國民身分證統一編號.

    >>> is_taiwan_identity("A123456789"), is_taiwan_identity("A123456788")
    (True, False)
    """
    area = 10 + "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(value[0].upper())
    tail = sum(int(d) * w for d, w in zip(value[1:], (8, 7, 6, 5, 4, 3, 2, 1, 1), strict=True))
    return (area // 10 + 9 * (area % 10) + tail) % 10 == 0


def is_hong_kong_identity(value: str) -> bool:
    """Say whether a value is a Hong Kong identity number with its check digit in brackets.

    No kept library checks it. Source: Immigration Department, HKIC check digit (modulus 11).

    >>> is_hong_kong_identity("A123456(3)"), is_hong_kong_identity("A123456(4)")
    (True, False)
    """
    letters, check = re.sub(r"[()\d]", "", value[:-3]), value[-2]
    body = [36] * (2 - len(letters)) + [ord(c) - 55 for c in letters] + [int(d) for d in re.sub(r"\D", "", value[:-3])]
    remainder = sum(w * v for w, v in zip(range(9, 1, -1), body, strict=True)) % 11
    return check == "0A987654321"[remainder] if remainder else check == "0"


@cache
def is_phone(value: str, region: str | None) -> bool:
    """Say whether a value is a telephone number that exists in the plan of its country (ITU; Google's metadata)."""
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(value, region))
    except phonenumbers.NumberParseException:
        return False
