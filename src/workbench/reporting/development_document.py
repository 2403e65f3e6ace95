"""The development document: what a stranger needs to understand the model, and to develop it again."""

from __future__ import annotations

from typing import Any

import pandas as pd

from workbench.models.kinds import named
from workbench.params import UserError
from workbench.registry import differing, written
from workbench.reporting import dossier, excerpts, human, regulation_map
from workbench.reporting.document import Chapter, Document, Row, Rows, Sheet, absent, chapter
from workbench.reporting.dossier import Dossier
from workbench.reporting.excerpts import cards
from workbench.words import heard, say

NAME = "development_document"
INTAKE, PANEL, DEVELOPMENT, BATTERY = "portfolios/intake", "panel/build", "models/development", "validation/battery"
HOLDOUT = "holdout_"  # begins the names of what a model reached on the hold-out
READS_AS = {"scorecard": "points", "linear": "effects", "tree": "rules", "regression_tree": "rules"}  # kind → answer
UNCOMPUTED = say("no step computes it")


def document(d: Dossier) -> Document:
    """Return the document."""
    chapters = (*_before(d), *_model(d), *_after(d))
    return Document(NAME, chapters, tuple(human.findings(d, "developer")))


def _before(d: Dossier) -> tuple[Chapter, ...]:
    intake, panel = d.step(INTAKE), d.step(PANEL)
    record = d.development.record
    return (
        chapter("summary", say("Summary and sign-off"), Rows(tuple(_summary(d))), human.signatures(d)),
        chapter(
            "context",
            say("Business context and decision"),
            Rows((Row("study", say("Study"), heard(record.title), excerpts.source(d.development, "")),)),
            human.chapters(d, "developer.intended_use", "developer.restrictions"),
            absent("cost_of_error", say("Cost of an error"), UNCOMPUTED),
        ),
        chapter("regulation", say("Regulation"), regulation_map.rules(), regulation_map.demands()),
        chapter(
            "data",
            say("Data"),
            cards(intake, INTAKE, *_contracts(intake), "quality", "grain", "personal_data", "leakage", "snapshot"),
            Rows(
                (
                    Row("definition", say("Definition of the outcome"), dossier.definition(d)),
                    Row("five_tier", say("Reconciled with the five tiers"), absent=UNCOMPUTED),
                    Row("rejects", say("Treatment of rejected applications"), absent=UNCOMPUTED),
                )
            ),
        ),
        chapter("sampling", say("Samples and time"), cards(panel, PANEL, "samples", "base_rate"), _window(d)),
        chapter(
            "variables",
            say("Variables"),
            cards(panel, PANEL, "features"),
            cards(d.development, DEVELOPMENT, "information_value"),
        ),
    )


def _contracts(intake: dossier.Recorded | None) -> list[str]:
    return [key for key in intake.evidence if key.startswith("contract.")] if intake else []


def _summary(d: Dossier) -> list[Row]:
    made = excerpts.source(d.development, "")
    rows = [Row("kind", say("Kind of model"), named(d.model["kind"]) if d.model else "", made)]
    figures = d.development.record.figures
    for name in (n for n in figures if n.startswith(HOLDOUT)):
        measure = say(name.removeprefix(HOLDOUT).replace("_", " "))
        what = say("{figure} on the hold-out", figure=measure)
        rows.append(excerpts.figure(d.development, name, name, what))
    return rows


def _window(d: Dossier) -> Rows:
    panel = d.step(PANEL)
    given, outcome = excerpts.parameters(panel), d.contract.outcome if d.contract else None
    where = excerpts.source(panel, "params") if panel else ""
    undated = say("the rows have no dates")
    unstated = say("the outcome states no window of months") if dossier.window(given) else undated
    performance = say("{n: months}", n=outcome.window_months) if outcome and outcome.window_months else ""
    observed = say("{n: months}", n=given["observation_months"]) if dossier.window(given) else ""
    return Rows(
        (
            Row("window", say("Window"), dossier.window(given), where, undated),
            Row("observation", say("Observation window"), observed, where, undated),
            Row("performance_window", say("Performance window"), performance, where, unstated),
        )
    )


def _model(d: Dossier) -> tuple[Chapter, ...]:
    made, battery = d.development, d.battery
    chosen = [READS_AS.get(d.model.get("kind", ""), "inputs")]
    others = [key for key in dict.fromkeys(READS_AS.values()) if made and key in made.evidence and key not in chosen]
    return (
        chapter(
            "method",
            say("Method and alternatives tried"),
            cards(made, DEVELOPMENT, "choice", "paired", "tuning", "rows", *others),
            _attempts(d),
        ),
        chapter("final_model", say("Final model"), cards(made, DEVELOPMENT, *chosen, "grades"), _calibration(d)),
        chapter("performance", say("Performance"), cards(made, DEVELOPMENT, "holdout", "calibration")),
        chapter(
            "stability",
            say("Stability and sensitivity"),
            cards(battery, BATTERY, "psi_score", "psi_characteristics", "trends", "sensitivity"),
            absent("stress", say("Stress test"), UNCOMPUTED),
        ),
        chapter("explanation", say("Explanation and reasons"), cards(made, DEVELOPMENT, "inputs", "reasons")),
        chapter("fairness", say("Fairness"), cards(battery, BATTERY, "fairness", "group_calibration")),
    )


def _attempts(d: Dossier) -> Sheet:
    """Return every run of the development step, with what each reached: not the one alone that counts."""
    rows: list[dict[str, Any]] = []
    for a in d.attempts:
        reached = {n: v for n, v in a.figures.items() if n in ("holdout_auc", "holdout_spearman", "cv_gini")}
        rows.append(
            {
                "run": a.run_id,
                "period": "" if a.period == "once" else a.period,
                "began": a.began,
                "status": a.status.lower() + (", deleted" if a.is_deleted else ""),
                "of this version": say("yes") if a.run_id == d.registered.run_id else "",
                **reached,
            }
        )
    caption = say("All runs of {step}: {n:,}", step=d.development.record.step, n=len(rows))
    return Sheet(caption, pd.DataFrame(rows, dtype=object), "MLflow")


def _calibration(d: Dossier) -> Rows:
    content = dossier.model_file(d)
    shown = content.get("calibration", {})
    line = say("slope {slope:.4f}, intercept {intercept:.4f}", **shown) if set(shown) >= {"slope", "intercept"} else ""
    edges = ", ".join(f"{e:.4g}" for e in content.get("grades", {}).get("edges", []))
    where = "artifacts/model.json"
    return Rows(
        (
            Row("calibration", say("Calibration"), line, where),
            Row("grade_edges", say("Limits of the grades"), edges, where),
        )
    )


def _after(d: Dossier) -> tuple[Chapter, ...]:
    files = pd.DataFrame([{"file": n, "SHA-256": v} for n, v in d.files.items()], dtype=object)
    served = Sheet(say("Files that are served, and example rows"), files, "MLflow")
    return (
        chapter(
            "limitations",
            say("Assumptions, limitations, uncertainty"),
            human.chapters(d, "developer.limitations", "developer.overrides"),
        ),
        chapter("implementation", say("Implementation"), served if d.files else absent("served", say("Files"), _GONE)),
        chapter("monitoring_plan", say("Monitoring plan"), _plan(d)),
        chapter("changes", say("Changes against the version before"), _changes(d)),
        chapter("claims", say("Claims"), human.claims_sheet(d)),
        chapter("reproduction", say("Reproduction"), _reproduction(d)),
        chapter("annex_iv", say("Index for Annex 4 of the EU AI Act"), regulation_map.demands(regulation_map.AI_ACT)),
    )


_GONE = say("the version's files are gone")


def _plan(d: Dossier) -> Rows:
    """Return which step watches the version, and at what it rings."""
    newest = d.watched
    if newest is None:
        return absent("plan", say("Step of monitoring"), say("no step of monitoring watches it"))
    given, where = excerpts.parameters(newest), excerpts.source(newest, "params")
    ringing = {key: e for key, e in newest.evidence.items() if e.threshold}
    triggers = [Row(f"trigger_{key}", e.question, e.threshold, where) for key, e in ringing.items()]
    every = Row("every", say("How often"), say(str(given.get("every", ""))) if given.get("every") else "", where)
    return Rows((Row("plan", say("Step of monitoring"), newest.record.step, where), every, *triggers))


def _changes(d: Dossier) -> Sheet | Rows:
    model, version = d.registered.model, d.registered.version
    before = str(int(version) - 1)
    what = say("Difference")
    if before == "0":
        return absent("difference", what, say("it is the first version"))
    try:
        content = differing.versions((model, before), (model, version))
    except UserError as e:
        return absent("difference", what, say("{why}", why=str(e)))
    if content.empty:
        return absent("difference", what, say("nothing differs from version {before}", before=before))
    return Sheet(say("Version {before} against this one", before=before), content, "MLflow")


def _reproduction(d: Dossier) -> Rows:
    name, facts = f"models:/{d.registered.model}/{d.registered.version}", excerpts.facts(d.development)
    rows = [Row("command", say("Command"), f"workbench reproduce {name}")]
    where = excerpts.source(d.development, "")
    labels = {"step_key": say("Digest of all it depends on"), "commit": say("Commit of the code")}
    rows += [Row(f"{key}_of_run", what, facts.get(key, ""), where) for key, what in labels.items()]
    rows.append(Row("written", say("What people have written"), d.chapters.digest, written.place(d.registered.model)))
    return Rows(tuple(rows))
