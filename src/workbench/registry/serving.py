"""The champion as it may be served: the version the chain names, loaded only if the digest over all its files holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.params import UserError
from workbench.registry import chained, events, registered, versions
from workbench.registry.lifecycle import EXCEPTION
from workbench.registry.state import Book, Standing, replay

if TYPE_CHECKING:
    from mlflow.pyfunc import PyFuncModel


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


def _book() -> Book:
    chain = events.read()
    chained.must_hold(chain)
    return replay(chain)


def _loaded(s: Standing) -> PyFuncModel:
    import mlflow

    r = registered.one(s.model, s.version)
    folder = registered.folder(r)
    if not folder.is_dir() or registered.digest(versions.digests(folder)) != s.files:
        raise UserError(
            f"{r.name}: its files are other than those that event {s.event} speaks of; not loaded; `workbench audit`"
            " names them"
        )
    return mlflow.pyfunc.load_model(str(folder))
