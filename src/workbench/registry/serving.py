"""The champion as it may be served: the version the chain names, loaded only if the digest over all its files holds."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from workbench.evidence import digest_folder
from workbench.params import Key, UserError
from workbench.registry import chained, events, registered, store, versions
from workbench.registry.lifecycle import CHAMPION, EXCEPTION
from workbench.registry.state import Book, Standing, replay

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.pyfunc import PyFuncModel

_META = "registered_model_meta"  # what MLflow lays beside a registered model that it loads
_log = logging.getLogger("workbench")


def champion(model: str) -> PyFuncModel:
    """Return a model's champion, ready to predict; alias and tags aren't asked, the chain is.

    `UserError` where the model has none, or a file of it isn't the one that was submitted and approved: no code of it
    has been run then.
    """
    standing = _book().champion(model)
    if standing is None:
        raise UserError(f"model '{model}' has no champion; `workbench models` shows its versions")
    return _loaded(standing)


def excepted(model: str, version: str) -> PyFuncModel:
    """Return a version in exception use, until its last day; `UserError` as `champion`."""
    standing, today = _book().of(model, version), events.now()[:10]
    if standing.state != EXCEPTION or standing.until < today:
        raise UserError(f"{model} version {version}: no exception holds today; `workbench history {model}`")
    return _loaded(standing)


def served(model: str, version: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Return what a version says of rows when MLflow's pyfunc loads it from its files: predicted, score, grade_code.

    Whatever its state: it is how the validator holds what is served against what was registered.
    """
    import mlflow

    loaded = mlflow.pyfunc.load_model(str(registered.folder(registered.one(model, version))))
    return loaded.predict(rows)


def trial(key: Key, model: str) -> PyFuncModel:
    """Return the version a study has registered, approved or not, to be tried; `UserError` where its bytes changed."""
    version = versions.load(key, model)
    import mlflow

    return mlflow.pyfunc.load_model(str(registered.folder(registered.one(version.name, str(version.version)))))


def tell_of_wrong_alias(folder: Path) -> None:
    """Warn in the log where the version that MLflow is loading from a folder has the alias champion against the chain.

    Whoever loads `models:/NAME@champion` asks an alias and not the chain; nothing is said where no store can be asked.
    """
    if not (folder / _META).exists() or not store.is_there():
        return
    try:
        meta = yaml.safe_load((folder / _META).read_text(encoding="utf-8"))
        model, version = str(meta["model_name"]), str(meta["model_version"])
        if registered.aliases(model).get(CHAMPION) != version:
            return
        champion = replay(events.read()).champion(model)
    except Exception:  # noqa: BLE001 - whatever the store raises: a model is served without it, too
        return
    if champion is None or champion.version != version:
        named = f"version {champion.version}" if champion else "none"
        _log.warning(
            "%s version %s has the alias champion, and the chain of moves names %s; `workbench audit`,"
            " and load it by workbench.registry.serving.champion",
            *(model, version, named),
        )


def _book() -> Book:
    chain = events.read()
    chained.must_hold(chain)
    return replay(chain)


def _loaded(s: Standing) -> PyFuncModel:
    import mlflow

    r = registered.one(s.model, s.version)
    folder = registered.folder(r)
    if not folder.is_dir() or registered.digest(digest_folder(folder)) != s.files:
        raise UserError(
            f"{r.name}: its files are other than those that event {s.event} speaks of; not loaded; `workbench audit`"
            " names them"
        )
    return mlflow.pyfunc.load_model(str(folder))
