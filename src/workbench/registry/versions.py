"""Model versions: registered with their digest, loaded only if the bytes still match, tagged with verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from workbench import home, tables
from workbench.evidence import digest_file, digest_folder
from workbench.models import scorer
from workbench.models.scorer import Scorer
from workbench.params import Key, UserError
from workbench.registry import copies, proof, provenance, runs, store
from workbench.registry.current import Record

REQUIREMENTS = ("loan-workbench", "pandas", "numpy", "scipy", "scikit-learn", "xgboost", "pydantic")


@dataclass(frozen=True)
class Version:
    """A registered version: the model, where it came from and what development claimed of it."""

    name: str
    version: str
    run_id: str
    digest: str
    model: Scorer
    figures: Mapping[str, float]

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the model was made from."""
        return self.model.facts


def register(run_id: str, path: Path, study: str, model: str, figures: Mapping[str, float]) -> dict[str, Any]:
    """Register the model file a run left as a new version and return what its name shall point to; moves no alias.

    Logged with signature, input example (typical values, no real customer) and data digest. A file that is
    registered already, byte for byte, keeps its version and with it what validation said of it; but where a commit
    holds all the code of this run and none that of the other, which could never be submitted, it is one of its own.
    """
    store.client()
    loaded, digest, name = scorer.load(path), digest_file(path), f"{study}.{model}"
    version = _registered(name, digest, _is_committed(run_id))
    version = version or _new_version(name, _logged(run_id, path, loaded, digest, model), run_id)
    facts = {"sha256": digest, "kind": loaded.kind, "study": study, "run_id": version.run_id, "state": "candidate"}
    for k, v in facts.items():
        if version.tags.get(k) is None:
            store.client().set_model_version_tag(name, version.version, k, v)
    recorded = runs.figures(version.run_id)
    place = store.below_mlruns(store.client().get_model_version_download_uri(name, version.version))
    return {
        "digest": digest,
        "name": name,
        "version": str(version.version),
        "kind": loaded.kind,
        "run_id": version.run_id,
        "figures": dict(recorded or figures),
        "folder": place,
        "files": digest_folder(home.mlruns() / place) if place else _on_server(name, str(version.version)),
    }


def _on_server(name: str, version: str) -> dict[str, str]:
    """Return the digests of what a server keeps of a version, looked at in a copy."""
    import mlflow

    with TemporaryDirectory() as folder:
        return digest_folder(Path(mlflow.artifacts.download_artifacts(f"models:/{name}/{version}", dst_path=folder)))


def _registered(name: str, digest: str, committed: bool) -> Any:
    """Return the version that holds this very model, whole; what a run that came to no end has registered is removed.

    One whose files or run were changed since is passed over, and where `committed` one of a run whose code no commit
    holds: the model is registered anew beside it.
    """
    for version in store.client().search_model_versions(f"name = '{name}' and tags.sha256 = '{digest}'"):
        record = runs.record(version.run_id)
        if record is None and runs.status(version.run_id) in ("FAILED", "KILLED"):
            store.client().delete_model_version(name, version.version)
        elif record is None or (committed and not _is_committed(version.run_id)):
            continue
        elif _is_whole(name, str(version.version), record):
            return version
    return None


def _is_committed(run_id: str) -> bool:
    return provenance.is_clean(runs.params(run_id).get(provenance.COMMIT, ""))


def _is_whole(name: str, version: str, record: Record) -> bool:
    """Say whether the run that registered a version still stands, and the version's files are those it logged."""
    if proof.fault(record):
        return False
    entries = [e for e in record.models.values() if (e["name"], e["version"]) == (name, version)]
    there = (digest_folder(home.mlruns() / e["folder"]) if e["folder"] else _on_server(name, version) for e in entries)
    return any(files == e["files"] for files, e in zip(there, entries, strict=True))


def _logged(run_id: str, path: Path, loaded: Scorer, digest: str, model: str) -> Any:
    import mlflow
    from mlflow.models import infer_signature

    example = _example(loaded)
    with mlflow.start_run(run_id=run_id, log_system_metrics=False):
        info = mlflow.pyfunc.log_model(
            name=model,
            python_model=str(Path(__file__).with_name("served.py")),
            artifacts={"model": str(path)},
            signature=infer_signature(example, loaded.scored(example)),
            input_example=example,
            pip_requirements=[
                f"{r}=={installed(r)}" for r in (*REQUIREMENTS, *getattr(loaded.estimator, "PACKAGES", ()))
            ],
            metadata={
                "sha256": digest,
                **{k: str(v) for k, v in loaded.facts.items() if k.startswith("table.")},
            },
        )
    store.client().update_run(run_id, "RUNNING")  # leaving the block has ended it, and it isn't at its end
    return info


def _new_version(name: str, info: Any, run_id: str) -> Any:
    from mlflow.exceptions import MlflowException

    c = store.client()
    try:
        c.get_registered_model(name)
    except MlflowException:
        c.create_registered_model(name)
    return c.create_model_version(name, info.model_uri, run_id, model_id=info.model_id)


def _example(model: Scorer) -> pd.DataFrame:
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


def load(key: Key, model: str = "pd") -> Version:
    """Return the study's registered version, changing nothing; `UserError` where there is none or its bytes changed."""
    pinned = tables.pinned(key, tables.of_model(model))
    if pinned is None:
        raise UserError(f"{key} has no registered model '{model}': `{key.command}`")
    file = _folder(pinned) / "artifacts" / scorer.FILE
    if not file.exists():
        raise UserError(f"model {pinned['name']} version {pinned['version']}: its file is gone; `{key.command}`")
    if changed := _changed_file(pinned):
        raise UserError(
            f"model {pinned['name']} version {pinned['version']}: {changed} is not as it was registered;"
            f" `{key.command}` registers it anew"
        )
    loaded = scorer.load(file, pinned["digest"])
    tables.note_read(tables.of_model(model), pinned["digest"])
    return Version(pinned["name"], pinned["version"], pinned["run_id"], pinned["digest"], loaded, pinned["figures"])


def _changed_file(pinned: Mapping[str, Any]) -> str:
    """Return a file of the version that was changed, added or lost, the model's own apart: its loader looks at that."""
    there, logged = digest_folder(_folder(pinned)) if pinned["folder"] else {}, pinned["files"]
    names = {*there, *logged} - {f"artifacts/{scorer.FILE}"} if pinned["folder"] else set()
    return min((n for n in names if there.get(n) != logged.get(n)), default="")


def _folder(pinned: Mapping[str, Any]) -> Path:
    """Return the version's folder: in place below `mlruns/`, else a copy, for MLflow writes into what it hands out."""
    if pinned["folder"]:
        return home.mlruns() / pinned["folder"]
    import mlflow

    store.client()
    name, version = pinned["name"], str(pinned["version"])
    target = str(copies.place(name, version))
    return Path(mlflow.artifacts.download_artifacts(f"models:/{name}/{version}", dst_path=target))
