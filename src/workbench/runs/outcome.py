"""What becomes of an executed notebook: checked, scanned for personal data, kept in the store, shown as a page."""

from __future__ import annotations

import json
import re
import shutil
import time
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from workbench import home, pseudonyms, tables
from workbench.evidence import LEFT_BEHIND, Verdict, digest_file, digest_folder
from workbench.params import UserError
from workbench.registry import current, linked, proof, provenance, runs, versions
from workbench.registry.current import Record
from workbench.reporting import attached as beside
from workbench.reporting import page, privacy, streams
from workbench.reporting.headline import headline
from workbench.runs import listed, settling
from workbench.runs.notebook import StepFailed
from workbench.runs.study import Step, Study
from workbench.words import catalogue


def begun(study: Study, step: Step, run_id: str, step_key: str) -> Record:
    """Return the record of a run that begins."""
    experiment = runs.store.experiment(study.name)
    return Record(
        study=study.name,
        period=step.key.period,
        step=step.name,
        slug=step.slug,
        run_id=run_id,
        step_key=step_key,
        status="RUNNING",
        verdict="",
        headline="",
        start=time.time(),
        seconds=0.0,
        title=study.title,
        owner=study.owner,
        simulated=study.simulated,
        link=runs.link(experiment, run_id),
        reads=step.reads,
        description=study.description,
        language=study.language,
    )


def verified(step: Step, work: Path) -> dict[str, Any]:
    """Return what the step left, or raise `StepFailed`: no end marker, changed files, other writes than declared."""
    marker = work / "evidence" / LEFT_BEHIND
    if not marker.exists():
        raise StepFailed(0, "the notebook ended without evidence.leave(...)")
    left_behind = json.loads(marker.read_text())
    for name, digest in left_behind["files"].items():
        if digest_file(marker.parent / name) != digest:
            raise StepFailed(0, f"evidence file {name} is not what the notebook left")
    _as_declared(step, _written(marker.parent, left_behind))
    known = {n.lstrip("?") for n in (*step.reads, *step.writes)}
    if more := sorted(set(left_behind["tables"]["read"]) - known):
        raise StepFailed(0, f"the notebook read {', '.join(more)}, which `reads` of its module doesn't declare")
    for name in left_behind["tags"]:
        if name not in known:
            raise StepFailed(0, f"the notebook proposes tags for {name}, which it neither reads nor writes")
    return left_behind


def _written(folder: Path, left_behind: dict[str, Any]) -> set[str]:
    """Return the names the step wrote, their staged files held against their digests."""
    for name, digest in left_behind["tables"]["written"].items():
        file = folder / tables.STAGED / f"{name}.parquet"
        if not file.exists() or digest_file(file) != digest:
            raise StepFailed(0, f"table {name} is not what the notebook wrote")
    model = {tables.MODEL} if (folder / "model" / "model.json").exists() else set()
    return {*left_behind["tables"]["written"], *model}


def _as_declared(step: Step, written: set[str]) -> None:
    """Raise `StepFailed` where the step wrote less or more than its module's `writes` says."""
    names = {re.sub(rf"^(\??{tables.MODEL}).*", r"\1", w) for w in step.writes}
    missing = sorted(n for n in names - written if not n.startswith("?"))
    more = sorted(written - {n.lstrip("?") for n in names})
    models = [w for w in step.writes if w.startswith(tables.MODEL)]
    if missing:
        what = ", ".join(f"model/model.json ({models[0]})" if n == tables.MODEL else n for n in missing)
        raise StepFailed(0, f"the notebook did not write {what}, which `writes` of its module declares")
    if more:
        what = ", ".join("model/model.json" if n == tables.MODEL else n for n in more)
        raise StepFailed(0, f"the notebook wrote {what}, which `writes` of its module doesn't declare")


def keep(study: Study, step: Step, record: Record, work: Path, left_behind: dict[str, Any]) -> Record:
    """Keep what the step left: tables, model, page, run; then let every name and page say it. Return the record.

    A crash before the run is FINISHED leaves nothing moved; one after it is put right at the next start.
    """
    refuse_personal(study, step, work)
    listed.refuse(step, work)
    staged = work / "evidence" / tables.STAGED
    entries = {n: tables.keep(step.key, n, staged) for n in left_behind["tables"]["written"]}
    shutil.rmtree(staged, ignore_errors=True)
    models = _registered(step, record.run_id, work, left_behind)
    _series(work, left_behind["series"])
    attached, facts = _attached(step, work), _facts(study, step, record)
    for name in attached:
        beside.stamp(work / "evidence" / name, facts)
    html = page.render(work / "notebook.ipynb", left_behind, facts | {"attached": attached})
    (work / "page.html").write_text(html, encoding="utf-8")
    (work / provenance.PACKAGES).write_text(provenance.packages(), encoding="utf-8")
    record = replace(
        record,
        status="FINISHED",
        verdict=left_behind["verdict"],
        headline=headline(left_behind, step.name),
        seconds=time.time() - record.start,
        folder=runs.artifacts(record.run_id),
        figures=left_behind["figures"],
        tables=entries,
        models=models,
        tags=_proposed(step, models, left_behind["tags"]),
        files=digest_folder(work),
        pages=_pages(step, attached),
        facts=proof.facts(record.run_id),
        inputs=left_behind["tables"]["read"],
    )
    (work / runs.RECORD).write_text(record.to_json(), encoding="utf-8")
    _log(step, record, work, left_behind)
    proof.bind(record)
    current.put(record, current.SETTLING)
    runs.end(record.run_id, "FINISHED", runs.ended_with(record.verdict, record.headline))
    settling.settle(record)
    shutil.rmtree(work, ignore_errors=True)
    return record


def rung(record: Record) -> list[str]:
    """Put the champion that a red monitoring step has watched under review; return what happened, in lines."""
    if not record.step.startswith("monitoring/") or record.verdict != Verdict.red:
        return []
    from workbench.registry import ringing

    watched = [tables.pinned(record.key, n.lstrip("?")) for n in record.reads if n.lstrip("?").startswith(tables.MODEL)]
    reason = f"{record.step} of {record.period} is red: {record.headline}"[:500]
    return [line for e in watched if e and (line := ringing.review(e["name"], str(e["version"]), reason))]


def _log(step: Step, record: Record, work: Path, left_behind: dict[str, Any]) -> None:
    read = left_behind["tables"]["read"]
    models = [e for n in read if n.startswith(tables.MODEL) and (e := tables.pinned(record.key, n))]
    used = linked.logged_models(record.run_id, [e for e in models if "version" in e])
    made = [linked.model_id(e["name"], e["version"]) for e in record.models.values()]
    data = next(((n, d) for n, d in read.items() if not n.startswith(tables.MODEL) and ":" not in n), ("", ""))
    runs.log_figures(record.run_id, left_behind["figures"], next(iter([*made, *used]), ""), data)
    runs.log_inputs(record.run_id, read.items())
    _log_raw(step, record.run_id)
    runs.log_series(record.run_id, left_behind["series"])
    runs.keep(record.run_id, work)


def _log_raw(step: Step, run_id: str) -> None:
    """Name the raw data behind the study: each file as it was when the step began, a simulation by its parameters."""
    module = import_module(step.module)
    if not hasattr(module, "raw_files"):
        return
    begun_with, raw = runs.params(run_id), module.raw_files(step.params)
    files = [(f.name, begun_with[f"input.file.{i}"]) for i, f in enumerate(step.files, 1) if f.name in raw]
    runs.log_inputs(run_id, dict.fromkeys(files), "file")
    runs.log_inputs(run_id, module.simulated(step.params).items(), "simulation")


def _registered(step: Step, run_id: str, work: Path, left_behind: dict[str, Any]) -> dict[str, dict[str, Any]]:
    file = work / "evidence" / "model" / "model.json"
    if not file.exists():
        return {}
    name = next(w.lstrip("?") for w in step.writes if w.lstrip("?").startswith(tables.MODEL))
    model = name.removeprefix(tables.MODEL)
    return {name: versions.register(run_id, file, step.key.study, model, left_behind["figures"])}


def _proposed(step: Step, models: dict[str, dict[str, Any]], tags: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Return the proposed tags with the version they are for: the one just registered, else the one that was read."""
    proposed = {}
    for name, facts in tags.items():
        entry = models.get(name) or tables.pinned(step.key, name)
        if entry is None or "version" not in entry:
            raise StepFailed(0, f"the notebook proposes tags for {name}, which is no registered model")
        proposed[name] = {"name": entry["name"], "version": entry["version"], "tags": facts}
    return proposed


def _series(work: Path, series: dict[str, dict[str, float]]) -> None:
    """Write figures by period as the table MLflow shows beside the run."""
    if rows := [(name, period, value) for name, values in series.items() for period, value in values.items()]:
        table = {"columns": ["figure", "period", "value"], "data": rows}
        (work / "series.json").write_text(json.dumps(table), encoding="utf-8")


def _facts(study: Study, step: Step, record: Record) -> dict[str, Any]:
    return {
        "study": study.name,
        "title": study.title,
        "owner": study.owner,
        "description": study.description,
        "period": step.key.period,
        "language": study.language,
        "simulated": study.simulated,
        "step": step.name,
        "run_id": record.run_id,
        "start": record.start,
        "link": record.link,
        "steps": [(s.name, f"{s.key.place}/{s.slug}") for s in study.steps],
        "place": f"{step.key.place}/{step.slug}",
        "params": step.params.model_dump(mode="json"),
    }


def _pages(step: Step, attached: dict[str, str]) -> dict[str, str]:
    """Return artifact → place below `reports/` of the step's page and of those attached to it."""
    page_ = f"{step.key.place}/{step.slug}.html"
    beside = page_.rpartition("/")[0]
    return {"page.html": page_, **{f"evidence/{n}": f"{beside}/{place}" for n, place in attached.items()}}


def _attached(step: Step, work: Path) -> dict[str, str]:
    """Return whole pages the step left besides its notebook: name → place beside the step's page."""
    folder = work / "evidence"
    pages = [p.relative_to(folder) for p in sorted(folder.glob("*/*.html"))]
    return {str(p): f"{Path(step.slug).name}-{p.parent}/{p.name}" for p in pages}


def refuse_personal(study: Study, step: Step, work: Path) -> None:
    """Raise `UserError` (nothing is kept then) where notebook, evidence or parameters show personal data."""
    streams.masked(work / "notebook.ipynb")
    (work / "params.json").write_text(json.dumps(step.params.model_dump(mode="json"), ensure_ascii=False))
    known = "\n".join((step.notebook.read_text(encoding="utf-8"), *catalogue.words()))
    key = pseudonyms.key(home.mlruns())
    by_file = privacy.scan_files([work], pseudonyms.load_fingerprints(home.mlruns(), study.name), key, known)
    for path, findings in by_file.items():
        first, place = findings[0], path.relative_to(work)
        shutil.rmtree(work)
        raise UserError(
            f"{step.name}: {place} shows personal data ({first.kind} {first.masked}, {len(findings)} in all);"
            " nothing was kept; drop or pseudonymise it"
        )


def keep_failed(study: Study, step: Step, record: Record, work: Path, error: str) -> str:
    """Remember that the step failed; return where its half-run notebook lies, unless that shows personal data."""
    record = replace(record, status="FAILED", verdict="error", headline=error, seconds=time.time() - record.start)
    current.put(record, current.FAILED)
    source = work / "notebook.ipynb"
    if not source.exists():
        return ""
    try:
        refuse_personal(study, step, work)
    except UserError:
        return ""
    target = settling.failed_notebook(record)
    home.put(target, source)
    shutil.rmtree(work / "evidence" / tables.STAGED, ignore_errors=True)
    runs.keep(record.run_id, work)
    shutil.rmtree(work, ignore_errors=True)
    return str(target.relative_to(home.root()))
