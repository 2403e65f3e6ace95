"""What the adversity suites measured: a table at the end of the run, kept in docs/reliability.md by `make adversity`."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Callable, Iterator
from datetime import date
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
PROPERTY = "adversity"
HEAD = "| tried | n | failures | seed |\n|---|---:|---:|---:|\n"


@pytest.fixture(scope="module")
def bank() -> Iterator[SimpleNamespace]:
    """A small bank, and a nursery in which its studies run in seconds (bank.py, nursery.py)."""
    module = _beside("bank")
    nursery = module.opened()
    yield SimpleNamespace(**vars(module), nursery=nursery, run=nursery.workbench, start=nursery.start, end=nursery.end)
    module.closed(nursery)


@pytest.fixture(scope="module")
def ran(bank, tmp_path_factory) -> Path:
    """A home in which the small study has run once."""
    home = bank.furnish(tmp_path_factory.mktemp("ran") / "home")
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
