"""A file of 5,000 columns is drafted within a minute of one processor, and its draft is a contract that can be read."""

from __future__ import annotations

import csv
import random
import resource
from pathlib import Path

import pytest

from running import process
from workbench import contracts

COLUMNS, ROWS, SECONDS = 5_000, 1_000, 60  # seconds of one processor, the library's imports included
SEED = 20261127


def _wide(path: Path) -> None:
    """Write a file of whole numbers, fractions, codes, days and words in turn."""
    rng = random.Random(SEED)
    cells = (
        lambda: str(rng.randrange(100_000)),
        lambda: f"{rng.random():.4f}",
        lambda: rng.choice("ABCD"),
        lambda: f"20{rng.randrange(10, 22)}-0{rng.randrange(1, 10)}-1{rng.randrange(10)}",
        lambda: rng.choice(("red sofa", "blue chair", f"some longer words {rng.randrange(999)}")),
    )
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["loan_id", *(f"c{i}" for i in range(COLUMNS - 1))])
        for row in range(ROWS):
            out.writerow([f"L{row:05}", *(cells[i % len(cells)]() for i in range(COLUMNS - 1))])


@pytest.mark.whole
def test_five_thousand_columns_are_drafted_in_a_minute(tmp_path, measured):
    _wide(tmp_path / "wide.csv")
    (tmp_path / "params").mkdir()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = process(tmp_path, "intake", "wide.csv")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stdout + done.stderr
    drafted = contracts.load(tmp_path / "params" / "contracts" / "wide.yaml")
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    wrong = [] if len(drafted.columns) == COLUMNS else [f"{len(drafted.columns)} columns"]
    wrong += [] if seconds <= SECONDS else [f"{seconds:.0f} s of one processor"]
    measured(f"columns of a file drafted, in at most {SECONDS} s of one processor", COLUMNS, wrong, SEED)
