"""What is to be reported when: `params/schedule.yaml`, and the periods of a report with the moment each is due."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from apscheduler.triggers.cron import CronTrigger
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from workbench import home
from workbench.params import ONCE, PERIOD, UserError, from_yaml, mistake, months_of, nearest
from workbench.reporting.mail import Server
from workbench.reporting.webhook import address
from workbench.runs import study

FILE = "params/schedule.yaml"
NO_STUDIES = {"schedule", "governance"}  # files beside the studies
YEARS = (1900, 2099)  # of periods that can be reported: what is beyond is mistyped, and no clock goes there
LONGEST_GRACE = 366 * 24  # hours: a year
_CRON = {
    "minute": "0 to 59",
    "hour": "0 to 23",
    "day": "1 to 31",
    "month": "1 to 12 or jan to dec",
    "day of week": "mon to sun",
}
_FORMS = {"year": r"\d{4}", "quarter": r"\d{4}-Q[1-4]", "month": r"\d{4}-\d{2}"}


def _cron(text: str) -> str:
    """Refuse what APScheduler reads otherwise than cron does: numbered week days, a day and a week day together."""
    fields = text.split()
    if len(fields) != 5:
        raise ValueError("write five fields: minute, hour, day, month, day of week")
    if re.search(r"\d", fields[4]):
        raise ValueError("write days of the week by name (mon-fri): their numbers differ between tools")
    if fields[2] != "*" and fields[4] != "*":
        raise ValueError("give a day of the month or a day of the week, not both: tools differ on what both mean")
    for n, (name, bounds) in enumerate(_CRON.items()):
        one = " ".join(field if n == i else "*" for i, field in enumerate(fields))
        try:
            CronTrigger.from_crontab(one, "UTC")
        except ValueError:
            raise ValueError(f"'{fields[n]}' is no {name}; write {bounds}, or *") from None
    return text


def _time_zone(text: str) -> str:
    if text not in available_timezones():
        raise ValueError(f"'{text}' is no time zone; write one such as Asia/Shanghai or UTC")
    return text


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Tell(_Strict):
    """Who is told: mail addresses, and webhooks as an address or as `$NAME` of an environment variable holding it."""

    mail: tuple[Annotated[str, Field(pattern=r"^[^@\s<>,]+@[^@\s<>,]+$")], ...] = ()
    webhook: tuple[Annotated[str, AfterValidator(address)], ...] = ()


class Report(_Strict):
    """One report: a study, run for each period from `since` on, at the first fire time of `cron` after the period."""

    study: str = Field(pattern=r"^[a-z0-9_]+$")
    cron: Annotated[str, AfterValidator(_cron)]
    time_zone: Annotated[str, AfterValidator(_time_zone)] = "UTC"
    period: Literal["month", "quarter", "year"]
    since: str = Field(pattern=PERIOD)
    language: Literal["en", "zh_CN"] = "en"
    grace_hours: float = Field(24, gt=0, le=LONGEST_GRACE)
    tell: Tell = Tell()

    @model_validator(mode="after")
    def _since_is_a_period(self) -> Self:
        if self.since == ONCE or not re.fullmatch(_FORMS[self.period], self.since):
            raise ValueError(f"since: '{self.since}' is no {self.period}")
        if not YEARS[0] <= int(self.since[:4]) <= YEARS[1]:
            raise ValueError(f"since: '{self.since}' lies beyond the years {YEARS[0]} to {YEARS[1]}")
        return self

    @property
    def path(self) -> Path:
        """The study's file."""
        return home.root() / "params" / f"{self.study}.yaml"

    def moment(self, text: str, now: datetime) -> datetime:
        """Return the moment a text names (in the report's time zone unless it has one), `now` where it is empty."""
        if not text:
            return now
        given = datetime.fromisoformat(text)
        return given if given.tzinfo else given.replace(tzinfo=ZoneInfo(self.time_zone))

    def due(self, period: str) -> datetime:
        """Return when a period's report is due: the first fire time once the period is over, in the time zone."""
        fire = CronTrigger.from_crontab(self.cron, self.time_zone).get_next_fire_time(None, self._over(period))
        if fire is None:
            raise UserError(f"{FILE}: cron '{self.cron}' never comes; give a day that is in the calendar")
        return fire.astimezone(UTC).astimezone(ZoneInfo(self.time_zone))  # an hour that isn't there is the one after

    def _over(self, period: str) -> datetime:
        year, month = map(int, months_of(period)[1].split("-"))
        return datetime(year + month // 12, month % 12 + 1, 1, tzinfo=ZoneInfo(self.time_zone))

    def periods(self) -> Iterator[str]:
        """Yield the report's periods, in order and without an end."""
        period = self.since
        while True:
            yield period
            begin = self._over(period)
            quarter = f"{begin.year}-Q{(begin.month + 2) // 3}"
            period = {"year": f"{begin.year}", "quarter": quarter, "month": f"{begin:%Y-%m}"}[self.period]

    def due_by(self, now: datetime) -> list[str]:
        """Return the periods whose reports are due at a moment, in order."""
        out = []
        for period in self.periods():
            if self.due(period) > now:
                return out
            out.append(period)
        return out

    def upcoming(self, now: datetime) -> datetime:
        """Return when the next report falls due after a moment."""
        return next(due for period in self.periods() if (due := self.due(period)) > now)

    def overdue(self, period: str, now: datetime) -> bool:
        """Say whether a period's report is due for longer than its grace."""
        return now > self.due(period) + timedelta(hours=self.grace_hours)


class Schedule(_Strict):
    """The whole file: reports by name, the mail server, and the address under which `reports/` is served."""

    reports: dict[Annotated[str, Field(pattern=r"^[a-z0-9_]+$")], Report] = {}
    mail: Server | None = None
    address: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = ""

    @model_validator(mode="after")
    def _mail_has_a_server(self) -> Self:
        without = [name for name, r in self.reports.items() if r.tell.mail and self.mail is None]
        if without:
            raise ValueError(f"reports.{without[0]} tells by mail; name the server under `mail`")
        return self


def load() -> Schedule:
    """Return the checked schedule, or raise `UserError` with one line: what, where, what to do."""
    path = home.root() / FILE
    if not path.exists():
        raise UserError(f"{FILE} is not there; docs/schedule.md shows one")
    try:
        schedule = Schedule.model_validate(from_yaml(path.read_text(encoding="utf-8"), FILE) or {})
    except ValidationError as e:
        where, words = mistake(e, Schedule)
        raise UserError(f"{FILE}: {where}{': ' if where else ''}{words}") from None
    for name, report in schedule.reports.items():
        if not report.path.exists():
            names = {p.stem for p in report.path.parent.glob("*.yaml")} - NO_STUDIES
            raise UserError(f"{FILE}: reports.{name}: no study '{report.study}'; {nearest(report.study, names)}")
        if not _is_by_period(report):
            raise UserError(f"{FILE}: reports.{name}: {report.study}.yaml: {study.no_placeholder()}; write one there")
    return schedule


def _is_by_period(report: Report) -> bool:
    try:
        return study.is_by_period(report.path)
    except UserError:  # a study that is wrong fails as its own report, which is told; the others are made
        return True
