"""What a person sees while studies run: live lines with step, cell i of n and elapsed time, then a summary."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from rich.text import Text

from workbench import home
from workbench.runs.execution import Result

if TYPE_CHECKING:
    import pandas as pd

_MARKS = {"done": "✓", "unchanged": "=", "failed": "✗", "not run": "-"}
_COLOURS = {"red": "red", "error": "red", "amber": "yellow", "green": "green"}
QUIET_SECONDS = 15  # between lines about one step, where the output is no terminal
_LOG = 10_000  # a line of a log is one line
_INDENT = 4
_GAP = 2  # between columns


class _Console(Console):
    """Says nothing more where nobody reads on (`workbench run … | head`): the run goes on."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


def output() -> Console:
    """Return where commands print: wrapped at the terminal's width (or COLUMNS); in a log each line stays one."""
    console = _Console(highlight=False)
    return console if console.is_terminal or "COLUMNS" in os.environ else _Console(highlight=False, width=_LOG)


class _Lines:
    """A `Watcher` that draws bars on a terminal and writes plain lines elsewhere (a log, a schedule)."""

    def __init__(self, console: Console, bars: Progress):
        self.console, self.bars, self.lock = console, bars, Lock()
        self.tasks: dict[tuple[str, str], TaskID] = {}
        self.printed: dict[tuple[str, str], float] = {}

    def started(self, study: str, step: str) -> None:
        """A step begins."""
        with self.lock:
            self.tasks[study, step] = self.bars.add_task(f"{study} {step}", total=None, at="starting")
            self.printed[study, step] = time.monotonic()
        if not self.console.is_terminal:
            self.console.print(Text(f"  {study} {step} begins"))

    def cell(self, study: str, step: str, at: int, of: int) -> None:
        """A step's notebook is at cell `at` of `of`."""
        with self.lock:
            self.bars.update(self.tasks[study, step], total=of, completed=at, at=f"cell {at} of {of}")
            due = time.monotonic() - self.printed[study, step] > QUIET_SECONDS
            if due:
                self.printed[study, step] = time.monotonic()
        if due and not self.console.is_terminal:
            self.console.print(Text(f"  {study} {step}: cell {at} of {of}"))

    def ended(self, study: str, result: Result) -> None:
        """A step has ended: its line, with what it says behind it or, where that is too long, below it."""
        with self.lock:
            if (task := self.tasks.pop((study, result.step), None)) is not None:
                self.bars.remove_task(task)
        took = f"{result.seconds:5.1f} s" if result.seconds else "       "
        line = Text(f"{_MARKS[result.status]} {study} {result.step:<28} {took}  ")
        line.append(f"{result.verdict or result.status:<9}", style=_COLOURS.get(result.verdict, ""))
        message = Text(f" {result.message}".rstrip())
        if line.cell_len + message.cell_len <= self.console.width:
            self.console.print(line + message)
            return
        line.rstrip()
        self.console.print(line)
        self.console.print(Padding(Text(result.message), (0, 0, 0, _INDENT), expand=False))

    def note(self, line: str) -> None:
        """Something worth a line."""
        self.console.print(Text(line))


@contextmanager
def console() -> Iterator[_Lines]:
    """Show progress within the block."""
    out = output()
    columns = (
        TextColumn("{task.description}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
        BarColumn(bar_width=16),
        TextColumn("{task.fields[at]}", table_column=Column(no_wrap=True)),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=out, transient=True, expand=True, disable=not out.is_terminal) as bars:
        yield _Lines(out, bars)


class _Fitting:
    """A table, or where its headers alone are wider than the terminal each row as lines of name and value."""

    def __init__(self, rows: pd.DataFrame):
        self.rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        first = self.rows.columns[0]
        needed = max(map(cell_len, [first, *map(_cell, self.rows[first])]))
        needed += sum(cell_len(name) + _GAP for name in self.rows.columns[1:])
        if needed <= options.max_width:
            yield _columns(self.rows)
            return
        for row in self.rows.to_dict("records"):
            yield Text(_cell(row.pop(first)), style="bold")
            for name, value in row.items():
                if _cell(value):
                    yield Padding(Text(f"{name}: {_cell(value)}"), (0, 0, 0, _INDENT), expand=False)


def table(rows: pd.DataFrame) -> RenderableType:
    """Return a table whose columns share the width; numbers stand right, what is missing is a dash."""
    return _Fitting(rows)


def _cell(value: object) -> str:
    from pandas import isna

    return "-" if isna(value) else f"{value:,.0f}" if isinstance(value, float | int) else str(value)


def _columns(rows: pd.DataFrame) -> Table:
    from pandas.api.types import is_numeric_dtype

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for name in rows.columns:
        numeric = is_numeric_dtype(rows[name])
        shown.add_column(
            name, justify="right" if numeric else "left", overflow="fold", no_wrap=numeric or name == rows.columns[0]
        )
    for row in rows.itertuples(index=False):
        shown.add_row(*(Text(_cell(v)) for v in row))
    return shown


def closing(results: dict[str, list[Result]]) -> str:
    """Return the last line: how many steps ended how, and where the pages are, seen from here."""
    ended = [r for rows in results.values() for r in rows]
    counts = ", ".join(f"{n} {s}" for s in _MARKS if (n := sum(r.status == s for r in ended)))
    index, here = home.reports() / "index.html", Path.cwd()
    return f"{counts}; pages: {index.relative_to(here) if index.is_relative_to(here) else index}"
