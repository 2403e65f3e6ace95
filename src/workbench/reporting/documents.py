"""Every document of a model version, written below its model's page: from recorded evidence alone, in one language."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from workbench import home
from workbench.evidence import Verdict
from workbench.evidence.lights import in_words
from workbench.params import ONCE, UserError
from workbench.registry import claims, guarded, request, titles
from workbench.registry.recorded import Recorded
from workbench.reporting import (
    decision_log,
    development_document,
    document,
    dossier,
    ecb_template,
    inventory_entry,
    model_card,
    monitoring_report,
    pdf,
    privacy,
    validation_report,
)
from workbench.reporting.document import TITLES, Document
from workbench.reporting.dossier import Dossier
from workbench.reporting.listing import language_of
from workbench.reporting.models import refused
from workbench.reporting.packs import BROKEN
from workbench.words import Text, heard, names, say, speaking

MADE: Mapping[str, Callable[[Dossier], Document]] = {
    module.NAME: module.document
    for module in (
        inventory_entry,
        development_document,
        validation_report,
        monitoring_report,
        decision_log,
        model_card,
    )
}
TOOLS = ("mlflow", "pandas", "scikit-learn", "xgboost", "weasyprint")


@dataclass(frozen=True)
class Written:
    """The files, and in English: what is wrong with what people wrote, and the claims that don't hold."""

    paths: list[Path]
    findings: list[str]
    contradicted: list[str]
    folder: str = ""  # of the language, below `reports/`


def write(model: str, version: str, language: str = "", *, as_pdf: bool = False) -> Written:
    """Write every document of a version.

    language: below `reports/LANGUAGE/`; without, or that of the study, below `reports/` itself. `UserError` where the
    registry doesn't hold the version, a run was altered since, or a page would hold personal data.
    """
    d = dossier.gather(model, version)
    spoken, folder = _spoken(d, language)
    target, (made, pages) = home.reports() / folder / place(d), rendered(d, language)
    for name, content in pages.items():
        _must_be_clean(d, name, content)
    for doc in made:
        content, printed = pages[doc.name], target / f"{doc.name}.pdf"
        home.put(target / f"{doc.name}.html", content.encode())
        if as_pdf:
            with speaking(spoken):
                home.put(printed, pdf.render(content, _footer(d, doc, content)))
        else:
            printed.unlink(missing_ok=True)  # one of another content would stand beside it
    with speaking(spoken):
        home.put(target / f"{ecb_template.NAME}.xlsx", ecb_template.content(d))
    wrong = [t.words for t in claims.contradicted(d.tested)]
    return Written(sorted(target.iterdir()), _told(made), wrong, folder)


def _spoken(d: Dossier, language: str) -> tuple[str, str]:
    """Return the language of the documents, without one the study's, and the folder of the site for it."""
    of_study = language_of(d.development.record) or "en"
    return language or of_study, "" if language in ("", of_study) else language


def rendered(d: Dossier, language: str = "") -> tuple[list[Document], dict[str, str]]:
    """Return every document of a version, and by name the page it makes in a language; nothing is written."""
    dossier.must_be_readable(d)
    spoken, folder = _spoken(d, language)
    with speaking(spoken), _names(d):
        made = [make(d) for make in MADE.values()]
        return made, {doc.name: document.render(doc, _facts(d, doc, folder)) for doc in made}


def _names(d: Dossier) -> AbstractContextManager[None]:
    """Know the columns of every run that the documents speak of."""
    called = {code: words for r in d.runs for code, words in r.names.items()}
    return names.knowing(called, {code: unit for r in d.runs for code, unit in r.units.items()})


def _told(made: Iterable[Document]) -> list[str]:
    return list(dict.fromkeys(t.in_language("en") for doc in made for t in (*doc.findings, *doc.outdated)))


def place(d: Dossier) -> str:
    """Return where a version's documents lie below the site's folder: beside its model's page."""
    return f"{d.study}/models/{d.short}/{d.registered.version}"


def _facts(d: Dossier, doc: Document, folder: str) -> dict[str, Any]:
    record, state = d.development.record, _state(d)
    return {
        "model": d.registered.model,
        "version": d.registered.version,
        "name": f"{d.registered.model} · {heard(record.title)}",
        "model_page": f"{d.short}.html",
        "simulated": record.simulated,
        "light": _worst(_light(d, doc), state),
        "findings": _light(d, doc),
        "state": state,
        "documents": [(name, TITLES[name]) for name in MADE],
        "files": [(f"{ecb_template.NAME}.xlsx", TITLES[ecb_template.NAME])],
        "about": list(_about(d)),
        "runs": [_run(r, folder) for r in d.runs],
    }


def _state(d: Dossier) -> list[tuple[str, Text]]:
    """Return what is said of the version now, each with its light, bad news first: last monitoring and a refusal."""
    last = d.last_word
    if last is None:
        out = [("info", say("No step of monitoring has watched this version."))]
    else:
        facts = {
            "step": titles.of_step(last.record.step),
            "light": in_words(last.record.verdict),
            "period": last.watched,
        }
        watched = say("Last monitoring, {period}: {light} ({step}).", **facts)
        out = [(last.record.verdict, watched if last.watched else say("Last monitoring: {light} ({step}).", **facts))]
    if d.battery and request.verdict(d.battery.record, d.registered.model, d.registered.version) == "refuse":
        out.append(("red", say("{sentence}.", sentence=refused(d.registered.model, d.registered.version))))
    return sorted(out, key=lambda item: Verdict(item[0]).rank)


def _worst(light: str, state: list[tuple[str, Text]]) -> str:
    """Return the document's light, or what is worse of the version; that it is well makes no document green."""
    return min([light, *(v for v, _ in state if v in BROKEN)], key=lambda v: Verdict(v).rank)


def _light(d: Dossier, doc: Document) -> str:
    if any(t.claim.chapter for t in claims.contradicted(d.tested)) and doc.findings:
        return "red"
    return "amber" if doc.findings or doc.outdated else "info"


def _run(run: Recorded, folder: str) -> dict[str, str]:
    r, up = run.record, "../../../../" + "../" * bool(folder)
    return {
        "step": r.step,
        "period": "" if r.period == ONCE else r.period,
        "run_id": r.run_id,
        "digest": r.digest,
        "page": up + r.pages.get("page.html", "index.html"),
    }


def _about(d: Dossier) -> Iterable[tuple[Text, Text | str, bool]]:
    """Yield the head: what the document is about and what it was made with; whether a value is code."""
    policy = d.chain.policy()
    adopted = say("{digest}, adopted on {day}", digest=d.adopted.digest, day=policy.at[:10]) if d.adopted else ""
    yield say("Version"), f"{d.registered.model}/{d.registered.version}", True
    yield say("Digest over all its files (SHA-256)"), dossier.files_digest(d) or str(say("its files are gone")), True
    yield say("Head of the chain"), d.chain.head, True
    yield say("Policy"), adopted or say("none was adopted"), False
    yield say("Protection"), protection(), False
    yield say("Tools"), ", ".join(_tools()), True


def _tools() -> list[str]:
    ours = f"loan-workbench {installed('loan-workbench')}, Python {platform.python_version()}"
    return [ours, *(f"{name} {installed(name)}" for name in TOOLS)]


def protection() -> Text:
    """Return the level at which store and registry are protected, as every document says it."""
    if guarded.level() == guarded.PREVENT:
        return say("detect and prevent: the server refuses what goes past the life cycle, `workbench audit` names it")
    return say("detect: an alteration is seen by `workbench audit`, not prevented")


def _footer(d: Dossier, doc: Document, content: str) -> str:
    digest = content.rpartition('<code class="sha256">')[2][:64]
    return f"{d.registered.model}/{d.registered.version} · {doc.title} · SHA-256 {digest}"


def _must_be_clean(d: Dossier, name: str, content: str) -> None:
    """Raise `UserError` where a page holds personal data: what people write is looked at as what runs leave is."""
    personal = privacy.scan(privacy.visible_text(content))
    if personal:
        first = personal[0]
        raise UserError(
            f"{d.registered.name}: {name}: holds personal data ({first.kind} {first.masked}: {first.context}); "
            "take it out of what was written"
        )
