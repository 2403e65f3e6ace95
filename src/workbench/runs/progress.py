"""What a person sees while studies run: live lines with step, cell i of n and elapsed time, then a summary."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from workbench import home
from workbench.runs.execution import Result

_MARKS = {"done": "✓", "unchanged": "=", "failed": "✗", "not run": "-"}
_COLOURS = {"red": "red", "error": "red", "amber": "yellow", "green": "green"}
QUIET_SECONDS = 15  # between lines about one step, where the output is no terminal


class _Lines:
    """A `Watcher` that draws bars on a terminal and writes plain lines elsewhere (a log, a schedule)."""

    def __init__(self, console: Console, bars: Progress):
        self.console, self.bars, self.lock = console, bars, Lock()
        self.tasks: dict[tuple[str, str], TaskID] = {}
        self.said: dict[tuple[str, str], float] = {}

    def started(self, study: str, step: str) -> None:
        """A step begins."""
        with self.lock:
            self.tasks[study, step] = self.bars.add_task(f"{study} {step}", total=None, at="starting")
            self.said[study, step] = time.monotonic()
        if not self.console.is_terminal:
            self.console.print(Text(f"  {study} {step} begins"))

    def cell(self, study: str, step: str, at: int, of: int) -> None:
        """A step's notebook is at cell `at` of `of`."""
        with self.lock:
            self.bars.update(self.tasks[study, step], total=of, completed=at, at=f"cell {at} of {of}")
            due = time.monotonic() - self.said[study, step] > QUIET_SECONDS
            if due:
                self.said[study, step] = time.monotonic()
        if due and not self.console.is_terminal:
            self.console.print(Text(f"  {study} {step}: cell {at} of {of}"))

    def ended(self, study: str, result: Result) -> None:
        """A step has ended."""
        with self.lock:
            if (task := self.tasks.pop((study, result.step), None)) is not None:
                self.bars.remove_task(task)
        took = f"{result.seconds:5.1f} s" if result.seconds else "       "
        line = Text(f"{_MARKS[result.status]} {study} {result.step:<28} {took}  ")
        line.append(f"{result.verdict or result.status:<9}", style=_COLOURS.get(result.verdict, ""))
        self.console.print(line.append(f" {result.message}"), soft_wrap=True)

    def note(self, line: str) -> None:
        """Something worth a line."""
        self.console.print(Text(line))


@contextmanager
def console() -> Iterator[_Lines]:
    """Show progress within the block."""
    out = Console(highlight=False)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[at]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bars:
        yield _Lines(out, bars)


def closing(results: dict[str, list[Result]]) -> str:
    """Return the last line: how many steps ended how, and where the pages are."""
    found = [r for rows in results.values() for r in rows]
    counts = ", ".join(f"{n} {s}" for s in _MARKS if (n := sum(r.status == s for r in found)))
    return f"{counts}; pages: {(home.reports() / 'index.html').relative_to(home.root())}"
