"""What the registry holds: every version with its run, its files and the digest over all of them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench import home
from workbench.evidence import digest_folder
from workbench.params import UserError, canonical, nearest
from workbench.registry import looking, runs, store
from workbench.registry.current import Record


@dataclass(frozen=True)
class Registered:
    """A version as the registry shows it; `created`: milliseconds since 1970.

    `model_id`: the logged model that it was made of, empty where it was made of other files.
    """

    model: str
    version: str
    run_id: str
    created: int
    tags: Mapping[str, str]
    model_id: str = ""

    @property
    def name(self) -> str:
        """Model and version, as a message names them."""
        return f"{self.model} version {self.version}"

    @property
    def record(self) -> Record | None:
        """What the run that registered it wrote down; None where it left nothing."""
        return runs.record(self.run_id)


def everything(model: str = "") -> list[Registered]:
    """Return every version of every model, or of one, by name and number."""
    c, out, token = store.client(), [], None
    query = f"name = '{model}'" if model else None
    while True:
        page = c.search_model_versions(query, max_results=1000, page_token=token)
        out += [_registered(v) for v in page]
        if not (token := page.token):
            return sorted(out, key=lambda r: (r.model, int(r.version)))


def one(model: str, version: str) -> Registered:
    """Return one version; `UserError` where the registry doesn't hold it."""
    versions_ = {r.version: r for r in everything(_quotable(model))}
    if not versions_:
        names = {r.model for r in everything()}
        hint = nearest(model, names) if names else "no run has registered one yet"
        raise UserError(f"model '{model}' is not in the registry; {hint}")
    if version not in versions_:
        raise UserError(f"{model} version {version} is not in the registry; there are {', '.join(versions_)}")
    return versions_[version]


def _quotable(model: str) -> str:
    return model.replace("'", "") or "-"


def aliases(model: str) -> dict[str, str]:
    """Return the aliases of a model as the registry shows them: alias → version."""
    from mlflow.exceptions import MlflowException

    try:
        return {a: str(v) for a, v in store.client().get_registered_model(model).aliases.items()}
    except MlflowException:
        return {}


def folder(r: Registered) -> Path:
    """Return where the version's files lie: in place below `mlruns/`, else a copy."""
    address = looking.answer(
        lambda: store.client().get_model_version_download_uri(r.model, r.version), "address", r.model, r.version
    )
    if place := store.below_mlruns(address):
        return home.mlruns() / place
    return looking.answer(lambda: _copy(r.model, r.version), "copy", r.model, r.version)


def _copy(model: str, version: str) -> Path:
    import mlflow

    place = looking.folder(model, version)
    return Path(mlflow.artifacts.download_artifacts(f"models:/{model}/{version}", dst_path=str(place)))


def model_file(r: Registered) -> Path:
    """Return where a model of the workbench's own kinds lies in the version's folder; another's isn't there."""
    return folder(r) / "artifacts" / "model.json"


def files(r: Registered) -> dict[str, str]:
    """Return every file of the version with its digest, as they are now; none where its folder is gone."""
    from mlflow.exceptions import MlflowException

    try:
        place = folder(r)
        out = digest_folder(place)
    except (OSError, MlflowException):
        return {}
    if not looking.is_open() and not place.is_relative_to(home.mlruns()):  # a copy, made to be looked at
        shutil.rmtree(place, ignore_errors=True)
    return out


def digest(files_: Mapping[str, str]) -> str:
    """Return the digest over all files of a version (SHA-256, hex): names and contents."""
    return hashlib.sha256(canonical(dict(files_))).hexdigest()


def _registered(v: Any) -> Registered:
    place, _, model_id = (v.source or "").partition("models:/")
    model_id = "" if place or "/" in model_id else model_id
    return Registered(v.name, str(v.version), v.run_id or "", int(v.creation_timestamp or 0), dict(v.tags), model_id)
