"""`reports/` on the loopback address, for reading: pages and packs alone, to this machine's browser alone."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Awaitable, Callable
from pathlib import PurePosixPath
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from workbench import home
from workbench.reporting import site

SHOWN = (".html", ".pdf")  # what of reports/ is for readers; a half-run notebook isn't
# No page asks anyone anything, whatever stands in it. Evidently's bring scripts of their own: they run in a sandbox, an
# origin of none, where they can't open the other pages. Pages of the house forbid every script themselves.
POLICY = (
    "default-src 'none'; img-src data: blob:; font-src data:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline' 'unsafe-eval'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SANDBOX = "; sandbox allow-scripts"  # not for PDF: Chromium's viewer doesn't open in one
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Pages(StaticFiles):
    """The files below `reports/` that people read: no listing, no hidden file, nothing that a link leads out to.

    `mlflow` gives the address of an MLflow UI that runs, or nothing; the site's own pages lead to it then.
    """

    def __init__(self, mlflow: Callable[[], str]):
        super().__init__(directory=home.reports(), html=True)
        self.mlflow = mlflow

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with a page, or raise what becomes 404 or 405."""
        asked = PurePosixPath(path)
        if any(part.startswith(".") for part in asked.parts):
            raise HTTPException(404)
        if content := await run_in_threadpool(self._linked, scope):
            return HTMLResponse(content)
        response = await super().get_response(path, scope)
        if not str(getattr(response, "path", SHOWN[0])).endswith(SHOWN):
            raise HTTPException(404)
        return response

    def _linked(self, scope: Scope) -> str:
        """Return the site's page that is asked for with links into the UI, empty where it is none or no UI runs."""
        path = scope["path"].lstrip("/")
        place = f"{path}index.html" if path.endswith("/") or not path else path
        address = self.mlflow() if scope["method"] in ("GET", "HEAD") else ""
        return site.linked(place, address) if address else ""


class Guarded:
    """An ASGI application that answers to the given hosts alone, and adds what keeps a page from acting."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], hosts: tuple[str, ...]):
        self.app, self.hosts = app, tuple(h.encode() for h in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on with these headers; another host's name (a page elsewhere that points it here) gets 421."""
        given = [value.lower() for name, value in scope["headers"] if name == b"host"]

        async def sent(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *_headers(message)]}
            await send(message)

        if scope["type"] == "http" and len(given) == 1 and given[0] in self.hosts:
            await self.app(scope, receive, sent)
        else:
            await Response("this server answers to its own address alone\n", 421)(scope, receive, sent)


def _headers(message: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    kind = next((v for n, v in message.get("headers", ()) if n.lower() == b"content-type"), b"")
    policy = POLICY if kind.startswith(b"application/pdf") else POLICY + SANDBOX
    return [(n.encode(), v.encode()) for n, v in {**_HEADERS, "content-security-policy": policy}.items()]


def application(port: int, mlflow: Callable[[], str]) -> Guarded:
    """Return the server of `reports/` as an ASGI application for a port of the loopback address."""
    pages = Starlette(routes=[Mount("/", app=Pages(mlflow))])
    return Guarded(pages, (f"127.0.0.1:{port}", f"localhost:{port}"))


def config(port: int, mlflow: Callable[[], str]) -> uvicorn.Config:
    """Return how the server runs: no log of who reads what, no word on its own kind and version."""
    return uvicorn.Config(
        application(port, mlflow), log_level="warning", access_log=False, server_header=False, lifespan="off", ws="none"
    )


def serve(bound: socket.socket, mlflow: Callable[[], str]) -> None:
    """Serve `reports/` on a bound socket until stopped."""
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config(bound.getsockname()[1], mlflow)).run(sockets=[bound])
