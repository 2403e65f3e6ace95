"""How long a whole validation takes: every test, the validator's own challengers and the verdict, on 30,000 rows.

    python benchmarks/validation_speed.py

A sound scorecard on a simulated book (`sound_models.py`): 14,400 rows of development, 6,000 held out, 9,600 of two
later years. Goal: 60 s on 2 cores; exit code 1 where it takes longer.
"""

from __future__ import annotations

import sys
import time
import warnings
from dataclasses import replace

from sound_models import CONTRACT, SETTINGS, book, developed, months

from workbench.validation import battery, challengers, shown
from workbench.validation.subject import subject

GOAL, SEED = 60.0, 8  # seconds


def main() -> int:
    """Print rows, seconds and CPU seconds; return the exit code."""
    warnings.simplefilter("ignore")
    panel = book(SETTINGS[0], SEED)
    sound = developed(panel, SEED)
    wall, cpu, took = time.perf_counter(), time.process_time(), []
    tested = subject(sound.model, panel, CONTRACT, sound.figures, sound.rules, SEED)
    tested = replace(tested, raw=months(panel), served=sound.model.scored)
    last = time.perf_counter()

    def note(name: str) -> None:
        nonlocal last
        took.append((time.perf_counter() - last, name))
        last = time.perf_counter()

    items = battery.run(tested, note)
    built, seen = challengers.compared(tested), shown.sights(items)
    word = battery.verdict(items, tested).value
    seconds, cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu
    print("| rows | tests | challengers | verdict | s | CPU s |\n| --- | --- | --- | --- | --- | --- |")
    counts = f"| {len(panel):,} | {len(items)} | {len(built.table)} | {word} |"
    print(f"{counts} {seconds:.1f} | {cpu_seconds:.1f} |")
    slowest = ", ".join(f"{name.replace('_', ' ')} {s:.1f} s" for s, name in sorted(took, reverse=True)[:3])
    print(f"\nslowest: {slowest}; {len(seen.table)} tests say what they could see")
    return 0 if seconds <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
