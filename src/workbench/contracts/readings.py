"""Read raw values as the type their contract names; what can't be read becomes missing and a finding."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Collection

import pandas as pd
from pandas.tseries.api import guess_datetime_format

from workbench.contracts.fields import EXCEL
from workbench.contracts.words import HAS_VALUE, Column, Contract, Finding, mask

DECIMAL_COMMA = r"[+-]?\d[\d.]*,\d+\s*%?"
EXACT = 2**53  # whole numbers beyond it lose digits in a decimal number (IEEE 754 double)
NUMBERS = ("number", "integer")
_ISO = r"\d{4}(?:-?\d{2}(?:-?\d{2})?)?(?:[T ].*)?"
_OFFSET = r"([T ]\d{2}.*?)\s*(?:Z|[+-]\d{2}(?::?\d{2}){0,2})$"  # of a time from UTC
_WRITTEN = {
    r"\d{1,2}/\d{4}": "%m/%Y",
    r"\d{1,2}-[A-Za-z]{3}-\d{2}": "%d-%b-%y",
    r"\d{1,2}-[A-Za-z]{3}-\d{4}": "%d-%b-%Y",
    r"[A-Za-z]{3}-\d{2}": "%b-%y",
    r"[A-Za-z]{3}-\d{4}": "%b-%Y",
}
FULL_WIDTH = "[\uff01-\uff5e\u3000]"  # １２３％ as Chinese and Japanese keyboards write it
SCIENTIFIC = r"[+-]?\d(\.\d+)?[eE]\+\d{1,3}"
_DAY_ZERO = "1899-12-30"  # of spreadsheets; their days are right from 1900-03-01 on
_DAY_NUMBERS = (10_000, 80_000)  # 1927 to 2119
CODES = 3  # different values that a line names as what may stand for none
_AMBIGUOUS = r"\d{1,2}[/.\-]\d{1,2}[/.\-]\d{2,4}"


def typed(values: pd.Series, column: Column, contract: Contract) -> tuple[pd.Series, list[Finding]]:
    """Return the values in the contract's type (n), and a finding for each way in which some can't be read."""
    if column.special_of:
        return _special(values, contract[column.special_of], contract), []
    if column.type in NUMBERS:
        return _numbers(values, column, contract)
    if column.type == "date":
        return _dates(values, column, contract)
    text, findings = _without(as_text(values), column), []
    if column.role in ("key", "parent"):
        text, findings = _identifiers(text, column, contract)
    findings += [] if column.role == "ignore" else _rounded(values, "text", column, contract)
    if column.prefix:
        text = text.str[: column.prefix]
    if column.values or column.undocumented:
        findings += _undocumented(text, column, contract)
        labels = {**column.values, **column.undocumented}
        text = _by_value(text, lambda codes: codes.map(lambda v: labels.get(v, v)))
    return text.astype("str"), findings


def as_text(values: pd.Series) -> pd.Series:
    """Return the values as text without outer spaces; codes that a file holds as floats (1.0) are integers.

    >>> as_text(pd.Series([1.0, None, 2.5])).tolist()
    ['1', <NA>, '2.5']
    """
    if not pd.api.types.is_float_dtype(values):
        return values.astype("string").str.strip()
    return _by_value(values, lambda v: v.astype("string").str.replace(r"\.0$", "", regex=True)).astype("string")


def finding(contract: Contract, column: str, rule: str, severity: str, rows: int, examples: str = "") -> Finding:
    """Return a finding about the contract's table."""
    return Finding(table=contract.name, column=column, rule=rule, severity=severity, rows=rows, examples=examples)


def breach(contract: Contract, column: Column, rule: str, bad: pd.Series) -> Finding:
    """Return a finding with up to three of the bad values, masked where personal; its severity is the contract's.

    A bad key, outcome or as-of date is always an error: a row without them stands for nothing.
    """
    counts = bad.value_counts()
    examples = ", ".join(mask(_example(v, column), column, int(counts[v])) for v in bad.dropna().unique()[:3])
    needed = column.role in ("key", "outcome", "as_of")
    return finding(contract, column.name, rule, "error" if needed else column.breach, len(bad), examples)


def _example(value: object, column: Column) -> str:
    """Return a bad value as its column writes it: a whole number, kept as 199.0, stands in no file so."""
    is_whole = column.type == "integer" and isinstance(value, float) and value.is_integer()
    return shown(int(value)) if is_whole else shown(value)


def shown(value: object) -> str:
    """Return a value as text: dates without a time of day are shown without one."""
    return str(value).removesuffix(" 00:00:00")


def _by_value(values: pd.Series, change: Callable[[pd.Series], pd.Series]) -> pd.Series:
    """Return `change` of the values, worked out once for each different one; missing stays missing."""
    codes, different = pd.factorize(values)
    return change(pd.Series(different)).reindex(codes).set_axis(values.index)


def _without(text: pd.Series, column: Column) -> pd.Series:
    return text.mask(text.isin(["", *column.missing]))


def _half_width(text: pd.Series) -> pd.Series:
    """Digits, signs and letters of full width are the usual ones."""
    if not text.str.contains(FULL_WIDTH).any():
        return text
    return _by_value(text, lambda different: different.str.normalize("NFKC").str.strip())


def _identifiers(text: pd.Series, column: Column, contract: Contract) -> tuple[pd.Series, list[Finding]]:
    """Identifiers as they were before a spreadsheet or a decimal column rewrote them, where that can be known."""
    text = _half_width(text)
    if len(lost := text[text.str.fullmatch(SCIENTIFIC).fillna(False).astype(bool)]):
        rule = "identifier in scientific notation, its digits are lost; export the column as text"
        return text, [breach(contract, column, rule, lost)]
    decimal = text[text.str.fullmatch(r"\d+\.0+").fillna(False).astype(bool)]
    if not len(decimal) or not text.dropna().str.fullmatch(r"\d+(\.0+)?").all():
        return text, []
    rule = "identifier written as a decimal number, read as a whole one"
    as_whole = finding(contract, column.name, rule, "warning", len(decimal), mask(decimal.iloc[0], column))
    return text.str.replace(r"\.0+$", "", regex=True), [as_whole]


def _numbers(values: pd.Series, column: Column, contract: Contract) -> tuple[pd.Series, list[Finding]]:
    if pd.api.types.is_numeric_dtype(values):
        codes = _codes(column)
        read = pd.Series(values.to_numpy(float, na_value=float("nan")), index=values.index)
        return read.mask(read.isin(codes)) if len(codes) else read, _rounded(values, "integer", column, contract)
    written = _without(_half_width(as_text(values)), column)
    text = plain(written, contract.thousands, contract.decimal)
    if len(codes := _codes(column)):  # -999 stands in a file as -999.0, too
        text = text.mask(pd.to_numeric(text, errors="coerce").isin(codes))
    findings = []
    if column.unit == "%":
        if are_shares_and_percents(tuple(text.dropna().unique())):
            rule = "some values have a percent sign, some have none; all are read as percent"
            findings.append(
                finding(contract, column.name, rule, "warning", int((~text.str.endswith("%").fillna(True)).sum()))
            )
        text = text.str.replace(r"\s*%$", "", regex=True)
    read = pd.to_numeric(text, errors="coerce").astype(float)
    unread = written[read.isna() & text.notna()]
    if len(unread):
        is_point = contract.decimal == "." and text[read.notna()].str.contains(".", regex=False).any()
        hint = _number_hint(unread, column, contract, is_point)
        findings.append(breach(contract, column, f"not a number{hint}", unread))
    return read, findings + _rounded(read, "integer", column, contract)


def _codes(column: Column) -> pd.Series:
    return pd.to_numeric(pd.Series([*column.missing, *column.special], dtype=str), errors="coerce").dropna()


def _special(values: pd.Series, of: Column, contract: Contract) -> pd.Series:
    """Return what each special code in a number says (n texts), that others have a value, nothing of missing ones."""
    numbers, _ = _numbers(values, of.model_copy(update={"special": {}}), contract)
    says = numbers.map({float(code): words for code, words in of.special.items()}).astype("string")
    return says.where(says.notna() | numbers.isna(), HAS_VALUE).astype("str")


def _rounded(values: pd.Series, kind: str, column: Column, contract: Contract) -> list[Finding]:
    """Identifiers of 16 and more digits that went through a decimal number are no longer what they were."""
    if column.type != kind or not pd.api.types.is_float_dtype(values):
        return []
    bad = values[(values.abs() > EXACT) & (values.abs() != float("inf"))]
    rule = "more digits than a decimal number keeps; export it as text and set `type: text`"
    return [breach(contract, column, rule, bad)] if len(bad) else []


def are_shares_and_percents(texts: Collection[str]) -> bool:
    """Say whether some numbers are written with a percent sign and others without: 5% and 0.05 are the same."""
    signed = sum(t.endswith("%") for t in texts)
    return 0 < signed < sum(t.replace(".", "", 1).rstrip("% ").isdecimal() for t in texts)


def grouped(thousands: str, decimal: str) -> str:
    """Return the pattern of a number whose thousands are parted: groups of three digits, or India's 12,34,567.

    No such number begins with 0, or 0,125 would be 125.
    """
    apart = re.escape(thousands)
    fraction = "" if thousands == decimal else rf"(?:{re.escape(decimal)}\d+)?"
    return rf"[+-]?[1-9]\d{{0,2}}(?:(?:{apart}\d{{3}})+|(?:{apart}\d{{2}})+{apart}\d{{3}}){fraction}(?:\s*%)?"


def plain(text: pd.Series, thousands: str, decimal: str) -> pd.Series:
    """Return numbers without separators between thousands and with a point before decimals (n texts).

    What these signs don't fit is no number, and becomes empty: 12,5 where commas part thousands would be 125.
    """
    if thousands:
        fits = text.str.fullmatch(grouped(thousands, decimal), na=True)
        misfit = text.str.contains(thousands, regex=False, na=False) & ~fits
        text = text.str.replace(thousands, "", regex=False).mask(misfit, "")
    if decimal == ".":
        return text
    return text.mask(text.str.contains(".", regex=False, na=False), "").str.replace(decimal, ".", regex=False)


def _number_hint(bad: pd.Series, column: Column, contract: Contract, is_point: bool) -> str:
    """Return what to do about unread numbers; `is_point`: others in the column are read by their decimal point."""
    if contract.thousands and bad.str.contains(contract.thousands, regex=False).any():
        return "; `thousands` stands between groups of three digits: correct it or `decimal` in the contract"
    parted = [bad.str.fullmatch(grouped(sign, contract.decimal)) for sign in " ,." if sign != contract.decimal]
    is_grouped = pd.concat(parted, axis=1).any(axis=1)
    if contract.decimal == "," and bad[~is_grouped].str.fullmatch(r"[+-]?\d*\.\d+\s*%?").any():
        return "; has a decimal point: write a comma for it, as the contract's `decimal` says"
    if contract.decimal == "." and bad[~is_grouped].str.fullmatch(DECIMAL_COMMA).any():
        if is_point:
            return "; has a decimal comma, and the others points: correct it in the file"
        return '; has decimal commas: set `decimal: ","` in the contract'
    if is_grouped.any():
        return "; has thousand separators: set `thousands` in the contract"
    if bad.str.fullmatch(r"[+-]?[\d.,]+\s*%").any():
        return '; has percent signs: set `unit: "%"` (12.5% is 12.5) in the contract'
    return _code_hint(bad, column)


def _code_hint(bad: pd.Series, column: Column) -> str:
    """Return what to do about values that may stand for none: the contract's line, where few and not masked."""
    counts = bad.value_counts()
    if len(counts) <= CODES and all(mask(v, column, int(n)) == f"'{v}'" for v, n in counts.items()):
        codes = ", ".join(f'"{v}"' for v in (*column.missing, *counts.index))
        return f"; correct it, or write `missing: [{codes}]` in the contract where it stands for none"
    return "; correct it, or name in `missing` of the contract what stands for none"


def _dates(values: pd.Series, column: Column, contract: Contract) -> tuple[pd.Series, list[Finding]]:
    if pd.api.types.is_datetime64_any_dtype(values):
        read = _by_value(values, by_clock)
        codes = pd.to_datetime(list(column.missing), errors="coerce", format="ISO8601")
        return read.mask(read.isin(codes.dropna())).astype("datetime64[us]"), []
    text = _without(_half_width(as_text(values)), column)
    read = _by_value(text, lambda different: _parsed(different, column.format))
    unread = text[read.isna() & text.notna()]
    most = 2 * len(unread) > text.notna().sum()
    rule = f"not a date{_date_hint(unread, column, most)}" if len(unread) else ""
    findings = [breach(contract, column, rule, unread)] if rule else []
    return read.astype("datetime64[us]"), findings + _day_or_month(text, column, contract)


def _date_hint(bad: pd.Series, column: Column, most: bool) -> str:
    """Return what to do about unread dates; `most`: the contract's format is wrong, not a few values."""
    if not column.format and are_day_numbers(bad):
        return "; day numbers of a spreadsheet? set `format: excel` in the contract"
    if not column.format or not most:
        return _code_hint(bad, column)
    where = f' in the contract\'s `format: "{column.format}"`'
    if _parsed(pd.Series(bad.unique()), "").notna().all():
        return f"{where}; all are read without one: leave `format` out"
    return f"{where}; write there how the file's dates are written"


def are_day_numbers(text: pd.Series) -> bool:
    """Say whether texts are whole numbers as spreadsheets keep the days of 1927 to 2119 (43831 is 2020-01-01)."""
    whole = text.dropna()
    whole = whole[whole.str.fullmatch(r"\d{5}(\.0+)?")]
    return bool(len(whole)) and len(whole) == text.notna().sum() and whole.astype(float).between(*_DAY_NUMBERS).all()


def by_clock(values: pd.Series) -> pd.Series:
    """Return dates by the clock they were written with, others as they are: midnight at +08:00 is UTC's day before."""
    return values.dt.tz_localize(None) if isinstance(values.dtype, pd.DatetimeTZDtype) else values


def _parsed(different: pd.Series, written: str) -> pd.Series:
    """Return different texts as dates: by the contract's format, else ISO 8601, else as the first other is written."""
    if written == EXCEL:
        return _day_numbers(different)
    if written:
        return _formatted(different, written)
    iso = different.str.fullmatch(_ISO).fillna(False).astype(bool)
    clock = different.where(iso).str.replace(_OFFSET, r"\1", regex=True)
    read = by_clock(pd.to_datetime(clock, format="ISO8601", errors="coerce", utc=True))
    rest = different[~iso]
    guess = _format(rest) if rest.notna().any() else None
    return read.fillna(_formatted(rest, guess)) if guess else read


def _formatted(different: pd.Series, written: str) -> pd.Series:
    if "%z" not in written.lower():
        return pd.to_datetime(different, format=written, errors="coerce")
    read = (pd.to_datetime(t, format=written, errors="coerce") for t in different)  # offsets may differ
    return pd.Series([t.tz_localize(None) for t in read], index=different.index, dtype="datetime64[us]")


def _day_numbers(different: pd.Series) -> pd.Series:
    days = pd.to_numeric(different, errors="coerce").astype(float)
    days = days.where(days.between(*_DAY_NUMBERS))
    return pd.Timestamp(_DAY_ZERO) + pd.to_timedelta((days * 86_400).round(), unit="s")


def _format(text: pd.Series) -> str | None:
    """Return the format of the first texts that have one; a few by pattern, which pandas doesn't guess."""
    for pattern, written in _WRITTEN.items():
        if text.dropna().str.fullmatch(pattern).mean() > 0.5:
            return written
    day_first = _day_first(text)
    with warnings.catch_warnings():  # of a text in another order than the rest: it is counted as unread
        warnings.filterwarnings("ignore", message="Parsing dates in", category=UserWarning)
        formats = (guess_datetime_format(v, dayfirst=day_first) for v in text.dropna().head(20))
        return next((written for written in formats if written), None)


def _day_first(text: pd.Series) -> bool:
    """A first number above 12 can't be a month."""
    first = pd.to_numeric(text.str.extract(r"^(\d{1,2})[/.\-]")[0], errors="coerce")
    return bool((first > 12).any())


def _day_or_month(text: pd.Series, column: Column, contract: Contract) -> list[Finding]:
    if column.format or not pd.api.types.is_string_dtype(text):
        return []
    known = text.dropna()
    either = known[known.str.fullmatch(_AMBIGUOUS)]
    if not len(either) or _day_first(either) or either.str.extract(r"^\d+.(\d+)")[0].astype(int).gt(12).any():
        return []
    rule = "day and month can't be told apart, read as month first; set `format` in the contract"
    return [breach(contract, column.model_copy(update={"breach": "warning"}), rule, either)]


def _undocumented(text: pd.Series, column: Column, contract: Contract) -> list[Finding]:
    counts = text[text.isin(list(column.undocumented))].value_counts()
    return [
        finding(
            contract,
            column.name,
            f"code '{code}' is in no document; read as '{reading}'",
            "warning",
            int(counts[code]),
            repr(code),
        )
        for code, reading in column.undocumented.items()
        if code in counts
    ]
