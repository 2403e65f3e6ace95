"""Reports that come by themselves: what is due is made in order, once, and told; what failed is tried again, later."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from workbench import home, personal
from workbench.params import ONCE, Key, UserError
from workbench.registry import current, recorded, reported
from workbench.registry.reported import Attempt
from workbench.reporting import mail, packs, telling, webhook
from workbench.reporting.telling import About, Message
from workbench.runs import execution, plan, printing, rendering
from workbench.runs.slots import Report, Schedule

ATTEMPTS = 4  # then the period is given up, and told
PAUSE = 300.0  # seconds after the first failure; doubled with each
POLL = 60.0  # seconds: the longest sleep, so that a moved clock is noticed

Make = Callable[[str, Report, str, Schedule], list[Message]]
Deliver = Callable[[Schedule, str, str, Message], None]


class ReportFailed(Exception):
    """A period's report could not be made: a step of it failed."""


@dataclass(frozen=True)
class Ended:
    """What befell one due period: made, failed, waiting, busy, told or untold; with a line on it."""

    report: str
    period: str
    status: str
    verdict: str = ""
    message: str = ""

    @property
    def well(self) -> bool:
        """Whether nobody has to look."""
        return self.status not in ("failed", "untold")


@dataclass
class History:
    """A report's attempts by period, as MLflow has them."""

    attempts: dict[str, list[Attempt]] = field(default_factory=dict)

    def done(self, period: str) -> Attempt | None:
        """Return the attempt that made the period's report."""
        return next((a for a in self.attempts.get(period, []) if a.status == "FINISHED"), None)

    def failures(self, period: str) -> list[Attempt]:
        """Return the failed attempts; one that was killed is no failure, and is made again at once."""
        return [a for a in self.attempts.get(period, []) if a.status == "FAILED"]

    def given_up(self, period: str) -> bool:
        """Say whether the period was tried often enough."""
        return self.done(period) is None and len(self.failures(period)) >= ATTEMPTS

    def seconds_left(self, period: str, clock: float) -> float:
        """Return the seconds until a failed period is tried again; none where the clock was set back since."""
        failures = self.failures(period)
        if not failures:
            return 0.0
        since, pause = clock - failures[-1].ended, PAUSE * 2 ** (len(failures) - 1)
        return pause - since if 0 <= since < pause else 0.0


def history(name: str, report: Report) -> History:
    """Return what MLflow has of a report."""
    return History(reported.attempts(report.study, name))


@dataclass(frozen=True)
class Scheduler:
    """Does what is due. `make` and `deliver` do the work; `clock` gives seconds since 1970 for the pauses."""

    schedule: Schedule
    make: Make
    deliver: Deliver
    clock: Callable[[], float] = time.time
    retry: bool = False

    def once(self, as_of: str = "") -> list[Ended]:
        """Make and tell every report that is due, each report's periods in order, and return what befell them."""
        now, out = datetime.fromtimestamp(self.clock(), UTC), []
        for name, report in self.schedule.reports.items():
            moment = report.moment(as_of, now)
            if moment > now:
                raise UserError(f"--as-of {as_of} is yet to come; give a moment that has passed")
            with home.locked(f"report-{name}") as mine:
                out += self._report(name, report, moment) if mine else [Ended(name, "", "busy")]
        return out

    def _report(self, name: str, report: Report, now: datetime) -> Iterator[Ended]:
        past = history(name, report)
        for attempt in (a for rows in past.attempts.values() for a in rows if a.abandoned):
            reported.end(attempt.run_id, "KILLED")  # we hold the report, so nobody else is at work on it
        for period in report.due_by(now):
            if (done := past.done(period)) or (past.given_up(period) and not self.retry):
                yield from self._tell(name, report, done or past.failures(period)[-1])
                continue
            if not self.retry and (seconds := past.seconds_left(period, self.clock())):
                yield Ended(name, period, "waiting", message=f"failed; tried again in {seconds / 60:.0f} min")
                return  # later periods wait for this one
            count = len(past.failures(period)) + 1
            ended = list(self._attempt(name, report, period, count))
            yield from ended
            if ended[0].status == "busy" or (ended[0].status == "failed" and count < ATTEMPTS):
                return

    def _attempt(self, name: str, report: Report, period: str, count: int) -> Iterator[Ended]:
        """Make a period's report; what is to be told is in MLflow before anything is told."""
        if not _free(report.study):
            yield Ended(name, period, "busy", message=f"study '{report.study}' is being run by another process")
            return
        run_id = reported.begin(Key(report.study, period), name)
        try:
            messages = self.make(name, report, period, self.schedule)
        except KeyboardInterrupt:
            reported.end(run_id, "KILLED")
            raise
        except Exception as e:  # noqa: BLE001 - whatever befell this report, the others go on
            error = personal.masked(" ".join(f"{e}".split()) or type(e).__name__)[:500]
            messages = [telling.failed(_about(name, report, period, self.schedule), error, count)]
            last = count >= ATTEMPTS
            reported.end(run_id, "FAILED", _content(messages) if last else None, error)
            yield Ended(name, period, "failed", "error", error)
        else:
            reported.end(run_id, "FINISHED", _content(messages))
            yield Ended(name, period, "made", messages[0].verdict, messages[0].subject)
        yield from self._tell(name, report, reported.read(run_id))

    def _tell(self, name: str, report: Report, attempt: Attempt) -> Iterator[Ended]:
        """Send what has not been sent yet; each message is noted in MLflow as soon as it is."""
        if attempt.all_told or (content := reported.content(attempt.run_id)) is None:
            return
        problems = set()
        for message in _messages(content):
            for kind, to in _addressees(report):
                mark = message.mark(f"{kind} {to}")[:16]
                if mark in attempt.notified:
                    continue
                try:
                    self.deliver(self.schedule, kind, to, message)
                    reported.mark_told(attempt.run_id, mark)
                except (OSError, UserError) as e:
                    problems.add(f"{kind}: {' '.join(str(e).split())[:200]}")
        if problems:
            yield Ended(name, attempt.period, "untold", message="; ".join(sorted(problems)))
        else:
            reported.mark_told(attempt.run_id)

    def forever(self, note: Callable[[str], None], sleep: Callable[[float], None] = time.sleep) -> None:
        """Do what is due, again and again; a clock that was moved is noticed within a minute."""
        shown: list[Ended] = []
        while True:
            ended = self.once()
            for e in (e for e in ended if e not in shown):
                note(line(e))
            shown = ended
            now = datetime.fromtimestamp(self.clock(), UTC)
            pauses = [(r.upcoming(now) - now).total_seconds() for r in self.schedule.reports.values()]
            sleep(max(1.0, min([POLL, *pauses])))


def line(ended: Ended) -> str:
    """Return what befell a period as one line."""
    parts = (ended.report, ended.period, ended.status, ended.verdict, ended.message)
    return " ".join(p for p in parts if p)


def run_study(watcher: execution.Watcher) -> Make:
    """Return how a period's report is made: the study is run for it, its pages said in the report's language."""

    def make(name: str, report: Report, period: str, schedule: Schedule) -> list[Message]:
        study = plan.study(report.path, (), period)
        results = execution.run([study], execution.Options(), watcher)[study.name]
        failures = [r for r in results if r.status == "failed"]
        if failures:
            raise ReportFailed(f"{failures[0].step}: {failures[0].message}")
        about = _about(name, report, period, schedule)
        if study.language != report.language:
            rendering.render(study.name, report.language, ONCE, period)
            about = dataclasses.replace(about, prefix=f"{report.language}/")
        records = _told(study.name, period, [r.step for r in results])
        standing = [r.step for r in results if r.status == "unchanged"]
        first, *breaches = telling.made(about, records, recorded.left_behind, standing)
        return [dataclasses.replace(first, attached=_printed(about, records, watcher)), *breaches]

    return make


def _told(study: str, period: str, steps: Collection[str]) -> list[current.Record]:
    """Return the runs a period's messages tell: those of the period, and of a step without one the run of all periods.

    What the pack counts, the mail that brings it counts, too.
    """
    those = [r for r in current.everything(study=study) if r.step in steps and r.period in (period, ONCE)]
    dated = {r.step for r in those if r.period == period}
    return packs.told(r for r in those if r.period == period or r.step not in dated)


def _printed(about: About, records: list[current.Record], watcher: execution.Watcher) -> tuple[str, ...]:
    """Return the places of the period's packs as PDF below `reports/`; none where none can be made, which is told."""
    try:
        printed = [printing.written(r, home.reports() / about.place(r), about.language) for r in packs.among(records)]
    except UserError as e:
        watcher.note(str(e))
        return ()
    return tuple(str(path.relative_to(home.reports())) for path in printed)


def deliver(schedule: Schedule, kind: str, to: str, message: Message) -> None:
    """Send one message by mail or to a webhook; the report's own mail carries the pack as PDF, else its pages."""
    if kind == "webhook":
        webhook.post(to, message)
    elif schedule.mail is not None:
        pages = [home.reports() / p for p in message.attached or message.pages] if message.kind == "report" else []
        mail.send(schedule.mail, to, message, [p for p in pages if p.exists()])


@dataclass(frozen=True)
class State:
    """How a report stands: its last period made, when the next falls due, how many are due, and which are overdue."""

    report: str
    study: str
    last: str
    verdict: str
    next: str
    state: str
    overdue: tuple[str, ...]

    def overdue_in_words(self) -> str:
        """Return the first three overdue periods and how many more there are; nothing where none is."""
        rest = len(self.overdue) - 3
        return ", ".join(self.overdue[:3]) + (f" and {rest} more" if rest > 0 else "")


def states(schedule: Schedule, as_of: str = "") -> list[State]:
    """Return every report's state at a moment."""
    return [_state(name, report, report.moment(as_of, datetime.now(UTC))) for name, report in schedule.reports.items()]


def _state(name: str, report: Report, now: datetime) -> State:
    past, due = history(name, report), report.due_by(now)
    made = [p for p in due if past.done(p)]
    missing = [p for p in due if p not in made]
    untold = [p for p in made if not past.done(p).all_told]
    last = past.done(made[-1]) if made else None
    return State(
        report=name,
        study=report.study,
        last=made[-1] if made else "",
        verdict=last.verdict if last else "",
        next=report.upcoming(now).isoformat(" ", "minutes"),
        state=_words(past, missing, untold),
        overdue=tuple(p for p in [*missing, *untold] if report.overdue(p, now)),
    )


def _words(past: History, missing: list[str], untold: list[str]) -> str:
    parts = []
    if given_up := [p for p in missing if past.given_up(p)]:
        parts.append(f"given up: {', '.join(given_up)}")
    if waiting := [p for p in missing if p not in given_up]:
        parts.append(f"due: {waiting[0]}" + (f" and {len(waiting) - 1} more" if waiting[1:] else ""))
    if untold:
        parts.append(f"not told: {', '.join(untold)}")
    return "; ".join(parts) or "up to date"


def _free(study: str) -> bool:
    try:
        with current.holding(study):
            return True
    except UserError:
        return False


def _about(name: str, report: Report, period: str, schedule: Schedule) -> About:
    return About(name, report.study, period, report.language, address=schedule.address)


def _content(messages: list[Message]) -> dict[str, Any]:
    return {"verdict": messages[0].verdict, "messages": [dataclasses.asdict(m) for m in messages]}


def _messages(content: dict[str, Any]) -> list[Message]:
    return [Message(**{k: tuple(v) if isinstance(v, list) else v for k, v in m.items()}) for m in content["messages"]]


def _addressees(report: Report) -> list[tuple[str, str]]:
    return [*(("mail", to) for to in report.tell.mail), *(("webhook", to) for to in report.tell.webhook)]
