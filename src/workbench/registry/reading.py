"""MLflow's UI for reading only: what would change the store or its files is refused, and no page asks anyone else.

On one machine a server can't tell its user from any other local process, so it lets nobody write: only the runner
changes the store. `python -m workbench.registry.reading --port PORT --store URI` starts it on the loopback address.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import time
from collections.abc import Awaitable, Callable
from threading import Thread
from typing import Any, NoReturn

LOOPBACK = "127.0.0.1"
EVERY_SECONDS = 30  # a runner that died is shown as such within this and a minute
_SAFE = ("GET", "HEAD", "OPTIONS")
# What MLflow's UI asks with POST and changes nothing by; anything that isn't listed is refused.
_SEARCHES = re.compile(
    r"/(ajax-)?api/[23]\.0/mlflow/("
    r"(experiments|runs|logged-models|traces|datasets|issues|prompt-optimization/jobs)/search"
    r"|experiments/search-datasets|registered-models/get-latest-versions"
    r"|traces/(batchGetInfos|metrics|calculate-filter-correlation))"
    r"|/graphql"  # its schema has searches and an echo
)
_REFUSAL = json.dumps(
    {"error_code": "PERMISSION_DENIED", "message": "this UI is for reading; the store is changed by `workbench run`"}
).encode()

# MLflow's pages ask their own server alone: descriptions are Markdown and may hold pictures from elsewhere, HTML files
# that runs have left are shown in a frame (which takes the policy over), and whoever wrote them would learn who looks.
POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
    "frame-ancestors 'self'; base-uri 'self'; form-action 'none'; object-src 'none'"
)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class ReadOnly:
    """An ASGI application that hands reading on to another one and answers everything else with 403."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, or refuse."""
        if scope["type"] == "lifespan" or (scope["type"] == "http" and is_reading(scope["method"], scope["path"])):
            await self.app(scope, receive, _held(send))
        elif scope["type"] == "http":
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(_REFUSAL)).encode())]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": _REFUSAL})
        else:
            await send({"type": "websocket.close", "code": 1008})


def _held(send: Send) -> Send:
    """Return `send` with the policy among the headers of what is answered, beside any that MLflow gives itself."""

    async def sent(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            given = [(b"content-security-policy", POLICY.encode()), (b"referrer-policy", b"no-referrer")]
            message = {**message, "headers": [*message.get("headers", ()), *given]}
        await send(message)

    return sent


def is_reading(method: str, path: str) -> bool:
    """Say whether a request changes nothing.

    >>> is_reading("GET", "/"), is_reading("POST", "/ajax-api/2.0/mlflow/runs/search")
    (True, True)
    >>> is_reading("POST", "/api/2.0/mlflow/runs/set-tag"), is_reading("PUT", "/api/2.0/mlflow-artifacts/artifacts/x")
    (False, False)
    """
    return method in _SAFE or (method == "POST" and _SEARCHES.fullmatch(path) is not None)


def application(store: str) -> ReadOnly:
    """Return MLflow's server on a store (its address), for reading only."""
    from mlflow.server import constants

    os.environ[constants.BACKEND_STORE_URI_ENV_VAR] = store
    os.environ[constants.REGISTRY_STORE_URI_ENV_VAR] = store
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    from mlflow.server import fastapi_app

    return ReadOnly(fastapi_app.app)


def _mark_crashed() -> NoReturn:
    """Look for runs whose runner is gone, again and again: MLflow itself would show them RUNNING for ever."""
    from workbench.registry import runs

    while True:
        with contextlib.suppress(Exception):  # a busy store: the next look may get through
            if runs.under_way():
                runs.reconcile()
        time.sleep(EVERY_SECONDS)


def main() -> None:
    """Serve until stopped."""
    import uvicorn

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--store", required=True, help="address of the store, as in MLFLOW_TRACKING_URI")
    given = parser.parse_args()
    app = application(given.store)
    Thread(target=_mark_crashed, daemon=True, name="crashed").start()
    uvicorn.run(app, host=LOOPBACK, port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
