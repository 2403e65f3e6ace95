"""The sentence that speaks for a whole step, of all that it left as evidence."""

from __future__ import annotations

from typing import Any

from workbench.evidence import Evidence, Verdict
from workbench.words import begun, names

_BAD_NEWS = (Verdict.error, Verdict.red, Verdict.amber)


def headline(left_behind: dict[str, Any], step: str) -> str:
    """Return what speaks for a whole step in the language now spoken, columns by their names; empty without evidence.

    That is the answer of the evidence called like the step, else of the worst.
    """
    speaks = _speaks(left_behind, step)
    with names.knowing(left_behind.get("names", {}), left_behind.get("units")):
        return begun(str(speaks.answer)) if speaks else ""


def _speaks(left_behind: dict[str, Any], step: str) -> Evidence | None:
    named = [e for e in left_behind["evidence"] if e["key"] == step.rsplit("/", 1)[-1].split("@")[0]]
    bad = [e for e in left_behind["evidence"] if e["verdict"] in _BAD_NEWS]
    return next((Evidence.from_record(e) for e in (*named, *bad, *left_behind["evidence"])), None)
