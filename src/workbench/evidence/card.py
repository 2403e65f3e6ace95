"""The card a notebook and a page show for one piece of evidence: light, answer, threshold, source, table, picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.evidence import table
from workbench.evidence.lights import light
from workbench.evidence.picture import Picture
from workbench.words import Text, begun, heard, number, say
from workbench.words.markdown import coded

if TYPE_CHECKING:
    from workbench.evidence.answer import Evidence

MIME = "application/vnd.workbench.evidence+json"


def html_card(e: Evidence, rows: int = 0) -> str:
    """Return the card as HTML; everything that may come from data is escaped.

    `rows` is the number of rows of the whole table, where the evidence holds only its beginning.
    """
    facts = [
        (say("Value"), _shown(e.value)),
        (say("Threshold"), e.threshold),
        *_sight(e),
        (say("Blind to"), e.blind_to),
        (say("Source"), heard(e.source)),
    ]
    listed = "".join(f"<dt>{name}</dt><dd>{coded(str(v))}</dd>" for name, v in facts if v)
    picture = Picture.of(e.figure).drawn().html() if e.figure is not None else ""
    return (
        f'<div class="evidence {e.verdict}"><p class="question">{coded(str(e.question))}</p>'
        f'<p class="answer">{light(str(e.verdict))} {coded(begun(str(e.answer)))}</p>'
        f"<dl>{listed}</dl>{table.to_html(e.table, rows)}{picture}</div>"
    )


def record(e: Evidence) -> dict[str, Any]:
    """Return the whole evidence as JSON can hold it: its record, its table and its picture in every language."""
    whole = {**e.record(), "table": None, "picture": None}
    if e.table is not None:
        whole["table"] = table.to_json(e.table)
    if e.figure is not None:
        whole["picture"] = Picture.of(e.figure).to_json()
    return whole


def from_record(content: dict[str, Any]) -> str:
    """Return the card of recorded evidence, in the language now spoken."""
    from workbench.evidence.answer import Evidence

    e, rows = Evidence.from_record(content), (content.get("table") or {}).get("n", 0)
    return html_card(e, rows)


def _sight(e: Evidence) -> list[tuple[Text, Text]]:
    if e.sight is None:
        return []
    return [
        (say("To the limit"), e.sight.nearness),
        (say("Two lights"), e.sight.lights),
        (say("Could see"), e.sight.power),
    ]


def _shown(value: float | str | None) -> str:
    return "" if value is None else heard(value) if isinstance(value, str) else number(value)
