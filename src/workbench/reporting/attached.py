"""Pages of other tools beside a step's own: a line on top says study, period, whether simulated, and the way back."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import Any

from workbench.registry import slots
from workbench.registry.about import About
from workbench.words import say, speaking

_BODY = re.compile(r"<body[^>]*>", re.IGNORECASE)
_LINE = (
    '<p style="margin:0;padding:8px 16px;font:14px/1.4 system-ui,sans-serif;background:#1f2a37;color:#fff">'
    "{words} {simulated} "
    '<a style="color:#fff" href="../{page}">{back}</a></p>'
)


def stamp(file: Path, facts: dict[str, Any]) -> None:
    """Write the line into a page, whose own words stay as they are; one without a body stays without it.

    `facts`: title, period, simulated, language and step, as a step's page has them.
    """
    content = file.read_text(encoding="utf-8")
    with speaking(facts.get("language") or "en"):
        of_study = slots.words(About(title=facts["title"], simulated=facts["simulated"]))
        back = str(say("Back to the page of this step"))
    words = ["" if facts["period"] == "once" else facts["period"], file.stem]
    study = slots.slot("study", of_study["study"])
    simulated = slots.slot("simulated", of_study["simulated"])
    line = _LINE.format(
        words=" · ".join([study, *(escape(w) for w in words if w)]),
        simulated=simulated,
        page=f"{Path(facts['place']).name}.html",
        back=escape(back),
    )
    file.write_text(_BODY.sub(lambda body: body.group() + line, content, count=1), encoding="utf-8")
