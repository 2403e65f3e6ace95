"""The level of protection that the store in use gives, and moves sent to a server that gives the higher one."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from workbench.params import UserError
from workbench.registry import store

if TYPE_CHECKING:
    from requests import Response

ROUTE = "/api/2.0/workbench"
DETECT, PREVENT = "detect", "detect and prevent"
REFUSED, OVERTAKEN = 403, 409


class Overtaken(Exception):
    """Another move was written first."""


def level() -> str:
    """Return what the store in use does about what goes past the life cycle, as documents say it.

    `detect`: the audit names it. `detect and prevent`: a server with our guard also refuses it.
    """
    return PREVENT if prevents() else DETECT


def prevents() -> bool:
    """Say whether the store is a tracking server with the guard; it is asked once a process and user."""
    return store.is_server() and _is_guarded(store.uri(), os.environ.get(store.USER, ""))


@cache
def _is_guarded(uri: str, user: str) -> bool:
    answer = _asked("GET", "level")
    try:
        return answer.status_code == 200 and answer.json()["level"] == PREVENT
    except (ValueError, KeyError, TypeError):
        return False


def accepts(user: str, password: str) -> bool:
    """Say whether the server lets in whoever knows these."""
    from mlflow.utils.rest_utils import MlflowHostCreds, http_request

    credentials = MlflowHostCreds(store.uri(), user, password)
    answer = http_request(
        credentials, "/api/2.0/mlflow/users/current", "GET", max_retries=0, raise_on_status=False, timeout=10
    )
    return answer.status_code == 200 and "username" in answer.text


def send(event: Mapping[str, str], evidence: Mapping[str, Any]) -> str:
    """Send a signed move to the server and return its run; `UserError` where it is refused, with the server's words."""
    answer = _asked("POST", "moves", {"event": dict(event), "evidence": dict(evidence)})
    if answer.status_code == 200:
        return str(answer.json()["run_id"])
    if answer.status_code == OVERTAKEN:
        raise Overtaken(_words(answer))
    raise UserError(f"MLflow at {store.uri()} refuses the move: {_words(answer)}")


def _asked(method: str, route: str, content: Any = None) -> Response:
    from mlflow.utils.rest_utils import http_request

    credentials = store.client()._tracking_client.store.get_host_creds()
    more = {"json": content} if content is not None else {}
    answer = http_request(credentials, f"{ROUTE}/{route}", method, max_retries=2, raise_on_status=False, **more)
    if answer.status_code == 401:
        raise store.unknown_user()
    return answer


def _words(answer: Response) -> str:
    try:
        return str(json.loads(answer.text)["message"])
    except (ValueError, KeyError, TypeError):
        return " ".join(answer.text.split())[:200] or f"code {answer.status_code}"
