"""An executed notebook as a page: the answer first, code hidden, one look, no script and nothing from outside."""

from __future__ import annotations

import re
import time
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from workbench.customers import lists
from workbench.evidence import Evidence, card, worst_first
from workbench.params import ONCE
from workbench.registry import slots, titles
from workbench.registry.about import About
from workbench.registry.recorded import JUDGED
from workbench.reporting import advice, cells
from workbench.rules import regulations
from workbench.words import Text, begun, formatted, heard, language, names, say, speaking
from workbench.words.markdown import coded

TEMPLATES = Path(__file__).parent / "templates"
SIGNS = {
    "green": "✓",
    "amber": "!",
    "red": "✕",
    "error": "‼",
    "not_evaluated": "?",
    "info": "i",
}  # where words are too long
_IN_CHINESE = '<html lang="zh-CN">'  # as the templates begin
_SCROLLS = re.compile(r'<div class="(scroll|picture)">')
SHOWN_REASONS = 3  # of a page on which all is well


def language_in(html: str) -> str:
    """Return the language of a page that was made from a template, as its first characters say."""
    return "zh_CN" if _IN_CHINESE in html[:100] else "en"


@cache
def templates() -> jinja2.Environment:
    """Return the page templates: everything put into them is escaped, `_("…")` is said in the language now spoken."""
    made = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True)
    made.globals.update(_=_said, language=language, heard=heard)
    made.filters["light"] = lambda verdict: verbatim(card.light(verdict))
    made.filters["coded"] = lambda text: verbatim(coded(str(text)))
    made.filters["begun"] = lambda text: begun(str(text))
    made.globals["signs"] = SIGNS
    return made


def _said(template: str, **facts: Any) -> str:
    return str(say(template, **facts))


def css() -> jinja2.utils.markupsafe.Markup:
    """Return the one style sheet, to stand inside a page."""
    return verbatim((TEMPLATES / "house.css").read_text())


def verbatim(text: str) -> jinja2.utils.markupsafe.Markup:
    """Return text of our own that a template puts in as it is."""
    return jinja2.utils.markupsafe.Markup(text)


def site(template: str, place: str, site: Any, **facts: Any) -> str:
    """Return a page of the site in the language now spoken; `place`: where it lies below the site's folder.

    It leads to the same page in every other language it is there in.
    """
    up, study = "../" * place.count("/"), place.rpartition("/")[0].partition("/")[0]
    ways = {name or site.original(study) or "en": way for name, way in site.languages.items()}
    ways = {name: way.replace("index.html", place) for name, way in ways.items() if name != language()}
    return templates().get_template(template).render(site=site, up=up, place=place, css=css(), ways=ways, **facts)


def render(notebook: Path, record: dict[str, Any], facts: dict[str, Any]) -> str:
    """Return the page of an executed notebook in the language of its facts (`language`, English without).

    `record` is what the step left behind (verdict, evidence, tables, names of columns), `facts` name study, step, run,
    when it began, link, parameters and the sibling pages, and where known owner, description, period and model. Nothing
    is run again: sentences, tables and pictures come from what the notebook holds. The security policy forbids every
    script, form and request, so that nothing a customer typed can act.
    """
    with speaking(facts.get("language") or "en"), names.knowing(record.get("names", {}), record.get("units")):
        book = cells.read(notebook)
        return (
            templates()
            .get_template("page.html")
            .render(
                f=facts,
                record=record,
                title=titles.with_instance(titles.of_notebook(book), facts["step"]),
                lead=verbatim(cells.lead(book)),
                answer=_answer(record, facts),
                outdated=_outdated(record),
                about=_about(facts),
                body=verbatim(reachable(cells.body(book))),
                css=css(),
                up="../" * facts["place"].count("/"),
                to_study="../" * (facts["step"].count("/") + 1) + "index.html",
                of_period="" if facts.get("period", ONCE) == ONCE else facts["period"],
                slots=_slots(facts),
                when=time.strftime("%Y-%m-%d %H:%M", time.localtime(facts["start"])),
                shown=formatted,
            )
        )


def reachable(content: str) -> str:
    """Return HTML in which what scrolls by itself is reached by the keyboard, too."""
    return _SCROLLS.sub(r'<div class="\1" tabindex="0">', content)


def _answer(record: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    """Return the decision, its reasons (what is not green; else what speaks for it) and what to do.

    What is said of the model whose scores a step acts on comes first, with the place of the model's page.
    """
    answers = worst_first(Evidence.from_record(e) for e in record["evidence"])
    alarms = [e for e in answers if e.verdict in ("error", "red", "amber", "not_evaluated")]
    headline = next((e for e in answers if e.key == facts["step"].rsplit("/", 1)[-1].split("@")[0]), None)
    reasons = alarms or answers[:SHOWN_REASONS]
    if headline:
        reasons = [headline, *(e for e in reasons if e is not headline)]
    of_model = [e for e in answers if e.key == JUDGED]
    reasons = [*of_model, *(e for e in reasons if e.key != JUDGED)]
    return {
        "decision": advice.decision(record["verdict"]),
        "reasons": _said_once(reasons),
        "model": _model_page(of_model, facts),
        "to_do": advice.what_to_do(facts["step"], record["verdict"], lists=_has_list(record)),
    }


def _said_once(answers: list[Evidence]) -> list[Evidence]:
    """Return answers in their order, of those with the same words the first."""
    first: dict[str, Evidence] = {}
    for e in answers:
        first.setdefault(str(e.answer), e)
    return list(first.values())


def _has_list(record: dict[str, Any]) -> bool:
    return any(name.startswith(lists.PREFIX) for name in record["tables"]["written"])


def _model_page(of_model: list[Evidence], facts: dict[str, Any]) -> str:
    """Return where the page of the model lies whose scores a step acts on; empty where it acts on none."""
    name = next((e.facts.get("model", "") for e in of_model), "")
    folder = facts.get("index", "").rpartition("/")[0]
    return "/".join(filter(None, [folder, facts["study"], "models", f"{name}.html"])) if name else ""


def _outdated(record: dict[str, Any]) -> list[Text]:
    """Return a sentence for each rescinded rule that the step's evidence cites."""
    answers = [Evidence.from_record(e) for e in record["evidence"]]
    return regulations.rescinded(words for e in answers for words in (e.source, e.threshold.in_language("en")))


def _about(facts: dict[str, Any]) -> list[tuple[Text, str]]:
    """Return model and period, as far as they are known; what the study says of itself stands in a slot before them."""
    params = facts.get("params", {})
    model = facts.get("model") or params.get("model", "")
    facts_shown = [
        (say("Model"), model if isinstance(model, str) else ""),
        (say("Period"), _period(facts, params)),
    ]
    return [(name, value) for name, value in facts_shown if value]


def _slots(facts: dict[str, Any]) -> dict[str, jinja2.utils.markupsafe.Markup]:
    """Return the page's slots by name, with what the study says of itself when the page is made."""
    about = About(*(facts.get(name, "") for name in ("title", "description", "owner")), bool(facts.get("simulated")))
    ways = slots.steps(facts["steps"], "../" * facts["place"].count("/"), facts["step"])
    contents = dict.fromkeys(slots.NAMES, "") | slots.words(about) | {slots.STEPS: ways}
    return {name: verbatim(slots.slot(name, content)) for name, content in contents.items()}


def _period(facts: dict[str, Any], params: dict[str, Any]) -> str:
    period = facts.get("period", "")
    if period and period != "once":
        return str(period)
    ends = [params[k] for k in ("as_of_from", "as_of_to") if params.get(k)]
    dates = sorted({d for d in ends if re.fullmatch(r"\d{4}-\d{2}(-\d{2})?", str(d))})
    return str(say("{first} to {last}", first=dates[0], last=dates[-1])) if len(dates) > 1 else "".join(dates)
