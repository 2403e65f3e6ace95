"""Fields of a contract of which a type alone can't say whether they are well: separators, date formats, days, names."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator

SEPARATORS = ",.' _’\u00a0\u202f"  # between thousands, somewhere in the world
EXCEL = "excel"  # days since 1899-12-30, as spreadsheets keep a date (ECMA-376, 18.17.4)
RESERVED = {  # the panel's own columns, and the role of the one column that may be called so
    "entity_id": "key",
    "parent_id": "parent",
    "as_of_date": "as_of",
    "outcome": "outcome",
    "weight": "weight",
    "sample": "sample",
    "predicted": "",
    "file_row": "",
    "anchor": "",
    "given_sample": "",
    "given_weight": "",
    "is_competing": "",
    "is_event": "",
    "month_no": "",
    "months_to_event": "",
}
OF_STEPS = {  # columns that steps give the panel's rows
    "grade_code", "known_in", "learnt", "need_code", "period", "risk_code", "segment", "segment_code",
}  # fmt: skip
FILE_ROW = "file_row"  # where names are pseudonyms of this home: the place of an entity in the raw file


def _separator(text: str) -> str:
    if text and text not in SEPARATORS:
        raise ValueError(f"{text!r} can't stand between thousands; one of , . ' _ or a space")
    return text


def _delimiter(text: str) -> str:
    if text.isalnum() or text in '"\r\n\x00' or (text.isspace() and text != "\t"):
        raise ValueError(f'{text!r} can\'t stand between values; one of , ; | or "\\t"')
    return text


def _date_format(text: str) -> str:
    """A format must keep the year and be read back as it was written, by pandas, which is stricter than Python."""
    import pandas as pd

    if not text or text == EXCEL:
        return text
    try:
        written, year_before = (datetime(year, 11, 30, tzinfo=UTC).strftime(text) for year in (2021, 2020))
        # Without a year Python 3.13 warns when it reads one back.
        if written != year_before and pd.to_datetime(pd.Series([written]), format=text)[0].year == 2021:
            return text
    except (ValueError, TypeError, re.error):
        pass
    raise ValueError(
        f"{text[:40]!r} is no way to write a date; such as %d/%m/%Y, %Y年%m月%d日, or excel for its day numbers"
    )


Separator = Annotated[str, AfterValidator(_separator)]
Delimiter = Annotated[str, AfterValidator(_delimiter)]
Entity = Literal[  # what a row can be
    "account", "customer", "loan", "application", "event", "month", "product", "reply", "economy", "region"
]
DateFormat = Annotated[str, AfterValidator(_date_format)]
