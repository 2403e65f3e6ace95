"""The model card: what a user of the model reads before using it, on one or two pages."""

from __future__ import annotations

from workbench.models.kinds import named
from workbench.reporting import dossier, excerpts, human
from workbench.reporting.development_document import BATTERY, DEVELOPMENT, PANEL
from workbench.reporting.document import Document, Row, Rows, chapter
from workbench.reporting.dossier import Dossier
from workbench.reporting.excerpts import cards
from workbench.reporting.models import stated
from workbench.words import heard, say

NAME = "model_card"


def document(d: Dossier) -> Document:
    """Return the card."""
    made, outcome = excerpts.source(d.development, ""), d.contract.outcome if d.contract else None
    conditions = "; ".join(d.standing.conditions)
    panel = d.step(PANEL)
    where = excerpts.source(panel, "params") if panel else ""
    what = (
        Row("kind", say("Kind of model"), named(d.model["kind"]) if d.model else "", made),
        Row("predicts", say("What it predicts"), outcome.predicted if outcome else "", made),
        Row("definition", say("Definition of the outcome"), dossier.definition(d), where),
        Row("window", say("Window"), dossier.window(excerpts.parameters(panel)), where, say("the rows have no dates")),
        Row("state", say("State"), heard(stated(d.standing))),
        Row("conditions", say("Conditions"), conditions, absent=say("none was set"), typed=True),
    )
    chapters = (
        chapter("what", say("What it is"), Rows(what)),
        chapter("use", say("Use"), human.chapters(d, "developer.intended_use", "developer.restrictions")),
        chapter("performance", say("Performance"), cards(d.development, DEVELOPMENT, "holdout", "grades")),
        chapter("inputs", say("Inputs"), cards(d.development, DEVELOPMENT, "inputs")),
        chapter("fairness", say("Fairness"), cards(d.battery, BATTERY, "fairness")),
        chapter("limits", say("Limits"), human.chapters(d, "developer.limitations", "developer.overrides")),
    )
    return Document(NAME, chapters, tuple(human.findings(d, "developer")))
