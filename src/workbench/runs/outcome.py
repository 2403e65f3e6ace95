"""What becomes of an executed notebook: checked, scanned for personal data, logged, shown as a page."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from workbench import home, pseudonyms, tables
from workbench.evidence import LEFT_BEHIND, Verdict, digest_file
from workbench.params import UserError
from workbench.registry import runs, versions
from workbench.reporting import index as index_page
from workbench.reporting import page, privacy
from workbench.runs.notebook import StepFailed
from workbench.runs.study import Step, Study

_TOLD = (Verdict.error, Verdict.red, Verdict.amber)


def verified(step: Step, work: Path) -> dict[str, Any]:
    """Return what the step left, or raise `StepFailed`: no end marker, changed files, tables not written."""
    marker = work / "evidence" / LEFT_BEHIND
    if not marker.exists():
        raise StepFailed(0, "the notebook ended without evidence.leave(...)")
    left = json.loads(marker.read_text())
    for name, digest in left["files"].items():
        if digest_file(marker.parent / name) != digest:
            raise StepFailed(0, f"evidence file {name} is not what the notebook left")
    due = [t for t in step.writes if not t.startswith("model__")]
    if missing := [t for t in due if t not in left["tables"]["written"]]:
        raise StepFailed(0, f"the notebook did not write {', '.join(missing)}")
    return left


def keep(study: Study, step: Step, run_id: str, work: Path, left: dict[str, Any]) -> tuple[str, str]:
    """Log the step to MLflow, register its model, write its page; return the verdict and the headline."""
    refuse_personal(study, step, work)
    pins = {t: tables.pinned(study.name, t) for t in step.writes if not t.startswith("model__")}
    model = work / "evidence" / "model" / "model.json"
    if model.exists():
        name = next(w for w in step.writes if w.startswith("model__")).removeprefix("model__")
        versions.register(run_id, model, study.name, name)
        pins[f"model__{name}"] = tables.pinned(study.name, f"model__{name}")
    elif any(w.startswith("model__") for w in step.writes):
        raise StepFailed(0, "the notebook left no model/model.json")
    (work / "kept.json").write_text(json.dumps({"pins": pins, "params": step.params.model_dump(mode="json")}, indent=1))
    headline = _headline(left, step.name)
    html = page.render(work / "notebook.ipynb", left, _facts(study, step, run_id) | {"attached": _attached(step, work)})
    (work / "page.html").write_text(html, encoding="utf-8")
    runs.keep(run_id, work, left["figures"])
    runs.end(run_id, "FINISHED", {"verdict": left["verdict"], "headline": headline})
    _publish(study.name, step, work)
    shutil.rmtree(work, ignore_errors=True)
    return left["verdict"], headline


def _facts(study: Study, step: Step, run_id: str) -> dict[str, Any]:
    experiment = runs.store.experiment(study.name)
    return {
        "study": study.name,
        "title": study.title,
        "simulated": study.simulated,
        "step": step.name,
        "run_id": run_id,
        "link": runs.link(experiment, run_id),
        "steps": [(s.name, s.slug) for s in study.steps],
        "slug": step.slug,
        "params": step.params.model_dump(mode="json"),
    }


def _headline(left: dict[str, Any], step: str) -> str:
    """Evidence called like the step speaks for the whole of it; else the worst."""
    own = [e for e in left["evidence"] if e["key"] == step.rsplit("/", 1)[-1].split("@")[0]]
    told = [e for e in left["evidence"] if e["verdict"] in _TOLD]
    return (own or told or left["evidence"] or [{"answer": ""}])[0]["answer"]


def _publish(study: str, step: Step, work: Path) -> None:
    target = home.reports() / study / f"{step.slug}.html"
    _replace(work / "page.html", target)
    for name, place in _attached(step, work).items():
        _replace(work / "evidence" / name, target.parent / place)


def _attached(step: Step, work: Path) -> dict[str, str]:
    """Return whole pages the step left besides its notebook: name → place beside the step's page."""
    folder = work / "evidence"
    found = [p.relative_to(folder) for p in sorted(folder.glob("*/*.html"))]
    return {str(p): f"{Path(step.slug).name}-{p.parent}/{p.name}" for p in found}


def _replace(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    shutil.copyfile(source, part)
    part.rename(target)


def restore_page(study: str, step: Step, run_id: str) -> None:
    """Bring back the page of a step taken from its last good run, where it is no longer there."""
    target = home.reports() / study / f"{step.slug}.html"
    if not target.exists():
        _publish(study, step, runs.fetch(run_id, "page.html").parent)


def refuse_personal(study: Study, step: Step, work: Path) -> None:
    """Raise `UserError` (nothing is kept then) where notebook, evidence or parameters show personal data."""
    (work / "params.json").write_text(json.dumps(step.params.model_dump(mode="json"), ensure_ascii=False))
    known = step.notebook.read_text(encoding="utf-8")
    key = pseudonyms.key(home.mlruns())
    found = privacy.scan_files([work], pseudonyms.load_fingerprints(home.mlruns(), study.name), key, known)
    for path, findings in found.items():
        first, place = findings[0], path.relative_to(work)
        shutil.rmtree(work)
        raise UserError(
            f"{step.name}: {place} shows personal data ({first.kind} {first.masked}, {len(findings)} in all);"
            " nothing was kept; drop or pseudonymise it"
        )


def keep_failed(study: Study, step: Step, run_id: str, work: Path) -> str:
    """Keep the half-run notebook below reports/ and in the run, unless it shows personal data; return its place."""
    source = work / "notebook.ipynb"
    if not source.exists():
        return ""
    try:
        refuse_personal(study, step, work)
    except UserError:
        return ""
    target = home.reports() / study.name / f"{step.slug}.failed.ipynb"
    _replace(source, target)
    runs.keep(run_id, work, {})
    shutil.rmtree(work, ignore_errors=True)
    return str(target.relative_to(home.root()))


def index() -> Path:
    """Write reports/index.html from what MLflow remembers, and return its path."""
    rows = {name: runs.latest(name) for name in runs.studies()}
    target = home.reports() / "index.html"
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(".index.part")
    part.write_text(index_page.render(rows, home.reports()), encoding="utf-8")
    part.rename(target)
    return target
