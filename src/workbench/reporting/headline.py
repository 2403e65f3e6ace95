"""The sentence that speaks for a whole step, of all that it left as evidence."""

from __future__ import annotations

from typing import Any

from workbench.evidence import Evidence, Verdict

_BAD_NEWS = (Verdict.error, Verdict.red, Verdict.amber)


def headline(left_behind: dict[str, Any], step: str) -> Evidence | None:
    """Return the evidence that speaks for a whole step: the one called like the step, else the worst."""
    named = [e for e in left_behind["evidence"] if e["key"] == step.rsplit("/", 1)[-1].split("@")[0]]
    bad = [e for e in left_behind["evidence"] if e["verdict"] in _BAD_NEWS]
    return next((Evidence.from_record(e) for e in (*named, *bad, *left_behind["evidence"])), None)
