"""Seconds of an audit of many versions, all submitted: `python benchmarks/audit_speed.py [versions]` (a new home)."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import governed
from workbench import home
from workbench.registry import audit, moves

GOAL_SECONDS = 20


def main(versions: int) -> None:
    """Register and submit the versions, audit them twice (the first one opens the store), and print a table's row."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"WORKBENCH_HOME": f"{folder}/home", "XDG_CONFIG_HOME": f"{folder}/config"}
        home.root().mkdir()
        governed.keys()
        governed.write_policy(governed.policy())
        moves.adopt("app")
        for seed in range(1, versions + 1):
            governed.move("submit", "dev", governed.registered(seed))
        for _ in range(2):
            begun, spent = time.perf_counter(), time.process_time()
            result = audit.run()
            seconds, spent = time.perf_counter() - begun, time.process_time() - spent
            print(f"| {result.looked_at} | {len(result.findings)} | {seconds:.1f} | {spent:.1f} | {GOAL_SECONDS} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
