"""What the model registry says of a version, held to what the current runs say: alias, tags, descriptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.registry import current, linked, store

ALIAS = "candidate"  # the version that the study's latest run made; champion and challenger are the life cycle's
_GONE = "Deleted_Internal"  # as MLflow marks a version that was deleted


def exists(entry: Mapping[str, Any]) -> bool:
    """Say whether the version is registered; read without opening MLflow where it can be."""
    name, version = entry["name"], entry["version"]
    rows = store.ask(
        "SELECT 1 FROM model_versions WHERE name = ? AND version = ? AND current_stage != ?", name, int(version), _GONE
    )
    return _registered(name, version) if rows is None else bool(rows)


def versions() -> list[tuple[str, str]]:
    """Return every version that is registered, model and number; read without opening MLflow where it can be."""
    rows = store.ask("SELECT name, version FROM model_versions WHERE current_stage != ?", _GONE)
    if rows is None:
        from workbench.registry import registered

        rows = [(v.model, v.version) for v in registered.everything()]
    return [(name, str(version)) for name, version in rows]


def holds(entry: Mapping[str, Any]) -> bool:
    """Say whether the alias `candidate` points to the version."""
    name, version = entry["name"], entry["version"]
    rows = store.ask("SELECT version FROM registered_model_aliases WHERE name = ? AND alias = ?", name, ALIAS)
    return (_alias(name) if rows is None else "".join(str(v) for (v,) in rows)) == version


def notes(entry: Mapping[str, Any], note: str) -> bool:
    """Say whether this is what the registry says of the model; read without opening MLflow where it can be."""
    name = entry["name"]
    rows = store.ask("SELECT description FROM registered_models WHERE name = ?", name)
    if rows is None:
        return bool(store.client().get_registered_model(name).description == note)
    return [str(text) for (text,) in rows] == [note]


def says(verdict: Mapping[str, Any]) -> bool:
    """Say whether the version's tags are those that the current run says."""
    name, version = verdict["name"], verdict["version"]
    there = tags(name, version)
    return all(there.get(k) == v for k, v in verdict["tags"].items())


def tags(name: str, version: str) -> dict[str, str]:
    """Return the tags of a registered version; read without opening MLflow where it can be."""
    rows = store.ask("SELECT key, value FROM model_version_tags WHERE name = ? AND version = ?", name, int(version))
    return dict(rows) if rows is not None else dict(store.client().get_model_version(name, version).tags)


def facts(study: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a version's tags say of what it is, in the form of what a step says of it."""
    values = {"sha256": entry["digest"], "kind": entry["kind"], "study": study, "run_id": entry["run_id"]}
    return {"name": entry["name"], "version": entry["version"], "tags": values}


def point(study: str, entry: Mapping[str, Any], note: str) -> None:
    """Let the alias `candidate` name this version, and model and version say what they are; for the runner alone."""
    current.must_hold(study)
    c, name, version = store.client(), entry["name"], entry["version"]
    c.set_registered_model_alias(name, ALIAS, version)
    c.update_registered_model(name, note)
    linked.describe(name, version, linked.of_run(entry["run_id"], "development"), f"{_what(entry)}. {note}")


def unpoint(study: str, entry: Mapping[str, Any]) -> None:
    """Take the alias `candidate` away, and say that no step of the study makes the model any more."""
    current.must_hold(study)
    store.client().delete_registered_model_alias(entry["name"], ALIAS)
    store.client().update_registered_model(entry["name"], "No step of the study makes this model any more.")


def tag(study: str, verdict: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> None:
    """Write what a step says of a version to its tags, and take away what it said before and no longer does."""
    current.must_hold(study)
    c, name, version = store.client(), verdict["name"], verdict["version"]
    for key, value in verdict["tags"].items():
        c.set_model_version_tag(name, version, key, value[:5000])
    if before and (before["name"], before["version"]) == (name, version):
        for key in set(before["tags"]) - set(verdict["tags"]):
            c.delete_model_version_tag(name, version, key)


def link(study: str, verdict: Mapping[str, Any], run_id: str, step: str) -> None:
    """Let a version's description lead to the page of a run that speaks of it."""
    current.must_hold(study)
    linked.describe(verdict["name"], verdict["version"], linked.of_run(run_id, step))


def unlink(study: str, verdict: Mapping[str, Any], step: str) -> None:
    """Let a version's description no longer lead to the page of a step that is gone."""
    current.must_hold(study)
    linked.undescribe(verdict["name"], verdict["version"], step)


def _what(entry: Mapping[str, Any]) -> str:
    return f"{entry['kind']}, SHA-256 {entry['digest'][:16]}"


def _registered(name: str, version: str) -> bool:
    from mlflow.exceptions import MlflowException

    try:
        return bool(store.client().get_model_version(name, version))
    except MlflowException:
        return False


def _alias(name: str) -> str:
    from mlflow.exceptions import MlflowException

    try:
        return str(store.client().get_model_version_by_alias(name, ALIAS).version)
    except MlflowException:
        return ""
