"""What the adversity suites measured: a table at the end of the run, kept in docs/reliability.md by `make adversity`."""

from __future__ import annotations

import fcntl
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import date
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
PROPERTY = "adversity"
HEAD = "| suite | tried | n | failures | seed | on |\n|---|---|---:|---:|---:|---|\n"


@pytest.fixture(scope="session")
def bank() -> Iterator[SimpleNamespace]:
    """A small bank, and a nursery in which its studies run in seconds (bank.py, nursery.py)."""
    module = _beside("bank")
    nursery = module.opened()
    yield SimpleNamespace(**vars(module), nursery=nursery, run=nursery.workbench, start=nursery.start, end=nursery.end)
    module.closed(nursery)


@pytest.fixture(scope="session")
def ran(bank, tmp_path_factory, empty_store) -> Path:
    """A home in which the small study has run once."""
    return _ran(bank, tmp_path_factory.mktemp("ran") / "home", empty_store)


@pytest.fixture(scope="session")
def ran_short(bank, tmp_path_factory, empty_store) -> Path:
    """A home in which the small study has run once, with notebooks of one cell: every record and page, no picture."""
    return _ran(bank, tmp_path_factory.mktemp("ran") / "home", empty_store, short=True)


def _ran(bank: SimpleNamespace, place: Path, empty_store: Path, short: bool = False) -> Path:
    home = bank.furnish(place, short=short)
    (home / "mlruns").mkdir()
    shutil.copy(empty_store, home / "mlruns")
    done = bank.run(home, "run", "small")
    assert done.code == 0, done.text
    return home


def _beside(name: str) -> ModuleType:
    spec = spec_from_file_location(f"adversity_{name}", Path(__file__).with_name(f"{name}.py"))
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def measured(record_property) -> Callable[..., None]:
    """Record one figure, `measured(what, n, failures, seed)`, then fail the test if there are failures."""

    def record(what: str, n: int, failures: list, seed: int | str = "–") -> None:
        record_property(PROPERTY, (what, n, len(failures), seed))
        assert not failures, f"{what}: {len(failures)} of {n} failed, the first: {failures[:3]}"

    return record


def pytest_terminal_summary(terminalreporter) -> None:
    """Print the table; where `WORKBENCH_RELIABILITY=1`, put each of its lines into the page's table."""
    reports = [r for group in terminalreporter.stats.values() for r in group if isinstance(r, pytest.TestReport)]
    rows = {
        (Path(r.fspath).stem.removeprefix("test_"), what): (what, f"{n:,}", failures, seed)
        for r in reports
        if r.when == "call"
        for name, (what, n, failures, seed) in r.user_properties
        if name == PROPERTY
    }
    if not rows:
        return
    lines = {key: _line(key[0], *row, date.today()) for key, row in rows.items()}
    terminalreporter.write_line("\n" + HEAD + "".join(lines.values()))
    if os.environ.get("WORKBENCH_RELIABILITY"):
        with PAGE.open("r+", encoding="utf-8") as page:
            fcntl.flock(page, fcntl.LOCK_EX)  # suites may run beside each other
            text = updated(page.read(), lines)
            page.seek(0)
            page.truncate()
            page.write(text)


def _line(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |\n"


def updated(text: str, lines: dict[tuple[str, str], str]) -> str:
    """Return the page with these lines in its table, by suite and what was tried; the other lines stay as they are."""
    before, block, after = re.split("<!-- figures -->|<!-- end of figures -->", text)
    present = [line for line in block.splitlines(keepends=True) if line.startswith("| ") and line not in HEAD]
    table = {tuple(c.strip() for c in line.split("|")[1:3]): line for line in present}
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    rows = "".join(line for _, line in sorted((table | lines).items()))
    return f"{before}<!-- figures -->\n{machine}\n\n{HEAD}{rows}<!-- end of figures -->{after}"
