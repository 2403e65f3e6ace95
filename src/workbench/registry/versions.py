"""Model versions: registered with their digest, loaded only if the bytes still match, tagged with verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import pandas as pd

from workbench import tables
from workbench.evidence import digest_file
from workbench.models import pd_model
from workbench.models.pd_model import PdModel
from workbench.params import UserError
from workbench.registry import store

ALIAS = "challenger"
REQUIREMENTS = ("pandas", "numpy", "scipy", "scikit-learn", "xgboost", "pydantic")


@dataclass(frozen=True)
class Version:
    """A registered version: the model, where it came from and what development claimed of it."""

    name: str
    version: str
    run_id: str
    digest: str
    model: PdModel
    figures: Mapping[str, float]

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the model was made from."""
        return self.model.facts


def register(run_id: str, path: Path, study: str, model: str) -> dict[str, str]:
    """Register the model file a run left as a new version, point `challenger` to it, and pin it in the study.

    Logged with signature, input example (typical values, no real customer) and data digest. A file that is
    registered already, byte for byte, keeps its version and with it what validation said of it.
    """
    import mlflow
    from mlflow.models import infer_signature

    store.client()
    loaded, digest, name = pd_model.load(path), digest_file(path), f"{study}.{model}"
    if facts := _registered(name, digest):
        pin(study, model, digest, facts)
        return {**facts, "digest": digest}
    example = _example(loaded)
    out = pd.DataFrame(
        {
            "pd": loaded.pd(example),
            "score": loaded.score(example),
            "grade_code": loaded.grade(loaded.pd(example)),
        }
    )
    with mlflow.start_run(run_id=run_id, log_system_metrics=False):
        info = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(Path(__file__).with_name("served.py")),
            artifacts={"model": str(path)},
            signature=infer_signature(example, out),
            input_example=example,
            pip_requirements=[f"{r}=={installed(r)}" for r in REQUIREMENTS],
            metadata={
                "sha256": digest,
                **{k: str(v) for k, v in loaded.facts.items() if k.startswith("table.")},
            },
        )
    version = _new_version(name, info, run_id)
    _tag(
        name,
        version,
        {"sha256": digest, "kind": loaded.kind, "study": study, "run_id": run_id, "state": "candidate"},
    )
    facts = {"version": version, "name": name, "run_id": run_id}
    pin(study, model, digest, facts)
    return {**facts, "digest": digest}


def _registered(name: str, digest: str) -> dict[str, str]:
    found = store.client().search_model_versions(f"name = '{name}' and tags.sha256 = '{digest}'", max_results=1)
    return {"version": str(found[0].version), "name": name, "run_id": found[0].run_id} if found else {}


def _new_version(name: str, info: Any, run_id: str) -> str:
    from mlflow.exceptions import MlflowException

    c = store.client()
    try:
        c.get_registered_model(name)
    except MlflowException:
        c.create_registered_model(name)
    return str(c.create_model_version(name, info.model_uri, run_id, model_id=info.model_id).version)


def pin(study: str, model: str, digest: str, facts: Mapping[str, str]) -> None:
    """Let the study's later steps and the alias `challenger` use this version."""
    tables.pin(study, f"model__{model}", digest, dict(facts))
    store.client().set_registered_model_alias(facts["name"], ALIAS, facts["version"])


def _example(model: PdModel) -> pd.DataFrame:
    """Typical inputs: the low, middle and high of every number's bins, the first categories."""
    columns = {}
    for name, words in model.features.items():
        bins = model.reference[name][0]
        if bins.groups:
            columns[name] = [bins.groups[min(i, len(bins.groups) - 1)][0] for i in range(3)]
        else:
            edges = bins.edges or (0.0,)
            columns[name] = [float(edges[int(i * (len(edges) - 1) / 2)]) for i in range(3)]
        if words["type"] not in ("number", "integer") and not bins.groups:
            columns[name] = ["missing"] * 3
    return pd.DataFrame(columns)


def load(study: str, model: str = "pd") -> Version:
    """Return the study's registered version; `UserError` where there is none or its bytes have changed."""
    import mlflow

    pinned = tables.pinned(study, f"model__{model}")
    if pinned is None:
        raise UserError(f"study '{study}' has no registered model '{model}': `workbench run params/{study}.yaml`")
    c = store.client()
    found = c.get_model_version(pinned["name"], pinned["version"])
    folder = Path(mlflow.artifacts.download_artifacts(f"models:/{found.name}/{found.version}"))
    loaded = pd_model.load(folder / "artifacts" / pd_model.FILE, pinned["digest"])
    tables.note_read(f"model__{model}", pinned["digest"])
    figures = c.get_run(found.run_id).data.metrics
    return Version(found.name, str(found.version), found.run_id, pinned["digest"], loaded, figures)


def tag(version: Version, facts: Mapping[str, str]) -> None:
    """Write facts, such as the validation's verdict, to a version's tags."""
    _tag(version.name, version.version, facts)


def _tag(name: str, version: str, facts: Mapping[str, str]) -> None:
    for key, value in facts.items():
        store.client().set_model_version_tag(name, version, key, str(value)[:5000])
