"""The app of `mlflow server --app-name loan-workbench`: MLflow's basic-auth, with a guard behind it that journals.

MLflow authenticates and asks its own permissions first; what passes is then held against the chain of signed moves.
This holds for administrators, too. Written and tried against the MLflow that the lock pins.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from workbench.params import UserError
from workbench.registry import guarded
from workbench.registry.guard import asked, inside, protected, received, refusals, settings
from workbench.registry.guard.asked import Asked
from workbench.registry.guard.journal import Journal

if TYPE_CHECKING:
    from fastapi import FastAPI
    from flask import Flask, Response

_JOURNALLED = ("registered-models/", "model-versions/", "users/", "roles/", "permissions", "workbench/")
_ENDS = {  # of these only what makes, ends or renames them: the rest is daily work
    "experiments": ("create", "delete", "restore", "update"),
    "runs": ("delete", "restore"),
}
_ARTIFACTS = "/mlflow-artifacts/artifacts"


def create() -> Any:
    """Return the server's app, guarded; the factory that MLflow's entry point `mlflow.app` names."""
    try:
        for fault in settings.faults(os.environ, sys.argv):
            raise UserError(fault)
        inside.open_()
    except UserError as e:
        _stop(e)
    from mlflow.server import app as flask_app
    from mlflow.server.auth import create_app

    served = create_app(flask_app)
    journal = Journal(inside.journal())
    _guard(flask_app, journal)
    if served is not flask_app:
        _guard_artifacts(served, journal)
    return served


def _stop(e: UserError) -> None:
    """End the server in one line: its supervisor would start a worker that ends again and again."""
    sys.stderr.write(f"workbench: {e}\n")
    if multiprocessing.parent_process() is not None:
        os.kill(os.getppid(), signal.SIGTERM)
    raise SystemExit(2)


def _guard(app: Flask, journal: Journal) -> None:
    from mlflow.server.auth import BEFORE_REQUEST_VALIDATORS

    for name, view, method in (("level", _level, "GET"), ("moves", _move, "POST")):
        app.add_url_rule(f"{guarded.ROUTE}/{name}", f"workbench_{name}", view, methods=[method])
        # Whoever is signed in may ask: of a move the signature says whose it is. MLflow refuses routes without a rule.
        BEFORE_REQUEST_VALIDATORS[f"{guarded.ROUTE}/{name}", method] = lambda: True
    app.before_request(lambda: _before(journal))
    app.after_request(lambda response: _after(journal, response))


def _level() -> dict[str, str]:
    return {"level": guarded.PREVENT}


def _move() -> Any:
    """Take a signed move; whoever sends it is authenticated by MLflow and is the person who signed it."""
    from flask import request

    try:
        event = received.take(_user(), request.get_json(force=True, silent=True) or {})
    except received.Overtaken as e:
        return _answer(guarded.OVERTAKEN, "RESOURCE_CONFLICT", str(e))
    except UserError as e:
        return _answer(guarded.REFUSED, "PERMISSION_DENIED", str(e))
    return {"run_id": event.run_id}


def _asked_now() -> Asked:
    from flask import request

    body = request.get_json(force=True, silent=True) if request.method != "GET" else None
    return asked.read(request.method, request.path, (request.args.to_dict(), body, request.view_args))


def _user() -> str:
    from flask import g

    return str(getattr(g, "mlflow_authenticated_user", "") or "")


def _before(journal: Journal) -> Any:
    """Refuse what goes past the chain; nothing that is to be journalled is done where it can't be."""
    from flask import g

    now = _asked_now()
    if now.is_read:
        return None
    if not journal.can_be_written():
        return _answer(503, "TEMPORARILY_UNAVAILABLE", "the journal can't be written: nothing is changed until it can")
    words = refusals.why(now, _user(), protected.now())
    if not words:
        return None
    g.refused = words
    return _answer(guarded.REFUSED, "PERMISSION_DENIED", f"refused: {words}")


def _after(journal: Journal, response: Response) -> Response:
    from flask import g

    now, refused = _asked_now(), getattr(g, "refused", "")
    if refused or (_is_journalled(now) and not now.is_read):
        outcome = f"refused: {refused}" if refused else _outcome(now, response)
        journal.append(_user(), now.shown | _of_move(now), outcome)
    return response


def _outcome(now: Asked, response: Response) -> str:
    if response.status_code == 200:
        return "done"
    answer = response.get_json(silent=True) if now.route.startswith("workbench/") else None
    return f"refused: {answer['message']}" if answer else f"refused by MLflow: {response.status_code}"


def _of_move(now: Asked) -> dict[str, str]:
    event = now.fields.get("event") if now.route == "workbench/moves" else None
    names = ("seq", "verb", "model", "version", "from", "to")
    return {n: str(event[n])[: asked.SHOWN_LENGTH] for n in names if n in event} if isinstance(event, dict) else {}


def _is_journalled(now: Asked) -> bool:
    begin, _, end = now.route.partition("/")
    ends = end in _ENDS.get(begin, ()) or (begin == "logged-models" and now.method == "DELETE")
    return ends or now.route.startswith(_JOURNALLED)


def _answer(status: int, code: str, message: str) -> Response:
    from flask import Response

    return Response(json.dumps({"error_code": code, "message": message}), status, mimetype="application/json")


def _guard_artifacts(app: FastAPI, journal: Journal) -> None:
    """MLflow serves artifacts past Flask: the same rule stands before that road."""

    @app.middleware("http")
    async def guard(request: Any, call_next: Callable[[Any], Awaitable[Any]]) -> Any:
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import JSONResponse

        path = request.url.path
        if request.method not in ("PUT", "POST", "DELETE") or _ARTIFACTS not in path:
            return await call_next(request)
        words = await run_in_threadpool(_artifact, request, path.partition(_ARTIFACTS)[2], journal)
        if not words:
            return await call_next(request)
        answer = {"error_code": "PERMISSION_DENIED", "message": f"refused: {words}"}
        return JSONResponse(answer, guarded.REFUSED)


def _artifact(request: Any, path: str, journal: Journal) -> str:
    """Return why a file is refused; of somebody whom MLflow doesn't know, nothing: it says so itself."""
    from mlflow.server.auth import _authenticate_fastapi_request

    words = refusals.artifact(path, request.method == "DELETE", protected.now())
    user = _authenticate_fastapi_request(request) if words else None
    if user is None:
        return ""
    what = {"method": request.method, "route": f"artifacts/{path.strip('/')}"}
    journal.append(user.username, what, f"refused: {words}")
    return words
