"""A small bank in tests: versions registered as a run leaves them, five people with keys, and a policy."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from workbench import home
from workbench.evidence import digest_file, digest_folder
from workbench.models.scorecard import Scorecard
from workbench.models.scorer import Calibration, Scorer
from workbench.panel.bins import Bins, quantile_bins
from workbench.params import Key
from workbench.registry import current, events, moves, proof, runs, signatures, standing, versions, written
from workbench.registry.current import Record
from workbench.registry.request import Request

KEY, MODEL = Key("bank"), "bank.pd"
ROLES = {"dev": "developer", "val": "validator", "app": "approver", "second": "approver", "own": "owner"}
TIERS = """
tiers: {high: {decision: 1, research: 2}, medium: {decision: 2}, low: {decision: 3}}
by_tier:
  1: {approvers: 2, review_months: 6, minimum: {holdout_auc: 0.6}}
  2: {approvers: 1, review_months: 12, minimum: {holdout_auc: 0.6}}
  3: {approvers: 1, review_months: 24}
"""


def frame(seed: int = 0, n: int = 600) -> tuple[pd.DataFrame, np.ndarray]:
    """Return inputs and defaults of a few customers; later payments raise the odds."""
    draw = np.random.default_rng(seed)
    X = pd.DataFrame({"delay": draw.integers(0, 6, n).astype(float), "use": draw.uniform(0, 1, n)})
    odds = -2.5 + 0.6 * X["delay"] + X["use"]
    return X, (draw.uniform(size=n) < 1 / (1 + np.exp(-odds))).astype(int)


def model_file(folder: Path, seed: int = 0) -> Path:
    """Write a small scorecard with the table it was learnt from, at rest as the runner lays it; return its file."""
    X, y = frame(seed)
    card = Scorecard({"delay": 1, "use": 1}).fit(X, y)
    bytes_ = io.BytesIO()
    X.to_parquet(bytes_)
    staged = folder / "panel.parquet"
    home.put(staged, bytes_.getvalue())
    digest = digest_file(staged)
    home.put(home.mlruns() / f"tables/bank/once/mart__panel/{digest[:16]}.parquet", bytes_.getvalue())
    bins = {n: quantile_bins(X[n]) for n in X}
    reference = {n: (b, tuple(b.counts(X[n], np.ones(len(X))))) for n, b in bins.items()}
    features = {n: {"description": n, "monotone": 1, "type": "number"} for n in X}
    facts = {"panel": "mart__panel", "table.mart__panel": digest}
    grades = Bins("predicted", (0.1, 0.3))
    return Scorer("scorecard", card, Calibration(1.0, 0.0), grades, features, reference, facts).save(folder)


def registered(
    seed: int = 0, figures: dict[str, float] | None = None, verdict: str = "pass", commit: str = "0" * 40
) -> str:
    """Register a version as a study does, with a battery's run that speaks of it; return its number."""
    figures = figures or {"holdout_auc": 0.75}
    work = home.mlruns() / "work" / f"v{seed}"
    run_id = runs.start(KEY, "models/development", {"seed": seed, "step_key": f"k{seed}", "commit": commit}, "0" * 32)
    entry = versions.register(run_id, model_file(work, seed), "bank", "pd", figures)
    _ended(_record("models/development", run_id, work, figures, models={"model__pd": entry}))
    battery(seed, entry["version"], verdict)
    with current.holding("bank"):
        standing.point("bank", entry, "a note")
    shutil.rmtree(work)
    return str(entry["version"])


def battery(seed: int, version: str = "", verdict: str = "pass", start: float = 1e9) -> None:
    """Let a battery's run speak of a version (the seed's own number), as it began at a moment (seconds since 1970)."""
    work = home.mlruns() / "work" / f"b{seed}"
    left_behind = {"evidence": [{"key": "battery", "verdict": "green"}, {"key": "auc", "verdict": "green"}]}
    home.put(work / "evidence" / "evidence.json", json.dumps(left_behind).encode())
    (work / "params.json").write_text(json.dumps({"model": "pd"}))
    run_id = runs.start(KEY, "validation/battery", {"step_key": f"b{seed}"}, "0" * 32)
    tags = {"validation.verdict": verdict}
    tagged = {"model__pd": {"name": MODEL, "version": version or str(seed), "tags": tags}}
    _ended(_record(f"validation/battery@{seed}", run_id, work, {"tests": 23.0}, tags=tagged, start=start))
    shutil.rmtree(work)


def _record(step: str, run_id: str, work: Path, figures: dict[str, float], **more: Any) -> Record:
    (work / runs.RECORD).unlink(missing_ok=True)
    facts = {"study": "bank", "period": "once", "step": step, "slug": step.replace("@", "-"), "step_key": step}
    facts |= {"run_id": run_id, "status": "FINISHED", "verdict": "green", "headline": "", "seconds": 1.0}
    record = Record(**facts, start=more.pop("start", 1e9))
    record = replace(record, folder=runs.artifacts(run_id), figures=figures, files=digest_folder(work), **more)
    record = replace(record, facts=proof.facts(run_id))
    (work / runs.RECORD).write_text(record.to_json())
    runs.log_figures(run_id, figures)
    runs.keep(run_id, work)
    return record


def _ended(record: Record) -> None:
    proof.bind(record)
    current.put(record)
    runs.end(record.run_id, "FINISHED", runs.ended_with(record.verdict, record.headline))


def policy(exposure: str = "medium", **more: dict) -> dict:
    """Return the policy file's content: five people, one model of a tier."""
    listed = {"owner": "own", "developers": ["dev"], "exposure": exposure, "purpose": "decision"}
    people = {p: {"roles": [role], "key": signatures.public(p)} for p, role in ROLES.items()}
    models = {MODEL: {**listed, "justification": "decides on every loan"}}
    return {"people": people, "models": models, **yaml.safe_load(TIERS), **more}


def write_chapters(**more: dict) -> None:
    """Write what people say of the model: every chapter, with one claim that holds."""
    developer = dict.fromkeys(("restrictions", "limitations", "overrides"), "As the policy has it.")
    developer["intended_use"] = "Decides on loans: {{claim: holdout_auc >= 0.5}}."
    sections = {"developer": developer, "validator": {"opinion": 2, "assessment": "Sound."}}
    content = {name: {**section, **more.get(name, {})} for name, section in sections.items()}
    home.put(home.root() / written.place(MODEL), yaml.safe_dump(content).encode())


def write_policy(content: dict) -> None:
    """Write params/governance.yaml, and the chapters beside it where there are none."""
    if not (home.root() / written.place(MODEL)).exists():
        write_chapters()
    place = home.root() / "params" / "governance.yaml"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(yaml.safe_dump(content))


def keys() -> None:
    """Give everybody a private key where `XDG_CONFIG_HOME` says."""
    for person in ROLES:
        if not signatures.place(person).exists():
            signatures.generate(person)


def move(verb: str, person: str, version: str = "1", **more: object) -> events.Event:
    """Make a move of the model."""
    return moves.make(Request(verb, MODEL, version, person, **more))


def champion(version: str = "1") -> None:
    """Take a version from candidate to champion."""
    approved(version)
    move("promote", "own", version)


def approved(version: str) -> None:
    """Take a version from candidate to approved."""
    for verb, person in (("submit", "dev"), ("validate", "val"), ("approve", "app")):
        move(verb, person, version)
