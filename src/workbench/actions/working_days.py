"""Working days of a country or a market: no weekend, no public holiday, but a Sunday that is worked instead of one."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from workbench.params import UserError

if TYPE_CHECKING:
    from holidays import HolidayBase

SATURDAY = 5


def checked(code: str, where: str) -> None:
    """Raise `UserError` where a code is neither empty nor that of a country (ISO 3166-1) or a market (ISO 10383)."""
    if not code:
        return
    import holidays

    known = {*holidays.list_supported_countries(), *holidays.list_supported_financial()}
    if code not in known:
        raise UserError(f"{where} '{code}' is no country or market; write a code such as DE or XECB, or leave it empty")


def working_days(first: date, n: int, code: str) -> list[date]:
    """Return the first n working days from a day on; Monday to Friday where no code is given.

    Source: the package `holidays`, by the law of each country.

    >>> [str(d) for d in working_days(date(2018, 12, 31), 3, "XECB")]
    ['2018-12-31', '2019-01-02', '2019-01-03']
    """
    calendar, days, day = _calendar(code), [], first
    while len(days) < n:
        if calendar.is_working_day(day) if calendar is not None else day.weekday() < SATURDAY:
            days.append(day)
        day += timedelta(days=1)
    return days


def _calendar(code: str) -> HolidayBase | None:
    if not code:
        return None
    import holidays

    known = holidays.country_holidays if code in holidays.list_supported_countries() else holidays.financial_holidays
    return known(code)
