"""Which runs are packs, and which of a pack's answers say again what other steps have said."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workbench.registry.current import Record

STEP = "reporting/pack"
REPEATED = ("pack", "models", "breaches")  # keys of answers whose light is that of other answers


def is_pack(record: Record) -> bool:
    """Say whether a run is a pack."""
    return record.step.partition("@")[0] == STEP


def among(records: Iterable[Record]) -> list[Record]:
    """Return the packs among runs."""
    return [r for r in records if is_pack(r)]


def news(record: Record, content: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the answers a run has left, those apart by which a pack repeats other steps."""
    return [e for e in content["evidence"] if not (is_pack(record) and e["key"] in REPEATED)]
