"""Planted defects and doubled persons that the store finds: `python benchmarks/store.py [customers] [seeds] [part]`.

Each seed is a simulated bank of 48 months: 20 planted defects in 20 months, 28 clean months. `part` of the usual rows
are spoilt.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

from workbench.portfolios import alarms, drops, persons, simulated_drops, simulated_whole
from workbench.portfolios.simulated_customers import SimulatedCustomers

MONTHS, DUE_DAY = 48, 5


def main(customers: int, seeds: int, part: float) -> None:
    """Print each kind planted and found, false alarms of clean months, precision and recall of pairs."""
    planted, seen, false, clean, pairs = Counter(), Counter(), 0, 0, Counter()
    for seed in range(42, 42 + seeds):
        p = SimulatedCustomers(
            n_customers=customers, n_months=MONTHS, shock_month="2017-06", topic_month="2017-09", seed=seed
        )
        with tempfile.TemporaryDirectory() as folder:
            known = simulated_drops.write_drops(p, Path(folder), part=part)
            raised = _alarms(Path(folder))
        planted.update(known["kind"])
        seen.update(kind for month, kind, table in _where(known) if (month, kind, table) in raised)
        false += sum(month not in set(known["month"]) for month, _, _ in raised)
        clean += MONTHS - known["month"].nunique()
        pairs += _persons(p)
    for kind in planted:
        print(f"| {kind} | {planted[kind]} | {seen[kind]} |")
    print(f"| all | {planted.total()} | {seen.total()} |")
    print(f"clean months {clean}, alarms in them {false}")
    precision, recall = (pairs["both"] / pairs[name] for name in ("found", "true"))
    print(f"pairs {pairs['true']}, precision {precision:.3f}, recall {recall:.3f}")


def _where(known) -> list[tuple[str, str, str]]:
    return list(known[["month", "kind", "table"]].itertuples(index=False, name=None))


def _alarms(folder: Path) -> set[tuple[str, str, str]]:
    memory, out = alarms.Memory(), set()
    for drop in drops.all_of(folder):
        parts = {name: drop.read(name) for name in drops.TABLES}
        out |= {(drop.month, kind, table) for kind, table, _, _ in alarms.of_drop(drop, parts, memory, DUE_DAY)}
    return out


def _persons(p: SimulatedCustomers) -> Counter:
    out: Counter = Counter()
    for tables, known in simulated_whole.with_truth(p):
        true = {tuple(sorted(pair)) for pair in known["duplicates"].itertuples(index=False, name=None)}
        same = persons.pairs(tables["customer"])[["one", "other"]].itertuples(index=False, name=None)
        seen = {tuple(sorted(pair)) for pair in same}
        out += Counter(true=len(true), found=len(seen), both=len(true & seen))
    return out


if __name__ == "__main__":
    given = [*sys.argv[1:], *("2000", "2", "1")[len(sys.argv) - 1 :]]
    main(int(given[0]), int(given[1]), float(given[2]))
