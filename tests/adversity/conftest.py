"""What the adversity suites measured: a table at the end of the run, kept in docs/reliability.md by `make adversity`."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
PROPERTY = "adversity"
HEAD = "| tried | n | failures | seed |\n|---|---:|---:|---:|\n"


@pytest.fixture
def measured(record_property) -> Callable[..., None]:
    """Record one figure, `measured(what, n, failures, seed)`, then fail the test if there are failures."""

    def record(what: str, n: int, failures: list, seed: int | str = "–") -> None:
        record_property(PROPERTY, (what, n, len(failures), seed))
        assert not failures, f"{what}: {len(failures)} of {n} failed, the first: {failures[:3]}"

    return record


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    """Print the table; write it into the page where the whole suite ran (`WORKBENCH_RELIABILITY=1`)."""
    reports = [r for group in terminalreporter.stats.values() for r in group if isinstance(r, pytest.TestReport)]
    rows = sorted({tuple(v) for r in reports if r.when == "call" for k, v in r.user_properties if k == PROPERTY})
    if not rows:
        return
    table = HEAD + "".join(f"| {what} | {n:,} | {failures} | {seed} |\n" for what, n, failures, seed in rows)
    terminalreporter.write_line("\n" + table)
    if os.environ.get("WORKBENCH_RELIABILITY"):
        machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
        block = f"<!-- figures -->\n{date.today()}, {machine}\n\n{table}<!-- end of figures -->"
        text = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(re.sub("<!-- figures -->.*<!-- end of figures -->", block, text, flags=re.S), encoding="utf-8")
