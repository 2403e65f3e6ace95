"""What people have written of a model, as a document shows it; what they haven't, as a finding in words; who signed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from workbench.registry import claims, written
from workbench.registry.claims import Tested
from workbench.reporting.document import Rows, Sheet, Typed, absent
from workbench.reporting.dossier import Dossier
from workbench.words import Text, heard, say
from workbench.words.pair import Pair

TITLES: Mapping[str, Text] = {
    "developer.intended_use": say("Intended use"),
    "developer.restrictions": say("Restrictions and prohibited uses"),
    "developer.limitations": say("Assumptions and limitations"),
    "developer.overrides": say("Overrides"),
    "validator.opinion": say("Opinion"),
    "validator.assessment": say("Assessment"),
}
GUIDANCE: Mapping[str, Text] = {
    "developer.intended_use": say("Which decisions on which customers is the model made for, and who uses it?"),
    "developer.restrictions": say("What must it not be used for, and where does it end to hold?"),
    "developer.limitations": say("What can't it see, what does it assume, and what would make it wrong?"),
    "developer.overrides": say("Who may decide otherwise than the model, when, and how is that recorded?"),
    "validator.opinion": say("A number from 1 (no deficiency) to 4 (major deficiencies)."),
    "validator.assessment": say("Why this opinion, which weaknesses matter, and what must happen to them?"),
}
OPINIONS: Mapping[int, Text] = {
    1: say("no deficiency"),
    2: say("minor deficiencies: less than 5% of risk-weighted exposure"),
    3: say("moderate deficiencies: 5% to 10% of risk-weighted exposure"),
    4: say("major deficiencies: 10% of risk-weighted exposure or more"),
}


def chapters(d: Dossier, *names: str) -> list[Typed]:
    """Return chapters that a person has written, or an empty frame with guidance for each that nobody has."""
    where = written.place(d.registered.model)
    return [Typed(n, TITLES[n], _pair(d, n), GUIDANCE[n], where, tuple(d.tested)) for n in names]


def _pair(d: Dossier, name: str) -> Pair:
    """Return a chapter's text; an opinion as its number and what that means."""
    content = d.chapters.text(name)
    if isinstance(content, Pair):
        return content
    return Pair.model_validate(f"{content}: {OPINIONS[content]}") if content else Pair()


def findings(d: Dossier, *sections: str) -> Iterator[Text]:
    """Yield what is wrong with what people have written: chapters that are empty, claims that don't hold."""
    for section in sections:
        for name in d.chapters.missing(section):
            chapter = name.partition(" ")[0]
            where = written.place(d.registered.model)
            yield say("{chapter} is empty: {where}, {place}.", chapter=TITLES[chapter], where=where, place=name)
        if section in d.rewritten:
            where = where_of(d)
            yield say("{where} was changed since a move rested on it; shown is what was signed.", where=where)
        for t in claims.contradicted(d.tested):
            if t.claim.chapter.startswith(section):
                yield say("Claimed is {claim}; {result}.", claim=t.claim.words, result=t.text)


def where_of(d: Dossier) -> str:
    """Return the file that people write in."""
    return written.place(d.registered.model)


def claims_sheet(d: Dossier) -> Sheet | Rows:
    """Return every claim with what the test says, and the run and key of the figure."""
    if not d.tested:
        return absent("claimed", say("Claims"), say("no chapter claims anything"))
    return sheet(d.tested, say("What the chapters claim, held against what runs have logged"))


def sheet(results: Sequence[Tested], caption: Text) -> Sheet | Rows:
    """Return tested claims as a table."""
    if not results:
        return absent("claimed", say("Claims"), say("no claim is of a figure that was logged"))
    rows = [
        {
            "light": "green" if t.holds else "not_evaluated" if t.is_open else "red",
            "claim": t.claim.words,
            "result": t.text,
            "chapter": TITLES[t.claim.chapter],
            "period": t.figure.period if t.figure else "",
            "run": f"{t.figure.run_id[:8]} · {t.figure.key}" if t.figure else "",
        }
        for t in results
    ]
    return Sheet(caption, pd.DataFrame(rows, dtype=object))


def signatures(d: Dossier) -> Sheet:
    """Return who has signed which move, and the places that are still empty."""
    rows = []
    for verb, what in _SIGNING.items():
        events = [e for e in d.moves if e.verb == verb]
        signed = [(e.person, heard(e.role), e.at[:10], f"{e.seq}:{e.digest[:16]}") for e in events]
        rows += [(what, *row) for row in signed or [("", "", "", say("not signed"))]]
    columns = ["move", "person", "role", "date", "event"]
    return Sheet(say("Sign-off"), pd.DataFrame(rows, columns=columns, dtype=object), "governance/events")


_SIGNING: Mapping[str, Text] = {
    "submit": say("submitted"),
    "validate": say("taken into validation"),
    "approve": say("approved"),
    "promote": say("made champion"),
}
