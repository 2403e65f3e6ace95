"""The sentence that speaks for a whole step, of all that it left as evidence."""

from __future__ import annotations

import re
from typing import Any

from workbench.evidence import Evidence, Verdict
from workbench.words import names

_BAD_NEWS = (Verdict.error, Verdict.red, Verdict.amber)


def headline(left_behind: dict[str, Any], step: str) -> str:
    """Return what speaks for a whole step in the language now spoken, columns by their names; empty without evidence.

    That is the answer of the evidence called like the step, else of the worst.
    """
    speaks = _speaks(left_behind, step)
    with names.knowing(left_behind.get("names", {}), left_behind.get("units")):
        return _begun(str(speaks.answer)) if speaks else ""


def _begun(sentence: str) -> str:
    """Return a sentence with a capital at its beginning, where a word stands there and no code name (`bank.pd`).

    >>> _begun("mean delay says most"), _begun("taiwan_cards.pd version 1 is candidate.")
    ('Mean delay says most', 'taiwan_cards.pd version 1 is candidate.')
    """
    first = sentence.partition(" ")[0].rstrip(".,:;")
    return sentence if re.search(r"[._/]", first) else sentence[:1].upper() + sentence[1:]


def _speaks(left_behind: dict[str, Any], step: str) -> Evidence | None:
    named = [e for e in left_behind["evidence"] if e["key"] == step.rsplit("/", 1)[-1].split("@")[0]]
    bad = [e for e in left_behind["evidence"] if e["verdict"] in _BAD_NEWS]
    return next((Evidence.from_record(e) for e in (*named, *bad, *left_behind["evidence"])), None)
