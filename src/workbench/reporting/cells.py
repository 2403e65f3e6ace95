"""An executed notebook as HTML in the language now spoken: text by the catalogue, outputs from the facts they hold."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nh3

from workbench.evidence import card, picture, table
from workbench.evidence.picture import Drawn, Picture
from workbench.registry import titles
from workbench.words import MIME as TEXT
from workbench.words import Text, has, heard, say, translated
from workbench.words import names as column_names
from workbench.words.markdown import text_html, to_html

TAGS = set(
    [
        "a",
        "b",
        "blockquote",
        "br",
        "caption",
        "code",
        "dd",
        "del",
        "details",
        "div",
        "dl",
        "dt",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "li",
        "ol",
        "p",
        "pre",
        "s",
        "small",
        "span",
        "strong",
        "sub",
        "summary",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "u",
        "ul",
    ]
)
ATTRIBUTES = {
    "*": {"class", "title", "lang"},
    "a": {"href"},
    "img": {"src", "alt"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "ol": {"start"},
    "details": {"open"},
}
_ROW = re.compile(r"<tr[^>]*>.*?</tr>", re.S)
_CELL = re.compile(r"(<t[dh][^>]*>)([^<]*)(</t[dh]>)")


def lead(notebook: dict[str, Any]) -> str:
    """Return the question a notebook asks, in HTML: what stands below its title."""
    first = next(titles.texts(notebook), "")
    return clean(to_html(re.sub(r"^# .+$", "", first, count=1, flags=re.M)))


def read(path: Path) -> dict[str, Any]:
    """Return a notebook as it lies there."""
    return json.loads(path.read_text(encoding="utf-8"))


def body(notebook: dict[str, Any]) -> str:
    """Return text and outputs below the title as HTML, without code, warnings and injected parameters.

    A section whose code showed nothing is left out with its text: it says what to look at.
    """
    parts, heading = [], titles.of_notebook(notebook)
    for section in _sections(_after_title(notebook)):
        shown: list[str] = []
        for cell in section:
            if cell["cell_type"] == "markdown":
                source = _joined(cell["source"])
                heading = next(iter(re.findall(r"^#+ (.+)$", source, re.M)), heading)
                shown.append(clean(to_html(_headings(source))))
            else:
                shown += [f'<div class="output">{part}</div>' for part in _outputs(cell, translated(heading)) if part]
        texts = sum(cell["cell_type"] == "markdown" for cell in section)
        if texts == len(section) or len(shown) > texts:
            parts += shown
    return "\n".join(parts)


def _sections(each: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Return cells by section: a text that begins with a heading begins one."""
    sections: list[list[dict[str, Any]]] = [[]]
    for cell in each:
        if cell["cell_type"] == "markdown" and _joined(cell["source"]).lstrip().startswith("#"):
            sections.append([])
        sections[-1].append(cell)
    return sections


def clean(content: str) -> str:
    """Return HTML with nothing in it that acts: tags and attributes from a short list, addresses of pages only."""

    def safe(tag: str, name: str, value: str) -> str | None:
        if (tag, name) == ("img", "src"):
            return value if re.match(r"data:image/(png|jpeg|svg\+xml);base64,", value) else None
        if name == "href":
            return None if re.match(r"\s*data:", value, re.I) else value
        return value

    return nh3.clean(
        content,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=safe,
        url_schemes={"http", "https", "data"},
        link_rel="noopener noreferrer",
    )


def _after_title(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the cells without the first text, which the page's head shows."""
    at = next((i for i, c in enumerate(notebook["cells"]) if c["cell_type"] == "markdown"), -1)
    return [c for i, c in enumerate(notebook["cells"]) if i != at]


def _headings(source: str) -> str:
    """Return Markdown whose only first-rank headings are the page's: theirs begin at the second rank."""
    return re.sub(r"^# ", "## ", source, flags=re.M)


def _outputs(cell: dict[str, Any], heading: str) -> Iterator[str]:
    for output in cell.get("outputs", []):
        if output["output_type"] in ("display_data", "execute_result"):
            yield _shown(output["data"], heading)
        elif output["output_type"] == "error":
            yield f"<pre>{html.escape(output['ename'])}: {html.escape(output['evalue'])}</pre>"
        elif output.get("name") == "stdout":  # warnings belong to the notebook that is kept with the run
            yield f"<pre>{html.escape(_joined(output['text']))}</pre>"


def _shown(data: dict[str, Any], heading: str) -> str:
    """Return one output: from its facts where it holds them, else what it shows, with nothing in it that acts."""
    if TEXT in data:
        return clean(text_html(Text.from_json(data[TEXT]["text"])))
    if card.MIME in data:
        return clean(card.from_record(data[card.MIME]))
    if picture.MIME in data:
        return clean(Picture.from_json(data[picture.MIME]).drawn().html())
    for kind in (picture.SVG, picture.PNG):
        if kind in data:
            return clean(
                Drawn(kind, _joined(data[kind]).replace("\n", "" if kind == picture.PNG else "\n"), heading).html()
            )
    if "text/html" in data:
        return _folded(_named(clean(_joined(data["text/html"]))))
    if "text/markdown" in data:
        return clean(to_html(_headings(_joined(data["text/markdown"]))))
    return f"<pre>{html.escape(_joined(data.get('text/plain', '')))}</pre>"


def _named(content: str) -> str:
    """Say headers and cells of a bare table in the language now spoken, columns by their display names."""

    def in_words(m: re.Match[str]) -> str:
        words = html.unescape(m[2]).strip()
        known = column_names.is_name(words) or has(words) or heard(words) != words  # `0.77 (0.74 to 0.80)`
        return m[1] + (table.cell_html(words) if known else m[2]) + m[3]

    return _CELL.sub(in_words, content)


def _folded(content: str) -> str:
    """Fold a bare table after its tenth row; one without rows isn't shown."""
    parts = content.split("<tbody>")
    if len(parts) != 2:
        return f'<div class="scroll">{content}</div>'
    inner, _, after = parts[1].partition("</tbody>")
    rows = _ROW.findall(inner)
    if not rows:
        return ""
    head, rest = parts[0], rows[table.SHOWN_ROWS :]
    shown = f'<div class="scroll">{head}<tbody>{"".join(rows[: table.SHOWN_ROWS])}</tbody>{after}</div>'
    if not rest:
        return shown
    folded = f"<summary>{say('{n:, more rows}', n=len(rest))}</summary>"
    more = f'<div class="scroll">{head}<tbody>{"".join(rest)}</tbody></table></div>'
    return f"{shown}<details>{folded}{more}</details>"


def _joined(lines: str | list[str]) -> str:
    return lines if isinstance(lines, str) else "".join(lines)
