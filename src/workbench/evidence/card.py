"""The card a notebook and a page show for one piece of evidence: light, answer, threshold, source, table, picture."""

from __future__ import annotations

import html
import io
from base64 import b64encode
from typing import TYPE_CHECKING

from workbench.words import number, say

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from workbench.evidence.answer import Evidence

SHOWN_ROWS, MOST_ROWS = 10, 1000  # of a table: at once, and folded away below


def html_card(e: Evidence) -> str:
    """Return the card as HTML; everything that may come from data is escaped."""
    rows = [("Value", _shown(e.value)), ("Threshold", e.threshold), ("Blind to", e.blind_to), ("Source", e.source)]
    facts = "".join(f"<dt>{say(k)}</dt><dd>{html.escape(str(v))}</dd>" for k, v in rows if v)
    light = html.escape(str(say(str(e.verdict).replace("_", " "))))
    return (
        f'<div class="evidence {e.verdict}"><p class="question">{html.escape(str(e.question))}</p>'
        f'<p class="answer"><span class="light {e.verdict}">{light}</span> '
        f"{html.escape(str(e.answer))}</p><dl>{facts}</dl>{_table(e.table)}{_picture(e)}</div>"
    )


def png(figure: Figure) -> bytes:
    """Return a figure as PNG bytes, the same for the same figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight", metadata={"Software": None})
    return buffer.getvalue()


def _shown(value: float | str | None) -> str:
    return "" if value is None else value if isinstance(value, str) else number(value)


def _table(table: DataFrame | None) -> str:
    if table is None or table.empty:
        return ""
    import pandas as pd

    def shown(part: DataFrame) -> str:
        with pd.option_context("display.max_colwidth", None):
            named = table.index.name is not None
            return part.to_html(index=named, escape=True, border=0, justify="left", float_format=number, na_rep="")

    rest = table.iloc[SHOWN_ROWS:MOST_ROWS]
    more = (
        f"<details><summary>{say('{n:,} more rows', n=len(rest))}</summary>{shown(rest)}</details>" if len(rest) else ""
    )
    if len(table) > MOST_ROWS:
        beyond = say("… and {n:,} more in the CSV beside the MLflow run's evidence", n=len(table) - MOST_ROWS)
        more += f"<p class='more'>{html.escape(str(beyond))}</p>"
    return f'<div class="scroll">{shown(table.head(SHOWN_ROWS))}{more}</div>'


def _picture(e: Evidence) -> str:
    if e.figure is None:
        return ""
    encoded = b64encode(png(e.figure)).decode()
    return f'<img alt="{html.escape(str(e.question))}" src="data:image/png;base64,{encoded}">'
