"""Which runs are packs, and which of a pack's answers say again what other steps have said."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workbench.evidence import Evidence, Verdict
from workbench.registry.current import Record
from workbench.registry.recorded import EVIDENCE

STEP = "reporting/pack"
BROKEN = (Verdict.error, Verdict.red, Verdict.amber)
REPEATED = ("pack", "models", "breaches")  # keys of answers whose light is that of other answers


def is_pack(record: Record) -> bool:
    """Say whether a run is a pack."""
    return record.step.partition("@")[0] == STEP


def among(records: Iterable[Record]) -> list[Record]:
    """Return the packs among runs."""
    return [r for r in records if is_pack(r)]


def told(records: Iterable[Record]) -> list[Record]:
    """Return the runs whose lights a message tells: where there is a pack itself and those it has read, which it lists.

    A paper that sums the same steps up, as the committee's does, would tell them twice.
    """
    records = list(records)
    read = {name.lstrip("?").removeprefix(EVIDENCE) for pack in among(records) for name in pack.reads}
    return [r for r in records if is_pack(r) or r.step in read] if among(records) else records


def news(record: Record, content: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the answers a run has left, those apart by which a pack repeats other steps."""
    return [e for e in content["evidence"] if not (is_pack(record) and e["key"] in REPEATED)]


def single(answers: Iterable[Evidence]) -> list[Evidence]:
    """Return a step's answers that are broken; one that only sums others up is left out where one as bad is there."""
    those = [e for e in answers if e.verdict in BROKEN]
    return [e for e in those if not any(o.key in e.repeats and o.verdict.rank <= e.verdict.rank for o in those)]
