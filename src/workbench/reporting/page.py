"""An executed notebook as a page: code hidden, one look, no script and nothing from outside, bad news on top."""

from __future__ import annotations

import re
import time
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

TEMPLATES = Path(__file__).parent / "templates"
_TOLD = ("error", "red", "amber")


@cache
def templates() -> jinja2.Environment:
    """Return the page templates; everything put into them is escaped."""
    return jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True)


def css() -> jinja2.utils.markupsafe.Markup:
    """Return the one style sheet, to stand inside a page."""
    return jinja2.utils.markupsafe.Markup((TEMPLATES / "house.css").read_text())


def render(notebook: Path, left: dict[str, Any], facts: dict[str, Any]) -> str:
    """Return the page of an executed notebook.

    `left` is what the step left behind (verdict, evidence, tables), `facts` name study, step, run,
    link (may be empty), place below `reports/`, parameters and the sibling pages. The page's security
    policy forbids every script, so that nothing a customer typed can run.
    """
    told = [e for e in left["evidence"] if e["verdict"] in _TOLD]
    return (
        templates()
        .get_template("page.html")
        .render(
            f=facts,
            left=left,
            told=told,
            body=body(notebook),
            css=css(),
            up="../" * facts["place"].count("/"),
            when=time.strftime("%Y-%m-%d %H:%M"),
        )
    )


def body(notebook: Path) -> str:
    """Return the notebook's text and outputs as HTML, without code and without the injected parameters."""
    import nbformat
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        template_name="basic",
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        mathjax_url="",
        require_js_url="",
        embed_images=True,
    )
    exporter.exclude_anchor_links = True
    shown = nbformat.read(notebook, as_version=4)
    heading = ""
    for cell in shown.cells:
        if cell.cell_type == "markdown" and (found := re.search(r"^#+ (.+)$", cell.source, re.M)):
            heading = found[1]
        if cell.cell_type == "code":  # warnings belong to the notebook that is kept with the run, not to readers
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
            for picture in [o for o in cell.outputs if "image/png" in o.get("data", {})]:
                picture.metadata["image/png"] = {"alt": f"Picture: {heading}"}
    content, _ = exporter.from_notebook_node(shown)
    return content
