"""Logged models, of which versions are made: whether MLflow still holds each of them."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.registry import store
from workbench.registry.registered import Registered


def gone(held: Iterable[Registered]) -> list[Registered]:
    """Return the versions whose logged model was deleted; their files may lie there until `mlflow gc` takes them."""
    made_of_one = [r for r in held if r.model_id]
    there = _there({r.model_id for r in made_of_one})
    return [r for r in made_of_one if r.model_id not in there]


def _there(ids: set[str]) -> set[str]:
    rows = store.ask("SELECT model_id FROM logged_models WHERE lifecycle_stage = 'active'")
    return {i for i in ids if _is_served(i)} if rows is None else {i for (i,) in rows}


def _is_served(model_id: str) -> bool:
    from mlflow.exceptions import MlflowException

    try:
        return bool(store.client().get_logged_model(model_id))
    except MlflowException as e:
        if e.error_code in ("RESOURCE_DOES_NOT_EXIST", "PERMISSION_DENIED"):  # so basic-auth says it of a deleted one
            return False
        raise
