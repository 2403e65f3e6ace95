"""The validation report: what a validator who didn't develop the version has looked at, and what it showed.

Contents by the EBA's handbook (paragraphs 32 to 35) and ECB (2019), section 2.4.2; the battery's run is its evidence.
"""

from __future__ import annotations

import pandas as pd

from workbench.evidence import Evidence, Sight
from workbench.registry import plans
from workbench.registry.lifecycle import READY, REJECTED
from workbench.reporting import dossier, excerpts, human, owed
from workbench.reporting.development_document import BATTERY, DEVELOPMENT, PANEL, UNCOMPUTED
from workbench.reporting.document import TITLES, Answer, Chapter, Document, Row, Rows, Sheet, absent, chapter, event
from workbench.reporting.dossier import Dossier
from workbench.reporting.excerpts import cards, no_run
from workbench.reporting.inventory_entry import NO_MOVE
from workbench.reporting.monitoring_report import period
from workbench.words import Text, heard, joined, say

NAME = "validation_report"
ELSEWHERE = {  # answers that other chapters show
    "split_integrity",
    "data_age",
    "leakage",
    "reperformance",
    "challenger",
    "challengers",
    "specification",
    "sensitivity",
    "weak_spot",
    "overfit",
    "membership",
    "battery",
    "signs",
    "trends",
    "collinearity",
}


def document(d: Dossier) -> Document:
    """Return the report."""
    is_first = d.registered.version == "1"
    kind = say("First validation") if is_first else say("Subsequent validation")
    chapters = (*_judgement(d, kind), *_evidence(d), *_consequences(d, is_first))
    return Document(NAME, chapters, tuple(human.findings(d, "validator")))


def _judgement(d: Dossier, kind: Text) -> tuple[Chapter, ...]:
    battery = d.battery
    where = excerpts.source(battery, "battery") if battery else ""
    verdict = battery.evidence["battery"].answer if battery and "battery" in battery.evidence else ""
    decided = next((e for e in reversed(d.moves) if e.target in (REJECTED, *READY) and e.target != e.source), None)
    decision = say("{state} on {day}", state=decided.target, day=decided.at[:10]) if decided else ""
    plan, facts = battery.record.run_id if battery else "", excerpts.facts(battery)
    none = no_run(BATTERY)
    deviations = dossier.deviations(d)
    as_planned = say("the battery kept to the plan") if d.standing.plan else say("no plan was signed")
    return (
        chapter(
            "summary",
            say("Summary: opinion, recommendation, conditions"),
            human.chapters(d, "validator.opinion", "validator.assessment"),
            Rows(
                (
                    Row("kind_of_validation", say("Kind of validation"), kind),
                    Row("verdict", say("Recommendation of the battery"), verdict, where, none),
                    Row("decision", say("Decision"), decision, event(decided.seq) if decided else "", NO_MOVE),
                    Row("conditions", say("Conditions"), joined(d.standing.conditions), absent=_NONE_SET, typed=True),
                )
            ),
        ),
        chapter("scope", say("Scope and independence"), human.signatures(d), Rows(tuple(_independence(d)))),
        chapter(
            "use",
            say("The model and its use"),
            human.chapters(d, "developer.intended_use", "developer.restrictions", "developer.overrides"),
        ),
        chapter(
            "plan",
            say("Plan and rules"),
            Rows(
                (
                    Row("planned", say("Plan fixed before the results"), dossier.plan(d), absent=NO_MOVE),
                    Row("deviations", say("Done otherwise than planned"), deviations, where, as_planned),
                    Row("battery_run", say("Run of the battery"), plan, "MLflow", none),
                    Row("rules", say("Digest of the rules"), facts.get("rules_digest", ""), where, none),
                    Row("looks", say("Times the hold-out was opened"), _looks(d), "MLflow"),
                )
            ),
        ),
    )


_NONE_SET = say("none was set")


def _independence(d: Dossier) -> list[Row]:
    rows = []
    for verb, what in (("validate", say("Validator")), ("approve", say("Approver"))):
        last = {e.person: e for e in d.moves if e.verb == verb}  # where a tier asks for several, each of them
        rows += [
            Row(f"independent_{verb}_{n}", what, _has_developed(d, e.person), event(e.seq))
            for n, e in enumerate(last.values(), 1)
        ] or [Row(f"independent_{verb}", what, "", "", NO_MOVE)]
    return rows


def _has_developed(d: Dossier, person: str) -> Text:
    if person in d.standing.developers:
        return say("{person}, who has developed it", person=person)
    return say("{person}, who has not developed it", person=person)


def _looks(d: Dossier) -> Text:
    counts = plans.looks(d.registered.model)
    return say("{n:,} by development, {m:,} by the battery", n=counts[DEVELOPMENT], m=counts[BATTERY])


def _evidence(d: Dossier) -> tuple[Chapter, ...]:
    b, again = d.battery, heard(d.standing.reproduced)
    return (
        chapter(
            "soundness",
            say("Conceptual soundness"),
            cards(b, BATTERY, "signs", "trends", "collinearity"),
            human.claims_sheet(d),
        ),
        chapter(
            "data",
            say("Data"),
            cards(b, BATTERY, "split_integrity", "leakage", "data_age"),
            cards(d.step(PANEL), PANEL, "samples"),
            absent("own_sample", say("A sample of the validation's own"), UNCOMPUTED),
        ),
        chapter(
            "process",
            say("Re-performance and implementation"),
            cards(b, BATTERY, "reperformance"),
            Rows((Row("reproduced", say("Developed again from its record"), again, absent=NO_MOVE),)),
        ),
        chapter("outcomes", say("Outcomes: the whole battery"), _table(d), _outcomes(d)),
        chapter(
            "challengers",
            say("Challengers"),
            cards(b, BATTERY, "challenger", "challengers"),
            cards(d.development, DEVELOPMENT, "paired"),
        ),
        chapter(
            "robustness",
            say("Sensitivity and weak spots"),
            cards(b, BATTERY, "sensitivity", "specification", "weak_spot", "overfit", "membership"),
        ),
    )


def _table(d: Dossier) -> Sheet | Rows:
    """Return every test of the battery: what it asks, on how many rows, how far from its limit, what it would see."""
    from workbench.validation import battery  # with all its tests: not for every page

    if d.battery is None:
        return absent("tests", say("Tests"), no_run(BATTERY))
    rows = [_tested(key, e) for key, e in d.battery.evidence.items() if key != "battery"]
    content = pd.DataFrame(rows, dtype=object)
    # of the lights that the battery counts; what it says of itself beside them is no test
    beside = sum(key not in battery.tests() for key in d.battery.evidence if key != "battery")
    title = say("Tests: {n}; answers about them: {beside}", n=len(rows) - beside, beside=beside)
    return Sheet(title, content, excerpts.source(d.battery, "battery"))


def _tested(key: str, e: Evidence) -> dict[str, object]:
    sight = e.sight or Sight()
    numbers = {"value": e.value if isinstance(e.value, float | int) else None, "n": sight.n, "events": sight.events}
    return {
        "light": str(e.verdict),
        "test": say(key.replace("_", " ")),
        "question": e.question,
        **numbers,
        "distance to the limit": sight.distance,
        "would have seen": sight.power,
        "threshold": e.threshold,
        "source": heard(e.source),
    }


def _outcomes(d: Dossier) -> list[Answer | Rows]:
    keys = [k for k in d.battery.evidence if k not in ELSEWHERE] if d.battery else []
    return cards(d.battery, BATTERY, *keys)


def _consequences(d: Dossier, is_first: bool) -> tuple[Chapter, ...]:
    newest = d.watched
    watched = say("{step}, last of {period}", step=newest.record.step, period=period(newest)) if newest else ""
    unwatched = say("no step of monitoring watches it")
    environment = excerpts.facts(d.battery).get("environment", "")
    first = say("it is the first version") if is_first else say("none is recorded in the chain")
    return (
        chapter(
            "monitoring",
            say("Monitoring plan"),
            Rows((Row("watched", say("Step of monitoring"), watched, absent=unwatched),)),
        ),
        chapter(
            "limitations",
            say("Limitations and compensating controls"),
            human.chapters(d, "developer.limitations"),
        ),
        chapter("findings", say("Findings"), owed.findings_sheet(d)),
        chapter("previous", say("Findings on earlier versions"), owed.findings_sheet(d, earlier=True, why=first)),
        chapter("response", say("The developer's response"), Rows((Row("answer", say("Response"), absent=NO_MOVE),))),
        chapter(
            "appendices",
            say("Appendices"),
            Rows(
                (
                    Row("template", say("ECB template"), "ecb_template.xlsx"),
                    Row("decisions", TITLES["decision_log"], "decision_log.html"),
                    Row("environment", say("Digest of the environment"), environment),
                    Row("head", say("Head of the chain"), d.chain.head),
                )
            ),
        ),
    )
